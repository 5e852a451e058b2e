"""Refunds, disputes and payouts by what is asked: the filter against plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Member, Project
from tests.factories import (
    make_connection,
    make_dispute,
    make_payout,
    make_project,
    make_refund,
    make_transaction,
)
from transactions import paging
from transactions.by_state import ByState
from transactions.dispute_list import DisputeFilter
from transactions.exporting.lists import LISTS
from transactions.models import Dispute, Payout, Refund, Transaction
from transactions.paging import OLDER
from transactions.payout_list import PayoutFilter
from transactions.refund_list import RefundFilter

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: status -> the tabs that show it, beside that of all
REFUNDS = {
    "awaiting_approval": "to_approve",
    "pending": "under_way",
    "requires_action": "under_way",
    "succeeded": "succeeded",
    "failed": "failed",
    "declined": "stopped",
}
PAYOUTS = {
    "created": "on_the_way",
    "pending": "on_the_way",
    "paid": "paid",
    "failed": "failed",
    "canceled": "failed",
}
#: (status, in_review) in one word
DISPUTES = {
    "open": "needs_response",
    "open, answered": "under_review",
    "won": "won",
    "lost": "lost",
}


@dataclass(frozen=True)
class Kind:
    """One of the lists: its filter, its rows, and the tab of each of their states."""

    name: str
    read: type[ByState]
    make: Callable[[Connection, Transaction, dict[str, Any]], Any]
    tabs: dict[str, str]


def _dispute(_: Connection, sale: Transaction, row: dict[str, Any]) -> Dispute:
    status, _, answered = row.pop("status").partition(", ")
    return make_dispute(sale, status=status, in_review=bool(answered), **row)


KINDS = [
    Kind(
        "refunds", RefundFilter, lambda _, sale, row: make_refund(sale, **row), REFUNDS
    ),
    Kind("disputes", DisputeFilter, _dispute, DISPUTES),
    Kind("payouts", PayoutFilter, lambda at, _, row: make_payout(at, **row), PAYOUTS),
]

ROW = {
    "shop": st.integers(0, 3),
    "hours": st.integers(0, 4),
    "amount": st.sampled_from([None, 0, 500, 1999]),
    "currency": st.sampled_from(["eur", "jpy"]),
    "livemode": st.booleans(),
}
ASKED = st.fixed_dictionaries(
    {"livemode": st.sampled_from(["true", "false"])},
    optional={
        "project": st.sampled_from(["one", "two", "one,two"]),
        "provider": st.sampled_from(["stripe", "paynow", "stripe,paynow"]),
        "currency": st.sampled_from(["eur", "JPY", "eur,jpy"]),
        "amount[gte]": st.sampled_from(["1", "500"]),
        "amount[lte]": st.sampled_from(["0", "500", "1998"]),
        "created[gte]": st.sampled_from(["2026-03-01T13:00:00Z", "2026-03-01"]),
        "created[lt]": st.sampled_from(["2026-03-01T14:00:00Z", "2026-03-02"]),
    },
)


@pytest.fixture
def shops(project: Project) -> list[tuple[Connection, Transaction]]:
    """Two providers in each of two projects, and a purchase at each."""
    Project.objects.filter(pk=project.pk).update(slug="one")
    other = make_project(merchant=project.merchant, slug="two")
    connections = [
        make_connection(provider, project=shop)
        for shop in (project, other)
        for provider in ("stripe", "paynow")
    ]
    return [(each, make_transaction(connection=each)) for each in connections]


def fits(row: dict[str, Any], asked: dict[str, str]) -> bool:
    """What the query means, in plain words."""

    def among(name: str, own: str) -> bool:
        return name not in asked or own in asked[name].lower().split(",")

    since, until = (
        datetime.fromisoformat(asked[name]).replace(tzinfo=UTC)
        if name in asked
        else None
        for name in ("created[gte]", "created[lt]")
    )
    least, most = (
        int(asked[name]) if name in asked else None
        for name in ("amount[gte]", "amount[lte]")
    )
    amount = row["amount"]
    return (
        row["livemode"] == (asked["livemode"] == "true")
        and among("project", ("one", "one", "two", "two")[row["shop"]])
        and among("provider", ("stripe", "paynow")[row["shop"] % 2])
        and among("currency", row["currency"])
        and (since is None or row["created"] >= since)
        and (until is None or row["created"] < until)
        and (least is None or (amount is not None and amount >= least))
        and (most is None or (amount is not None and amount <= most))
    )


def walked(asked: ByState, size: int) -> list[Any]:
    """Every row of the list, page after page."""
    found: list[Any] = []
    query: dict[str, str] = {}
    while True:
        page = paging.browse(asked.strands, query, size, asked.order)
        found += page.rows
        if page.older is None:
            return found
        query = {OLDER: page.older}


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_pages_and_files_hold_what_the_words_mean(
    owner: Member,
    shops: list[tuple[Connection, Transaction]],
    kind: Kind,
    data: st.DataObject,
) -> None:
    for model in (Refund, Dispute, Payout):
        model.objects.all().delete()
    given_rows = data.draw(
        st.lists(
            st.fixed_dictionaries(ROW | {"status": st.sampled_from([*kind.tabs])}),
            max_size=12,
        )
    )
    asked = data.draw(ASKED)
    state = data.draw(st.sampled_from(["all", *sorted(set(kind.tabs.values()))]))
    expected = []
    for row in given_rows:
        row["created"] = NOON + timedelta(hours=row.pop("hours"))
        shop = row["shop"]
        told = {name: value for name, value in row.items() if name != "shop"}
        made = kind.make(*shops[shop], dict(told))
        if fits(row, asked) and state in ("all", kind.tabs[row["status"]]):
            expected.append(made)
    oldest = state in ("to_approve", "needs_response")
    expected.sort(key=lambda row: (row.created, row.pk), reverse=not oldest)

    query = QueryDict(mutable=True)
    query.update(asked | {"state": state})
    read = kind.read(owner, query, livemode=True)
    assert not read.errors
    assert walked(read, data.draw(st.integers(1, 5))) == expected

    wanted = LISTS[kind.name].read(owner, query, True)
    again = LISTS[kind.name].read(owner, QueryDict(wanted.query), wanted.livemode)
    rows = {row.pk for strand in again.strands for row in strand}
    assert rows == {row.pk for row in expected}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_day_starts_where_the_member_is(
    owner: Member, shops: list[tuple[Connection, Transaction]], kind: Kind
) -> None:
    owner.user.time_zone = "Asia/Tokyo"
    owner.user.save()
    status = next(iter(kind.tabs))
    late = {"created": datetime(2026, 3, 1, 15, tzinfo=UTC), "status": status}
    early = {"created": datetime(2026, 3, 1, 14, 59, tzinfo=UTC), "status": status}
    inside = kind.make(*shops[0], dict(late))
    kind.make(*shops[0], dict(early))
    read = kind.read(owner, QueryDict("created[gte]=2026-03-02"), livemode=True)
    assert walked(read, 5) == [inside]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_many_projects_are_one_list(
    owner: Member,
    shops: list[tuple[Connection, Transaction]],
    kind: Kind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("by_state", "refund_list"):
        monkeypatch.setattr(f"transactions.{module}.MOST_STRANDS", 1)
    made = [
        kind.make(*at, {"status": status, "created": NOON + timedelta(hours=number)})
        for number, (at, status) in enumerate(zip(shops, kind.tabs, strict=False))
    ]
    asked = QueryDict("project=one,two")
    assert walked(kind.read(owner, asked, livemode=True), 2) == made[::-1]
