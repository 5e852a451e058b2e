"""What else a customer bought: the newest purchases, totals, and what looks paid twice.

Never reads more than the newest MOST purchases, so the cost does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from merchant.models import Member
from transactions import selectors
from transactions.models import Customer, LineItem, Transaction
from transactions.statuses import MONEY_CAME, Status

#: Purchases that the totals are made of at most.
MOST = 1000
#: Purchases that are shown one by one.
SHOWN = 5
#: Two payments of the same amount within this time may be one paid twice.
SOON = timedelta(hours=24)
#: Money came and is still here, so it can be one payment too many.
KEPT = frozenset({Status.PAID, Status.PARTIALLY_REFUNDED})
#: Other customers of the project with the same e-mail that are looked at.
MOST_NAMESAKES = 10


class Purchase(NamedTuple):
    """One of the customer's purchases, as far as the card tells of it."""

    pk: UUID
    created: datetime
    status: str
    amount: int | None
    currency: str
    amount_refunded: int
    amount_charged_back: int


@dataclass(slots=True)
class Total:
    """What came of the paid purchases in one currency; amounts in minor units."""

    currency: str
    number: int = 0
    paid: int = 0
    refunded: int = 0
    charged_back: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """`number` counts the purchases with this one; `more`: there are more than that.

    `newest` are others than this one, each with what was bought first.
    """

    number: int
    more: bool
    newest: list[tuple[Purchase, str]] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)

    @property
    def others(self) -> int:
        return self.number - 1


def of(member: Member, row: Transaction) -> History | None:
    """The customer's purchases in the same mode; None where nobody is named."""
    if row.customer_id is None:
        return None
    theirs = _in_mode(member, row).filter(customer_id=row.customer_id)
    found = _read(theirs.order_by("-created", "-id")[: MOST + 1])
    more = len(found) > MOST
    found = found[:MOST]
    others = [purchase for purchase in found if purchase.pk != row.pk][:SHOWN]
    names = _names(others)
    return History(
        number=len(found),
        more=more,
        newest=[(purchase, names.get(purchase.pk, "")) for purchase in others],
        totals=totals(found),
    )


def twins(member: Member, row: Transaction) -> list[Purchase]:
    """Other paid purchases of the same person and amount within a day of this one.

    Providers name people differently, so customers of the same e-mail count as one.
    """
    if row.customer_id is None or row.status not in KEPT or not row.amount:
        return []
    near = _in_mode(member, row).filter(
        customer_id__in=_namesakes(row),
        created__range=(row.created - SOON, row.created + SOON),
        amount=row.amount,
        currency=row.currency,
        status__in=KEPT,
    )
    return _read(near.exclude(pk=row.pk).order_by("-created", "-id")[:SHOWN])


def totals(purchases: Iterable[Purchase]) -> list[Total]:
    """By currency, the one bought in most often first."""
    found: dict[str, Total] = {}
    for purchase in purchases:
        if purchase.status not in MONEY_CAME:
            continue
        total = found.setdefault(purchase.currency, Total(purchase.currency))
        total.number += 1
        total.paid += purchase.amount or 0
        total.refunded += purchase.amount_refunded
        total.charged_back += purchase.amount_charged_back
    return sorted(found.values(), key=lambda total: (-total.number, total.currency))


def _in_mode(member: Member, row: Transaction) -> QuerySet[Transaction]:
    return selectors.visible_to(member).filter(livemode=row.livemode)


def _read(rows: QuerySet[Transaction]) -> list[Purchase]:
    return [Purchase(*row) for row in rows.values_list(*Purchase._fields)]


def _names(purchases: Iterable[Purchase]) -> dict[UUID, str]:
    """purchase -> its first item."""
    items = LineItem.objects.filter(
        transaction_id__in=[purchase.pk for purchase in purchases]
    )
    rows = items.order_by("-position").values_list("transaction_id", "name")
    return dict(rows)


def _namesakes(row: Transaction) -> list[UUID]:
    """The customer, and others of the project under the same e-mail."""
    ids = [row.customer_id] if row.customer_id else []
    if not row.customer_email:
        return ids
    same = Customer.objects.filter(
        project_id=row.project_id, email__iexact=row.customer_email
    )
    return ids + list(same.values_list("pk", flat=True)[:MOST_NAMESAKES])
