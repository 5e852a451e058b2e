"""PayNow in the sandbox speaks as PayNow does: our own reader understands it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant import strict_json
from merchant.providers import paynow as provider
from merchant.providers.base import Answer, Fact, Incoming, Keys, Refused, Want
from merchant.sandbox import paynow
from merchant.sandbox.catalogue import BY_KEY
from merchant.sandbox.story import Buyer, Line, Purchase, Request, Shop, Step
from tests.merchant.providers.contract import check_facts

KEYS = Keys(secrets=("whs_sandbox",), api_key="pn_sandbox", livemode=False)
BEGUN = datetime(2026, 10, 1, 9, tzinfo=UTC)
BUYER = Buyer(
    "Ida Example", "ida@example.net", "DK", "Aarhus", "+4520555001", "ida-7", "7656119"
)


def purchase(*kinds: str, number: int = 41, key: str = "vey", **over: Any) -> Purchase:
    """A purchase of two things, with these steps a day apart."""
    lines = (Line(BY_KEY[key], 1), Line(BY_KEY["pin"], 2))
    made = Purchase(number, BUYER, lines, "eur", "visa", "4242", False)
    amounts = {"refund": over.get("amount", made.total)}
    made.steps = [
        Step(
            kind, BEGUN + timedelta(days=n), amounts.get(kind, 0), kinds[:n].count(kind)
        )
        for n, kind in enumerate(kinds)
    ]
    made.told = list(made.steps)
    return made


def told(made: Purchase) -> list[Fact]:
    return [
        fact
        for step in made.steps
        for event in paynow.events(made, step)
        for fact in provider.read(strict_json.parse(event.body), KEYS)
    ]


@pytest.mark.parametrize("kind", sorted(paynow.STEPS))
def test_every_step_sends_events_that_are_understood(kind: str) -> None:
    made = purchase("paid", kind) if kind != "paid" else purchase("paid")
    step = made.steps[-1]
    events = paynow.events(made, step)
    assert events
    for event in events:
        payload = strict_json.parse(event.body)
        assert set(payload) == {"event_type", "event_id", "body"}
        headers = provider.sign(event.body, KEYS, step.at)
        named = {name.lower(): value for name, value in headers.items()}
        incoming = Incoming(event.body, named, step.at)
        assert provider.verify(incoming, KEYS)
        assert provider.identify(incoming, payload).event_type == event.type
        facts = provider.read(payload, KEYS)
        assert facts
        check_facts(facts, provider)


def test_steps_without_a_webhook_send_nothing() -> None:
    made = purchase("created", "pending")
    assert [paynow.events(made, step) for step in made.steps] == [[], []]


def test_the_same_purchase_sends_the_same_bytes() -> None:
    first, second = (purchase("paid", "refund") for _ in range(2))
    for one, other in zip(first.steps, second.steps, strict=True):
        assert paynow.events(first, one) == paynow.events(second, other)


def test_ids_are_never_given_twice() -> None:
    ids: Counter[str] = Counter()
    for number in range(1, 400):
        made = purchase("paid", "refund", "dispute", number=number)
        for step in made.steps:
            for event in paynow.events(made, step):
                payload = json.loads(event.body)
                ids[payload["event_id"]] += 1
                if payload["event_type"] in {
                    "ON_ORDER_COMPLETED",
                    "ON_PAYMENT_COMPLETED",
                }:
                    ids[payload["body"]["id"]] += 1
    assert not [id for id, count in ids.items() if count > 1]


def test_everything_of_a_purchase_is_one_transaction() -> None:
    made = purchase("paid", "item_added", "account_linked", "refund", "dispute")
    named = [dict(fact.references) for fact in told(made)]
    assert len({ids["order"] for ids in named}) == 1
    assert len({ids["payment"] for ids in named if "payment" in ids}) == 1


def test_amounts_add_up() -> None:
    order, payment = told(purchase("paid"))
    total = purchase("paid").total
    assert order.says["money"].value == [total, "eur"]
    assert sum(line["amount"] for line in order.says["items"].value) == total
    settlement = payment.says["settlement"].value
    assert settlement["fee"] + settlement["net"] + total // 11 == total


def test_a_renewal_is_an_order_of_its_own() -> None:
    made = purchase("paid", "subscription_started", "subscription_renewed", key="club")
    orders = {f.object_id for f in told(made) if f.object_kind == "order"}
    assert len(orders) == 2


# ------------------------------------------------------------------------------- API
class Wire:
    """Calls to the sandbox's API without a network."""

    def __init__(self, *purchases: Purchase) -> None:
        self.happened: list[tuple[Purchase, Step]] = []
        self.shop = Shop({p.number: p for p in purchases}, {KEYS.api_key})
        self.shop.happen = self._happen

    def _happen(self, made: Purchase, step: Step) -> None:
        made.told.append(step)
        self.happened.append((made, step))

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        now = BEGUN + timedelta(days=30)
        request = Request(method, parts.path, query, headers or {}, body, now)
        answer = paynow.answer(request, self.shop)
        return Answer(answer.status, {}, json.dumps(answer.body).encode())

    def ask(self, path: str, method: str = "GET", body: bytes = b"") -> Answer:
        headers = {"authorization": f"APIKey {KEYS.api_key}"}
        url = f"https://x.example/v1/stores/{paynow.STORE_ID}{path}"
        return self(method, url, headers=headers, body=body)


def test_a_look_up_confirms_what_a_partial_refund_came_to() -> None:
    made = purchase("paid", "refund", amount=1001)
    heard = [fact for fact in told(made) if fact.topic == "refund"][0]
    (want,) = heard.wants
    asked = provider.fetch(want, KEYS, Wire(made))
    check_facts(asked, provider)
    (confirmed,) = [fact for fact in asked if fact.topic == "refund"]
    assert confirmed.object_id == heard.object_id
    assert confirmed.says["money"].value == [1001, "eur"]
    assert confirmed.says["verified"].value is True
    assert asked[0].says["method_last4"].value == "4242"


def test_webhooks_and_api_agree_on_the_order() -> None:
    made = purchase("paid")
    heard = told(made)[0]
    (asked,) = provider.fetch(Want("order", heard.object_id), KEYS, Wire(made))
    for column in ("money", "created", "paid", "customer_key", "description"):
        assert asked.says[column].value == heard.says[column].value


def test_a_poll_finds_every_purchase() -> None:
    made = [purchase("paid", "refund", number=n) for n in range(1, 31)]
    pages = provider.poll(BEGUN - timedelta(1), BEGUN + timedelta(9), KEYS, Wire(*made))
    found = {f.object_id for page in pages for f in page if f.object_kind == "order"}
    assert len(found) == 30


def test_pages_go_on_behind_the_last_one() -> None:
    wire = Wire(*(purchase("paid", number=n) for n in range(1, 31)))
    first = wire.ask("/orders?limit=20").json()
    rest = wire.ask(f"/orders?limit=20&after={first[-1]['id']}").json()
    ids = [row["id"] for row in first + rest]
    assert len(set(ids)) == 30
    assert ids == sorted(ids, key=int, reverse=True)


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (("paid",), "completed"),
        (("paid", "refund"), "refunded"),
        (("paid", "dispute"), "chargeback"),
        (("paid", "dispute", "dispute_won"), "completed"),
        (("paid", "dispute", "dispute_lost"), "chargeback"),
        (("failed",), "created"),
    ],
)
def test_an_orders_status_follows_the_story(
    kinds: tuple[str, ...], status: str
) -> None:
    (order,) = Wire(purchase(*kinds)).ask("/orders").json()
    assert order["status"] == status
    assert order["currency"] == "eur"


def test_a_purchase_of_which_nothing_is_told_is_not_there() -> None:
    made = purchase("paid")
    made.told = []
    assert Wire(made).ask("/orders").json() == []


def test_a_refund_of_the_whole_order_happens() -> None:
    made = purchase("paid")
    wire = Wire(made)
    id = wire.ask("/orders").json()[0]["id"]
    answer = wire.ask(f"/orders/{id}/refund", "POST", b"{}").json()
    assert (answer["amount"], answer["status"]) == (made.total, "created")
    ((_, step),) = wire.happened
    assert (step.kind, step.amount) == ("refund", made.total)
    (event,) = paynow.events(made, step)
    assert json.loads(event.body)["body"]["id"] == answer["id"]
    assert wire.ask(f"/orders/{id}/refund", "POST", b"{}").status == 400


def test_a_refund_of_one_line_happens() -> None:
    made = purchase("paid")
    wire = Wire(made)
    order = wire.ask("/orders").json()[0]
    line = order["lines"][1]
    body = json.dumps({"order_line_id": line["id"]}).encode()
    answer = wire.ask(f"/orders/{order['id']}/refund", "POST", body).json()
    assert answer["amount"] == line["total_amount"] < made.total


@pytest.mark.parametrize("key", ["", "APIKey x", "Bearer pn_sandbox", "APIKey"])
def test_a_wrong_key_is_turned_away(key: str) -> None:
    request = Request("GET", "/v1/stores", {}, {"Authorization": key}, b"", BEGUN)
    answer = paynow.answer(request, Shop(api_keys={KEYS.api_key}))
    assert answer.status == 401
    assert {"status", "code", "message"} <= set(answer.body)


@pytest.mark.parametrize("path", ["/moons", "/orders/5", "/payments/5", "/orders/5/x"])
def test_what_does_not_exist_is_404(path: str) -> None:
    assert Wire(purchase("paid")).ask(path).status == 404


def test_an_unknown_payment_is_refused() -> None:
    with pytest.raises(Refused):
        provider.fetch(Want("payment", "5"), KEYS, Wire())
