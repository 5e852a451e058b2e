"""What a filtered list adds up to: per currency and by status, over its first rows.

Adding up costs as much as the rows that are looked at, so it stops at a number and
says so. "Sold" is what money came for (statuses.MONEY_CAME), as on Home.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Sum, Value

from transactions import nearest
from transactions.filters import TransactionFilter
from transactions.models import LineItem, Transaction
from transactions.statuses import MONEY_CAME

#: So many rows are added up while the page waits.
AT_ONCE = 500
#: Of what a search has to walk for: rows are far apart there.
WALKED = 25
#: Of products: each costs a look at its lines and one at the purchase.
OF_PRODUCTS = 100
#: So many when somebody asks for more.
MOST = 100_000

COLUMNS = (
    "status",
    "currency",
    "amount",
    "amount_refunded",
    "amount_charged_back",
    "fee",
    "pieces",
    "money",
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


@dataclass(frozen=True, slots=True)
class Sold:
    """How many of the products that were asked for, and for how much."""

    currency: str
    quantity: int
    gross: int


@dataclass(slots=True)
class Summary:
    """`count` rows were added up; `complete`: these are all."""

    count: int = 0
    complete: bool = True
    totals: list[CurrencyTotal] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    sold: list[Sold] = field(default_factory=list)

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


def at_once(asked: TransactionFilter) -> int:
    """How many rows of this list may be looked at while the page waits."""
    most = OF_PRODUCTS if asked.products else AT_ONCE
    return max(WALKED, min(most, 2 * asked.met)) if asked.walks else most


def of(asked: TransactionFilter, most: int = AT_ONCE) -> Summary:
    """The list's sums over its newest rows; fewer than `most` where a search walks."""
    if asked.errors:
        return Summary()
    most = min(most, at_once(asked))
    # A few strands may be looked at in full; of many each gives up some.
    return _added_up(asked, 3 * most // max(len(asked.strands), 3))


def whole(asked: TransactionFilter) -> Summary:
    """The same over as many rows as anybody can wait for."""
    return _added_up(asked, MOST)


def _added_up(asked: TransactionFilter, most: int) -> Summary:
    return _joined(_lines(asked.strands, most, asked.products))


def _lines(
    strands: Iterable[QuerySet[Transaction]], most: int, products: Sequence[UUID]
) -> list[tuple[Any, ...]]:
    """The first rows of each strand, added up by the database in one statement.

    With `products`, also their lines in those rows.
    """
    parts: list[str] = []
    given: list[Any] = []
    for strand in strands:
        newest = strand.order_by(*nearest.NEWEST_FIRST).annotate(
            pieces=_of_lines("quantity", products), money=_of_lines("amount", products)
        )
        first = nearest.first(newest.values(*COLUMNS), most + 1)
        try:
            rows, params = first.query.sql_with_params()
        except EmptyResultSet:  # what is asked cannot be, so no SQL says it
            continue
        # One row more than is added up says whether that is all.
        parts.append(
            "SELECT status, currency, COUNT(*), COALESCE(SUM(amount), 0),"
            " SUM(amount_refunded), SUM(amount_charged_back),"
            " COALESCE(SUM(fee), 0), COUNT(fee), MAX(rows) > %s,"
            " COALESCE(SUM(pieces), 0), COALESCE(SUM(money), 0)"
            f" FROM (SELECT *, ROW_NUMBER() OVER () AS place, COUNT(*) OVER () AS rows"
            f" FROM ({rows}) AS first_rows) AS counted"
            " WHERE place <= %s GROUP BY status, currency"
        )
        given += [most, *params, most]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), given)
        return list(cursor.fetchall())


def _of_lines(column: str, products: Sequence[UUID]) -> Subquery | Value:
    """The sum of a column over a purchase's lines of these products."""
    if not products:
        return Value(0)
    lines = LineItem.objects.filter(transaction=OuterRef("pk"), product__in=products)
    sums = lines.order_by().values("transaction").annotate(sum=Sum(column))
    return Subquery(sums.values("sum"))


def _joined(lines: Iterable[tuple[Any, ...]]) -> Summary:
    found = Summary()
    totals: dict[str, CurrencyTotal] = {}
    sold: dict[str, tuple[int, int]] = {}
    for status, currency, count, gross, refunded, lost, fees, known, *rest in lines:
        more, pieces, money = rest
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
            before = sold.get(currency, (0, 0))
            sold[currency] = (before[0] + int(pieces), before[1] + int(money))
    found.sold = [Sold(code, *sums) for code, sums in sorted(sold.items()) if sums[0]]
    # The currency with the most payments first.
    found.totals = sorted(
        totals.values(), key=lambda t: (-t.paid, -t.count, t.currency)
    )
    return found
