"""What staff do, as entries of a timeline: the same shape as a provider's facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from merchant.models import User
from merchant.providers.base import text
from transactions.models import TimelineEntry, Transaction
from transactions.statuses import Act

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: How long a note and a reference may be; longer ones are cut with a mark.
NOTE, REFERENCE = 500, 200

TOPICS = {
    Act.ACCEPTED: "acceptance",
    Act.WITHDRAWN: "acceptance",
    Act.CLEARED: "flag",
}


def entry(
    row: Transaction,
    act: Act,
    by: User,
    *,
    about: tuple[str, str] = ("transaction", ""),
    says: dict[str, Any] | None = None,
    note: str = "",
    reference: str = "",
    at: datetime | None = None,
) -> TimelineEntry:
    """That `by` did `act` to the transaction; not saved.

    `about`: (kind, id) of a part of it, ("item", its key). `note` and `reference` are
    the person's own words. `at`: now where it is not given.
    """
    now = at or timezone.now()
    note, reference = text(note, NOTE) or "", text(reference, REFERENCE) or ""
    told = (says or {}) | {"note": note, "reference": reference}
    words = " · ".join(filter(None, [str(act.label), reference, note]))
    kind, id = about
    return TimelineEntry(
        connection_id=row.connection_id,
        identity=f"staff:{uuid4().hex}",
        transaction_id=row.pk,
        source=TimelineEntry.Source.STAFF,
        actor=by,
        topic=TOPICS.get(act, "fulfilment"),
        object_kind=kind,
        object_id=(id or str(row.pk))[:200],
        status=act,
        order=(now - _EPOCH) // _MICROSECOND,
        at=now,
        says={name: [0, value] for name, value in told.items() if value},
        summary=text(words, 300) or "",
    )
