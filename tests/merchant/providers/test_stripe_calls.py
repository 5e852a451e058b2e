"""Stripe asked: what webhooks left out, what they missed, and its ways to say no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from merchant.providers import stripe
from merchant.providers.base import (
    Answer,
    Keys,
    Refused,
    Unreachable,
    Unreadable,
    Want,
)
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.stripe_cases import load, only, raw, said
from tests.merchant.providers.stripe_wire import KEYS, LATER, START, Wire


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
