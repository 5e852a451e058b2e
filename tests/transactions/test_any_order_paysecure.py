"""Paysecure's stories told in every order end in the same rows."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.providers import paysecure
from merchant.providers.base import Answer, Fact, Keys, Want
from tests import factories
from tests.merchant.providers.paysecure_cases import (
    ID,
    PAYOUT_ID,
    facts,
    keys,
    load,
    raw,
    read_with,
)
from tests.transactions.any_order import arrivals, in_one_go, snapshot, told
from transactions import ledger
from transactions.models import LookUp, Payout, Transaction

BEGINNING = (
    "payin_created",
    "payin_pending_execute",
    "payin_payment_in_process",
    "payin_payment_in_process_with_spaces",
)
PAYOUTS = (
    "payout_created",
    "payout_pending_review",
    "payout_in_process",
    "payout_paid",
)
PAID = (*BEGINNING, "payin_overdue", "payin_paid", "payin_paid_bare")
#: story -> the status it ends in.
STORIES = {
    "paid": (*PAID, *PAYOUTS),
    "refunded": (*PAID, "payin_refund_in_process", "payin_partial_refunded",
                 "payin_refunded"),
    "partially_refunded": (*PAID, "payin_refund_in_process", "payin_partial_refunded"),
    "charged_back": (*PAID, "payin_chargeback"),
    "canceled": (*BEGINNING, "payin_hold", "payin_void_in_process", "payin_released"),
    "failed": (*BEGINNING, "payin_error"),
    "expired": (*BEGINNING, "payin_expired"),
    "authorized": (*BEGINNING, "payin_hold"),
    "overdue": ("payin_created", "payin_overdue"),
    "partially_paid": (*BEGINNING, "payin_partial_paid"),
}  # fmt: skip

GENTLY = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
pytestmark = pytest.mark.django_db


@GENTLY
@given(data=st.data())
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_any_order_any_duplicates_any_batching_give_the_same_rows(
    data: st.DataObject, story: tuple[str, ...]
) -> None:
    bodies = [raw(name) for name in story]
    batches = data.draw(arrivals(len(story)))
    assert told("paysecure", bodies, batches) == in_one_go("paysecure", bodies)


@pytest.mark.parametrize(("status", "story"), STORIES.items(), ids=STORIES)
def test_the_end_of_the_story(status: str, story: tuple[str, ...]) -> None:
    project = enter([facts(name) for name in story])
    row = Transaction.objects.get(project=project)
    assert row.status == status
    assert (row.provider_id, row.amount, row.currency) == (ID, 3750, "eur")
    assert row.verified is False
    assert row.refund_pending is False


def test_a_refund_under_way_is_a_flag() -> None:
    project = enter([facts(name) for name in (*PAID, "payin_refund_in_process")])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.refund_pending) == ("paid", True)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("figure", [30.0, None], ids=["told", "not_told"])
def test_what_was_never_captured_is_not_given_back(
    figure: float | None, turned: bool
) -> None:
    refunded = load("payin_partially_captured")
    refunded["message"] |= {
        "captured_amount": figure and Decimal(figure),
        "updated_on": 1790160000,
    }
    refunded["message"]["status"] = refunded["status"] = "refunded"
    read = [
        facts("payin_hold"),
        facts("payin_partially_captured"),
        paysecure.read(refunded, keys("own")),
    ]
    project = enter(read[::-1] if turned else read)
    row = Transaction.objects.get(project=project)
    assert (row.status, row.amount, row.amount_refunded) == ("refunded", 3000, 3000)


def test_a_refund_that_failed_is_undone_by_the_apis_word() -> None:
    names = (*PAID, "payin_refund_in_process", "payin_paid_again")
    project = enter([*(facts(name) for name in names), confirmed("payin_paid_again")])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.refund_pending, row.amount_refunded) == ("paid", False, 0)


@pytest.mark.parametrize(
    "name", ["payin_cancelled_after_hold", "payin_expired_after_hold"]
)
def test_a_hold_that_was_let_go_says_so(name: str) -> None:
    project = enter([facts("payin_hold"), facts(name)])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.status_reason) == ("canceled", "hold released")


def test_every_purchase_is_asked_for_once() -> None:
    project = enter([facts(name) for name in STORIES["paid"]])
    asked = LookUp.objects.filter(connection__project=project)
    wants = {(question.kind, question.want) for question in asked}
    assert wants == {("purchase", ID), ("payout", PAYOUT_ID)}


def test_a_payout_is_no_purchase() -> None:
    project = enter([facts(name) for name in PAYOUTS])
    assert not Transaction.objects.filter(project=project).exists()
    row = Payout.objects.get(project=project)
    assert (row.status, row.amount, row.verified) == ("paid", 12540, False)


# --------------------------------------------------------------- claims and proofs
@GENTLY
@given(order=st.permutations(range(6)))
def test_what_the_api_confirms_fits_in_at_any_place(order: list[int]) -> None:
    names = ("payin_created", "payin_paid", "payin_refunded")
    parts = [facts(name) for name in names] + [confirmed(name) for name in names]
    project = enter([parts[index] for index in order])
    assert snapshot(project) == snapshot(enter(parts))
    row = Transaction.objects.get(project=project)
    assert (row.status, row.verified, row.amount) == ("refunded", True, 3750)


@GENTLY
@given(order=st.permutations(range(3)))
def test_a_forged_amount_never_beats_the_confirmed_one(order: list[int]) -> None:
    """Its signature is right: amounts are not signed, and time stands still in it."""
    forged = read_with(
        "payin_paid",
        purchase={"total": 37500, "currency": "EUR"},
        updated_on=1_990_000_000,
        merchantRef="SOMEBODY-ELSES",
        client={"email": "thief@example.com"},
    )
    parts = [facts("payin_paid"), confirmed("payin_paid"), forged]
    row = Transaction.objects.get(project=enter([parts[index] for index in order]))
    assert (row.amount, row.verified) == (3750, True)
    assert row.order_reference == "LAMP-3307"
    assert row.customer_email == "Ines.Duarte@example.org"


@GENTLY
@given(order=st.permutations(range(4)))
def test_a_replay_after_a_chargeback_changes_nothing(order: list[int]) -> None:
    replay = read_with("payin_paid", updated_on=1_990_000_000)
    names = ("payin_paid", "payin_chargeback")
    parts = [*(facts(name) for name in names), confirmed(names[1]), replay]
    row = Transaction.objects.get(project=enter([parts[index] for index in order]))
    assert row.status == "charged_back"


def test_an_amount_is_unverified_until_it_is_confirmed() -> None:
    claim = Transaction.objects.get(project=enter([facts("payin_paid")]))
    assert (claim.status, claim.amount, claim.verified) == ("paid", 3750, False)
    proof = Transaction.objects.get(
        project=enter([facts("payin_paid"), confirmed("payin_paid")])
    )
    assert (proof.status, proof.amount, proof.verified) == ("paid", 3750, True)
    assert (proof.fee, proof.net) == (112, 3638)


def confirmed(name: str) -> list[Fact]:
    """What a look-up brings."""
    body = json.dumps(load(name)["message"], default=float).encode()
    keys = Keys(api_key="key")
    return paysecure.fetch(
        Want("purchase", ID), keys, lambda *a, **k: Answer(200, {}, body)
    )


def enter(parts: list[list[Fact]]) -> Project:
    """The facts in the books of a fresh project."""
    project = factories.make_project()
    connection = factories.make_connection(provider="paysecure", project=project)
    for part in parts:
        ledger.record(connection, part, source="webhook")
    return project
