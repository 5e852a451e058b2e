"""Stripe asked: what webhooks left out, what they missed, and its ways to say no."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from merchant.providers import stripe
from merchant.providers.base import (
    Answer,
    Fact,
    Keys,
    Refused,
    Unreachable,
    Unreadable,
    Want,
)
from merchant.providers.stripe import words
from merchant.sandbox import shop as shops
from merchant.sandbox import stripe as sandbox
from merchant.sandbox.story import Purchase, Request, Shop
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.stripe_cases import load, only, raw, said

KEYS = Keys(api_key="sk_test_lantern", base_url="http://127.0.0.1:9/stripe/")
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
LATER = START + timedelta(days=120)


class Wire:
    """A Stripe that answers everything alike, and notes what it was asked."""

    def __init__(self, body: Any = None, status: int = 200, **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.urls: list[str] = []
        self.sent: list[dict[str, str]] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], **_: Any
    ) -> Answer:
        assert method == "GET"
        self.urls.append(url)
        self.sent.append(dict(headers))
        return Answer(self.status, self.headers, self.body)


class Sandbox:
    """The sandbox's API under /stripe, as our way out would reach it."""

    def __init__(self, *purchases: Purchase) -> None:
        self.shop = Shop({p.number: p for p in purchases}, {KEYS.api_key})
        self.asked: list[str] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        parts = urlsplit(url)
        self.asked.append(url)
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        path = parts.path.removeprefix("/stripe")
        request = Request(method, path, query, headers, body, LATER)
        said = sandbox.answer(request, self.shop)
        return Answer(said.status, {}, json.dumps(said.body).encode())


def sold(number: int, ending: str, seed: int = 3) -> Purchase:
    purchase = shops.plan(seed, number, START, "stripe", ending=ending)
    purchase.told = list(purchase.steps)
    return purchase


def by_webhook(*purchases: Purchase) -> list[Fact]:
    return [
        fact
        for purchase in purchases
        for step in purchase.told
        for event in sandbox.events(purchase, step)
        for fact in stripe.read(json.loads(event.body), KEYS)
    ]


# ------------------------------------------------------------------------- the items
def test_line_items_come_with_their_session() -> None:
    wire = Wire(raw("api_checkout_session"))
    (fact,) = stripe.fetch(Want("line_items", "cs_live_LanternA"), KEYS, wire)
    check_facts([fact], stripe)
    assert wire.urls == [
        "http://127.0.0.1:9/stripe/v1/checkout/sessions/cs_live_LanternA"
        "?expand%5B%5D=line_items"
    ]
    assert wire.sent[0]["Authorization"] == "Bearer sk_test_lantern"
    assert said(fact, "items")[0] == {
        "key": "li_1LanternA1",
        "product": "prod_LanternBlue",
        "name": "Paper lantern, blue",
        "sku": "",
        "quantity": 2,
        "amount": 3980,
        "platform": "",
    }
    assert fact.references == only("checkout.session.completed").references
    assert (fact.status, fact.wants) == ("paid", ())


def test_items_on_further_pages_are_asked_for() -> None:
    session = load("api_checkout_session")
    listed = session["line_items"]
    session["line_items"] = listed | {"data": listed["data"][:1], "has_more": True}
    rest = {"object": "list", "data": listed["data"][1:], "has_more": False}
    urls: list[str] = []

    def call(method: str, url: str, **_: Any) -> Answer:
        urls.append(url)
        body = rest if "/line_items?" in url else session
        return Answer(200, {}, json.dumps(body).encode())

    (fact,) = stripe.fetch(Want("line_items", "cs_live_LanternA"), KEYS, call)
    assert "starting_after=li_1LanternA1" in urls[1]
    assert [item["key"] for item in said(fact, "items")] == [
        "li_1LanternA1",
        "li_1LanternA2",
    ]


# -------------------------------------------------------------------------- the fees
def test_fees_become_the_settlement_of_the_charge() -> None:
    wire = Wire(raw("api_balance_transaction"))
    want = Want("balance_transaction", "txn_3LanternA")
    (fact,) = stripe.fetch(want, KEYS, wire)
    check_facts([fact], stripe)
    assert fact.references == (("charge", "ch_3LanternA"),)
    assert said(fact, "settlement") == {
        "currency": "eur",
        "amount": 5980,
        "fee": 198,
        "net": 5782,
        "exchange_rate": None,
    }


def test_an_exchange_rate_stays_the_text_it_was() -> None:
    body = raw("api_balance_transaction").replace(
        b'"exchange_rate": null', b'"exchange_rate": 0.00612340'
    )
    want = Want("balance_transaction", "txn_3LanternA")
    (fact,) = stripe.fetch(want, KEYS, Wire(body))
    assert said(fact, "settlement")["exchange_rate"] == "0.00612340"


# -------------------------------------------------------------------- connected ones
def test_a_connected_account_is_named() -> None:
    wire = Wire(raw("api_balance_transaction"))
    want = Want("balance_transaction", "txn_3LanternA@acct_1LanternPartner")
    (fact,) = stripe.fetch(want, KEYS, wire)
    assert wire.sent[0]["Stripe-Account"] == "acct_1LanternPartner"
    assert "/txn_3LanternA" in wire.urls[0]
    assert "@" not in wire.urls[0]
    assert said(fact, "account") == "acct_1LanternPartner"


# ----------------------------------------------------------------------- thin events
def test_a_thin_event_ends_in_the_same_fact_as_its_snapshot() -> None:
    (want,) = only("v1.checkout.session.completed__thin").wants
    session = load("checkout.session.completed")["data"]["object"]
    wire = Wire(session)
    (fact,) = stripe.fetch(want, KEYS, wire)
    snapshot = load("checkout.session.completed") | {
        "account": "acct_1LanternPartner",
        "created": 1_794_004_898,
    }
    (same,) = stripe.read(snapshot, KEYS)
    assert fact.identity == same.identity
    assert (fact.at, fact.order) == (same.at, same.order)
    assert wire.urls[0].endswith("/v1/checkout/sessions/cs_live_LanternA")
    assert wire.sent[0]["Stripe-Context"] == "acct_1LanternPartner"
    assert "Stripe-Account" not in wire.sent[0]


def test_a_thin_failure_is_still_a_failure() -> None:
    payload = load("v1.checkout.session.completed__thin")
    payload["type"] = "v1.checkout.session.async_payment_failed"
    (fact,) = stripe.read(payload, KEYS)
    unpaid = load("checkout.session.completed__unpaid")["data"]["object"]
    (found,) = stripe.fetch(fact.wants[0], KEYS, Wire(unpaid))
    assert found.status == "failed"


@pytest.mark.parametrize(
    "id",
    [
        "",
        "/v1/charges/ch_1",
        "/v1/customers/cus_1 charge.updated 1 live",
        "//evil.example.com charge.updated 1 live",
        "/v1/charges/ch_1 charge.updated soon live",
        "/v1/charges/ch_1 charge.updated 1 live a\rb",
    ],
)
def test_a_crooked_pointer_is_refused(id: str) -> None:
    with pytest.raises(Refused):
        stripe.fetch(Want("object", id), KEYS, Wire({}))


# ---------------------------------------------------------------------------- bills
def test_the_payments_of_a_bill_tie_it_to_its_intent() -> None:
    paid = load("invoice_payment.paid")["data"]["object"]
    other = paid | {"id": "inpay_2", "status": "canceled"}
    wire = Wire({"object": "list", "data": [paid, other], "has_more": False})
    want = Want("invoice_payments", "in_1LanternS1")
    (fact,) = stripe.fetch(want, KEYS, wire)
    assert fact.references == only("invoice_payment.paid").references
    assert "invoice=in_1LanternS1&status=paid" in wire.urls[0]


# ------------------------------------------------------------------------ saying no
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 301])
def test_a_no_for_good_says_what_to_do(status: int) -> None:
    error = {"error": {"type": "x", "code": "y", "message": "No such thing: 'q'"}}
    with pytest.raises(Refused, match="No such thing") as caught:
        stripe.fetch(
            Want("balance_transaction", "txn_1"), KEYS, Wire(error, status=status)
        )
    assert "sk_test_lantern" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_a_no_for_now_is_tried_again(status: int) -> None:
    wire = Wire(b"<html>busy</html>", status, **{"retry-after": "17"})
    with pytest.raises(Unreachable) as caught:
        stripe.fetch(Want("line_items", "cs_1"), KEYS, wire)
    assert caught.value.after == 17


@pytest.mark.parametrize("after", ["", "soon", "-1", "١٢", "9" * 30])
def test_an_odd_retry_after_is_none(after: str) -> None:
    with pytest.raises(Unreachable) as caught:
        stripe.fetch(
            Want("line_items", "cs_1"), KEYS, Wire({}, 429, **{"retry-after": after})
        )
    assert caught.value.after is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":1,"a":2}'])
def test_an_answer_that_is_no_json_is_tried_again(body: bytes) -> None:
    for want in (Want("line_items", "cs_1"), Want("invoice_payments", "in_1")):
        with pytest.raises(Unreachable):
            stripe.fetch(want, KEYS, Wire(body))


def test_a_key_is_needed() -> None:
    for want in (Want("line_items", "cs_1"), Want("balance_transaction", "txn_1")):
        with pytest.raises(Refused, match="API key"):
            stripe.fetch(want, Keys(), Wire({}))
    with pytest.raises(Refused, match="API key"):
        list(stripe.poll(START, LATER, Keys(), Wire({})))


@pytest.mark.parametrize(
    ("kind", "id"),
    [("moon", "m_1"), ("line_items", "../x"), ("line_items", ""), ("", "")],
)
def test_nobody_asks_for_something_else(kind: str, id: str) -> None:
    wire = Wire({})
    with pytest.raises(Refused):
        stripe.fetch(Want(kind, id), KEYS, wire)
    assert wire.urls == []


@pytest.mark.parametrize("body", [{}, [], None, {"status": "complete"}])
def test_an_answer_that_is_something_else_is_unreadable_or_nothing(body: Any) -> None:
    with pytest.raises(Unreadable):
        stripe.fetch(Want("line_items", "cs_1"), KEYS, Wire(body))
    assert stripe.fetch(Want("balance_transaction", "txn_1"), KEYS, Wire(body)) == []


def test_stripes_own_address_is_asked_by_default() -> None:
    wire = Wire(raw("api_balance_transaction"))
    stripe.fetch(Want("balance_transaction", "txn_1"), Keys(api_key="k"), wire)
    assert wire.urls == ["https://api.stripe.com/v1/balance_transactions/txn_1"]


# -------------------------------------------------------------------------- polling
@pytest.fixture(scope="module")
def everything() -> list[Purchase]:
    endings = shops.endings_at("stripe")[0]
    return [sold(number, ending) for number, ending in enumerate(endings, 1)]


def test_a_poll_tells_what_the_webhooks_told(everything: list[Purchase]) -> None:
    polled = collect(stripe.poll(START, LATER, KEYS, Sandbox(*everything)))
    told = by_webhook(*everything)
    assert {fact.identity for fact in polled} == {fact.identity for fact in told}
    assert len(polled) == len(told)
    check_facts(polled, stripe)


def test_a_poll_keeps_to_its_time(everything: list[Purchase]) -> None:
    split = START + timedelta(days=7)
    box = Sandbox(*everything)
    early = collect(stripe.poll(START, split, KEYS, box))
    late = collect(stripe.poll(split, LATER, KEYS, box))
    assert early
    assert late
    assert all(fact.at and fact.at < split for fact in early)
    assert all(fact.at and fact.at >= split for fact in late)
    whole = collect(stripe.poll(START, LATER, KEYS, box))
    assert len(early) + len(late) == len(whole)


def test_a_poll_asks_for_our_types_a_few_names_at_a_time() -> None:
    wire = Wire({"object": "list", "data": [], "has_more": False})
    assert list(stripe.poll(START, LATER, KEYS, wire)) == []
    queries = [parse_qsl(urlsplit(url).query) for url in wire.urls]
    asked = [[value for name, value in q if name == "types[]"] for q in queries]
    assert all(len(names) <= 20 for names in asked)
    assert [name for names in asked for name in names] == list(words.TYPES)
    assert ("created[gte]", str(int(START.timestamp()))) in queries[0]
    assert ("created[lt]", str(int(LATER.timestamp()))) in queries[0]


def test_a_poll_of_one_connected_account_names_it() -> None:
    wire = Wire({"object": "list", "data": [], "has_more": False})
    keys = Keys(api_key="sk", account="acct_1LanternPartner")
    list(stripe.poll(START, LATER, keys, wire))
    assert {sent["Stripe-Account"] for sent in wire.sent} == {"acct_1LanternPartner"}


def test_one_event_that_cannot_be_read_spoils_nothing() -> None:
    good, bad = load("charge.succeeded"), load("charge.succeeded")
    bad["id"], bad["data"]["object"]["amount_captured"] = "evt_bad", -1
    wire = Wire({"object": "list", "data": [bad, good], "has_more": False})
    assert len(next(stripe.poll(START, LATER, KEYS, wire))) == 1


def test_a_cursor_that_is_ignored_ends_the_poll() -> None:
    page = {"object": "list", "data": [load("charge.succeeded")], "has_more": True}
    wire = Wire(page)
    list(stripe.poll(START, LATER, KEYS, wire))
    assert len(wire.urls) <= 2 * -(-len(words.TYPES) // 20)


def test_a_page_too_large_to_read_is_asked_for_in_smaller_ones() -> None:
    large = load("charge.succeeded")
    large["data"]["object"]["metadata"] = {str(n): "x" for n in range(400)}
    asked: list[str] = []

    def call(method: str, url: str, **_: Any) -> Answer:
        limit = dict(parse_qsl(urlsplit(url).query))["limit"]
        asked.append(limit)
        data = [large | {"id": f"evt_{n}"} for n in range(int(limit))]
        body = {"object": "list", "data": data, "has_more": False}
        return Answer(200, {}, json.dumps(body).encode())

    pages = list(stripe.poll(START, LATER, KEYS, call))
    assert asked[:2] == ["40", "8"]
    assert [len(page) for page in pages] == [8] * len(pages)


def test_every_question_of_the_webhooks_has_an_answer(
    everything: list[Purchase],
) -> None:
    box = Sandbox(*everything)
    asked = {want for fact in by_webhook(*everything) for want in fact.wants}
    kinds = {want.kind for want in asked}
    assert kinds == {"line_items", "balance_transaction", "invoice_payments"}
    for want in asked:
        found = stripe.fetch(want, KEYS, box)
        check_facts(found, stripe)
        first_of_a_trial = want.kind == "invoice_payments"
        assert found or first_of_a_trial, want


def test_the_items_add_up_to_the_amount(everything: list[Purchase]) -> None:
    box = Sandbox(*everything)
    for fact in by_webhook(*everything):
        for want in fact.wants:
            if want.kind == "line_items":
                (session,) = stripe.fetch(want, KEYS, box)
                items = said(session, "items")
                total = sum(item["amount"] for item in items)
                assert [total, said(session, "money")[1]] == said(session, "money")


def test_a_wrong_key_is_turned_away() -> None:
    keys = Keys(api_key="sk_wrong", base_url=KEYS.base_url)
    with pytest.raises(Refused, match="API key"):
        list(stripe.poll(START, LATER, keys, Sandbox(sold(1, "paid"))))


def collect(pages: Iterator[list[Fact]]) -> list[Fact]:
    return [fact for page in pages for fact in page]
