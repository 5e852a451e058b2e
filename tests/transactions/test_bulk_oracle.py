"""A draft against a second telling: whatever the filter, and whatever changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import transaction as database
from django.utils.http import urlencode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Member, Project
from tests.factories import make_connection, make_project
from tests.transactions import oracle
from tests.transactions.test_filters_oracle import asked_for
from transactions import bulk_actions
from transactions.bulk_actions import NotPossible, Shown
from transactions.models import Transaction
from transactions.paging import Counted
from transactions.statuses import TO_HAND_OVER

pytestmark = pytest.mark.django_db
MOST = 75


class _NotKept(Exception):
    pass


@pytest.fixture
def shops(project: Project) -> list[Project]:
    tea = make_project(merchant=project.merchant, name="Tea", slug="tea-house")
    make_project(name="Not ours")
    return [project, tea]


def sell(shops: list[Project]) -> list[Transaction]:
    tills = [make_connection(p, project=s) for s in shops for p in ("stripe", "paynow")]
    oracle.sell_many(Random(7), shops, tills, MOST)
    return oracle.everything(Transaction.objects.all())


def made_at(row: Transaction) -> datetime:
    """When the row came into the database, to the millisecond, as its id says."""
    return datetime.fromtimestamp((row.pk.int >> 80) / 1000, UTC)


def foretold(row: Transaction) -> str:
    """Why it cannot be handed over, in the words of who looks at one row."""
    if row.fulfilment == "waiting":
        return ""
    if row.fulfilment == "done":
        return "It is handed over already."
    if row.fulfilment == "revoked":
        return "It was taken back from the customer."
    if row.status not in TO_HAND_OVER:
        return f"The payment is {row.get_status_display().lower()}."
    if row.paid is None:
        return "The provider has not said when it was paid."
    if not row.verified and row.accepted is None:
        return "The amount is not confirmed."
    return "There is nothing to hand over."


def told(rows: Iterable[Transaction]) -> dict[tuple[str, str], tuple[int, int]]:
    counts: Counter[tuple[str, str]] = Counter()
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[foretold(row), row.currency] += 1
        sums[foretold(row), row.currency] += row.amount or 0
    return {key: (counts[key], sums[key]) for key in counts}


def check(
    member: Member, rows: list[Transaction], at: datetime, asked: dict, changed: set
) -> None:  # fmt: skip
    matching = oracle.expected(rows, {"livemode": ["true"]} | asked)
    kept = {row for row in matching if row.pk not in changed}
    counted = Counted(len(matching), more=False)
    shown = Shown(urlencode(asked, doseq=True), True, at, counted)
    if not kept:
        with pytest.raises(NotPossible):
            bulk_actions.draft_all(member, "fulfil", shown)
        return
    bulk = bulk_actions.draft_all(member, "fulfil", shown)
    found = set(bulk.items.values_list("transaction_id", flat=True))
    assert found == {row.pk for row in kept}
    assert (bulk.wanted, bulk.found) == (len(matching), len(kept))
    assert bulk.ready == sum(not foretold(row) for row in kept)
    assert {
        (part["reason"], part["currency"]): (part["count"], part["amount"])
        for part in bulk.forecast
    } == told(kept)


def test_a_draft_holds_what_the_page_showed_and_still_is_so(
    support: Member, shops: list[Project]
) -> None:
    rows = sell(shops)
    at = sorted(map(made_at, rows))[MOST * 4 // 5]
    # That rows which came since look old must not help them in.
    Transaction.objects.update(updated=at - timedelta(seconds=1))
    there = [row for row in rows if made_at(row) <= at]
    every = [row.pk for row in rows]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(asked=asked_for, changed=st.sets(st.sampled_from(every), max_size=15))
    def draft(asked: dict, changed: set) -> None:
        try:
            with database.atomic():
                since = at + timedelta(microseconds=1)
                touched = Transaction.objects.filter(pk__in=changed)
                touched.update(updated=since)
                check(support, there, at, asked, changed)
                raise _NotKept
        except _NotKept:
            pass

    draft()
