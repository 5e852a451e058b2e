"""The journal of balance changes: each once, by the time at which it happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Member, Project
from merchant.providers.base import Fact, say, stamp
from tests.factories import make_connection, make_member, make_project
from tests.transactions.changing import START, edges, ledger_net, stories
from tests.transactions.exports.files import made, read_csv, wanted
from tests.transactions.sales import sale
from transactions import ledger, refold
from transactions.exporting.changes import read
from transactions.exports.source import Source
from transactions.models import BalanceChange, Transaction

pytestmark = pytest.mark.django_db(transaction=True)

GENTLY = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def between(
    member: Member, since: datetime | None, until: datetime | None, by: str = "happened"
) -> list[BalanceChange]:
    """What a file of the period holds."""
    asked = QueryDict(mutable=True)
    for name, when in (("created[gte]", since), ("created[lt]", until)):
        if when:
            asked[name] = when.isoformat()
    strands = read(member, asked, True, by, None).strands
    return [row for strand in strands for row in strand]


def sums(rows: Iterable[BalanceChange]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row.currency] += row.amount
    return {currency: sum for currency, sum in found.items() if sum}


def told(facts: list[Any]) -> tuple[Project, Member]:
    project = make_project()
    ledger.record(make_connection("stripe", project=project), facts, source="webhook")
    return project, make_member("finance", merchant=project.merchant)


@GENTLY
@given(facts=stories(), cuts=edges())
def test_periods_together_hold_every_change_once(
    facts: list[Any], cuts: list[datetime]
) -> None:
    project, member = told(facts)
    ends = [None, *cuts, None]
    files = [
        between(member, since, until)
        for since, until in zip(ends, ends[1:], strict=False)
    ]
    for rows, since, until in zip(files, ends, ends[1:], strict=False):
        assert all(not since or row.happened >= since for row in rows)
        assert all(not until or row.happened < until for row in rows)
    every = Counter(row.pk for rows in files for row in rows)
    assert every == Counter(BalanceChange.objects.filter(project=project).values_list(
        "pk", flat=True
    ))  # fmt: skip
    assert sums(row for rows in files for row in rows) == ledger_net(project)


@GENTLY
@given(facts=stories(), cut=edges())
def test_by_purchase_the_same_changes_are_cut_otherwise(
    facts: list[Any], cut: list[datetime]
) -> None:
    project, member = told(facts)
    before = between(member, None, cut[0], "purchase")
    after = between(member, cut[0], None, "purchase")
    assert sums([*before, *after]) == ledger_net(project)
    early = set(Transaction.objects.filter(created__lt=cut[0]).values_list("pk"))
    assert all((row.transaction_id,) in early for row in before)
    assert not any((row.transaction_id,) in early for row in after)


@GENTLY
@given(facts=stories(), data=st.data())
def test_the_order_of_arrival_does_not_matter(
    facts: list[Any], data: st.DataObject
) -> None:
    one, _member = told(facts)
    shuffled = data.draw(st.permutations(facts))
    other = make_project()
    connection = make_connection("stripe", project=other)
    for fact in shuffled:
        ledger.record(connection, [fact], source="webhook")
    assert _seen(one) == _seen(other)
    assert refold.refold(other)["changed"] == 0


def _seen(project: Project) -> list[tuple[Any, ...]]:
    rows = BalanceChange.objects.filter(project=project)
    names = ("kind", "key", "part", "happened", "amount", "currency", "fee", "reason")
    return sorted(rows.values_list("transaction__provider_id", *names), key=str)


def refund(
    name: str, of: str, minor: int, status: str, at: datetime, order: int
) -> Any:
    return Fact(
        topic="refund", object_kind="refund", object_id=name, status=status,
        order=order, at=at, references=(("payment_intent", of),),
        says=say(20, money=[minor, "eur"], created=stamp(at)),
    )  # fmt: skip


def test_a_refund_of_this_month_for_a_purchase_of_last_month(tmp_path: Path) -> None:
    """What finance missed: it is this month's, whenever the purchase was."""
    march, april = START, START + timedelta(days=10)
    bought = sale(at=march, fee=None)
    _project, member = told(
        [bought, refund("re_1", bought.object_id, 500, "succeeded", april, 1)]
    )
    month = datetime(2026, 4, 1, tzinfo=march.tzinfo)
    (row,) = between(member, month, None)
    assert (row.kind, row.amount, row.happened) == ("refund", -500, april)
    assert between(member, month, None, "purchase") == []
    asked = QueryDict(f"created[gte]={month:%Y-%m-%d}")
    found = read(member, asked, True, "happened", None)
    path, receipt = made(
        tmp_path, wanted("balance", "csv", style="programs"), Source(found.strands)
    )
    (line,) = read_csv(path)
    assert (line["kind"], line["amount"]) == ("refund", "-500")
    assert receipt.sums[0].values == {"amount": -500, "fees": 0, "net": -500}


def test_a_refund_that_failed_after_all_comes_back() -> None:
    bought = sale(at=START)
    id = bought.object_id
    day = timedelta(days=1)
    project, _member = told(
        [
            bought,
            refund("re_1", id, 500, "succeeded", START + day, 1),
            refund("re_1", id, 500, "failed", START + 2 * day, 2),
        ]
    )
    rows = BalanceChange.objects.filter(project=project).order_by("happened")
    assert [(row.kind, row.amount, row.happened) for row in rows] == [
        ("sale", 1999, START),
        ("refund", -500, START + day),
        ("refund_back", 500, START + 2 * day),
    ]


def test_captures_in_parts_are_changes_of_their_own() -> None:
    first = sale(at=START, money=[1000, "eur"])
    more = sale(
        at=START + timedelta(days=5), paid=first.says["paid"].value,
        created=first.says["created"].value, money=[1999, "eur"],
    )  # fmt: skip
    more = type(more)(
        topic="payment", object_kind="payment_intent", object_id=first.object_id,
        status="paid", order=2, at=more.at, references=first.references, says=more.says,
    )  # fmt: skip
    project, _member = told([first, more])
    rows = BalanceChange.objects.filter(project=project).order_by("happened")
    assert [(row.amount, row.happened) for row in rows] == [
        (1000, START),
        (999, START + timedelta(days=5)),
    ]


def test_other_filters_still_narrow_the_purchases() -> None:
    bought = [sale(at=START, money=[700, "eur"]), sale(at=START, money=[900, "usd"])]
    _project, member = told(bought)
    asked = QueryDict("currency=usd&created[gte]=2026-03-01")
    strands = read(member, asked, True, "happened", None).strands
    assert [row.amount for strand in strands for row in strand] == [900]


def test_nothing_is_told_of_a_payment_that_never_came() -> None:
    told([sale(status="failed", at=START), sale(status="authorized", at=START)])
    assert not BalanceChange.objects.exists()
