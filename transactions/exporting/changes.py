"""Balance changes as a file asks for them: of which purchases, and of which time.

The filter of the list of transactions says of which purchases. Its dates mean the
changes that happened in them, whenever the purchase was made; or, where that is asked
for, all changes of the purchases that were made in them, whenever these happened.

A schedule's file goes by what happened and by when the books learned of it. It tells
what happened in its period and was known at its mark (transactions.journal), and what
happened earlier and became known since the mark of the file before: those are late.
So each row is in the first file whose period and whose mark are both behind it, and in
no other, however late it comes. Schedules of purchases by date of payment go by the
same: a purchase is in the file that tells its sale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from transactions.exporting.lists import (
    Eyes,
    Mode,
    Wanted,
    of_sales,
    with_edges,
)
from transactions.filters import TransactionFilter
from transactions.fold.changes import SALE
from transactions.models import BalanceChange, Transaction

TABLE = "balance"
#: The columns that say of a row that it belongs to the period of an earlier file, and
#: that it puts right what one told.
MARKS = ("late", "correction")
HAPPENED, PURCHASE = "happened", "purchase"
PERIODS = {
    HAPPENED: _("When the change happened"),
    PURCHASE: _("When the purchase was made"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """How far a schedule's files have told the journal: the one before this one, and
    this one. `before` is None where there was none."""

    before: int | None
    now: int


def read(
    eyes: Eyes, query: QueryDict, livemode: Mode, period_by: str, told: Told | None
) -> Wanted:
    """What a query of the list of transactions means for its balance changes."""
    asked = TransactionFilter.of(eyes, query, livemode)
    wanted = of_sales(eyes, asked, asked.strands)
    if asked.errors:
        return wanted
    if period_by == PURCHASE:
        return replace(wanted, strands=_of(eyes, asked.strands, asked.livemode))
    name = "created" if _edges(asked, "created") != (None, None) else "paid"
    since, until = _edges(asked, name)
    others = asked.less(f"{name}[gte]").less(f"{name}[lt]")
    strands = _of(eyes, others.strands, asked.livemode)
    return replace(
        wanted,
        strands=[_between(rows, since, until, told) for rows in strands],
        described=with_edges(
            others.less("livemode"), since, until, _("Happened from: %s"),
            _("Happened before: %s"),
        ),
        since=since,
        until=until,
    )  # fmt: skip


def sold(eyes: Eyes, query: QueryDict, livemode: Mode, told: Told) -> Wanted:
    """What a query by date of payment means for a schedule's purchases: those whose
    sale is told, for the first time, between its marks."""
    asked = TransactionFilter.of(eyes, query, livemode)
    wanted = of_sales(eyes, asked, asked.strands)
    if asked.errors:
        return wanted
    since, until = _edges(asked, "paid")
    others = asked.less("paid[gte]").less("paid[lt]")
    first = _all(eyes, asked.livemode).filter(kind=SALE, key=SALE, part=0)
    sales = _between(first, since, until, told).values("transaction")
    return replace(
        wanted, strands=[rows.filter(pk__in=sales) for rows in others.strands]
    )


def of_rows(eyes: Eyes, wanted: Wanted) -> Wanted:
    """The changes of purchases that were chosen one by one."""
    return replace(wanted, strands=_of(eyes, wanted.strands, None))


def _of(
    eyes: Eyes, strands: Sequence[QuerySet[Transaction]], livemode: Mode
) -> list[QuerySet[Any]]:
    return [
        _all(eyes, livemode).filter(transaction__in=rows.order_by().values("pk"))
        for rows in strands
    ]


def _all(eyes: Eyes, livemode: Mode) -> QuerySet[Any]:
    """All that the merchant has: what the index by time begins with."""
    modes = [True, False] if livemode is None else [livemode]
    return BalanceChange.objects.filter(merchant=eyes.merchant_id, livemode__in=modes)


def _edges(asked: TransactionFilter, name: str) -> tuple[Any, Any]:
    return asked.meaning(f"{name}[gte]"), asked.meaning(f"{name}[lt]")


def _between(
    rows: QuerySet[Any],
    since: datetime | None,
    until: datetime | None,
    told: Told | None,
) -> QuerySet[Any]:
    if until:
        rows = rows.filter(happened__lt=until)
    if told is None or since is None:
        return rows.filter(happened__gte=since) if since else rows
    fresh = Q(happened__gte=since)
    if told.before is not None:
        fresh |= Q(pk__gt=told.before)
    late = When(happened__lt=since, then=Value(True))
    return rows.filter(fresh, pk__lte=told.now).alias(
        is_late=Case(late, default=Value(False), output_field=BooleanField())
    )
