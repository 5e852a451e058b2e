"""What a filtered list adds up to: per currency and by status, over its first rows.

Adding up costs as much as the rows that are looked at, so it stops at a number and
says so. "Sold" is what money came for (statuses.MONEY_CAME), as on Home.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet, Sum

from transactions import nearest
from transactions.filters import TransactionFilter
from transactions.models import LineItem, Transaction
from transactions.statuses import MONEY_CAME

#: So many rows are added up while the page waits.
AT_ONCE = 1_000
#: Of what a search has to walk for: rows are far apart there.
WALKED = 50
#: Of products: each costs a look at its lines and one at the purchase.
OF_PRODUCTS = 300
#: So many when somebody asks for more.
MOST = 100_000

COLUMNS = (
    "status",
    "currency",
    "amount",
    "amount_refunded",
    "amount_charged_back",
    "fee",
)


@dataclass(slots=True)
class CurrencyTotal:
    """Sums in minor units of `currency` over the `paid` transactions of `count`."""

    currency: str
    count: int = 0
    paid: int = 0
    gross: int = 0
    refunded: int = 0
    charged_back: int = 0
    fees: int = 0
    fees_known: int = 0

    @property
    def net(self) -> int:
        """What is left; fees that are not known in this currency are not in it."""
        return self.gross - self.refunded - self.charged_back - self.fees

    @property
    def fees_unknown(self) -> int:
        return self.paid - self.fees_known


@dataclass(slots=True)
class Summary:
    """`count` rows were added up; `complete`: these are all."""

    count: int = 0
    complete: bool = True
    totals: list[CurrencyTotal] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def paid(self) -> list[CurrencyTotal]:
        """The currencies in which money came."""
        return [total for total in self.totals if total.paid]

    @property
    def has_refunds(self) -> bool:
        return any(total.refunded for total in self.totals)

    @property
    def has_chargebacks(self) -> bool:
        return any(total.charged_back for total in self.totals)


@dataclass(frozen=True, slots=True)
class Sold:
    """How many of the products that were asked for, and for how much."""

    currency: str
    quantity: int
    gross: int


def at_once(asked: TransactionFilter) -> int:
    """How many rows of this list may be looked at while the page waits."""
    if asked.walks:
        return WALKED
    return OF_PRODUCTS if asked.products else AT_ONCE


def of(asked: TransactionFilter, most: int = AT_ONCE) -> Summary:
    """The list's sums over its newest rows; fewer than `most` where a search walks."""
    if asked.errors:
        return Summary()
    most = min(most, at_once(asked))
    return _joined(_Part(strand, most) for strand in asked.strands)


def whole(asked: TransactionFilter) -> Summary:
    """The same over as many rows as anybody can wait for."""
    return _joined(_Part(strand, MOST) for strand in asked.strands)


def sold(asked: TransactionFilter, most: int = AT_ONCE) -> list[Sold]:
    """The lines of the products that were asked for, in the list's newest rows."""
    products = asked.products
    if not products or asked.errors:
        return []
    found: dict[str, list[int]] = {}
    for strand in asked.strands:
        for currency, quantity, gross in _lines(strand, products, most):
            sums = found.setdefault(currency, [0, 0])
            sums[0] += quantity
            sums[1] += gross or 0
    return [Sold(currency, *sums) for currency, sums in sorted(found.items())]


def _lines(
    strand: QuerySet[Transaction], products: Sequence[UUID], most: int
) -> Iterable[tuple[str, int, int | None]]:
    newest = strand.order_by(*nearest.NEWEST_FIRST).values("pk")
    first = nearest.first(newest, most)
    lines = LineItem.objects.filter(
        product__in=products,
        transaction__in=first,
        transaction__status__in=MONEY_CAME,
    )
    sums = lines.values("transaction__currency").annotate(
        pieces=Sum("quantity"), money=Sum("amount"), of=Count("pk")
    )
    return sums.order_by().values_list("transaction__currency", "pieces", "money")


class _Part:
    """The first rows of one strand, added up by the database in one statement."""

    def __init__(self, strand: QuerySet[Transaction], most: int) -> None:
        newest = strand.order_by(*nearest.NEWEST_FIRST).values(*COLUMNS)
        self._first = nearest.first(newest, most + 1)
        self._most = most

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        try:
            first, params = self._first.query.sql_with_params()
        except EmptyResultSet:  # what is asked cannot be, so no SQL says it
            return
        # One row more than is added up says whether that is all.
        sql = (
            "SELECT status, currency, COUNT(*), COALESCE(SUM(amount), 0),"
            " SUM(amount_refunded), SUM(amount_charged_back),"
            " COALESCE(SUM(fee), 0), COUNT(fee), MAX(rows) > %s"
            f" FROM (SELECT *, ROW_NUMBER() OVER () AS place, COUNT(*) OVER () AS rows"
            f" FROM ({first}) AS first_rows) AS counted"
            " WHERE place <= %s GROUP BY status, currency"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [self._most, *params, self._most])
            yield from cursor.fetchall()


def _joined(parts: Iterable[_Part]) -> Summary:
    found = Summary()
    totals: dict[str, CurrencyTotal] = {}
    for part in parts:
        for status, currency, count, gross, refunded, lost, fees, known, more in part:
            found.count += count
            found.complete = found.complete and not more
            found.statuses[status] = found.statuses.get(status, 0) + count
            total = totals.setdefault(currency, CurrencyTotal(currency))
            total.count += count
            if status in MONEY_CAME:
                total.paid += count
                total.gross += int(gross)
                total.refunded += int(refunded)
                total.charged_back += int(lost)
                total.fees += int(fees)
                total.fees_known += known
    # The currency with the most payments first.
    found.totals = sorted(
        totals.values(), key=lambda t: (-t.paid, -t.count, t.currency)
    )
    return found
