"""What customers bought so far, in one mode: over their newest purchases.

One who bought a hundred thousand times costs as much as one who bought a thousand
times; a sum that is not over all of them says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from transactions import side_by_side
from transactions.models import Transaction
from transactions.paging import Counted
from transactions.statuses import MONEY_CAME
from transactions.summary import CurrencyTotal

#: So many purchases of each are added up where they stand in a list.
MOST = 1_000

COLUMNS = (
    "customer_id", "status", "currency", "amount", "amount_refunded",
    "amount_charged_back", "fee",
)  # fmt: skip

_SUMS = (
    "SELECT customer_id, status, currency, COUNT(*), COALESCE(SUM(amount), 0),"
    " SUM(amount_refunded), SUM(amount_charged_back), COALESCE(SUM(fee), 0),"
    " COUNT(fee) FROM {rows} AS newest GROUP BY customer_id, status, currency"
)


@dataclass(slots=True)
class Lifetime:
    """`purchases` of any status; `totals` per currency over the first so many."""

    count: int = 0
    more: bool = False
    by_currency: dict[str, CurrencyTotal] = field(default_factory=dict)

    @property
    def purchases(self) -> Counted:
        return Counted(self.count, self.more)

    @property
    def totals(self) -> list[CurrencyTotal]:
        """Where money came, the currency with the most payments first."""
        paid = [total for total in self.by_currency.values() if total.paid]
        return sorted(paid, key=lambda total: (-total.paid, total.currency))

    @property
    def has_refunds(self) -> bool:
        return any(total.refunded for total in self.totals)

    @property
    def has_chargebacks(self) -> bool:
        return any(total.charged_back for total in self.totals)


def of(
    rows: QuerySet[Transaction], customers: Sequence[UUID], most: int = MOST
) -> dict[UUID, Lifetime]:
    """customer -> what they bought of `rows`, the newest `most` of each.

    Two queries, however many customers and however much they bought.
    """
    found = {id: Lifetime() for id in customers}
    newest = rows.order_by("-created", "-id")
    lines = side_by_side.of_each(
        customers,
        lambda id: newest.filter(customer_id=id).values(*COLUMNS)[:most],
        _SUMS,
    )
    for line in lines:
        _add(found[_uuid(line[0])], *line[1:])
    beyond = side_by_side.of_each(
        [id for id, known in found.items() if known.count == most],
        lambda id: newest.filter(customer_id=id).values("customer_id")[most : most + 1],
        "SELECT customer_id FROM {rows} AS beyond",
    )
    for (id,) in beyond:
        found[_uuid(id)].more = True
    return found


def _add(
    known: Lifetime,
    status: str,
    currency: str,
    count: int,
    gross: Any,
    refunded: Any,
    lost: Any,
    fees: Any,
    fees_known: int,
) -> None:
    known.count += count
    total = known.by_currency.setdefault(currency, CurrencyTotal(currency))
    total.count += count
    if status in MONEY_CAME:
        total.paid += count
        total.gross += int(gross)
        total.refunded += int(refunded)
        total.charged_back += int(lost)
        total.fees += int(fees)
        total.fees_known += fees_known


def _uuid(value: object) -> UUID:
    """An id as the database gives it: SQLite keeps its digits as a text."""
    return UUID(str(value))
