"""What the card says will happen next: only what is true, with its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from transactions import next_steps
from transactions.models import Dispute, LookUp, Refund, Transaction
from transactions.next_steps import Step

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def steps(
    refunds: list[Refund] | None = None,
    disputes: list[Dispute] | None = None,
    look_ups: list[LookUp] | None = None,
    **over: Any,
) -> list[Step]:
    given = {"provider": "stripe", "status": "paid", "created": NOW, "verified": True}
    return next_steps.of(
        Transaction(**given | over),
        refunds=refunds or [],
        disputes=disputes or [],
        look_ups=look_ups or [],
        now=NOW,
    )


def words(*args: Any, **over: Any) -> list[str]:
    return [step.words for step in steps(*args, **over)]


def waiting(minutes: int = 5, **over: Any) -> LookUp:
    return LookUp(kind="order", due=NOW + timedelta(minutes=minutes), **over)


@pytest.mark.parametrize(
    "status", ["paid", "refunded", "failed", "canceled", "expired"]
)
def test_what_is_over_has_no_next_step(status: str) -> None:
    assert steps(status=status) == []


def test_a_hold_is_captured_or_expires() -> None:
    assert words(status="authorized") == [
        "Capture the payment at Stripe, or the hold expires"
    ]


def test_a_slow_method_says_how_long_banks_take() -> None:
    assert words(status="pending", method="sepa_debit") == [
        "The bank confirms it, usually within 6 business days"
    ]


def test_of_another_method_nobody_knows_how_long() -> None:
    assert words(status="pending", method="card") == [
        "Stripe tells as soon as the payment succeeded or failed"
    ]


def test_the_days_of_one_provider_are_not_those_of_another() -> None:
    assert words(status="pending", method="sepa_debit", provider="paynow") == [
        "PayNow tells as soon as the payment succeeded or failed"
    ]


def test_a_purchase_at_paysecure_becomes_overdue() -> None:
    (step,) = steps(status="created", provider="paysecure")
    assert step.due == NOW + timedelta(hours=2)


def test_an_old_one_is_not_said_to_become_overdue() -> None:
    (step,) = steps(
        status="created", provider="paysecure", created=NOW - timedelta(hours=3)
    )
    assert step.due is None


@pytest.mark.parametrize("status", ["partially_paid", "overdue"])
def test_an_open_payment_says_what_is_missing(status: str) -> None:
    assert len(steps(status=status)) == 1


# ------------------------------------------------------------------------- refunds
@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("pending", "Stripe tells whether the refund arrived"),
        ("submitted", "Stripe tells whether the refund arrived"),
        ("requested", "The refund is handed to Stripe"),
        ("requires_action", "The customer has to say where the refund should go"),
    ],
)
def test_a_refund_under_way_says_who_acts(status: str, said: str) -> None:
    assert words(refunds=[Refund(status=status)], refund_pending=True) == [said]


def test_two_refunds_of_one_state_are_one_step() -> None:
    assert len(steps(refunds=[Refund(status="pending"), Refund(status="pending")])) == 1


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled"])
def test_a_refund_that_ended_is_no_step(status: str) -> None:
    assert steps(refunds=[Refund(status=status)]) == []


def test_a_refund_that_only_the_payment_tells_of_is_one() -> None:
    assert words(refund_pending=True, provider="paysecure") == [
        "Paysecure tells whether the refund arrived"
    ]


# ------------------------------------------------------------------------ disputes
def test_an_open_dispute_is_answered_by_its_day_and_comes_first() -> None:
    due = NOW + timedelta(days=7)
    first, *_rest = steps(
        disputes=[Dispute(status="open", due_by=due)],
        look_ups=[waiting()],
        status="disputed",
    )
    assert first == Step(
        "Answer the dispute at Stripe, unless that has been done", due, "by"
    )


def test_one_that_has_to_be_answered_tomorrow_stands_out() -> None:
    (step,) = steps(disputes=[Dispute(status="open", due_by=NOW + timedelta(hours=30))])
    assert step.late


def test_after_its_day_the_provider_decides() -> None:
    (step,) = steps(disputes=[Dispute(status="open", due_by=NOW - timedelta(days=1))])
    assert step.words == "Stripe decides the dispute; it could be answered"
    assert step.when == "until"


def test_one_without_a_day_is_decided_by_the_provider() -> None:
    (step,) = steps(disputes=[Dispute(status="open")], provider="paynow")
    assert step.words.startswith("PayNow decides the dispute")


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_closed_dispute_is_no_step(status: str) -> None:
    assert steps(disputes=[Dispute(status=status, due_by=NOW)]) == []


# ----------------------------------------------------------------------- questions
def test_a_question_says_when_it_is_asked() -> None:
    (step,) = steps(look_ups=[waiting(9), waiting(4)])
    assert step == Step("Stripe is asked", NOW + timedelta(minutes=4), "at")


def test_one_that_was_asked_before_says_again() -> None:
    (step,) = steps(look_ups=[waiting(tries=2)])
    assert step.words == "Stripe is asked again"


def test_one_that_is_due_is_asked_within_seconds() -> None:
    assert words(look_ups=[waiting(0)]) == ["Stripe is asked within seconds"]


@pytest.mark.parametrize("state", ["needs_key", "refused", "done"])
def test_a_question_that_nobody_asks_is_no_step(state: str) -> None:
    assert steps(look_ups=[waiting(state=state)]) == []


# -------------------------------------------------------------------- confirmation
def test_an_unverified_amount_that_nobody_asks_about_is_accepted_by_hand() -> None:
    assert words(verified=False, provider="paysecure") == [
        "Compare the amount with Paysecure, then accept it by hand"
    ]


def test_one_that_is_asked_about_says_when() -> None:
    assert words(verified=False, provider="paysecure", look_ups=[waiting(tries=1)]) == [
        "Paysecure is asked again"
    ]


def test_one_that_was_accepted_is_no_step() -> None:
    assert steps(verified=False, accepted=NOW) == []
