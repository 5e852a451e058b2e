"""Every event in every dialect is called what contract.md's table calls it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from webhooks import dialects
from webhooks.catalogue import KINDS
from webhooks.dialects import rsa
from webhooks.dialects.base import News, SigningKeys
from webhooks.samples import sample_news

AT = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

#: ours | stripe (data.object) | paysuper | paynow | paysecure
TABLE = """
payment.created | payment_intent.created payment_intent | - | - | CREATED
payment.pending | payment_intent.processing payment_intent | - | - | PAYMENT_IN_PROCESS
payment.authorized | payment_intent.amount_capturable_updated payment_intent | - | - | HOLD
payment.released | payment_intent.canceled payment_intent | payment.cancel | - | RELEASED
payment.overdue | - | - | - | OVERDUE
payment.success | checkout.session.completed checkout.session | payment.success | ON_ORDER_COMPLETED | PAID
payment.failed | payment_intent.payment_failed payment_intent | payment.cancel | ON_PAYMENT_FAILED | ERROR
payment.cancel | payment_intent.canceled payment_intent | payment.cancel | - | CANCELLED
payment.expired | checkout.session.expired checkout.session | payment.cancel | - | EXPIRED
payment.refund | charge.refunded charge | payment.refund | ON_REFUND | REFUNDED
payment.updated | payment.updated transaction | - | - | -
refund.requested | refund.created refund | - | - | REFUND_IN_PROCESS
refund.succeeded | refund.updated refund | - | - | -
refund.failed | refund.failed refund | - | - | PAID
dispute.opened | charge.dispute.created dispute | - | ON_CHARGEBACK | -
dispute.closed | charge.dispute.closed dispute | payment.chargeback | ON_CHARGEBACK_CLOSED | CHARGEBACK
fulfilment.done | fulfilment.done transaction | - | - | -
fulfilment.revoked | fulfilment.revoked transaction | - | - | -
subscription.activated | customer.subscription.created subscription | - | ON_SUBSCRIPTION_ACTIVATED | -
subscription.renewed | customer.subscription.updated subscription | - | ON_SUBSCRIPTION_RENEWED | -
subscription.canceled | customer.subscription.deleted subscription | - | ON_SUBSCRIPTION_CANCELED | -
subscription.past_due | invoice.payment_failed invoice | - | - | -
trial.activated | - | - | ON_TRIAL_ACTIVATED | -
trial.completed | - | - | ON_TRIAL_COMPLETED | -
trial.canceled | - | - | ON_TRIAL_CANCELED | -
delivery_item.added | - | - | ON_DELIVERY_ITEM_ADDED | -
delivery_item.activated | - | - | ON_DELIVERY_ITEM_ACTIVATED | -
delivery_item.used | - | - | ON_DELIVERY_ITEM_USED | -
delivery_item.renewed | - | - | ON_DELIVERY_ITEM_RENEWED | -
delivery_item.revoked | - | - | ON_DELIVERY_ITEM_REVOKED | -
delivery_item.expired | - | - | ON_DELIVERY_ITEM_EXPIRED | -
customer.linked | - | - | ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT | -
payout.created | payout.created payout | - | - | CREATED
payout.pending | payout.updated payout | - | - | PAYOUT_IN_PROCESS
payout.paid | payout.paid payout | - | - | PAID
payout.failed | payout.failed payout | - | - | ERROR
export.ready | - | - | - | -
endpoint.test | endpoint.test transaction | payment.success | ON_ORDER_COMPLETED | CREATED
"""  # noqa: E501 - a table
ROWS = [
    [cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()
]


def _told(dialect: str, news: News) -> dict[str, Any] | None:
    keys = SigningKeys((SECRET,), rsa.new_pair()[0] if dialect == "paysecure" else "")
    letter = dialects.compose(dialect, news, keys, AT)
    assert (letter is not None) == dialects.speaks_of(dialect, news)
    return json.loads(letter.body) if letter else None


def _column(number: int) -> list[Any]:
    return [pytest.param(row[0], row[number], id=row[0]) for row in ROWS]


def test_the_table_has_every_event() -> None:
    assert [row[0] for row in ROWS] == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_ours_is_told_under_its_own_name(name: str) -> None:
    told = _told("standard", sample_news(name))
    assert told and told["event"] == name


@pytest.mark.parametrize(("name", "expected"), _column(1))
def test_stripe(name: str, expected: str) -> None:
    told = _told("stripe", sample_news(name))
    if expected == "-":
        assert told is None
        return
    assert told is not None
    assert f"{told['type']} {told['data']['object']['object']}" == expected


@pytest.mark.parametrize(("name", "expected"), _column(2))
def test_paysuper(name: str, expected: str) -> None:
    told = _told("paysuper", sample_news(name))
    assert (told["event"] if told else "-") == expected


@pytest.mark.parametrize(("name", "expected"), _column(3))
def test_paynow(name: str, expected: str) -> None:
    told = _told("paynow", sample_news(name))
    assert (told["event_type"] if told else "-") == expected


@pytest.mark.parametrize(("name", "expected"), _column(4))
def test_paysecure(name: str, expected: str) -> None:
    told = _told("paysecure", sample_news(name))
    assert (told["status"] if told else "-") == expected


def test_a_session_that_is_told_is_paid() -> None:
    told = _told("stripe", sample_news("payment.success"))
    assert told and told["data"]["object"]["payment_status"] == "paid"


def test_a_partial_refund_has_no_word_at_paysuper_and_another_at_paysecure() -> None:
    news = sample_news("payment.refund")
    news.payload["object"] |= {"status": "partially_refunded", "amount_refunded": 950}
    assert _told("paysuper", news) is None
    told = _told("paysecure", news)
    assert told and told["status"] == "PARTIAL_REFUNDED"


def test_a_won_dispute_is_told_by_those_who_know_disputes() -> None:
    news = sample_news("dispute.closed")
    news.payload["part"]["status"] = "won"
    assert _told("paysuper", news) is None
    assert _told("paysecure", news) is None
    assert _told("paynow", news) is not None
    assert _told("stripe", news) is not None


def test_tests_are_marked() -> None:
    news = sample_news("endpoint.test")
    paysuper, paynow = _told("paysuper", news), _told("paynow", news)
    assert paysuper and paysuper["object"]["testing_case"] == "correct_payment"
    assert paynow and paynow["event_id"].startswith("test-")
    assert paynow["body"]["id"].startswith("test-")
    paysecure = _told("paysecure", news)
    assert paysecure and paysecure["is_test"] is paysecure["message"]["is_test"] is True
