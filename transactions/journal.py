"""The journal of balance changes: written with the fold, and how far files tell it.

Files of a schedule take what became known between two marks (`mark`). What such a file
has told is never changed any more: what turns out later is entered beside it, so that
the files together add up to the books, whatever comes late. What no file has told is
simply kept as the fold has it, and then depends on no order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from merchant import bulk
from transactions.models import BalanceChange, ExportSchedule

#: (transaction, key) -> columns, as transactions.fold.changes has them, and whose.
Changes = Mapping[tuple[UUID, str], dict[str, Any]]

#: The lock between those who write the journal, side by side, and who marks it.
_LOCK = 0x6A6F7572
#: What tells one state of a change from another.
_STATE = ("kind", "happened", "currency", "amount", "fee", "reason")


def mark() -> int:
    """How far the journal is: every row up to this number is in the database for good
    or never will be. Within a database transaction, which should end soon: writers
    wait for it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    # On SQLite the transaction itself keeps other writers out.
    return BalanceChange.objects.aggregate(last=Max("id"))["last"] or 0


def enter() -> None:
    """Before rows are written: waits for who marks the journal. Within a database
    transaction, at whose end the rows are there for the next mark."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def keep(wanted: Changes, known: Iterable[UUID]) -> set[UUID]:
    """Makes the journal say what the fold says; the purchases for which that is news.

    `known`: those that had rows before.
    """
    old: dict[tuple[UUID, str], list[BalanceChange]] = {}
    known = list(known)
    if known:
        every = BalanceChange.objects.filter(transaction_id__in=known)
        for row in every.order_by("part"):
            old.setdefault((row.transaction_id, row.key), []).append(row)
    if not wanted and not old:
        return set()
    other = [
        place
        for place in sorted(wanted.keys() | old.keys())
        if not _says(old.get(place, ()), wanted.get(place))
    ]
    if not other:
        return set()
    enter()
    told = _told({row.merchant_id for place in other for row in old.get(place, ())})
    gone: list[int] = []
    fresh: list[bulk.Row] = []
    touched: set[UUID] = set()
    for place in other:
        rows = old.get(place, [])
        fixed = [row for row in rows if row.pk <= told.get(row.merchant_id, 0)]
        loose = [row.pk for row in rows if row not in fixed]
        added = _added(place, fixed, wanted.get(place))
        if loose or added:
            touched.add(place[0])
        gone += loose
        fresh += added
    if gone:
        BalanceChange.objects.filter(pk__in=gone).delete()
    bulk.insert(BalanceChange, fresh)
    return touched


def move(other: UUID, kept: UUID) -> None:
    """The rows of a purchase that turned out to be another one go over to it; the fold
    that follows makes of them what they are there."""
    rows = BalanceChange.objects.filter(transaction_id=other)
    twice = set(
        BalanceChange.objects.filter(transaction_id=kept).values_list("key", flat=True)
    )
    for row in rows:
        if row.key in twice:
            row.key = f"{other}:{row.key}"[:300]
        row.transaction_id = kept
        row.save(update_fields=["transaction", "key"])


def rows_of(changes: Changes) -> list[bulk.Row]:
    """The rows of purchases that nobody knew."""
    return [
        row for place in sorted(changes) for row in _added(place, [], changes[place])
    ]


def _told(merchants: set[UUID]) -> dict[UUID, int]:
    """merchant -> the number up to which files of schedules have told its rows."""
    if not merchants:
        return {}
    rows = ExportSchedule.objects.filter(merchant__in=merchants)
    marks = rows.filter(told__isnull=False).values_list("merchant")
    return dict(marks.annotate(last=Max("told")))


def _says(rows: Sequence[BalanceChange], wanted: dict[str, Any] | None) -> bool:
    """Whether the rows of a change together are what it should be."""
    if wanted is None:
        return not _left(rows)
    if len(rows) == 1:
        return all(getattr(rows[0], name) == wanted[name] for name in _STATE)
    return _left(rows) == {_sort(wanted): (wanted["amount"], wanted["fee"] or 0)}


def _added(
    place: tuple[UUID, str],
    fixed: Sequence[BalanceChange],
    wanted: dict[str, Any] | None,
) -> list[bulk.Row]:
    """What is to be entered beside the rows that stay as they are."""
    if not fixed:
        return [_row(place, 0, wanted)] if wanted else []
    model = {
        name: getattr(fixed[0], name)
        for name in ("merchant_id", "project_id", "livemode", "reason")
    }
    left = _left(fixed)
    aim = {_sort(wanted): (wanted["amount"], wanted["fee"] or 0)} if wanted else {}
    part = fixed[-1].part
    added = []
    for sort in sorted(left.keys() | aim.keys(), key=str):
        had, should = left.get(sort, (0, 0)), aim.get(sort, (0, 0))
        if had != should:
            part += 1
            kind, happened, currency = sort
            columns = model | (wanted or {}) | {
                "kind": kind, "happened": happened, "currency": currency,
                "amount": should[0] - had[0], "fee": should[1] - had[1] or None,
            }  # fmt: skip
            added.append(_row(place, part, columns))
    return added


#: (kind, happened, currency)
_Sort = tuple[Any, Any, str]


def _sort(columns: Mapping[str, Any]) -> _Sort:
    return str(columns["kind"]), columns["happened"], columns["currency"]


def _left(rows: Sequence[BalanceChange]) -> dict[_Sort, tuple[int, int]]:
    """What the rows add up to, (amount, fee), where that is anything."""
    sums: dict[_Sort, tuple[int, int]] = {}
    for row in rows:
        sort = (str(row.kind), row.happened, row.currency)
        amount, fee = sums.get(sort, (0, 0))
        sums[sort] = (amount + row.amount, fee + (row.fee or 0))
    return {sort: sum for sort, sum in sums.items() if sum != (0, 0)}


def _row(place: tuple[UUID, str], part: int, columns: dict[str, Any]) -> bulk.Row:
    return {
        "uuid": uuid5(place[0], f"{place[1]}+{part}"),
        "transaction_id": place[0],
        "key": place[1],
        "part": part,
        "recorded": timezone.now(),
    } | columns
