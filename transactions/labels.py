"""What a merchant's own programs write on a purchase: its order number and metadata.

Entries of the timeline like everything else, so that the fold computes the row: what
is said here wins over the provider, whatever the provider says before or after.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction as database
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit
from merchant.models import ApiKey
from merchant.providers.base import text
from transactions import ledger
from transactions.fold.hearing import LABEL, OURS
from transactions.models import TimelineEntry, Transaction

#: So many keys a purchase's metadata may have, the provider's own included.
MOST_KEYS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class TooMany(ValueError):
    """The purchase would have more metadata than one can hold; says how much."""


class Gone(LookupError):
    """The purchase was joined to another meanwhile; look for it again."""


@database.atomic
def write(
    transaction: Transaction,
    by: ApiKey,
    *,
    order_reference: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    clear: bool = False,
    request: HttpRequest | None = None,
) -> bool:
    """Sets what is given and leaves the rest; whether that changed anything.

    `order_reference`: "" for none. `metadata`: key -> value, None for a key that goes;
    `clear`: all other keys go as well. Raises TooMany, Gone.
    """
    looked: list[dict[str, Any]] = []

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> list[TimelineEntry]:
        wanted = dict.fromkeys(row.metadata) if clear else {}
        says = _changes(row, order_reference, wanted | dict(metadata or {}))
        looked.append(says)
        return [_entry(row, by, says)] if says else []

    ledger.act([transaction.pk], decide)
    if not looked:
        raise Gone
    (says,) = looked
    if says:
        audit.note(
            f"API key {by.hint}",
            "transaction.labelled",
            transaction,
            merchant=transaction.project.merchant,
            detail={name: _noted(value) for name, value in says.items()},
            request=request,
        )
    return bool(says)


def _changes(
    row: Transaction, order_reference: str | None, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """What of it the row does not say already. Raises TooMany."""
    changes: dict[str, Any] = {}
    if order_reference is not None and order_reference != row.order_reference:
        changes["order_reference"] = order_reference
    fresh = {k: v for k, v in metadata.items() if _differ(row.metadata.get(k), v)}
    if fresh:
        changes["metadata"] = fresh
        after = {k for k, v in (row.metadata | fresh).items() if v is not None}
        if len(after) > MOST_KEYS:
            raise TooMany(f"A purchase's metadata has at most {MOST_KEYS} keys.")
    return changes


def _differ(before: object, after: object) -> bool:
    return json.dumps(before) != json.dumps(after)  # 1 and true are not the same


def _noted(said: Any) -> Any:
    """For the audit log: an order's number, but of metadata only the keys."""
    return said if isinstance(said, str) else list(said)


def _entry(row: Transaction, by: ApiKey, says: dict[str, Any]) -> TimelineEntry:
    now = timezone.now()
    return TimelineEntry(
        connection_id=row.connection_id,
        identity=f"label:{uuid4().hex}",
        transaction_id=row.pk,
        source=TimelineEntry.Source.API,
        topic=LABEL,
        object_kind="transaction",
        object_id=str(row.pk),
        status="set",
        order=(now - _EPOCH) // _MICROSECOND,
        at=now,
        says={name: [OURS, value] for name, value in says.items()},
        summary=text(_words(by, says), 300) or "",
    )


def _words(by: ApiKey, says: Mapping[str, Any]) -> str:
    """ "Order reference set to A-1 · metadata: level, guild · API key mk_…1234"."""
    parts = []
    reference = says.get("order_reference")
    if reference:
        parts.append(_("Order reference set to %s") % reference)
    elif reference is not None:
        parts.append(_("Order reference removed"))
    if "metadata" in says:
        parts.append(_("Metadata set: %s") % ", ".join(says["metadata"]))
    return " · ".join([*parts, _("API key %s") % by])
