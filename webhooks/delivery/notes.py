"""What came of tries, written down: the attempts, and how their deliveries stand.

Many at once in one statement. Whoever lost the lease meanwhile writes nothing: another
worker has the delivery, and knows better.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from merchant import bulk
from merchant.http import Ended
from merchant.providers.base import text
from webhooks.delivery import schedule
from webhooks.delivery.claims import Claimed
from webhooks.delivery.schedule import Verdict
from webhooks.models import Attempt, Delivery

logger = logging.getLogger(__name__)

#: Of an answer's headers so many are kept, and so much of each.
MOST_HEADERS, LONGEST_HEADER = 40, 500


@dataclass(frozen=True, slots=True)
class Result:
    """A try that has come to its end."""

    claimed: Claimed
    at: datetime
    ended: Ended
    verdict: Verdict
    sent_headers: Mapping[str, str]


def write(results: Sequence[Result], *, last: bool = False) -> int:
    """Enters them; returns how many were still ours to enter. `last`: none of them is
    tried again."""
    if not results:
        return 0
    rows = [_row(result, last) for result in results]
    if connection.vendor == "postgresql":
        entered = _write_at_once(rows)
    else:
        entered = _write_one_by_one(rows)
    if entered < len(rows):
        logger.warning(
            "%s late tries are left out: others have the deliveries",
            len(rows) - entered,
        )
    return entered


def put_off(claimed: Claimed, error: str, seconds: float, now: datetime) -> None:
    """Lets go of a delivery that could not be tried; no attempt is counted."""
    _mine(claimed).update(
        due=now + timedelta(seconds=seconds),
        error=error[:300],
        lease=None,
        leased_until=None,
    )


def let_go(claimed: Sequence[Claimed]) -> None:
    """Others may have them, at once: they were not tried."""
    leases = {one.lease for one in claimed}
    if leases:
        Delivery.objects.filter(
            pk__in=[one.id for one in claimed], lease__in=leases
        ).update(lease=None, leased_until=None)


def drop(claimed: Claimed, error: str, now: datetime) -> None:
    """Gives a delivery up that can never be sent."""
    _mine(claimed).update(
        state=Delivery.State.DROPPED,
        error=error[:300],
        done=now,
        lease=None,
        leased_until=None,
    )


def _mine(claimed: Claimed) -> Any:
    return Delivery.objects.filter(
        pk=claimed.id, lease=claimed.lease, state=Delivery.State.PENDING
    )


# ------------------------------------------------------------------------ how it stands
def _row(result: Result, last: bool) -> bulk.Row:
    """The columns of the attempt and, by their own names, of the delivery."""
    claimed, ended, verdict = result.claimed, result.ended, result.verdict
    state, due = _next(claimed, verdict, result.at, last)
    answer = ended.answer
    return {
        "id": claimed.id,
        "lease": claimed.lease,
        "state": state,
        "due": due,
        "tries": claimed.tries + 1,
        "done": None if state == Delivery.State.PENDING else result.at,
        "number": claimed.attempts_made + 1,
        "at": result.at,
        "status": answer.status or None,
        "outcome": verdict.outcome,
        "error": verdict.error[:300],
        "address": ended.address,
        "name_ms": ended.name_ms,
        "connect_ms": ended.connect_ms,
        "tls_ms": ended.tls_ms,
        "wait_ms": ended.wait_ms,
        "total_ms": ended.total_ms,
        "sent_headers": dict(result.sent_headers),
        "answer_headers": shortened(answer.headers),
        "answer": answer.body,
    }


def _next(
    claimed: Claimed, verdict: Verdict, at: datetime, last: bool
) -> tuple[Delivery.State, datetime | None]:
    """The state, and when it is due next; None where that does not change."""
    if verdict.ok:
        return Delivery.State.DELIVERED, None
    seconds = schedule.delay(claimed.tries + 1, verdict, random.random())
    if seconds is None or last:
        return Delivery.State.EXHAUSTED, None
    return Delivery.State.PENDING, at + timedelta(seconds=seconds)


def shortened(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers, cleaned, as many and as long as are kept."""
    some = list(headers.items())[:MOST_HEADERS]
    return {
        text(name, 100) or "": text(value, LONGEST_HEADER) or "" for name, value in some
    }


# --------------------------------------------------------------------------- the books
_ATTEMPT = (
    "number", "at", "status", "outcome", "error", "address", "name_ms", "connect_ms",
    "tls_ms", "wait_ms", "total_ms", "sent_headers", "answer_headers",
)  # fmt: skip


def _write_at_once(rows: Sequence[bulk.Row]) -> int:
    """PostgreSQL: one statement, so that both are written or neither."""
    names = ", ".join(f'"{name}"' for name in _ATTEMPT)
    given = [
        row
        | {
            "lease": str(row["lease"]),
            "at": row["at"].isoformat(),
            "due": row["due"] and row["due"].isoformat(),
            "done": row["done"] and row["done"].isoformat(),
            "answer": row["answer"].hex(),
        }
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH given AS (
              SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given(
                id bigint, lease uuid, state text, due timestamptz, tries smallint,
                done timestamptz, "number" smallint, "at" timestamptz, status smallint,
                outcome text, error text, address inet, name_ms int, connect_ms int,
                tls_ms int, wait_ms int, total_ms int, sent_headers jsonb,
                answer_headers jsonb, answer text)
            ), mine AS (
              UPDATE {_table(Delivery)} d SET state = given.state,
                due = coalesce(given.due, d.due), tries = given.tries,
                attempts_made = given.number,
                status = given.status, error = given.error, done = given.done,
                lease = NULL, leased_until = NULL
              FROM given
              WHERE d.id = given.id AND d.lease = given.lease AND d.state = 'pending'
              RETURNING d.id
            )
            INSERT INTO {_table(Attempt)} (delivery_id, answer, {names})
            SELECT given.id, decode(given.answer, 'hex'), {names}
            FROM given JOIN mine ON mine.id = given.id
            """,  # noqa: S608 - own names
            [json.dumps(given, ensure_ascii=False)],
        )
        return int(cursor.rowcount)


@transaction.atomic
def _write_one_by_one(rows: Sequence[bulk.Row]) -> int:
    attempts = []
    for row in rows:
        mine = Delivery.objects.filter(
            pk=row["id"], lease=row["lease"], state=Delivery.State.PENDING
        )
        if mine.update(
            state=row["state"],
            due=row["due"] or F("due"),
            tries=row["tries"],
            attempts_made=row["number"],
            status=row["status"],
            error=row["error"],
            done=row["done"],
            lease=None,
            leased_until=None,
        ):
            columns = {name: row[name] for name in (*_ATTEMPT, "answer")}
            attempts.append(Attempt(delivery_id=row["id"], **columns))
    Attempt.objects.bulk_create(attempts)
    return len(attempts)


def _table(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)
