"""What we do about a refund, as entries of its transaction's timeline.

The entries of one refund are numbered under the transaction's lock, so that no clock
puts them in order and no two of them can be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from merchant.models import User
from merchant.providers.base import text
from transactions.fold.hearing import STEP
from transactions.models import TimelineEntry, Transaction
from transactions.statuses import RefundStep

Source = TimelineEntry.Source


def of(timeline: Sequence[TimelineEntry], id: UUID) -> list[TimelineEntry]:
    """The steps of that refund, first to last."""
    mine = [e for e in timeline if e.object_kind == STEP and e.object_id == str(id)]
    return sorted(mine, key=lambda entry: entry.order)


def entry(
    row: Transaction,
    timeline: Sequence[TimelineEntry],
    id: UUID,
    step: RefundStep,
    *,
    by: User | None = None,
    source: str = Source.SYSTEM,
    says: dict[str, Any] | None = None,
    words: str = "",
) -> TimelineEntry:
    """The next step of the refund; not saved. `words`: what to add to its name."""
    number = len(of(timeline, id))
    told = {name: value for name, value in (says or {}).items() if value is not None}
    summary = " · ".join(filter(None, [str(step.label), words]))
    return TimelineEntry(
        connection_id=row.connection_id,
        identity=f"refund:{id}:{number}",
        transaction_id=row.pk,
        source=source,
        actor=by,
        topic="refund",
        object_kind=STEP,
        object_id=str(id),
        status=step,
        order=number,
        at=timezone.now(),
        says={name: [0, value] for name, value in told.items()},
        summary=text(summary, 300) or "",
    )
