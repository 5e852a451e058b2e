"""What was sold of products on some days (UTC), from the running totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db.models import Sum

from transactions.models import ProductTotal


@dataclass(slots=True)
class Sold:
    """Pieces and their price in minor units of `currency`, of all products and of each:
    product -> (pieces, price)."""

    currency: str
    quantity: int = 0
    gross: int = 0
    by_product: dict[UUID, tuple[int, int]] = field(default_factory=dict)


def of(
    products: Sequence[UUID], first: date, last: date, *, livemode: bool
) -> list[Sold]:
    """Per currency, the one that brought most pieces first. Both days are included."""
    lines = ProductTotal.objects.filter(
        product__in=products, livemode=livemode, day__range=(first, last)
    )
    sums = lines.values_list("product", "currency").annotate(
        pieces=Sum("quantity"), money=Sum("gross")
    )
    found: dict[str, Sold] = {}
    for product, currency, pieces, money in sums.order_by("product"):
        if pieces or money:
            sold = found.setdefault(currency, Sold(currency))
            sold.quantity += pieces
            sold.gross += money
            sold.by_product[product] = (pieces, money)
    return sorted(found.values(), key=lambda sold: (-sold.quantity, sold.currency))
