"""Balance changes: signed rows; a purchase's add up to what is left of it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from django.http import QueryDict

from merchant.models import Project
from tests.factories import make_changes, make_member, make_transaction
from tests.transactions.exports.files import (
    NOON,
    fill,
    made,
    read_csv,
    rows_of,
    wanted,
)
from transactions import summary
from transactions.exporting.changes import read as changes_of
from transactions.exports.source import Source
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.paging import NEWEST, OLDEST
from transactions.statuses import MONEY_CAME

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_rows_of_a_purchase_add_up_to_what_the_ledger_says(
    project: Project, tmp_path: Path
) -> None:
    fill(project)
    path, receipt = made(tmp_path, wanted("balance", "csv", style="programs"))
    left: dict[str, int] = defaultdict(int)
    net: dict[str, int] = defaultdict(int)
    kinds: dict[str, list[str]] = defaultdict(list)
    for line in read_csv(path):
        left[line["transaction"]] += int(line["amount"])
        net[line["transaction"]] += int(line["net"])
        kinds[line["transaction"]].append(line["kind"])
    rows = Transaction.objects.filter(status__in=MONEY_CAME)
    for row in rows:
        gone = row.amount_refunded + row.amount_charged_back
        assert left[str(row.pk)] == (row.amount or 0) - gone
        assert net[str(row.pk)] == (row.amount or 0) - gone - (row.fee or 0)
    assert set(left) <= {str(row.pk) for row in rows}
    told = {tuple(sorted(each)) for each in kinds.values()}
    assert told == {
        ("sale",), ("refund", "refund", "sale"), ("other_refund", "sale"),
        ("other_refund", "refund", "sale"), ("chargeback", "sale"),
    }  # fmt: skip
    assert receipt.rows == sum(map(len, kinds.values()))


def test_the_sums_are_those_of_the_page(project: Project, tmp_path: Path) -> None:
    fill(project)
    member = make_member("finance", merchant=project.merchant)
    asked = TransactionFilter.of_member(member, QueryDict("livemode=live"))
    strands = Source(asked.strands, asked.order)
    _, sold = made(tmp_path, wanted("transactions", "csv"), strands)
    theirs = changes_of(member, QueryDict("livemode=live"), True, "happened", None)
    _, changes = made(tmp_path, wanted("balance", "csv"), Source(theirs.strands))
    sums = {found.currency: found.values for found in sold.sums}
    net = {found.currency: found.values for found in changes.sums}
    totals = summary.whole(asked).totals
    assert totals
    for total in totals:
        told = sums[total.currency]
        assert told["gross"] == total.gross
        assert told["refunded"] == total.refunded
        assert told["charged_back"] == total.charged_back
        assert told["fees"] == total.fees
        assert told["net"] == total.net
        assert told["paid"] == total.paid
        if total.paid and total.currency:
            assert net[total.currency]["net"] == total.net
            left = total.gross - total.refunded - total.charged_back
            assert net[total.currency]["amount"] == left


def test_lines_of_a_purchase_are_told_one_by_one(
    project: Project, tmp_path: Path
) -> None:
    rows = fill(project)
    path, _ = made(tmp_path, wanted("items", "csv", style="programs"))
    lines = read_csv(path)
    items = [item for row in rows for item in row.items.all()]
    assert {line["id"]: int(line["amount"] or 0) for line in lines} == {
        str(item.pk): item.amount or 0 for item in items
    }
    places = [line["transaction"] for line in lines]
    assert places == sorted(places, key=places.index)  # side by side


def test_both_ways_of_time(project: Project, tmp_path: Path) -> None:
    fill(project)
    every = rows_of("balance").strands
    times = {}
    for order in (None, OLDEST):
        source = Source(every, order) if order else Source(every)
        path, _ = made(tmp_path, wanted("balance", "csv", style="programs"), source)
        times[order] = [line["happened"] for line in read_csv(path)]
    assert times[None] == sorted(times[None], reverse=True)
    assert times[OLDEST] == sorted(times[OLDEST])


def test_what_happened_at_one_moment_has_its_order_too(
    project: Project, tmp_path: Path
) -> None:
    for amount in range(6):
        row = make_transaction(
            project=project, status="partially_refunded", amount=100 + amount,
            amount_refunded=5, paid=NOON, created=NOON,
        )  # fmt: skip
        make_changes(row)
    for order, kinds in ((NEWEST, "other_refund sale"), (OLDEST, "sale other_refund")):
        source = Source(rows_of("balance").strands, order)
        path, _ = made(tmp_path, wanted("balance", "csv", style="programs"), source)
        assert [line["kind"] for line in read_csv(path)] == kinds.split() * 6
