"""Every payload file of Stripe, read: one test of the same name each."""

from __future__ import annotations

import re

import pytest

from merchant.providers import stripe
from merchant.providers.base import Unreadable, Want
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.stripe_cases import (
    FOLDER,
    KEYS,
    PURCHASE,
    facts,
    load,
    only,
    read_with,
    said,
)

EVENTS = sorted(p for p in FOLDER.glob("*.json") if not p.name.startswith("api_"))


def test_every_payload_file_has_a_test_of_its_name() -> None:
    tests = {name.removeprefix("test_") for name in globals()}
    for path in EVENTS:
        assert re.sub(r"\W", "_", path.stem) in tests, f"{path.name} has no test"


@pytest.mark.parametrize("path", EVENTS, ids=lambda p: p.stem)
def test_every_payload_gives_facts_of_the_contract(path) -> None:
    check_facts(facts(path.stem), stripe)


# ----------------------------------------------------------------------- the intent
def test_payment_intent_created() -> None:
    fact = only("payment_intent.created")
    assert (fact.topic, fact.status) == ("payment", "created")
    assert fact.references == PURCHASE[:1]
    assert said(fact, "money") == [5980, "eur"]
    assert said(fact, "created") == "2026-11-06T21:21:00.000000+00:00"
    assert said(fact, "order_reference") == "L-2041"
    assert said(fact, "customer_email") == "ingrid.vik@example.org"
    assert said(fact, "livemode") is True
    assert said(fact, "method") is None  # two were on offer


def test_payment_intent_payment_failed() -> None:
    fact = only("payment_intent.payment_failed")
    assert fact.status == "failed"
    reason = "Your card has insufficient funds."
    assert said(fact, "reason") == reason
    assert (said(fact, "method"), said(fact, "method_last4")) == ("card", "9995")


def test_payment_intent_requires_action() -> None:
    fact = only("payment_intent.requires_action")
    assert fact.status == "pending"
    assert said(fact, "reason") == "waits for the customer"


def test_payment_intent_processing() -> None:
    fact = only("payment_intent.processing")
    assert fact.status == "pending"
    assert said(fact, "method") == "sepa_debit"


def test_payment_intent_partially_funded() -> None:
    fact = only("payment_intent.partially_funded")
    assert fact.status == "partially_paid"
    assert said(fact, "money") == [5980, "eur"]


def test_payment_intent_amount_capturable_updated() -> None:
    fact = only("payment_intent.amount_capturable_updated")
    assert fact.status == "authorized"


def test_payment_intent_canceled() -> None:
    fact = only("payment_intent.canceled")
    assert (fact.status, said(fact, "reason")) == ("canceled", "automatic")


def test_payment_intent_succeeded() -> None:
    fact = only("payment_intent.succeeded")
    assert fact.status == "paid"
    assert fact.references == PURCHASE
    assert said(fact, "paid") == "2026-11-06T21:21:36.000000+00:00"


def test_payment_intent_succeeded__of_a_bill() -> None:
    fact = only("payment_intent.succeeded__of_a_bill")
    assert said(fact, "description") == "Subscription creation"
    assert said(fact, "customer_key") == "stripe:cus_LanternTone"
    assert said(fact, "method") == "card"


def test_payment_intent_succeeded__of_2022_08_01() -> None:
    intent, charge = facts("payment_intent.succeeded__of_2022-08-01")
    assert (intent.status, charge.status) == ("paid", "paid")
    assert charge.object_id == "ch_3LanternOld"
    assert set(charge.references) == {
        ("payment_intent", "pi_3LanternOld"),
        ("charge", "ch_3LanternOld"),
    }
    assert said(charge, "method_last4") == "0044"


# ----------------------------------------------------------------------- the charge
def test_charge_succeeded() -> None:
    fact = only("charge.succeeded")
    assert (fact.topic, fact.status) == ("payment", "paid")
    assert fact.references == PURCHASE
    assert said(fact, "money") == [5980, "eur"]
    assert said(fact, "refunded_total") == 0
    assert said(fact, "customer_name") == "Ingrid Vik"
    assert said(fact, "customer_country") == "NO"
    assert said(fact, "customer_details")["address"]["line2"] == "2. etg"
    assert said(fact, "method") == "card"
    assert said(fact, "method_brand") == "mastercard"
    assert said(fact, "method_last4") == "0044"
    assert said(fact, "method_details") == {
        "wallet": "apple_pay",
        "network": "mastercard",
        "funding": "debit",
        "country": "NO",
        "expires": "04/2031",
        "three_d_secure": "authenticated",
        "cvc_check": "pass",
        "address_check": "pass",
        "postal_code_check": "pass",
        "holder": "Ingrid Vik",
        "risk_level": "normal",
        "risk_score": "31",
        "statement": "LANTERN SHOP",
        "receipt_number": "2041-0044",
    }
    assert said(fact, "receipt_url") == "https://pay.example.com/receipts/lantern-a"
    assert fact.wants == ()


def test_charge_updated() -> None:
    fact, before = only("charge.updated"), only("charge.succeeded")
    assert fact.wants == (Want("balance_transaction", "txn_3LanternA"),)
    assert fact.says == before.says
    assert fact.identity != before.identity  # or the question would not be asked


def test_charge_failed() -> None:
    fact = only("charge.failed")
    assert fact.status == "failed"
    assert said(fact, "reason") == ("Your card has insufficient funds.")
    assert (
        fact.says["money"].weight == only("payment_intent.created").says["money"].weight
    )


def test_charge_pending() -> None:
    fact = only("charge.pending")
    assert (fact.status, said(fact, "method_last4")) == ("pending", "3000")
    assert said(fact, "paid") is None


def test_charge_succeeded__after_days() -> None:
    paid = said(only("charge.succeeded__after_days"), "paid")
    assert paid == "2026-11-10T19:46:40.000000+00:00"


def test_charge_succeeded__held() -> None:
    fact = only("charge.succeeded__held")
    assert fact.status == "authorized"
    assert said(fact, "paid") is None
    assert (
        fact.says["money"].weight == only("payment_intent.created").says["money"].weight
    )


def test_charge_captured__in_part() -> None:
    fact = only("charge.captured__in_part")
    assert fact.status == "paid"
    assert said(fact, "money") == [4500, "eur"]
    assert said(fact, "refunded_total") == 0  # 1480 were never taken
    assert said(fact, "paid") == "2026-11-07T11:13:20.000000+00:00"


def test_charge_expired() -> None:
    fact = only("charge.expired")
    assert fact.status == "released"
    assert said(fact, "refunded_total") is None
    (still,) = read_with("charge.expired", refunded=False, amount_refunded=0)
    assert still.status == "released"


def test_charge_refunded__partial() -> None:
    fact = only("charge.refunded__partial")
    assert (fact.status, said(fact, "refunded_total")) == ("paid", 1980)
    assert fact.summary == "Charge: 19.80 EUR given back"


def test_charge_refunded__rest() -> None:
    fact = only("charge.refunded__rest")
    assert said(fact, "refunded_total") == 5980
    part = only("charge.refunded__partial")
    assert (fact.order, fact.rank) > (part.order, part.rank)


def test_charge_refunded__of_2022_08_01() -> None:
    charge, refund = facts("charge.refunded__of_2022-08-01")
    assert said(charge, "refunded_total") == 980
    assert (refund.topic, refund.status) == ("refund", "succeeded")
    assert said(refund, "money") == [980, "eur"]


def test_charge_succeeded__connected() -> None:
    fact = only("charge.succeeded__connected")
    assert said(fact, "account") == "acct_1LanternPartner"
    question = "txn_3LanternK@acct_1LanternPartner"
    assert fact.wants == (Want("balance_transaction", question),)


def test_charge_succeeded__of_a_bill() -> None:
    fact = only("charge.succeeded__of_a_bill")
    assert said(fact, "customer_name") == "Tone Berg"
    assert said(fact, "customer_key") == "stripe:cus_LanternTone"


# ---------------------------------------------------------------------- the session
def test_checkout_session_completed() -> None:
    fact = only("checkout.session.completed")
    assert (fact.topic, fact.status) == ("payment", "paid")
    assert fact.references == (
        ("payment_intent", "pi_3LanternA"),
        ("session", "cs_live_LanternA"),
    )
    assert said(fact, "order_reference") == "basket-77120"
    assert said(fact, "metadata") == {"campaign": "first-snow", "shelf": "window"}
    assert said(fact, "customer_email") == "Ingrid.Vik@example.org"
    assert said(fact, "customer_key") == "ingrid.vik@example.org"
    assert said(fact, "customer_phone") == "+4755500142"
    assert said(fact, "customer_details")["locale"] == "nb"
    assert said(fact, "customer_details")["shipping"]["line1"] == "Havnegata 9"
    assert said(fact, "method_details") == {"presentment": "709.90 NOK"}
    assert said(fact, "paid") == "2026-11-06T21:21:38.000000+00:00"
    assert fact.wants == (Want("line_items", "cs_live_LanternA"),)


def test_checkout_session_completed__unpaid() -> None:
    fact = only("checkout.session.completed__unpaid")
    assert (fact.status, said(fact, "paid")) == ("pending", None)
    assert said(fact, "order_reference") == "L-2042"
    assert said(fact, "method") == "sepa_debit"


def test_checkout_session_async_payment_succeeded() -> None:
    fact = only("checkout.session.async_payment_succeeded")
    assert fact.status == "paid"
    assert said(fact, "paid") == "2026-11-10T19:46:40.000000+00:00"


def test_checkout_session_async_payment_failed() -> None:
    fact = only("checkout.session.async_payment_failed")
    assert (fact.status, said(fact, "reason")) == ("failed", "the bank did not pay")
    before = only("checkout.session.completed__unpaid")
    assert (fact.order, fact.rank) > (before.order, before.rank)


def test_checkout_session_expired() -> None:
    fact = only("checkout.session.expired")
    assert (fact.status, fact.wants) == ("expired", ())


def test_checkout_session_completed__free() -> None:
    fact = only("checkout.session.completed__free")
    assert (fact.status, said(fact, "reason")) == ("paid", "free")
    assert said(fact, "money") == [0, "eur"]
    assert fact.references == (("session", "cs_live_LanternE"),)


def test_checkout_session_completed__setup() -> None:
    fact = only("checkout.session.completed__setup")
    assert fact.status == "paid"
    assert said(fact, "money") is None
    assert said(fact, "reason") == "free: a method was saved for later"
    assert fact.wants == ()


def test_checkout_session_completed__subscription() -> None:
    fact = only("checkout.session.completed__subscription")
    assert ("invoice", "in_1LanternS1") in fact.references
    assert Want("invoice_payments", "in_1LanternS1") in fact.wants


def test_checkout_session_completed__of_2020_08_27() -> None:
    fact = only("checkout.session.completed__of_2020-08-27")
    assert fact.status == "paid"
    assert said(fact, "customer_details")["shipping"]["line1"] == "Gamleveien 1"


def test_the_middle_place_of_the_shipping_address_is_known() -> None:
    where = {"name": "Ola", "address": {"line1": "Mellomveien 2"}}
    (fact,) = read_with(
        "checkout.session.completed", collected_information=None, shipping_details=where
    )
    assert said(fact, "customer_details")["shipping"]["line1"] == "Mellomveien 2"


# -------------------------------------------------------------------------- refunds
def test_refund_created__partial() -> None:
    fact = only("refund.created__partial")
    assert (fact.topic, fact.status) == ("refund", "succeeded")
    assert fact.references == PURCHASE
    assert said(fact, "money") == [1980, "eur"]
    assert said(fact, "reason") == "requested by customer"
    assert said(fact, "livemode") is True  # the object has none, the event does


def test_refund_created__rest() -> None:
    assert said(only("refund.created__rest"), "reason") == "duplicate"


def test_refund_created__requires_action() -> None:
    assert only("refund.created__requires_action").status == "requires_action"


def test_refund_created__hold_ran_out() -> None:
    fact = only("refund.created__hold_ran_out")
    assert (fact.topic, fact.status) == ("payment", "released")


def test_refund_updated() -> None:
    assert said(only("refund.updated"), "trace") == "74201126310000000012345"


def test_refund_failed() -> None:
    fact, before = only("refund.failed"), only("refund.created__rest")
    assert fact.status == "failed"
    assert said(fact, "failure_reason") == "expired or canceled card"
    assert (fact.order, fact.rank) > (before.order, before.rank)


def test_charge_refund_updated() -> None:
    twin = only("charge.refund.updated")
    assert twin.identity == only("refund.failed").identity


# ------------------------------------------------------------------------- disputes
def test_charge_dispute_created() -> None:
    fact = only("charge.dispute.created")
    assert (fact.topic, fact.status) == ("dispute", "open")
    assert fact.references == PURCHASE
    assert said(fact, "money") == [5980, "eur"]
    assert said(fact, "reason") == "product not received"
    assert said(fact, "due_by") == "2026-11-26T13:33:20.000000+00:00"


def test_charge_dispute_created__inquiry() -> None:
    fact = only("charge.dispute.created__inquiry")
    assert (fact.status, said(fact, "reason")) == ("open", "inquiry: general")


def test_charge_dispute_funds_withdrawn() -> None:
    twin = only("charge.dispute.funds_withdrawn")
    assert twin.identity == only("charge.dispute.created").identity


def test_charge_dispute_updated() -> None:
    fact = only("charge.dispute.updated")
    assert (fact.status, said(fact, "due_by")) == ("open", None)
    assert said(fact, "answered") is True


def test_a_dispute_that_waits_for_evidence_is_not_answered() -> None:
    assert said(only("charge.dispute.created"), "answered") is None
    inquiry = "charge.dispute.created__inquiry"
    (answered,) = read_with(inquiry, status="warning_under_review")
    assert said(only(inquiry), "answered") is None
    assert said(answered, "answered") is True


def test_charge_dispute_closed__lost() -> None:
    assert only("charge.dispute.closed__lost").status == "lost"


def test_charge_dispute_closed__won() -> None:
    assert only("charge.dispute.closed__won").status == "won"


def test_charge_dispute_funds_reinstated() -> None:
    twin = only("charge.dispute.funds_reinstated")
    assert twin.identity == only("charge.dispute.closed__won").identity


@pytest.mark.parametrize("status", ["warning_closed", "prevented"])
def test_a_dispute_that_came_to_nothing_is_won(status: str) -> None:
    (fact,) = read_with("charge.dispute.closed__won", status=status)
    assert fact.status == "won"


# ------------------------------------------------------------------------- warnings
def test_radar_early_fraud_warning_created() -> None:
    fact = only("radar.early_fraud_warning.created")
    assert (fact.topic, fact.status) == ("payment", "created")
    assert fact.references == PURCHASE
    assert "made with stolen card" in said(fact, "warning")


def test_review_opened() -> None:
    assert said(only("review.opened"), "warning") == "Stripe wants a review: rule."


def test_review_closed__approved() -> None:
    fact, opened = only("review.closed__approved"), only("review.opened")
    assert said(fact, "warning") == ""  # takes the words of the open one back
    assert fact.says["warning"].weight == opened.says["warning"].weight
    assert (fact.order, fact.rank) > (opened.order, opened.rank)


def test_review_closed__refunded_as_fraud() -> None:
    warning = said(only("review.closed__refunded_as_fraud"), "warning")
    assert warning == "The review was closed: refunded as fraud."


# ------------------------------------------------------------------------- invoices
def test_invoice_created() -> None:
    fact = only("invoice.created")
    assert (fact.topic, fact.status) == ("invoice", "created")


def test_invoice_paid() -> None:
    fact = only("invoice.paid")
    assert (fact.topic, fact.status) == ("invoice", "paid")
    assert fact.references == (("invoice", "in_1LanternS1"),)
    assert said(fact, "money") == [2900, "eur"]
    assert said(fact, "paid") == "2026-11-06T21:20:05.000000+00:00"
    assert said(fact, "description") == "Invoice LANTERN-0001"
    assert said(fact, "customer_key") == "tone.berg@example.net"
    assert said(fact, "items") == [
        {
            "key": "il_1LanternS1",
            "product": "prod_LanternClub",
            "name": "2 × Lantern Club (at €14.50 / 3 months)",
            "sku": "",
            "quantity": 2,
            "amount": 2900,
            "platform": "",
        }
    ]
    assert fact.wants == (Want("invoice_payments", "in_1LanternS1"),)


def test_invoice_payment_succeeded() -> None:
    assert only("invoice.payment_succeeded").identity == only("invoice.paid").identity


def test_invoice_payment_failed() -> None:
    fact, paid = only("invoice.payment_failed"), only("invoice.paid")
    assert fact.status == "failed"
    assert (fact.order, fact.rank) < (paid.order, paid.rank)


def test_invoice_overdue() -> None:
    assert only("invoice.overdue").status == "overdue"


def test_invoice_voided() -> None:
    assert only("invoice.voided").status == "canceled"


def test_invoice_marked_uncollectible() -> None:
    fact = only("invoice.marked_uncollectible")
    assert (fact.status, said(fact, "reason")) == ("failed", "marked uncollectible")


def test_invoice_upcoming() -> None:
    assert facts("invoice.upcoming") == []  # a preview, without an id


def test_invoice_paid__of_2024_06_20() -> None:
    fact = only("invoice.paid__of_2024-06-20")
    assert ("payment_intent", "pi_3LanternOldS") in fact.references
    assert ("charge", "ch_3LanternOldS") in fact.references
    assert fact.wants == ()
    assert said(fact, "items")[0]["product"] == "prod_LanternClub"


def test_invoice_payment_paid() -> None:
    fact = only("invoice_payment.paid")
    assert (fact.topic, fact.status) == ("payment", "paid")
    assert fact.references == (
        ("payment_intent", "pi_3LanternS"),
        ("invoice", "in_1LanternS1"),
    )


@pytest.mark.parametrize("status", ["open", "canceled"])
def test_a_payment_of_a_bill_that_did_not_come_ties_nothing(status: str) -> None:
    assert read_with("invoice_payment.paid", status=status) == []


# --------------------------------------------------------------------- subscriptions
def test_customer_subscription_created() -> None:
    fact = only("customer.subscription.created")
    assert (fact.topic, fact.status) == ("subscription", "active")
    assert fact.references == ()
    assert fact.order == load("customer.subscription.created")["created"]
    assert said(fact, "money") == [2900, "eur"]
    assert said(fact, "interval") == "3 months"
    assert said(fact, "product") == "prod_LanternClub"
    assert said(fact, "period_end") == "2026-12-06T21:20:00.000000+00:00"
    assert said(fact, "details")["customer"] == "cus_LanternTone"


def test_customer_subscription_created__of_2024_06_20() -> None:
    old = only("customer.subscription.created__of_2024-06-20")
    assert old.says == only("customer.subscription.created").says


def test_customer_subscription_updated__past_due() -> None:
    assert only("customer.subscription.updated__past_due").status == "past_due"


def test_customer_subscription_updated__active_again() -> None:
    fact = only("customer.subscription.updated__active_again")
    assert (fact.status, fact.occurrence) == ("active", str(fact.order))


def test_customer_subscription_deleted() -> None:
    fact = only("customer.subscription.deleted")
    assert fact.status == "canceled"
    assert said(fact, "reason") == "cancellation requested: unused: Moving away"
    assert said(fact, "ends") == "2026-12-11T14:40:00.000000+00:00"


# -------------------------------------------------------------------------- payouts
def test_payout_created() -> None:
    fact = only("payout.created")
    assert (fact.topic, fact.status) == ("payout", "pending")
    assert said(fact, "money") == [481_220, "eur"]
    assert said(fact, "arrives") == "2026-11-09T21:33:20.000000+00:00"


def test_payout_paid() -> None:
    fact = only("payout.paid")
    assert fact.status == "paid"
    assert said(fact, "details")["trace"] == "LANTERNTRACE7"


def test_payout_failed() -> None:
    fact, paid = only("payout.failed"), only("payout.paid")
    assert said(fact, "reason") == (
        "The bank account has been closed. (account closed)"
    )
    assert (fact.order, fact.rank) > (paid.order, paid.rank)


def test_a_payout_may_take_money_back() -> None:
    (fact,) = read_with("payout.paid", amount=-1200)
    assert said(fact, "money") == [-1200, "eur"]


# ------------------------------------------------------------------ thin and unknown
def test_v1_checkout_session_completed__thin() -> None:
    fact = only("v1.checkout.session.completed__thin")
    assert fact.references == ()
    (want,) = fact.wants
    assert want.kind == "object"
    assert want.id == (
        "/v1/checkout/sessions/cs_live_LanternA checkout.session.completed "
        "1794004898 live acct_1LanternPartner"
    )


def test_v1_customer_created__thin() -> None:
    assert facts("v1.customer.created__thin") == []


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "//evil.example.com/v1/charges/ch_1",
        "https://evil.example.com/v1/charges/ch_1",
        "/v1/charges/../customers/cus_1",
        "/v1/charges/%2e%2e/x",
        "/v1/charges/ch_1?expand[]=customer",
        "/v1/charges/ch_1#x",
        "/v1/charges/ch_1\n",
        "/v1/charges/ch 1",
        "/v1/charges/@evil.example.com",
        "/v1/customers/cus_1",
        "/v2/core/accounts/acct_1",
        "v1/charges/ch_1",
        "\\v1\\charges\\ch_1",
    ],
)
def test_a_thin_event_leads_nowhere_else(url: object) -> None:
    payload = load("v1.checkout.session.completed__thin")
    payload["related_object"]["url"] = url
    with pytest.raises(Unreadable):
        stripe.read(payload, KEYS)


@pytest.mark.parametrize("context", [7, "a b", "a\r\nX: 1", "é", "x" * 200])
def test_a_context_that_is_no_header_is_not_sent_back(context: object) -> None:
    payload = load("v1.checkout.session.completed__thin") | {"context": context}
    with pytest.raises(Unreadable):
        stripe.read(payload, KEYS)


def test_lighthouse_lit() -> None:
    assert facts("lighthouse.lit") == []


def test_a_state_that_nobody_knows_is_not_guessed() -> None:
    for name in ("payment_intent.succeeded", "charge.succeeded", "payout.paid"):
        with pytest.raises(Unreadable, match="not known"):
            read_with(name, status="levitating")
