"""What makes two facts of Stripe one, what puts them in order, and odd shapes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from merchant.providers import stripe
from merchant.providers.base import Fact, Want
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.stripe_cases import KEYS, load, only, said

STATES = {
    "the intent": (
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
        "payment_intent.partially_funded",
        "payment_intent.processing",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.succeeded",
    ),
    "the charge": (
        "charge.pending",
        "charge.failed",
        "charge.succeeded__held",
        "charge.succeeded",
        "charge.refunded__partial",
        "charge.refunded__rest",
    ),
    "the session": (
        "checkout.session.completed__unpaid",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "checkout.session.completed",
    ),
    "the refund": (
        "refund.created__requires_action",
        "refund.created__partial",
        "refund.failed",
    ),
    "the bill": (
        "invoice.created",
        "invoice.overdue",
        "invoice.payment_failed",
        "invoice.marked_uncollectible",
        "invoice.voided",
        "invoice.paid",
    ),
    "the dispute": (
        "charge.dispute.created__inquiry",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed__lost",
    ),
    "the payout": ("payout.created", "payout.paid", "payout.failed"),
}


@pytest.mark.parametrize("names", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize("backwards", [False, True])
def test_the_state_orders_and_not_the_time(
    names: tuple[str, ...], backwards: bool
) -> None:
    """Even where the events' times say the contrary."""
    places = []
    for number, name in enumerate(names):
        at = 1_794_500_000 + (-number if backwards else number) * 1000
        (fact,) = stripe.read(load(name) | {"created": at}, KEYS)
        places.append((fact.order, fact.rank))
    assert all(early < late for early, late in pairwise(places))


def test_a_later_edit_of_the_same_state_comes_later() -> None:
    early, late = load("charge.updated"), load("charge.updated")
    late["created"] += 40
    late["data"]["object"]["metadata"] = {"order_id": "L-9"}
    first, second = one(early), one(late)
    assert first.identity != second.identity
    assert first.order < second.order


def test_a_dispute_may_be_won_after_it_was_lost() -> None:
    lost, won = load("charge.dispute.closed__lost"), load("charge.dispute.closed__won")
    won["created"] = lost["created"] + 5_000_000
    assert one(won).order > one(lost).order
    won["created"] = lost["created"] - 5_000
    assert one(won).order < one(lost).order


def test_the_content_makes_the_fact_and_not_the_event() -> None:
    payload = load("charge.succeeded")
    again = load("charge.succeeded") | {"id": "evt_other", "type": "charge.updated"}
    again["created"] += 7
    first, second = one(payload), one(again)
    assert first.identity == second.identity
    assert first.at != second.at


def test_another_amount_is_another_fact() -> None:
    payload = load("charge.succeeded")
    payload["data"]["object"]["amount_captured"] = 5981
    assert one(payload).identity != only("charge.succeeded").identity


@pytest.mark.parametrize(
    ("name", "column", "full"),
    [
        ("charge.succeeded", "payment_intent", "pi_3LanternA"),
        ("checkout.session.completed", "payment_intent", "pi_3LanternA"),
        ("refund.created__partial", "charge", "ch_3LanternA"),
        ("charge.dispute.created", "payment_intent", "pi_3LanternA"),
        ("checkout.session.completed__subscription", "invoice", "in_1LanternS1"),
        ("invoice_payment.paid", "invoice", "in_1LanternS1"),
        ("customer.subscription.created", "customer", "cus_LanternTone"),
    ],
)
def test_an_expanded_object_counts_as_its_id(name: str, column: str, full: str) -> None:
    payload = load(name)
    payload["data"]["object"][column] = {"id": full, "object": "expanded"}
    assert one(payload).identity == only(name).identity


def test_an_expanded_charge_is_read_with_its_intent() -> None:
    payload = load("payment_intent.succeeded")
    charge = load("charge.updated")["data"]["object"]
    payload["data"]["object"]["latest_charge"] = charge
    intent, inner = stripe.read(payload, KEYS)
    assert intent.identity == only("payment_intent.succeeded").identity
    assert inner.identity == only("charge.updated").identity


def test_a_canceled_intent_that_shows_its_hold_is_released() -> None:
    payload = load("payment_intent.canceled")
    charge = load("charge.succeeded__held")["data"]["object"]
    payload["data"]["object"]["latest_charge"] = charge
    intent, inner = stripe.read(payload, KEYS)
    assert (intent.status, inner.status) == ("released", "authorized")


def test_expanded_fees_need_no_question() -> None:
    payload = load("charge.updated")
    fees = load("api_balance_transaction")
    payload["data"]["object"]["balance_transaction"] = fees
    charge, settled = stripe.read(payload, KEYS)
    assert charge.wants == ()
    assert charge.identity == only("charge.updated").identity
    assert said(settled, "settlement")["net"] == 5782


def test_items_that_came_along_need_no_question() -> None:
    payload = load("checkout.session.completed")
    payload["data"]["object"]["line_items"] = load("api_checkout_session")["line_items"]
    fact = one(payload)
    assert fact.wants == ()
    assert [item["product"] for item in said(fact, "items")] == [
        "prod_LanternBlue",
        "prod_LanternTea",
    ]


def test_a_connected_accounts_questions_name_it() -> None:
    payload = load("checkout.session.completed__subscription")
    fact = one(payload | {"account": "acct_1LanternPartner"})
    assert fact.wants == (
        Want("line_items", "cs_live_LanternS@acct_1LanternPartner"),
        Want("invoice_payments", "in_1LanternS1@acct_1LanternPartner"),
    )


def test_nulls_everywhere_leave_the_bones() -> None:
    """All that is not needed to know object, id, state and currency may be missing."""
    needed = {"id", "object", "status", "currency", "created", "open", "captured"}
    for name in (
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "refund.created__partial",
        "charge.dispute.created",
        "invoice.paid",
        "invoice_payment.paid",
        "customer.subscription.created",
        "payout.paid",
        "review.opened",
        "radar.early_fraud_warning.created",
    ):
        for strip in (nulls, without):
            payload = load(name)
            payload["data"]["object"] = strip(payload["data"]["object"], needed)
            found = stripe.read(payload, KEYS)
            check_facts(found, stripe)
            assert found[0].object_id == only(name).object_id


def nulls(body: dict[str, Any], needed: set[str]) -> dict[str, Any]:
    return {k: v if k in needed else None for k, v in body.items()}


def without(body: dict[str, Any], needed: set[str]) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k in needed}


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//x.example", "/receipt", 7]
)
def test_a_receipt_is_a_web_address_or_nothing(link: Any) -> None:
    payload = load("charge.succeeded")
    payload["data"]["object"]["receipt_url"] = link
    assert said(one(payload), "receipt_url") is None


def test_texts_are_cleaned_and_kept_as_texts() -> None:
    payload = load("checkout.session.completed")
    who = payload["data"]["object"]["customer_details"]
    who["name"] = "<b>\x00Ingrid\ud800</b>" + "x" * 300
    who["email"] = "a@example.com\r\nBcc: b@example.com"
    fact = one(payload)
    check_facts([fact], stripe)
    assert said(fact, "customer_name").startswith("<b>\ufffdIngrid\ufffd</b>")
    assert len(said(fact, "customer_name")) == 200


def test_the_shops_own_words_for_the_statement_stand_in_for_what_was_printed() -> None:
    payload = load("charge.succeeded")
    charge = payload["data"]["object"]
    del charge["calculated_statement_descriptor"]
    charge["statement_descriptor"] = "LANTERNS"
    assert said(one(payload), "method_details")["statement"] == "LANTERNS"


def test_the_events_mode_wins_where_the_object_has_none() -> None:
    payload = load("refund.created__partial") | {"livemode": False}
    assert said(one(payload), "livemode") is False


def one(payload: dict[str, Any]) -> Fact:
    (fact,) = stripe.read(payload, KEYS)
    return fact
