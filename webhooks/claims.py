"""Which deliveries a worker takes next: fair to all endpoints, and nobody takes twice.

An endpoint's row is locked while some of its deliveries are taken, so that its limits
(so many at once, so many a second) hold however many workers there are. Between those
few milliseconds no lock is held: a taken delivery carries a lease.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from webhooks.models import Delivery, Endpoint, Event

#: A claim is good for this long: a try's deadline, and time to note what came of it.
LEASE_SECONDS = 45
LEASE = timedelta(seconds=LEASE_SECONDS)
#: Deliveries that an endpoint is sent at the same time.
AT_ONCE = 4
#: Leases are looked for among so many of an endpoint's first.
FRONT = 64
#: What an endpoint's rate left unused is made up for within so much time.
CREDIT = timedelta(seconds=0.05)
#: An event waits for an earlier one of its subject that is tried within so many
#: seconds, until that has failed this often.
PATIENCE = timedelta(seconds=10)
FAILED_ENOUGH = 2

#: What is due later than that is left to the next round, seconds.
SOON = 1.0

PENDING = Delivery.State.PENDING
#: The columns of a claim, in the order of Claimed's fields.
_COLUMNS = (
    "id", "due", "tries", "attempts_made", "created",
    "event__key", "event__name", "event__livemode", "event__subject_kind",
    "event__payload", "event__created",
)  # fmt: skip
_PAYLOAD = 1 + _COLUMNS.index("event__payload")


@dataclass(slots=True)
class Claimed:
    """A delivery that is ours to send until `until`, with its event and endpoint."""

    lease: UUID
    until: datetime
    endpoint: Endpoint
    id: int
    due: datetime
    tries: int
    attempts_made: int
    created: datetime
    key: str
    name: str
    livemode: bool
    subject_kind: str
    payload: dict[str, Any]
    happened: datetime


@dataclass(frozen=True, slots=True)
class Catch:
    """What was claimed, and in how many seconds more can be (None: not soon)."""

    claimed: list[Claimed]
    wait: float | None


def take(
    room: int, under_way: Mapping[UUID, int], only: Sequence[UUID] | None = None
) -> Catch:
    """Claims at most `room` deliveries that are due.

    `under_way`: how many this worker has at each endpoint. `only`: of these endpoints
    and no others, of whatever kind they are.
    """
    ready, wait = _ready(only, timezone.now())
    if not ready or room <= 0:
        return Catch([], wait)
    with transaction.atomic():
        endpoints = _locked(ready)
        now = timezone.now()
        taken = _leased(endpoints, now)
        for pk, number in under_way.items():
            taken[pk] = max(number, taken[pk])
        most = _shares(endpoints.values(), room, taken, now)
        claimed = _pick(endpoints, most, now) if most else []
        _pace(endpoints, Counter(one.endpoint.pk for one in claimed), now)
    return Catch(claimed, wait)


# ------------------------------------------------------------------- which endpoints
def _ready(
    only: Sequence[UUID] | None, now: datetime
) -> tuple[list[UUID], float | None]:
    """Endpoints that may be sent something now, and seconds until others may."""
    ready, wait = [], None
    for endpoint, *moments in _waiting(only):
        moment = max(when for when in moments if when is not None)
        if moment <= now:
            ready.append(endpoint)
            continue
        seconds = (moment - now).total_seconds()
        if seconds <= SOON:
            wait = min(seconds, wait or SOON)
    return ready, wait


def _waiting(only: Sequence[UUID] | None) -> list[tuple[Any, ...]]:
    """Endpoints with their earliest due delivery, and when they may be sent to.

    Jumps from one to the next in the index, so that a long queue costs no more than a
    short one.
    """
    table = connection.ops.quote_name(Delivery._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE jump(endpoint) AS (
              SELECT (SELECT endpoint_id FROM {table} WHERE state = 'pending'
                      ORDER BY endpoint_id LIMIT 1)
              UNION ALL
              SELECT (SELECT d.endpoint_id FROM {table} d
                      WHERE d.state = 'pending' AND d.endpoint_id > jump.endpoint
                      ORDER BY d.endpoint_id LIMIT 1)
              FROM jump WHERE endpoint IS NOT NULL
            )
            SELECT endpoint FROM jump WHERE endpoint IS NOT NULL
            """  # noqa: S608 - own names
        )
        found = [row[0] for row in cursor.fetchall()]
    if not found:
        return []
    first = Delivery.objects.filter(endpoint=OuterRef("pk"), state=PENDING)
    rows = Endpoint.objects.filter(pk__in=found, state=Endpoint.State.ENABLED)
    if only is None:
        rows = rows.exclude(kind=Endpoint.Kind.FORWARD)
    else:
        rows = rows.filter(pk__in=only)
    earliest = Subquery(first.order_by("due", "id").values("due")[:1])
    return list(
        rows.annotate(earliest=earliest)
        .exclude(earliest=None)
        .values_list("pk", "earliest", "slow_until", "paced")
    )


def _locked(ready: Sequence[UUID]) -> dict[UUID, Endpoint]:
    """Those whose rows nobody else is at, still as they should be."""
    rows = Endpoint.objects.filter(pk__in=ready, state=Endpoint.State.ENABLED)
    found = list(rows.select_for_update(skip_locked=True))
    random.shuffle(found)
    return {endpoint.pk: endpoint for endpoint in found}


def _leased(endpoints: Iterable[UUID], now: datetime) -> Counter[UUID]:
    """How many of each endpoint's deliveries some worker has.

    They lie at the front of the queue, so that nobody has to go through all of a long
    one.
    """
    deliveries = connection.ops.quote_name(Delivery._meta.db_table)
    table = connection.ops.quote_name(Endpoint._meta.db_table)
    adapt = connection.ops.adapt_datetimefield_value
    column = Endpoint._meta.pk
    keys = [column.get_db_prep_value(pk, connection) for pk in endpoints]
    if not keys:
        return Counter()
    marks = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.id, (
              SELECT count(*) FROM (
                SELECT d.leased_until FROM {deliveries} d
                WHERE d.endpoint_id = e.id AND d.state = 'pending'
                ORDER BY d.due, d.id LIMIT {FRONT}
              ) front WHERE front.leased_until > %s
            ) FROM {table} e WHERE e.id IN ({marks})
            """,  # noqa: S608 - own names
            [adapt(now), *keys],
        )
        return Counter({column.to_python(pk): count for pk, count in cursor})


def _shares(
    endpoints: Iterable[Endpoint],
    room: int,
    taken: Mapping[UUID, int],
    now: datetime,
) -> dict[UUID, int]:
    """How many each may be sent; one more to each in turn while there is room."""
    most = {}
    for endpoint in endpoints:
        free = (1 if endpoint.slow else AT_ONCE) - taken.get(endpoint.pk, 0)
        if (number := min(free, _allowance(endpoint, now))) > 0:
            most[endpoint.pk] = number
    shares: Counter[UUID] = Counter()
    while room > 0 and len(most) > 0:
        for pk in list(most)[:room]:
            shares[pk] += 1
            most[pk] -= 1
            room -= 1
            if not most[pk]:
                del most[pk]
    return dict(shares)


def _allowance(endpoint: Endpoint, now: datetime) -> int:
    """How many its rate lets out now."""
    if endpoint.slow_until is not None and endpoint.slow_until > now:
        return 0
    unused = (now - _paced(endpoint, now)).total_seconds()
    return int(unused * max(1, endpoint.rate)) + 1 if unused >= 0 else 0


def _paced(endpoint: Endpoint, now: datetime) -> datetime:
    earliest = now - CREDIT
    return max(endpoint.paced or earliest, earliest)


def _pace(
    endpoints: Mapping[UUID, Endpoint], sent: Mapping[UUID, int], now: datetime
) -> None:
    """Notes in the endpoints' rows when their rates let the next one out."""
    times = {
        pk: _paced(endpoints[pk], now)
        + timedelta(seconds=count / max(1, endpoints[pk].rate))
        for pk, count in sent.items()
    }
    if not times:
        return
    if connection.vendor != "postgresql":
        for pk, paced in times.items():
            Endpoint.objects.filter(pk=pk).update(paced=paced)
        return
    table = connection.ops.quote_name(Endpoint._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} e SET paced = given.paced"  # noqa: S608 - own names
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS given(id, paced)"
            " WHERE e.id = given.id",
            [list(times), list(times.values())],
        )


# ------------------------------------------------------------------ which deliveries
def _pick(
    endpoints: Mapping[UUID, Endpoint], most: Mapping[UUID, int], now: datetime
) -> list[Claimed]:
    """Leases the first few of each; in the order in which they are due."""
    lease, until = uuid4(), now + LEASE
    if connection.vendor == "postgresql":
        rows = _pick_at_once(most, now, lease, until)
    else:
        rows = _pick_one_by_one(most, now, lease, until)
    return [
        Claimed(lease, until, endpoints[endpoint], *columns)
        for endpoint, *columns in rows
    ]


def _pick_at_once(
    most: Mapping[UUID, int], now: datetime, lease: UUID, until: datetime
) -> Sequence[Sequence[Any]]:
    """PostgreSQL: one statement for all endpoints."""
    deliveries = connection.ops.quote_name(Delivery._meta.db_table)
    events = connection.ops.quote_name(Event._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH room AS (
              SELECT * FROM unnest(%(endpoints)s::uuid[], %(most)s::int[])
                AS given(endpoint, most)
            ), picked AS (
              SELECT found.id FROM room CROSS JOIN LATERAL (
                SELECT d.id FROM {deliveries} d
                WHERE d.endpoint_id = room.endpoint AND d.state = 'pending'
                  AND d.due <= %(now)s
                  AND (d.leased_until IS NULL OR d.leased_until <= %(now)s)
                  AND (d.subject IS NULL OR NOT EXISTS (
                    SELECT 1 FROM {deliveries} e
                    WHERE e.endpoint_id = d.endpoint_id AND e.subject = d.subject
                      AND e.id < d.id AND e.state = 'pending'
                      AND e.tries < %(enough)s AND e.due <= %(patience)s
                  ))
                ORDER BY d.due, d.id
                LIMIT greatest(0, room.most)
                FOR UPDATE SKIP LOCKED
              ) found
            )
            UPDATE {deliveries} d SET lease = %(lease)s, leased_until = %(until)s
            FROM picked, {events} event
            WHERE d.id = picked.id AND event.id = d.event_id
            RETURNING d.endpoint_id, d.id, d.due, d.tries, d.attempts_made, d.created,
              event.key, event.name, event.livemode, event.subject_kind,
              event.payload, event.created
            """,  # noqa: S608 - own names
            {
                "endpoints": list(most),
                "most": list(most.values()),
                "now": now,
                "patience": now + PATIENCE,
                "enough": FAILED_ENOUGH,
                "lease": lease,
                "until": until,
            },
        )
        rows = [[*row] for row in cursor.fetchall()]
    for row in rows:
        row[_PAYLOAD] = json.loads(row[_PAYLOAD])
    return rows


def _pick_one_by_one(
    most: Mapping[UUID, int], now: datetime, lease: UUID, until: datetime
) -> Sequence[Sequence[Any]]:
    """SQLite: the transaction is the lock."""
    picked: list[Sequence[Any]] = []
    for endpoint, number in most.items():
        rows = _free(endpoint, now).order_by("due", "id")
        picked.extend(rows.values_list("endpoint_id", *_COLUMNS)[:number])
    Delivery.objects.filter(pk__in=[row[1] for row in picked]).update(
        lease=lease, leased_until=until
    )
    return picked


def _free(endpoint: UUID, now: datetime) -> QuerySet[Delivery]:
    """What is due there, nobody has, and nothing earlier must go before."""
    before = Delivery.objects.filter(
        endpoint=OuterRef("endpoint"),
        subject=OuterRef("subject"),
        id__lt=OuterRef("id"),
        state=PENDING,
        tries__lt=FAILED_ENOUGH,
        due__lte=now + PATIENCE,
    )
    return Delivery.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=now),
        Q(subject=None) | ~Exists(before),
        endpoint=endpoint,
        state=PENDING,
        due__lte=now,
    )
