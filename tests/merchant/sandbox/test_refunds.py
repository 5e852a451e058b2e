"""The imitated providers give money back by their own rules, and wrong on purpose."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from merchant.providers import PROVIDERS
from merchant.providers.base import Keys
from merchant.sandbox import paynow, paysecure, paysuper, shop, tricks
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.server import Server
from merchant.sandbox.story import Purchase
from merchant.sandbox.stripe.scene import Scene
from merchant.sandbox.tellers import TELLERS

LARGE = 1000
KEY, TOKEN = "key-of-the-sandbox", "token-of-a-person"


class House:
    """A served sandbox with one paid purchase at each provider."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open()
        now = datetime.now(UTC)
        for provider, stall in self.stalls.items():
            # What is bought depends on chance: large enough to give parts back.
            for seed in range(100):
                self.market.sell(stall, seed, now, ending="paid", begin="told")
                sale = self.sale(provider)
                if sale.total >= LARGE and sale.currency in {"eur", "usd"}:
                    break
        self.told = self.market.due(now)

    def open(self) -> None:
        self.book = Book(self.folder / "book")
        keys = Keys(api_key=KEY, user_token=TOKEN)
        self.stalls = {
            provider: Stall(f"connection-{provider}", provider, keys)
            for provider in PROVIDERS
        }
        self.market = Market(self.book, self.stalls.values())
        self.server = Server(self.market, 0)
        self.server.start()

    def close(self) -> None:
        self.server.stop()
        self.book.close()

    def sale(self, provider: str) -> Purchase:
        return list(self.market.shop(self.stalls[provider]).purchases.values())[-1]

    def refunds(self, provider: str) -> list[int]:
        steps = self.sale(provider).steps
        return [step.amount for step in steps if step.kind == "refund"]

    def ask(
        self, method: str, path: str, body: Any = None, scheme: str = "Bearer"
    ) -> tuple[int, Any]:
        host = self.server.url.removeprefix("http://")
        line = http.client.HTTPConnection(host, timeout=5)
        secret = TOKEN if path.startswith("/paysuper") else KEY
        text = b"" if body is None else json.dumps(body).encode()
        line.request(method, path, text, {"Authorization": f"{scheme} {secret}"})
        answer = line.getresponse()
        told = answer.read()
        line.close()
        return answer.status, json.loads(told or b"null")

    def events(self, later: int = 0) -> list[str]:
        """The webhooks that are sent until so many seconds from now."""
        due = self.market.due(datetime.now(UTC) + timedelta(seconds=later))
        return [
            event.type
            for telling in due
            for event in TELLERS[telling.stall.provider].events(
                telling.purchase, telling.step
            )
        ]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


# ----------------------------------------------------------------------------- Stripe
@pytest.fixture
def client(house: House) -> stripe.StripeClient:
    return stripe.StripeClient(
        KEY, base_addresses={"api": f"{house.server.url}/stripe"}, max_network_retries=0
    )


def intent(house: House) -> str:
    return Scene.now(house.sale("stripe")).id("pi")


def test_stripes_client_gives_parts_and_the_rest_back(
    house: House, client: stripe.StripeClient
) -> None:
    total = house.sale("stripe").total
    first = client.v1.refunds.create(
        {"payment_intent": intent(house), "amount": 100, "metadata": {"a": "b"}}
    )
    assert (first.status, first.amount, first.metadata["a"]) == ("succeeded", 100, "b")
    rest = client.v1.refunds.create({"payment_intent": intent(house)})
    assert rest.amount == total - 100
    assert house.events()[:3] == ["refund.created", "charge.refunded", "refund.updated"]
    with pytest.raises(stripe.InvalidRequestError) as no:
        client.v1.refunds.create({"payment_intent": intent(house)})
    assert no.value.code == "charge_already_refunded"
    listed = client.v1.refunds.list({"payment_intent": intent(house), "limit": 1})
    ids = [refund.id for refund in listed.auto_paging_iter()]
    assert ids == [rest.id, first.id]


def test_stripes_key_is_good_for_one_refund(
    house: House, client: stripe.StripeClient
) -> None:
    asked = {"payment_intent": intent(house), "amount": 100}
    first = client.v1.refunds.create(asked, {"idempotency_key": "k"})
    assert client.v1.refunds.create(asked, {"idempotency_key": "k"}).id == first.id
    assert house.refunds("stripe") == [100]
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create(asked | {"amount": 200}, {"idempotency_key": "k"})


@pytest.mark.parametrize(
    ("asked", "param"),
    [({"amount": 10**9}, "amount"), ({"reason": "why"}, "reason"), ({"x": "y"}, "x")],
)
def test_stripe_refuses_what_it_does_not_know(
    house: House, client: stripe.StripeClient, asked: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as no:
        client.v1.refunds.create({"payment_intent": intent(house), **asked})
    assert no.value.param == param
    assert not house.refunds("stripe")


def test_a_stranger_to_stripe_is_missing(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as no:
        client.v1.refunds.create({"charge": "ch_nobody"})
    assert no.value.code == "resource_missing"


def test_stripe_gives_a_renewal_back(house: House, client: stripe.StripeClient) -> None:
    now = datetime.now(UTC)
    stall = house.stalls["stripe"]
    house.market.sell(stall, 1, now, ending="subscribed", begin="told")
    house.events()
    first, second, *_ = Scene.now(house.sale("stripe")).sales()
    made = client.v1.refunds.create({"payment_intent": second.id("pi")})
    assert (made.payment_intent, made.charge) == (second.id("pi"), second.id("ch"))
    assert client.v1.refunds.retrieve(made.id).amount == second.total
    assert client.v1.charges.retrieve(second.id("ch")).refunded
    assert not client.v1.charges.retrieve(first.id("ch")).refunded
    assert house.events()[:2] == ["refund.created", "charge.refunded"]
    listed = client.v1.refunds.list({"payment_intent": first.id("pi")})
    assert not listed.data


def test_stripe_cancels_only_what_waits_for_the_customer(
    house: House, client: stripe.StripeClient
) -> None:
    asked = client.v1.refunds.create({"payment_intent": intent(house), "amount": 168})
    assert asked.status == "requires_action"
    assert client.v1.refunds.cancel(asked.id).status == "canceled"
    assert house.sale("stripe").refunded() == 0
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(asked.id)


@pytest.mark.parametrize(
    ("amount", "first", "then", "events"),
    [
        (166, "succeeded", "failed", ["refund.failed", "charge.refund.updated"]),
        (167, "pending", "succeeded", ["refund.updated", "charge.refund.updated"]),
    ],
)
def test_a_refund_can_change_later(
    house: House,
    client: stripe.StripeClient,
    amount: int,
    first: str,
    then: str,
    events: list[str],
) -> None:
    made = client.v1.refunds.create({"payment_intent": intent(house), "amount": amount})
    assert made.status == first
    house.events()
    assert house.events(later=10) == events
    assert client.v1.refunds.retrieve(made.id).status == then


@pytest.mark.parametrize(
    ("amount", "error"),
    [(163, stripe.APIError), (164, stripe.RateLimitError)],
)
def test_a_bad_moment_passes(
    house: House, client: stripe.StripeClient, amount: int, error: type[Exception]
) -> None:
    asked = {"payment_intent": intent(house), "amount": amount}
    with pytest.raises(error):
        client.v1.refunds.create(asked, {"idempotency_key": "k"})
    assert not house.refunds("stripe")
    made = client.v1.refunds.create(asked, {"idempotency_key": "k"})
    assert (made.status, house.refunds("stripe")) == ("succeeded", [amount])


def test_a_dropped_answer_has_had_its_effect(
    house: House, client: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create({"payment_intent": intent(house), "amount": 162})
    assert house.refunds("stripe") == [162]


def test_a_sandbox_started_again_knows_what_it_gave_back(
    house: House, client: stripe.StripeClient
) -> None:
    asked = {"payment_intent": intent(house), "amount": 100}
    first = client.v1.refunds.create(asked, {"idempotency_key": "k"})
    house.close()
    house.open()
    again = stripe.StripeClient(
        KEY, base_addresses={"api": f"{house.server.url}/stripe"}, max_network_retries=0
    )
    assert again.v1.refunds.create(asked, {"idempotency_key": "k"}).id == first.id
    assert house.refunds("stripe") == [100]


# ----------------------------------------------------------------------------- PayNow
def test_paynow_gives_an_order_back_once(house: House) -> None:
    sale = paynow.api.bodies.first_sale(house.sale("paynow"))
    order = f"/paynow/v1/stores/{paynow.STORE_ID}/orders/{sale.order_id}/refund"
    status, made = house.ask("POST", order, {}, "APIKey")
    assert (status, made["status"], made["amount"]) == (
        200, "created", house.sale("paynow").total,
    )  # fmt: skip
    assert house.events() == ["ON_REFUND"]
    assert house.ask("POST", order, {}, "APIKey")[0] == 400
    payment = f"/paynow/v1/stores/{paynow.STORE_ID}/payments/{sale.payment_id}"
    _, told = house.ask("GET", payment, scheme="APIKey")
    assert [refund["id"] for refund in told["refunds"]] == [made["id"]]


def test_paynow_gives_each_line_back_once(house: House) -> None:
    sale = paynow.api.bodies.first_sale(house.sale("paynow"))
    order = f"/paynow/v1/stores/{paynow.STORE_ID}/orders/{sale.order_id}/refund"
    line = paynow.api.bodies.order(sale)["lines"][0]
    asked = {"order_line_id": line["id"]}
    status, made = house.ask("POST", order, asked, "APIKey")
    assert (status, made["amount"]) == (200, line["total_amount"])
    assert made["order_line_id"] == line["id"]
    assert house.ask("POST", order, asked, "APIKey")[0] == 400
    assert house.ask("POST", order, {"order_line_id": "1"}, "APIKey")[0] == 400


# -------------------------------------------------------------------------- Paysecure
def test_paysecure_takes_one_refund_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = house.sale("paysecure")
    path = f"/paysecure/purchases/{paysecure.api.bodies.purchase_id(sale)}"
    status, part = house.ask("POST", f"{path}/refund", {"amount": 1.5, "reason": "x"})
    assert (status, part["status"], part["amount"]) == (200, "REFUND_IN_PROCESS", 1.5)
    status, no = house.ask("GET", f"{path}/refund/")
    assert (status, no["message"]) == (
        400,
        "Previous Refund Request already in Process",
    )
    monkeypatch.setattr("merchant.sandbox.paysecure.bodies.REFUND_TAKES", timedelta(0))
    asked = {"refundId": part["refundId"]}
    id = path.rpartition("/")[2]
    _, told = house.ask("POST", f"/paysecure/refundStatus/{id}/", asked)
    assert (told["status"], told["refundOn"] > 0) == ("REFUNDED", True)
    status, no = house.ask("POST", f"{path}/refund", {"amount": 10**6})
    assert no["code"] == "validation_error"
    assert house.ask("POST", f"{path}/refund", {"amount": 0})[0] == 400


def test_paysecure_gives_all_back_by_a_get_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchant.sandbox.paysecure.bodies.REFUND_TAKES", timedelta(0))
    sale = house.sale("paysecure")
    path = f"/paysecure/purchases/{paysecure.api.bodies.purchase_id(sale)}"
    status, whole = house.ask("GET", f"{path}/refund/")
    assert (status, whole["status"]) == (200, "REFUNDED")
    status, no = house.ask("GET", f"{path}/refund/")
    assert no["message"] == "This Purchase was already fully refunded."
    assert house.refunds("paysecure") == [sale.total]
    assert house.events() == ["purchase.refund_in_process", "purchase.refunded"]


# --------------------------------------------------------------------------- PaySuper
def test_paysuper_gives_the_whole_order_back_once(house: House) -> None:
    sale = house.sale("paysuper")
    order = paysuper.orders.order_id(sale)
    path = f"/paysuper/admin/api/v1/order/{order}/refunds"
    status, made = house.ask("POST", path, {"amount": 1, "reason": "Redeem chargeback"})
    assert (status, made["status"]) == (201, 2)
    assert (made["amount"] > 1, made["reason"]) == (True, "Redeem chargeback")
    assert house.ask("POST", path, {"amount": 1})[1]["code"] == "rf000004"
    assert house.events() == []
    assert house.events(later=10) == ["payment.refund"]
    assert house.ask("POST", path, {"amount": 1})[1]["code"] == "rf000003"
    assert house.ask("GET", path)[1]["count"] == 1
    assert house.ask("GET", f"{path}/{made['id']}")[0] == 200
    assert house.ask("GET", f"{path}/{'0' * 24}")[1]["code"] == "rf000005"


@pytest.mark.parametrize(
    "body", [{}, {"amount": 0}, {"amount": "x"}, [], {"amount": True}]
)
def test_paysuper_wants_an_amount(house: House, body: Any) -> None:
    order = paysuper.orders.order_id(house.sale("paysuper"))
    path = f"/paysuper/admin/api/v1/order/{order}/refunds"
    assert house.ask("POST", path, body)[1]["code"] == "ma000002"
    assert not house.refunds("paysuper")


def test_paysuper_wants_a_person(house: House) -> None:
    order = paysuper.orders.order_id(house.sale("paysuper"))
    path = f"/paysuper/admin/api/v1/order/{order}/refunds"
    assert house.ask("POST", path, {"amount": 1}, "Basic")[0] == 401


def test_no_basket_comes_to_a_trick_by_chance() -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    for number in range(400):
        purchase = shop.plan(5, number, now, "stripe", ending="paid")
        assert not tricks.of(purchase.total)
