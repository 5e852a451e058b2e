"""What goes over the wire for a refund, and what each provider's answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from merchant.providers import PROVIDERS
from merchant.providers.base import (
    COLUMNS,
    Answer,
    Keys,
    Receipt,
    RefundOrder,
    Refused,
    Unreachable,
)

SENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
UUID = "0198f7b0-2d3e-7f61-8c9a-6b5a4c3d2e1f"
KEYS = {
    "stripe": Keys(api_key="sk_live_1"),
    "paynow": Keys(api_key="pn_1", account="411486491630370816"),
    "paysecure": Keys(api_key="ps_1", brand_ids=("b1",)),
    "paysuper": Keys(
        api_key="s", user_token="jwt-1", account="5dcf8b24b5a6990001bac2b7"
    ),
}
ORDER = RefundOrder(
    request=UUID,
    amount=500,
    currency="eur",
    whole=False,
    untouched=True,
    reason="duplicate",
    words="Paid twice",
    references={
        "payment_intent": ("pi_1",),
        "charge": ("ch_1",),
        "order": ("626805379694596112",),
        "payment": ("626805379694596113",),
        "purchase": ("6b1f42c0",),
    },
    livemode=True,
    sent=SENT,
)
WHOLE = replace(ORDER, whole=True, amount=5950)
UUID_ORDER = "254e3736-000f-5000-8000-178d1d80bf70"
SUPER = replace(WHOLE, references={"order": (UUID_ORDER,)})

STRIPE = {
    "id": "re_1", "object": "refund", "amount": 500, "currency": "eur",
    "charge": "ch_1", "payment_intent": "pi_1", "status": "succeeded",
    "created": 1795176000, "metadata": {"merchant_refund": UUID}, "reason": "duplicate",
}  # fmt: skip
PAYNOW = {
    "id": "626900000000000000", "payment_id": "626805379694596113", "amount": 500,
    "currency": "eur", "status": "created", "created_at": "2026-11-20T12:00:01Z",
    "order_line_id": None,
}  # fmt: skip
PART = {
    "refundId": "R1", "purchaseId": "6b1f42c0", "amount": 5, "currency": "EUR",
    "status": "REFUND_IN_PROCESS", "reason": "x", "createdOn": 1795176000,
    "refundOn": 0,
}  # fmt: skip
PURCHASE = {
    "purchaseId": "6b1f42c0", "status": "REFUND_IN_PROCESS", "brand_id": "b1",
    "updated_on": 1795176001, "is_test": False,
    "purchase": {"total": 59.5, "currency": "EUR", "products": []},
    "status_history": [{"status": "refund_in_process", "timestamp": 1795176001}],
}  # fmt: skip
SUPER_REFUND = {
    "id": "5f0ad7e9b5a6990001bac401", "original_order_id": UUID_ORDER, "amount": 59.5,
    "currency": "EUR", "status": 2, "reason": "Customer's request",
    "created_at": {"seconds": 1795176000, "nanos": 0},
    "updated_at": {"seconds": 1795176000, "nanos": 0},
}  # fmt: skip


class Wire:
    """Answers what it was given, one after another, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, str], bytes]] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        self.asked.append((method, url, headers, body))
        status, told = self.answers.pop(0)
        raw = told if isinstance(told, bytes) else json.dumps(told).encode()
        return Answer(status, {"retry-after": "7"} if status == 429 else {}, raw)


def ask(provider: str, order: RefundOrder, *answers: tuple[int, Any]) -> Receipt:
    return PROVIDERS[provider].refund(order, KEYS[provider], Wire(*answers))


def find(
    provider: str, order: RefundOrder, *answers: tuple[int, Any]
) -> Receipt | None:
    return PROVIDERS[provider].find_refund(order, KEYS[provider], Wire(*answers))


# --------------------------------------------------------------------- what is sent
def test_stripe_is_asked_with_our_key_and_our_id() -> None:
    wire = Wire((200, STRIPE))
    PROVIDERS["stripe"].refund(ORDER, KEYS["stripe"], wire)
    ((method, url, headers, body),) = wire.asked
    assert (method, url) == ("POST", "https://api.stripe.com/v1/refunds")
    assert headers["Idempotency-Key"] == f"refund-{UUID}"
    assert {k: v[0] for k, v in parse_qs(body.decode()).items()} == {
        "payment_intent": "pi_1",
        "amount": "500",
        "reason": "duplicate",
        "metadata[merchant_refund]": UUID,
    }


@pytest.mark.parametrize("reason", ["not_delivered", "chargeback", "other"])
def test_a_reason_that_stripe_does_not_know_is_not_sent(reason: str) -> None:
    wire = Wire((200, STRIPE))
    PROVIDERS["stripe"].refund(replace(ORDER, reason=reason), KEYS["stripe"], wire)
    assert b"reason" not in wire.asked[0][3]


def test_stripe_counts_five_krona_as_five_hundred() -> None:
    order = replace(ORDER, amount=5, currency="isk")
    wire = Wire((200, {**STRIPE, "amount": 500, "currency": "isk"}))
    PROVIDERS["stripe"].refund(order, KEYS["stripe"], wire)
    assert b"amount=500&" in wire.asked[0][3]


@pytest.mark.parametrize(("line", "body"), [("", {}), ("77", {"order_line_id": "77"})])
def test_paynow_is_asked_for_an_order_or_a_line(line: str, body: Any) -> None:
    wire = Wire((200, {**PAYNOW, "order_line_id": line or None}))
    PROVIDERS["paynow"].refund(replace(ORDER, line=line), KEYS["paynow"], wire)
    ((method, url, headers, sent),) = wire.asked
    assert method == "POST"
    assert url.endswith(
        "/v1/stores/411486491630370816/orders/626805379694596112/refund"
    )
    assert (headers["Authorization"], json.loads(sent)) == ("APIKey pn_1", body)


def test_paysecure_gives_all_back_by_a_get() -> None:
    wire = Wire((200, PURCHASE))
    receipt = PROVIDERS["paysecure"].refund(WHOLE, KEYS["paysecure"], wire)
    ((method, url, headers, sent),) = wire.asked
    assert (method, sent) == ("GET", b"")
    assert url.endswith("/purchases/6b1f42c0/refund/")
    assert (headers["Authorization"], headers["BrandId"]) == ("Bearer ps_1", "b1")
    fact = receipt.facts[-1]
    assert (fact.topic, fact.status, fact.object_kind) == (
        "refund", "pending", "unnamed_refund",
    )  # fmt: skip
    assert fact.says["request"].value == UUID


@pytest.mark.parametrize(
    "order", [ORDER, replace(WHOLE, untouched=False, amount=500)], ids=["part", "rest"]
)
def test_paysecure_gives_a_part_back_by_a_post(order: RefundOrder) -> None:
    wire = Wire((200, PART))
    receipt = PROVIDERS["paysecure"].refund(order, KEYS["paysecure"], wire)
    ((method, url, _, sent),) = wire.asked
    assert method == "POST"
    assert url.endswith("/purchases/6b1f42c0/refund")
    assert sent == b'{"amount":5.00,"reason":"Paid twice"}'
    assert (receipt.provider_id, receipt.facts[0].status) == ("R1", "pending")


def test_paysuper_is_asked_by_a_person() -> None:
    wire = Wire((201, SUPER_REFUND))
    receipt = PROVIDERS["paysuper"].refund(SUPER, KEYS["paysuper"], wire)
    ((method, url, headers, sent),) = wire.asked
    assert method == "POST"
    assert url.endswith(f"/admin/api/v1/order/{UUID_ORDER}/refunds")
    assert headers["Authorization"] == "Bearer jwt-1"
    assert json.loads(sent) == {
        "amount": 59.5, "reason": "Customer's request", "creator_id": "",
        "is_chargeback": False,
    }  # fmt: skip
    assert receipt.provider_id == SUPER_REFUND["id"]
    assert receipt.facts[0].status == "pending"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("requested_by_customer", "Customer's request"),
        ("fraudulent", "Card data was stolen"),
        ("not_delivered", "Purchase not provided"),
        ("chargeback", "Redeem chargeback"),
    ],
)
def test_paysuper_gets_one_of_its_own_reasons(reason: str, word: str) -> None:
    wire = Wire((201, SUPER_REFUND))
    order = replace(SUPER, reason=reason)
    PROVIDERS["paysuper"].refund(order, KEYS["paysuper"], wire)
    assert json.loads(wire.asked[0][3])["reason"] == word


# ------------------------------------------------------------------- what answers mean
def stripe_no(code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "code": code, "message": "No."}
            | more}  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "order", "status", "told", "advice"),
    [
        ("stripe", ORDER, 400, stripe_no("charge_already_refunded"), "nothing left"),
        ("stripe", ORDER, 400, stripe_no("charge_disputed"), "dispute"),
        ("stripe", ORDER, 400, stripe_no("refund_disputed_payment"), "pay twice"),
        ("stripe", ORDER, 404, stripe_no("resource_missing"), "account or mode"),
        ("stripe", ORDER, 400, stripe_no("balance_insufficient"), "Top up"),
        (
            "stripe", ORDER, 400,
            stripe_no("", param="amount", message="Refund amount ($40.00) is greater "
                      "than unrefunded amount on charge ($30.00)"),
            "Refund less",
        ),
        ("stripe", ORDER, 401, stripe_no("x"), "API key"),
        ("stripe", ORDER, 403, stripe_no("x"), "allowed"),
        ("stripe", ORDER, 402, stripe_no("x"), "No"),
        ("paynow", ORDER, 400, {"code": "bad-request", "message": "No."}, "once"),
        ("paynow", ORDER, 401, {"message": "No."}, "API key"),
        ("paynow", ORDER, 404, {"message": "No."}, "store id"),
        ("paynow", ORDER, 409, {"message": "No."}, "under way"),
        ("paysecure", ORDER, 400,
         {"message": "Refund amount exceeds refundable amount"}, "Refund less"),
        ("paysecure", ORDER, 400,
         {"message": "This Purchase was already fully refunded."}, "nothing left"),
        ("paysecure", WHOLE, 400,
         {"message": "Previous Refund Request already in Process"}, "Wait"),
        ("paysecure", WHOLE, 400,
         {"message": "Max Time for Refund was elapsed."}, "too late"),
        ("paysecure", WHOLE, 400,
         {"message": "Only Purchases with `status == (paid)` can be refunded."},
         "not paid"),
        ("paysecure", WHOLE, 404, {"message": "PurchaseId Not found."}, "account"),
        ("paysecure", WHOLE, 401, {"message": "Incorrect secret_key"}, "API key"),
        *[
            ("paysuper", SUPER, 404 if n == 5 else 400,
             {"code": f"rf00000{n}", "message": "no."}, word)
            for n, word in enumerate(
                ["later", "no state", "nothing left", "already", "token", "support",
                 "support"], 1)
        ],
        ("paysuper", SUPER, 400, {"code": "ma000002", "message": "no."}, "no"),
        ("paysuper", SUPER, 401, {"message": "no."}, "user token"),
    ],
)  # fmt: skip
def test_a_no_is_final_in_their_words_and_ours(
    provider: str, order: RefundOrder, status: int, told: Any, advice: str
) -> None:
    with pytest.raises(Refused) as no:
        ask(provider, order, (status, told))
    assert advice in str(no.value)
    assert PROVIDERS[provider].name in str(no.value)


CALLS = [("stripe", ORDER), ("paynow", ORDER), ("paysecure", ORDER),
         ("paysecure", WHOLE), ("paysuper", SUPER)]  # fmt: skip


@pytest.mark.parametrize(("provider", "order"), CALLS)
@pytest.mark.parametrize(
    ("status", "told", "unsent"),
    [
        (429, {"message": "busy"}, True),
        (425, {}, True),
        (408, {}, False),
        (500, {"message": "oops"}, False),
        (502, b"<html>", False),
        (503, b"", False),
        (200, b"<html>not json</html>", False),
        (200, {}, False),
        (200, {"id": "x", "object": "refund"}, False),
        (302, b"", False),
        (307, {"location": "http://169.254.169.254/"}, False),
    ],
)
def test_anything_else_may_have_had_its_effect(
    provider: str, order: RefundOrder, status: int, told: Any, unsent: bool
) -> None:
    with pytest.raises(Unreachable) as gone:
        ask(provider, order, (status, told))
    assert gone.value.unsent is unsent
    if status == 429:
        assert gone.value.after == 7


@pytest.mark.parametrize(
    ("provider", "order", "told"),
    [
        ("stripe", ORDER, {**STRIPE, "currency": "usd"}),
        ("stripe", ORDER, {**STRIPE, "amount": 5000}),
        ("stripe", ORDER, {**STRIPE, "payment_intent": "pi_of_another"}),
        ("stripe", ORDER, {**STRIPE, "metadata": {"merchant_refund": "another"}}),
        ("stripe", ORDER, {**STRIPE, "object": "charge"}),
        ("stripe", ORDER, {**STRIPE, "status": "sideways"}),
        ("paynow", ORDER, {**PAYNOW, "payment_id": "1"}),
        ("paynow", ORDER, {**PAYNOW, "currency": "usd"}),
        ("paysecure", ORDER, {**PART, "purchaseId": "another"}),
        ("paysecure", ORDER, {**PART, "currency": "USD"}),
        ("paysecure", ORDER, {**PART, "amount": "much"}),
        ("paysecure", WHOLE, {**PURCHASE, "purchaseId": "another"}),
        ("paysecure", WHOLE, {**PURCHASE, "status": "PAID"}),
        (
            "paysecure",
            WHOLE,
            {**PURCHASE, "purchase": {"total": 59.5, "currency": "USD"}},
        ),
        ("paysuper", SUPER, {**SUPER_REFUND, "original_order_id": "another"}),
        ("paysuper", SUPER, {**SUPER_REFUND, "status": 99}),
    ],
)
def test_an_answer_about_something_else_is_no_answer(
    provider: str, order: RefundOrder, told: Any
) -> None:
    with pytest.raises(Unreachable) as gone:
        ask(provider, order, (200, told))
    assert not gone.value.unsent


@pytest.mark.parametrize("kind", ["idempotency_error"])
def test_a_key_that_stripe_knows_means_there_may_be_one(kind: str) -> None:
    with pytest.raises(Unreachable) as known:
        ask("stripe", ORDER, (400, {"error": {"type": kind, "message": "used"}}))
    assert not known.value.unsent


@pytest.mark.parametrize(("provider", "order"), CALLS)
def test_without_a_key_nobody_is_asked(provider: str, order: RefundOrder) -> None:
    wire = Wire()
    with pytest.raises(Refused):
        PROVIDERS[provider].refund(order, Keys(account="1"), wire)
    assert not wire.asked


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_an_id_of_the_purchase_nobody_is_asked(provider: str) -> None:
    wire = Wire()
    with pytest.raises(Refused):
        PROVIDERS[provider].refund(replace(ORDER, references={}), KEYS[provider], wire)
    assert not wire.asked


# ------------------------------------------------------------------------- looking up
def test_stripe_is_found_by_our_id() -> None:
    page = {"data": [{**STRIPE, "id": "re_0", "metadata": {}}, STRIPE]}
    found = find("stripe", ORDER, (200, page))
    assert found is not None
    assert found.provider_id == "re_1"
    assert find("stripe", ORDER, (200, {"data": []})) is None
    known = replace(ORDER, provider_id="re_1")
    assert find("stripe", known, (200, STRIPE)) is not None


def test_stripes_answer_is_the_fact_of_its_webhook() -> None:
    event = {
        "id": "evt_1", "object": "event", "type": "refund.created", "livemode": True,
        "created": 1795176000, "data": {"object": STRIPE},
    }  # fmt: skip
    (webhook,) = PROVIDERS["stripe"].read(event, KEYS["stripe"])
    (answer,) = ask("stripe", ORDER, (200, STRIPE)).facts
    assert answer.identity == webhook.identity


@pytest.mark.parametrize(
    ("change", "order", "found"),
    [
        ({}, ORDER, True),
        ({"amount": 501}, ORDER, False),
        ({"order_line_id": "5"}, ORDER, False),
        ({"created_at": "2026-11-20T11:00:00Z"}, ORDER, False),
        ({}, replace(ORDER, others=frozenset({PAYNOW["id"]})), False),
        ({}, replace(ORDER, provider_id=str(PAYNOW["id"])), True),
        ({}, replace(ORDER, provider_id="1"), False),
    ],
)
def test_paynow_is_found_by_amount_line_and_time(
    change: dict[str, Any], order: RefundOrder, found: bool
) -> None:
    payment = {
        "id": "626805379694596113", "order_id": "626805379694596112",
        "currency": "eur", "refunds": [{**PAYNOW, **change}],
    }  # fmt: skip
    assert (find("paynow", order, (200, payment)) is not None) == found


@pytest.mark.parametrize(
    ("status", "history", "told"),
    [
        ("REFUND_IN_PROCESS", [], "pending"),
        ("REFUNDED", [], "succeeded"),
        ("FRAUD_REFUNDED", [], "succeeded"),
        ("PAID", [("refund_in_process", 0)], "failed"),
        ("PAID", [("refund_in_process", -3600)], None),
        ("PAID", [], None),
    ],
)
def test_paysecure_tells_of_a_whole_refund_by_the_purchase(
    status: str, history: list[tuple[str, int]], told: str | None
) -> None:
    purchase = PURCHASE | {
        "status": status,
        "status_history": [
            {"status": word, "timestamp": int(SENT.timestamp()) + after}
            for word, after in history
        ],
    }
    found = find("paysecure", WHOLE, (200, purchase))
    assert (found.facts[-1].status if found else None) == told


def test_paysecure_tells_of_a_part_by_its_id() -> None:
    order = replace(ORDER, provider_id="R1")
    done = PART | {"status": "REFUNDED", "refundOn": 1795176100}
    found = find("paysecure", order, (200, done))
    assert found is not None
    assert found.facts[0].status == "succeeded"


@pytest.mark.parametrize(
    ("number", "status"),
    [(0, "pending"), (1, "failed"), (2, "pending"), (3, "succeeded"), (4, "failed"),
     (5, "canceled")],
)  # fmt: skip
def test_paysuper_tells_by_number(number: int, status: str) -> None:
    listed = {"count": 1, "items": [{**SUPER_REFUND, "status": number}]}
    found = find("paysuper", SUPER, (200, listed))
    assert found is not None
    assert found.facts[0].status == status
    earlier = replace(SUPER, sent=SENT + timedelta(days=1))
    assert find("paysuper", earlier, (200, listed)) is None


@pytest.mark.parametrize("provider", ["paynow", "paysecure", "paysuper"])
def test_only_stripe_cancels(provider: str) -> None:
    with pytest.raises(Refused):
        PROVIDERS[provider].stop_refund(ORDER, KEYS[provider], Wire())


def test_facts_speak_of_known_columns_only() -> None:
    told = [
        *ask("stripe", ORDER, (200, STRIPE)).facts,
        *ask("paynow", ORDER, (200, PAYNOW)).facts,
        *ask("paysecure", ORDER, (200, PART)).facts,
        *ask("paysecure", WHOLE, (200, PURCHASE)).facts,
        *ask("paysuper", SUPER, (201, SUPER_REFUND)).facts,
    ]
    for fact in told:
        assert set(fact.says) <= set(COLUMNS[fact.topic])
        assert fact.references
