"""PaySuper's stories told in every order end in the same rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.providers import paysuper
from merchant.providers.base import Answer, Fact, Want
from tests import factories
from tests.merchant.providers import paysuper_cases
from tests.merchant.providers.paysuper_cases import KEYS, ORDER_ID, load, raw
from tests.transactions.any_order import arrivals, in_one_go, snapshot, told
from transactions import ledger
from transactions.models import Transaction

#: One order from its first, declined card to its refund, and what says nothing.
STORY = (
    "payment_cancel_declined",
    "payment_cancel_by_customer",
    "payment_success_simple",
    "payment_success_stale_status",
    "payment_success_2019",
    "payment_success_key",
    "payment_success_with_fees",
    "payment_refund",
    "payment_fraud",
    "test_correct_payment",
    "user_validate",
    "payment_success_empty_object",
)
TAKEN_BACK = (*STORY, "payment_chargeback")
UNPAID = STORY[:2]
ENDS = {STORY: "refunded", TAKEN_BACK: "charged_back", UNPAID: "canceled"}

GENTLY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
pytestmark = pytest.mark.django_db


@GENTLY
@given(data=st.data())
@pytest.mark.parametrize("story", ENDS, ids=ENDS.values())
def test_any_order_any_duplicates_any_batching_give_the_same_rows(
    data: st.DataObject, story: tuple[str, ...]
) -> None:
    bodies = [raw(name) for name in story]
    batches = data.draw(arrivals(len(story)))
    assert told("paysuper", bodies, batches) == in_one_go("paysuper", bodies)


@pytest.mark.parametrize("story", ENDS, ids=ENDS.values())
def test_the_end_of_the_story(story: tuple[str, ...]) -> None:
    project = enter([paysuper_cases.facts(name) for name in story])
    row = Transaction.objects.get(project=project)
    assert row.provider_id == ORDER_ID
    assert row.status == ENDS[story]
    assert (row.amount, row.currency, row.verified) == (4190, "eur", True)


def test_a_refund_before_its_payment_waits_for_nothing() -> None:
    project = enter([paysuper_cases.facts("payment_refund")])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.amount_refunded) == ("refunded", 4190)
    assert row.status_reason == "Customer's request"
    assert row.paid is not None


def test_a_declined_card_does_not_undo_a_payment() -> None:
    names = ("payment_success_simple", "payment_cancel_declined")
    project = enter([paysuper_cases.facts(name) for name in names])
    assert Transaction.objects.get(project=project).status == "paid"


def test_why_it_failed_stands_on_the_row() -> None:
    project = enter([paysuper_cases.facts("payment_cancel_declined")])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.status_reason) == ("failed", "Insufficient funds (13)")


@GENTLY
@given(order=st.permutations(range(5)))
def test_what_the_api_lists_fits_in_at_any_place(order: list[int]) -> None:
    names = ("payment_success_simple", "payment_refund")
    parts = [paysuper_cases.facts(name) for name in names]
    parts += [listed(name) for name in names]
    parts += [listed("payment_success_simple", status="created")]
    project = enter([parts[index] for index in order])
    assert snapshot(project) == snapshot(enter(parts))
    row = Transaction.objects.get(project=project)
    # Made, paid, refunded: each is one entry, whoever tells it.
    assert (row.status, row.sequence) == ("refunded", 3)


def listed(name: str, **over: str) -> list[Fact]:
    """What a look-up brings."""
    page = {"count": 1, "items": [load(name)["object"] | over]}
    body = json.dumps(page, default=float).encode()
    return paysuper.fetch(
        Want("order", ORDER_ID), KEYS, lambda *a, **k: Answer(200, {}, body)
    )


def enter(parts: list[list[Fact]]) -> Project:
    """The facts in the books of a fresh project."""
    project = factories.make_project()
    connection = factories.make_connection(provider="paysuper", project=project)
    for facts in parts:
        ledger.record(connection, facts, source="webhook")
    return project
