"""Deliveries that were turned away: counted by reason and hour, with one example.

Anybody who knows an intake URL can knock, so noise costs a few writes a second at
most and never a row per knock. What is held back is counted here and written soon.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import Error, IntegrityError
from django.db import connection as database

from merchant.providers.base import Incoming
from webhooks import headers
from webhooks.models import Refusal

logger = logging.getLogger(__name__)

MOST_SAMPLE = 2048
#: A process writes so many at once for a connection, then so many a second.
BURST, PER_SECOND = 20, 2.0
SECONDS_HELD_BACK = 1.0
#: Reasons are few; more than this are somebody's play with them.
MOST_HELD_BACK = 1000

Place = tuple[UUID, str, datetime]


@dataclass(frozen=True, slots=True)
class Turned:
    """So many deliveries that were turned away alike, and the newest of them."""

    connection_id: UUID
    code: str
    hour: datetime
    reason: str
    count: int
    headers: dict[str, str]
    sample: bytes
    address: str | None
    first: datetime
    last: datetime


@dataclass(slots=True)
class _Allowance:
    """What may still be written for a connection; it grows with time."""

    left: float = BURST
    since: float = 0.0

    def take(self, now: float) -> bool:
        self.left = min(BURST, self.left + (now - self.since) * PER_SECOND)
        self.since = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


_lock = threading.Lock()
_held: dict[Place, Turned] = {}
_allowances: dict[UUID, _Allowance] = {}
_flusher: threading.Timer | None = None


def note(
    connection_id: UUID,
    code: str,
    reason: str,
    incoming: Incoming,
    address: str | None = None,
) -> None:
    """Counts one refusal. Never raises: a refusal must not fail over its own note."""
    turned = Turned(
        connection_id=connection_id,
        code=code[:20],
        hour=incoming.received.replace(minute=0, second=0, microsecond=0),
        reason=reason[:300],
        count=1,
        headers=headers.kept(incoming.headers),
        sample=incoming.body[:MOST_SAMPLE],
        address=address,
        first=incoming.received,
        last=incoming.received,
    )
    now = time.monotonic()
    with _lock:
        place = _hold(turned)
        allowance = _allowances.setdefault(connection_id, _Allowance(since=now))
        due = _held.pop(place, None) if allowance.take(now) else None
    if due is not None:
        _write_or_hold(due)
    else:
        _flush_soon()


def flush() -> None:
    """Writes everything that was held back."""
    with _lock:
        waiting = list(_held.values())
        _held.clear()
        _allowances.clear()
    for turned in waiting:
        _write_or_hold(turned)


def _hold(turned: Turned) -> Place:
    """Adds to what is held back of the same kind. Under the lock."""
    place = (turned.connection_id, turned.code, turned.hour)
    before = _held.get(place)
    if before is not None:
        count, first = before.count + turned.count, min(before.first, turned.first)
        turned = replace(turned, count=count, first=first)
    if before is not None or len(_held) < MOST_HELD_BACK:
        _held[place] = turned
    return place


def _write_or_hold(turned: Turned) -> None:
    try:
        _write(turned)
    except IntegrityError:
        pass  # its connection is no more
    except Error as error:
        logger.warning("A refusal could not be noted: %s", type(error).__name__)
        with _lock:
            _hold(turned)


def _flush_soon() -> None:
    global _flusher
    with _lock:
        if _flusher is not None:
            return
        _flusher = threading.Timer(SECONDS_HELD_BACK, _flush_from_timer)
        _flusher.daemon = True
        _flusher.start()


def _flush_from_timer() -> None:
    global _flusher
    with _lock:
        _flusher = None
    try:
        flush()
    finally:
        database.close()  # this thread's own


# ---------------------------------------------------------------------- the writing
_FIELDS = [field for field in Refusal._meta.concrete_fields if not field.primary_key]


def _write(turned: Turned) -> None:
    """One statement, so that no refusal of another process is lost."""
    row = Refusal(**asdict(turned))
    values: list[Any] = [
        field.get_db_prep_save(getattr(row, field.attname), database)
        for field in _FIELDS
    ]
    with database.cursor() as cursor:
        cursor.execute(_upsert(database.vendor), values)


@cache
def _upsert(vendor: str) -> str:
    quote = database.ops.quote_name
    table, count = quote(Refusal._meta.db_table), quote("count")
    columns = [quote(str(field.column)) for field in _FIELDS]
    newest = map(quote, ("reason", "headers", "sample", "address", "last"))
    changes = [f"{column} = excluded.{column}" for column in newest]
    changes.append(f"{count} = {table}.{count} + excluded.{count}")
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"
        f" VALUES ({', '.join(['%s'] * len(columns))})"
        f" ON CONFLICT (connection_id, code, hour) DO UPDATE SET {', '.join(changes)}"
    )
