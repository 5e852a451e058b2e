"""A customer is what their purchases say: the newest one names them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Project
from merchant.providers.base import Fact
from tests.factories import make_connection, make_project
from tests.transactions.staff import WHEN, dispute, enter, payment
from transactions import customers, flags, ledger
from transactions.models import Customer, Transaction

pytestmark = pytest.mark.django_db
KEY = "player-1"


@pytest.fixture
def till(project: Project) -> Connection:
    return make_connection("stripe", project=project)


def bought(number: int, days: int = 0, name: str = "Ada", **says: Any) -> Fact:
    told = {"customer_key": KEY, "customer_name": name} | says
    return payment(number, at=WHEN + timedelta(days=days), **told)


def only() -> Customer:
    return Customer.objects.get()


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.permutations(range(4)))
def test_the_newest_purchase_names_them_in_any_order(db: None, order: list) -> None:
    till = make_connection("stripe", project=make_project())
    for day in order:
        enter(
            till, bought(day, day, f"Name {day}", customer_email=f"{day}@example.org")
        )
    found = Customer.objects.get(project=till.project)
    assert (found.name, found.email) == ("Name 3", "3@example.org")
    assert found.latest_live == WHEN + timedelta(days=3)


def test_tests_and_real_purchases_are_dated_apart(till: Connection) -> None:
    enter(till, bought(1, 1))
    enter(till, bought(2, 2, livemode=False))
    found = only()
    assert found.latest_live == WHEN + timedelta(days=1)
    assert found.latest_test == WHEN + timedelta(days=2)


def test_who_only_tested_has_no_live_date(till: Connection) -> None:
    enter(till, bought(1, livemode=False))
    assert (only().latest_live, only().latest_test) == (None, WHEN)


def test_an_older_purchase_changes_nothing(till: Connection) -> None:
    enter(till, bought(1, 2, "Ada"))
    enter(till, bought(2, 1, "Grace"))
    assert only().name == "Ada"


def test_who_no_purchase_names_any_more_goes(till: Connection) -> None:
    row = enter(till, bought(1))
    enter(till, bought(1, customer_key="player-2"), bought(1, 1))
    row.refresh_from_db()
    Transaction.objects.all().update(customer=None)
    customers.refresh(Customer.objects.values_list("pk", flat=True))
    assert not Customer.objects.exists()


def test_who_left_one_purchase_keeps_the_others(till: Connection) -> None:
    enter(till, bought(1, 1, "Ada"))
    row = enter(till, bought(2, 2, "Grace"))
    Transaction.objects.filter(pk=row.pk).update(customer=None)
    customers.refresh([only().pk])
    assert (only().name, only().latest_live) == ("Ada", WHEN + timedelta(days=1))


def test_a_lost_dispute_flags_and_a_note_clears(till: Connection, owner) -> None:  # noqa: ANN001
    enter(till, bought(1), dispute(1, "lost"))
    assert only().flagged
    flags.clear(owner, only(), "A friend used the card")
    assert not only().flagged


def test_a_won_dispute_flags_nobody(till: Connection) -> None:
    enter(till, bought(1), dispute(1, "open"), dispute(1, "won"))
    assert not only().flagged


def test_nothing_new_writes_nothing(till: Connection) -> None:
    enter(till, bought(1))
    assert customers.refresh([only().pk, None]) == 0


def test_one_batch_of_many_purchases_is_one_customer(till: Connection) -> None:
    facts = [bought(day, day, f"Name {day}") for day in (2, 5, 1, 4, 3)]
    ledger.record(till, facts, source="webhook")
    assert only().name == "Name 5"
