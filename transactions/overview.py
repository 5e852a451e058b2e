"""What came in during a period: figures per currency, exact to the minor unit.

Whole hours and days come from the running totals. What a period's edge cuts through
(an hour where a zone is half an hour off, a UTC day nearly everywhere) is read from
the purchases themselves: an hour each, or at most half a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, Expression, Q, QuerySet, Sum, Value, When

from transactions.models import HourTotal, LineItem, ProductTotal, Transaction
from transactions.periods import Period
from transactions.statuses import ENDED, MONEY_CAME

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_CAME = Q(status__in=MONEY_CAME)


@dataclass(slots=True)
class Sums:
    """Purchases added up. `paid`: money came, whatever became of it afterwards;
    `failed`: ended without; amounts are those of the paid ones, in minor units."""

    count: int = 0
    paid: int = 0
    failed: int = 0
    gross: int = 0
    refunded: int = 0
    charged_back: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, n) + getattr(other, n) for n in SUMS))

    @property
    def net(self) -> int:
        return self.gross - self.refunded

    @property
    def average(self) -> int | None:
        """Of an order, to the nearest minor unit; None where there was none."""
        return (2 * self.gross + self.paid) // (2 * self.paid) if self.paid else None

    @property
    def success(self) -> float | None:
        """Of the purchases that ended, the share that was paid."""
        ended = self.paid + self.failed
        return self.paid / ended if ended else None


SUMS = tuple(part.name for part in fields(Sums))


@dataclass(slots=True)
class CurrencyFigures:
    """One currency's purchases: of the period, of the one before, and split up."""

    currency: str
    now: Sums
    before: Sums
    bars: list[Sums]
    providers: dict[str, Sums] = field(default_factory=dict)


class Sold(NamedTuple):
    """What was sold of the products of one name."""

    product: str
    units: int
    gross: int


@dataclass(frozen=True, slots=True)
class Shops:
    """Whose purchases: `rows` are all that the member may see of these projects."""

    rows: QuerySet[Transaction]
    projects: Sequence[UUID]
    livemode: bool


def figures(shops: Shops, period: Period) -> list[CurrencyFigures]:
    """The period by currency, that with the most payments first.

    The currency "" holds purchases of which no currency is known.
    """
    edges = period.edges
    moments = [*period.before, *edges]
    found: dict[str, CurrencyFigures] = {}
    for place, provider, currency, sums in _lines(shops, moments):
        of = found.get(currency)
        if of is None:
            bars = [Sums() for _ in edges[1:]]
            of = found[currency] = CurrencyFigures(currency, Sums(), Sums(), bars)
        # Places: 0 before, 1 what lies between the two, then the bars.
        if place == 0:
            of.before += sums
        elif place > 1:
            of.now += sums
            of.bars[place - 2] += sums
            of.providers[provider] = of.providers.get(provider, Sums()) + sums
    return sorted(found.values(), key=_most_first)


def products(shops: Shops, period: Period, currency: str) -> list[Sold]:
    """What was sold in the period, the greatest amount first."""
    found: dict[str, list[int]] = {}
    for sign, part in _product_parts(shops, period.start, period.end, currency):
        for name, units, gross in part:
            known = found.setdefault(name, [0, 0])
            known[0] += sign * int(units)
            known[1] += sign * int(gross or 0)
    sold = [Sold(name, *sums) for name, sums in found.items() if any(sums)]
    return sorted(sold, key=lambda line: (-line.gross, -line.units, line.product))


def _most_first(of: CurrencyFigures) -> tuple[int, int, str]:
    return -of.now.paid, -of.now.count, of.currency


# ----------------------------------------------------------------------------- hours
Line = tuple[int, str, str, Sums]
#: By what lines are told apart, beside their place in time.
GROUP = ("provider", "currency")


def _lines(shops: Shops, moments: Sequence[datetime]) -> Iterator[Line]:
    """(place, provider, currency, sums); place n lies between moments n and n + 1."""
    split = sorted({hour for when in moments if (hour := _hour(when)) != when})
    first, last = moments[0], moments[-1]
    whole = HourTotal.objects.filter(
        project_id__in=shops.projects,
        livemode=shops.livemode,
        hour__gte=first,
        hour__lt=last,
    )
    if split:
        whole = whole.exclude(hour__in=split)
    yield from _of_totals(whole, moments)
    pieces = Q(pk=None)
    for hour in split:
        pieces |= Q(created__gte=max(hour, first), created__lt=min(hour + HOUR, last))
    if split:
        yield from _of_rows(shops.rows.filter(pieces), moments)


def _of_totals(
    totals: QuerySet[HourTotal], moments: Sequence[datetime]
) -> Iterator[Line]:
    """Added up by the database, grouped outside of a fence.

    Without it PostgreSQL takes every hour for a group of its own and sorts all lines,
    which takes three times as long.
    """
    placed = totals.annotate(place=_place("hour", moments))
    lines, params = placed.values("place", *GROUP, *SUMS).query.sql_with_params()
    fence = " OFFSET 0" if connection.vendor == "postgresql" else ""
    quote = connection.ops.quote_name
    groups = ", ".join(map(quote, ("place", *GROUP)))
    sums = ", ".join(f"SUM({quote(name)})" for name in SUMS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {groups}, {sums} FROM ({lines}{fence}) AS lines GROUP BY {groups}",  # noqa: S608 - own names
            params,
        )
        yield from _read(cursor.fetchall())


#: What a purchase adds, as transactions.totals counts it.
_COUNTED: dict[str, Any] = {
    "all_count": Count("pk"),
    "all_paid": Count("pk", filter=_CAME),
    "all_failed": Count("pk", filter=Q(status__in=ENDED)),
    "all_gross": Sum("amount", filter=_CAME),
    "all_refunded": Sum("amount_refunded", filter=_CAME),
    "all_charged_back": Sum("amount_charged_back", filter=_CAME),
}


def _of_rows(
    rows: QuerySet[Transaction], moments: Sequence[datetime]
) -> Iterator[Line]:
    placed = rows.annotate(place=_place("created", moments)).values("place", *GROUP)
    sums = placed.annotate(**_COUNTED).order_by()
    return _read(sums.values_list("place", *GROUP, *_COUNTED))


def _read(found: Iterable[tuple[Any, ...]]) -> Iterator[Line]:
    for place, provider, currency, *values in found:
        yield place, provider, currency, Sums(*(int(value or 0) for value in values))


def _place(column: str, moments: Sequence[datetime]) -> Expression:
    """Between which of the moments a time lies, as an expression of the database.

    Halved again and again: a row is compared with a handful of them. The places are
    ours and not the database's days, since the two may know different clock changes.
    """

    def among(low: int, high: int) -> Expression:
        if high - low == 1:
            return Value(low)
        middle = (low + high) // 2
        earlier = When(**{f"{column}__lt": moments[middle]}, then=among(low, middle))
        return Case(earlier, default=among(middle, high))

    return among(0, len(moments) - 1)


def _hour(when: datetime) -> datetime:
    return when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


# -------------------------------------------------------------------------- products
#: A part of the period, and whether it is added or taken off.
Part = tuple[int, Iterable[tuple[str, int, int | None]]]


def _product_parts(
    shops: Shops, start: datetime, end: datetime, currency: str
) -> Iterator[Part]:
    days, pieces = _days(start, end)
    if days is not None:
        totals = ProductTotal.objects.filter(
            project_id__in=shops.projects,
            livemode=shops.livemode,
            currency=currency,
            day__gte=days[0].date(),
            day__lt=days[1].date(),
        )
        yield 1, _by_name(totals, "quantity", "gross")
    sold = shops.rows.filter(_CAME, currency=currency)
    for sign, since, until in pieces:
        rows = sold.filter(created__gte=since, created__lt=until)
        items = LineItem.objects.filter(transaction__in=rows)
        yield sign, _by_name(items, "quantity", "amount")


def _by_name(
    lines: QuerySet[Any], units: str, gross: str
) -> Iterable[tuple[str, int, int | None]]:
    """(name, units, gross): products of one name are one line, as in the filter."""
    sums = lines.values("product__name").annotate(
        units=Sum(units), all_gross=Sum(gross)
    )
    return sums.order_by().values_list("product__name", "units", "all_gross")


def _days(
    start: datetime, end: datetime
) -> tuple[tuple[datetime, datetime] | None, list[tuple[int, datetime, datetime]]]:
    """UTC days whose totals are taken, and pieces to add (1) or take off (-1).

    Of a day that is cut the shorter piece is read, so that it is half a day at most.
    Of today that is mostly the part to come, where there is nothing to read.
    """
    first, last = _nearest_day(start), _nearest_day(end)
    if first >= last:
        return None, [(1, start, end)]
    pieces = [
        (1, start, first),
        (-1, first, start),
        (1, last, end),
        (-1, end, last),
    ]
    return (first, last), [piece for piece in pieces if piece[1] < piece[2]]


def _nearest_day(when: datetime) -> datetime:
    """The UTC midnight that is at most half a day away."""
    return _hour(when + DAY / 2).replace(hour=0)
