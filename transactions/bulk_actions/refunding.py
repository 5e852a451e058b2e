"""Giving back all that is left of many purchases: foretold, then asked for singly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchant.models import Connection, Member, User
from merchant.providers import PROVIDERS
from merchant.selectors import projects_of
from transactions import refunds
from transactions.models import BulkAction, Refund, RefundLimit, Transaction
from transactions.refunds.rules import PARTS, REFUNDABLE
from transactions.statuses import (
    REFUND_OPEN,
    AfterRefund,
    RefundReason,
    RefundStatus,
    Status,
)

#: Said of one at a time, so never done to many.
DISPUTED = _lazy("It is disputed, so you could pay twice: refund it on its card.")
BY_HAND = _lazy(
    "It is refunded by hand in the provider's dashboard: start on its card."
)

Words = str | Promise


def run(bulk: BulkAction, by: User, ids: list[UUID]) -> dict[UUID, str]:
    """Asks for each of them, under a key of the action's own: a batch that is done
    again asks for nothing twice. Why not, of those that cannot be."""
    member = bulk.member
    assert member is not None
    rows = Transaction.objects.filter(pk__in=ids).order_by("pk")
    found = rows.select_related("project__merchant", "connection")
    refused: dict[UUID, str] = {}
    for row in found.prefetch_related("refunds", "disputes", "items"):
        if why := _why_not_of_many(row):
            refused[row.pk] = why
            continue
        try:
            refunds.request(
                member,
                row,
                reason=bulk.reason or RefundReason.REQUESTED_BY_CUSTOMER,
                note=bulk.note,
                after=bulk.after or AfterRefund.KEEP,
                key=f"bulk:{bulk.pk}:{row.pk}",
            )
        except refunds.NotNow as error:
            refused[row.pk] = str(error)
    return refused


def prepare(member: Member) -> None:
    """Takes the member's limits before any purchase is locked: a request on a page
    locks them in that order, and the other way round both would wait for ever."""
    list(_limits(member).order_by("pk").select_for_update())


def is_limited(member: Member) -> bool:
    """Whether some of it may be above a limit of the member's."""
    return _limits(member).exists()


def left() -> Any:
    """Minor units that can still be given back, in a query of transactions."""
    return (
        F("amount")
        - F("amount_refunded")
        - F("amount_charged_back")
        - _under_way(OuterRef("pk"))
    )


def left_of_item() -> Any:
    """The same in a query of bulk items."""
    return (
        F("transaction__amount")
        - F("transaction__amount_refunded")
        - F("transaction__amount_charged_back")
        - _under_way(OuterRef("transaction_id"))
    )


def obstacles(bulk: BulkAction, by: User) -> Sequence[tuple[Any, str]]:
    """As transactions.refunds.why_not, whose sentences these are, and our own."""
    return [(condition, str(words)) for condition, words in _obstacles()]


def _obstacles() -> Iterator[tuple[Any, Words]]:
    for status in Status:
        if status not in REFUNDABLE:
            yield Q(status=status), _why_not(status=status)
    yield Q(amount=None) | Q(currency=""), _why_not(amount=None)
    yield Q(verified=False, accepted=None), _why_not(verified=False)
    others = Refund.objects.filter(transaction=OuterRef("pk"), amount=None)
    counting = [*REFUND_OPEN, RefundStatus.SUCCEEDED]
    unknown = others.filter(status__in=counting)
    yield Q(Exists(unknown)), _("The amount of another refund of it is not known yet.")
    yield Q(LessThanOrEqual(left(), 0)), _why_not(amount=0)
    for name, provider in PROVIDERS.items():
        own, refunding = Q(provider=name), provider.refunds
        keyless = Q(connection__sealed_api_key="")
        if refunding.needs == "user_token":
            keyless = Q(connection__sealed_user_token="")
        cannot = keyless | Q(connection__closed__isnull=False)
        if refunding.by_hand:
            yield own & cannot, BY_HAND
        else:
            closed = Connection(provider=name, closed=timezone.now())
            words = _why_not(provider=name, connection=closed)
            yield own & Q(connection__closed__isnull=False), words
            words = _why_not(provider=name, connection=Connection(provider=name))
            yield own & cannot, words
        if refunding.partly == "no":
            yield own & ~Q(LessThanOrEqual(F("amount"), left())), PARTS["no"]
    yield Q(status=Status.DISPUTED), DISPUTED


def _why_not(**columns: Any) -> str:
    """The sentence for a purchase that is paid and confirmed but for these columns."""
    given = {
        "status": Status.PAID,
        "provider": "stripe",
        "amount": 1,
        "currency": "eur",
        "verified": True,
        **columns,
    }
    return refunds.why_not(Transaction(**given))


def _why_not_of_many(row: Transaction) -> str:
    refunding = PROVIDERS[row.provider].refunds
    if row.status == Status.DISPUTED:
        return str(DISPUTED)
    if refunding.by_hand and refunds.options(row).by_hand:
        return str(BY_HAND)
    return ""


def _under_way(transaction: OuterRef) -> Coalesce:
    rows = Refund.objects.filter(transaction=transaction, status__in=REFUND_OPEN)
    sums = rows.order_by().values("transaction").annotate(sum=Sum("amount"))
    return Coalesce(Subquery(sums.values("sum")), 0)


def _limits(member: Member) -> Any:
    shops = list(projects_of(member).values_list("pk", flat=True))
    return RefundLimit.objects.filter(project__in=shops, role=member.role)
