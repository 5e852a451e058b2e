"""The flag that a chargeback puts on a customer: what it is about, and clearing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction as database
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from merchant import audit
from merchant.models import Member
from merchant.providers.base import text
from transactions import acts, ledger
from transactions.fold import children, hearing
from transactions.models import Customer, Dispute, TimelineEntry, Transaction
from transactions.statuses import Act, DisputeStatus


class NotPossible(Exception):
    """The flag cannot be cleared like this; `str()` is a sentence for staff."""


def reasons(customer: Customer) -> QuerySet[Dispute]:
    """The lost disputes that nobody has cleared yet, the newest first."""
    lost = Dispute.objects.filter(
        transaction__customer=customer, status=DisputeStatus.LOST, cleared=None
    )
    return lost.select_related("transaction").order_by("-created", "pk")


@database.atomic
def clear(
    by: Member, customer: Customer, note: str, *, request: HttpRequest | None = None
) -> int:
    """Says that the chargebacks so far have been seen to; a new one flags again.

    `note` says why, and stands with the person's name in the timelines of the
    purchases. Returns how many disputes were cleared. Raises NotPossible.
    """
    note = text(note.strip(), acts.NOTE) or ""
    if not note:
        raise NotPossible(_("Say in a few words why the customer is trusted again."))
    cleared = 0

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> Iterator[TimelineEntry]:
        nonlocal cleared
        for id in _lost(timeline):
            cleared += 1
            yield acts.entry(
                row, Act.CLEARED, by.user, about=("dispute", id), note=note
            )

    ledger.act(set(reasons(customer).values_list("transaction_id", flat=True)), decide)
    if not cleared:
        raise NotPossible(_("No chargeback of this customer waits to be cleared."))
    detail = {"note": note, "disputes": cleared}
    audit.note(by, "customer.flag_cleared", customer, detail=detail, request=request)
    return cleared


def _lost(timeline: Sequence[TimelineEntry]) -> list[str]:
    """The provider's ids of the lost disputes that nobody has cleared."""
    disputes = children.disputes(hearing.in_order(timeline))
    return [
        id
        for id, row in disputes.items()
        if row["status"] == DisputeStatus.LOST and row["cleared"] is None
    ]
