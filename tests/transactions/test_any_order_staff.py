"""What staff do among what providers say: any order of arrival gives the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Project, User
from tests import factories
from tests.transactions.any_order import snapshot
from tests.transactions.staff import WHEN, dispute, item, payment, refund
from transactions import acts, ledger, refold
from transactions.models import TimelineEntry, Transaction
from transactions.statuses import Act

pytestmark = pytest.mark.django_db

ITEMS = [item("a"), item("b")]
#: One purchase as its provider tells it; without money at first, unsure, then sure.
FACTS = (
    payment(status="pending", at=WHEN - timedelta(minutes=1)),
    payment(verified=False),
    payment(items=ITEMS, verified=False, at=WHEN + timedelta(minutes=1)),
    payment(items=ITEMS, verified=True, weight=5, at=WHEN + timedelta(minutes=2)),
    refund(1, 500),
    dispute(1, "open"),
    dispute(1, "lost", at=WHEN + timedelta(days=3)),
)
#: What staff did: act, the line it was about, and more that it said.
ACTS = (
    (Act.ACCEPTED, "", {"figures": [1999, "eur", 0]}),
    (Act.CLAIMED, "", {"until": (WHEN + timedelta(hours=9)).isoformat()}),
    (Act.DONE, "a", {"item": "Item a"}),
    (Act.DONE, "", {"lines": ["b"]}),
    (Act.REVOKED, "", {"lines": ["a", "b"]}),
    (Act.UNDONE, "a", {"of": ["staff:4"]}),
    (Act.KEPT, "", {}),
    (Act.WITHDRAWN, "", {}),
)


def enter(
    connection: Connection, order: Sequence[int], by: User, batch: int
) -> Transaction:
    """The story in this order: the numbers of FACTS, then those of ACTS.

    The first fact comes first, since staff can only act on what is there. `batch`: so
    many facts are entered at once.
    """
    ledger.record(connection, [FACTS[0]], source="webhook")
    row = Transaction.objects.get(project=connection.project)
    waiting: list[int] = []
    for number in order:
        if number < len(FACTS):
            waiting.append(number)
        if len(waiting) == batch or number >= len(FACTS):
            ledger.record(connection, [FACTS[n] for n in waiting], source="webhook")
            waiting = []
        if number >= len(FACTS):
            _act(row, number - len(FACTS), by)
    ledger.record(connection, [FACTS[n] for n in waiting], source="webhook")
    return Transaction.objects.get(pk=row.pk)


def _act(row: Transaction, number: int, by: User) -> None:
    act, line, says = ACTS[number]

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> list[TimelineEntry]:
        about = ("item", line) if line else ("transaction", "pi_1")
        at = WHEN + timedelta(minutes=10 * number + 30)
        entry = acts.entry(row, act, by, about=about, says=says, at=at)
        entry.identity = f"staff:{number}"
        return [entry]

    ledger.act([row.pk], decide)


def story(order: Sequence[int], by: User, batch: int = 1) -> tuple[Project, dict]:
    project = factories.make_project()
    connection = factories.make_connection("stripe", project=project)
    enter(connection, order, by, batch)
    return project, snapshot(project)


@cache
def as_it_happened() -> dict:
    """What all orders must equal; it is told once."""
    return story(range(1, len(FACTS) + len(ACTS)), factories.make_user())[1]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), batch=st.integers(1, 4))
def test_any_order_of_acts_and_facts_gives_the_same_row(
    data: st.DataObject, batch: int
) -> None:
    by = factories.make_user()
    facts = data.draw(st.permutations(range(1, len(FACTS))))
    # Acts of one row are entered under its lock: one after another, as they happened.
    order = list(facts)
    places = st.integers(0, len(facts))
    cuts = sorted(data.draw(st.lists(places, min_size=len(ACTS), max_size=len(ACTS))))
    for number, place in reversed(list(enumerate(cuts))):
        order.insert(place, len(FACTS) + number)
    project, told = story(order, by, batch)
    assert told == as_it_happened()
    assert refold.refold(project)["changed"] == 0


def test_the_end_of_the_story() -> None:
    project, _told = story(range(1, len(FACTS) + len(ACTS)), factories.make_user())
    row = Transaction.objects.get(project=project)
    assert (row.status, row.fulfilment, row.to_revoke) == (
        "charged_back", "done", False,
    )  # fmt: skip
    stand = dict(row.items.values_list("key", "fulfilment"))
    assert stand == {"a": "done", "b": "revoked"}
    assert row.accepted is None
