"""The statements behind webhooks.delivery.claims, for PostgreSQL and for SQLite.

Moments come as seconds since 1970: thousands of datetimes a second would be read for
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from webhooks.models import Delivery, Endpoint

#: Leases are looked for among so many of an endpoint's first: they lie at the front of
#: the queue, so that nobody has to go through all of a long one.
FRONT = 64
#: What a picked row has, in this order.
COLUMNS = (
    "endpoint_id", "id", "event_id", "tries", "attempts_made", "created",
)  # fmt: skip

PENDING = Delivery.State.PENDING


def waiting() -> list[tuple[UUID, str, float]]:
    """Enabled endpoints for which something waits: id, kind, and the moment from which
    they may be sent something: when the earliest is due, their rest is over and their
    rate lets it out.

    Jumps from one to the next in the index, so that a long queue costs no more than a
    short one.
    """
    deliveries, endpoints = table(Delivery), table(Endpoint)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE jump(endpoint) AS (
              SELECT (SELECT endpoint_id FROM {deliveries} WHERE state = 'pending'
                      ORDER BY endpoint_id LIMIT 1)
              UNION ALL
              SELECT (SELECT d.endpoint_id FROM {deliveries} d
                      WHERE d.state = 'pending' AND d.endpoint_id > jump.endpoint
                      ORDER BY d.endpoint_id LIMIT 1)
              FROM jump WHERE endpoint IS NOT NULL
            ), first AS (
              SELECT e.id, e.kind, e.slow_until, e.paced, (
                SELECT d.due FROM {deliveries} d
                WHERE d.endpoint_id = e.id AND d.state = 'pending'
                ORDER BY d.due, d.id LIMIT 1
              ) AS due
              FROM jump JOIN {endpoints} e ON e.id = jump.endpoint
              WHERE e.state = 'enabled'
            )
            SELECT id, kind, {_seconds("due")}, {_seconds("slow_until")},
              {_seconds("paced")}
            FROM first WHERE due IS NOT NULL
            """  # noqa: S608 - own names
        )
        return [
            (_uuid(pk), kind, max(_number(one) for one in moments))
            for pk, kind, *moments in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of an endpoint's deliveries a worker may claim: at most `most` beside
    the `own` that it has; where others have some too, `at_once` for all of them."""

    most: int
    own: int
    at_once: int

    def left(self, leased: int) -> int:
        """`leased`: how many some worker has."""
        if leased <= self.own:
            return self.most
        return max(0, min(self.most, self.at_once - leased))


def pick(
    shares: Mapping[UUID, Share],
    now: datetime,
    *,
    patience: datetime,
    enough: int,
    lease: UUID,
    until: datetime,
) -> list[Sequence[Any]]:
    """Leases the endpoints' shares, those due first; rows of COLUMNS.

    One waits for an earlier one of its subject that is due before `patience` and failed
    fewer than `enough` times.
    """
    if connection.vendor == "postgresql":
        return _pick_at_once(shares, now, patience, enough, lease, until)
    rows: list[Sequence[Any]] = []
    for endpoint, share in shares.items():
        front = Delivery.objects.filter(endpoint=endpoint, state=PENDING)
        until_when = front.order_by("due", "id").values_list("leased_until", flat=True)
        leased = sum(1 for when in until_when[:FRONT] if when and when > now)
        free = _free(endpoint, now, patience, enough).order_by("due", "id")
        rows.extend(free.values_list(*COLUMNS)[: share.left(leased)])
    ids = [row[1] for row in rows]
    Delivery.objects.filter(pk__in=ids).update(lease=lease, leased_until=until)
    return [_as_seconds(row) for row in rows]


def _pick_at_once(
    shares: Mapping[UUID, Share],
    now: datetime,
    patience: datetime,
    enough: int,
    lease: UUID,
    until: datetime,
) -> list[Sequence[Any]]:
    """PostgreSQL: one statement for all endpoints; `room` is Share.left."""
    deliveries = table(Delivery)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH room AS (
              SELECT endpoint, CASE WHEN leased <= own THEN most
                ELSE greatest(0, least(most, at_once - leased)) END AS most
              FROM unnest(%(endpoints)s::uuid[], %(most)s::int[], %(own)s::int[],
                  %(at_once)s::int[]) AS given(endpoint, most, own, at_once)
              CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE leased_until > %(now)s) AS leased FROM (
                  SELECT d.leased_until FROM {deliveries} d
                  WHERE d.endpoint_id = given.endpoint AND d.state = 'pending'
                  ORDER BY d.due, d.id LIMIT {FRONT}
                ) front
              ) counted
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
                ORDER BY d.due, d.id LIMIT room.most
                FOR UPDATE SKIP LOCKED
              ) found
            )
            UPDATE {deliveries} d SET lease = %(lease)s, leased_until = %(until)s
            WHERE d.id = ANY (ARRAY(SELECT id FROM picked))
            RETURNING d.endpoint_id, d.id, d.event_id, d.tries, d.attempts_made,
              {_seconds("d.created")}
            """,  # noqa: S608 - own names
            {
                "endpoints": list(shares),
                "most": [share.most for share in shares.values()],
                "own": [share.own for share in shares.values()],
                "at_once": [share.at_once for share in shares.values()],
                "now": now,
                "patience": patience,
                "enough": enough,
                "lease": lease,
                "until": until,
            },
        )
        return list(cursor.fetchall())


def _free(
    endpoint: UUID, now: datetime, patience: datetime, enough: int
) -> QuerySet[Delivery]:
    """SQLite, where the transaction is the lock."""
    before = Delivery.objects.filter(
        endpoint=OuterRef("endpoint"),
        subject=OuterRef("subject"),
        id__lt=OuterRef("id"),
        state=PENDING,
        tries__lt=enough,
        due__lte=patience,
    )
    return Delivery.objects.filter(
        Q(leased_until=None) | Q(leased_until__lte=now),
        Q(subject=None) | ~Exists(before),
        endpoint=endpoint,
        state=PENDING,
        due__lte=now,
    )


def pace(times: Mapping[UUID, datetime]) -> None:
    """Notes in the endpoints' rows when their rates let the next one out."""
    if connection.vendor != "postgresql":
        for pk, paced in times.items():
            Endpoint.objects.filter(pk=pk).update(paced=paced)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table(Endpoint)} e SET paced = given.paced"  # noqa: S608
            " FROM unnest(%s::uuid[], %s::timestamptz[]) AS given(id, paced)"
            " WHERE e.id = given.id",
            [list(times), list(times.values())],
        )


# ------------------------------------------------------------- what the two call theirs
def table(model: type[Model]) -> str:
    """The model's table, quoted."""
    return connection.ops.quote_name(model._meta.db_table)


def _seconds(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"extract(epoch FROM {column})::float8"
    return column


def _number(moment: Any) -> float:
    if moment is None or isinstance(moment, float):
        return moment or 0.0
    return _read(moment).timestamp()


def _read(moment: Any) -> datetime:
    convert = connection.ops.convert_datetimefield_value  # type: ignore[attr-defined]
    return convert(moment, None, connection)


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _as_seconds(row: Sequence[Any]) -> Sequence[Any]:
    return [
        value.timestamp() if isinstance(value, datetime) else value for value in row
    ]
