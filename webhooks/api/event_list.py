"""Events as pollers read them: newest first, and none that is skipped.

A poller asks for what came after the last event it knows. Numbers are given when an
event is entered and seen when it is committed, so one with a smaller number may appear
later: what stands above such a gap is not listed before the gap has closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from merchant.models import Project
from webhooks.models import Delivery, Endpoint, Event

#: What an event's time of entry and its database's clock may be apart.
SLACK = timedelta(seconds=5)

_State = Delivery.State
#: Neither acknowledged nor given up on purpose.
UNDELIVERED = (_State.PENDING, _State.HELD, _State.EXHAUSTED)

#: Since when the oldest transaction that can still commit events has been running. A
#: writer holds this lock from before it draws its first number until it has committed.
_WRITERS = """
    SELECT min(coalesce(activity.xact_start, now() - interval '1 hour'))
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'relation' AND held.relation = %s::regclass
      AND held.database IN
          (SELECT oid FROM pg_database WHERE datname = current_database())
      AND held.mode = 'RowExclusiveLock' AND held.granted
      AND held.pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` newest first; `has_more` in the direction that was asked for."""

    rows: list[Event]
    has_more: bool


def of_project(project: Project) -> QuerySet[Event]:
    """What a key of the project may see: all that still say something."""
    return Event.objects.filter(project=project).exclude(payload={})


def take(
    rows: QuerySet[Event],
    limit: int,
    *,
    after: Event | None = None,
    before: Event | None = None,
) -> Page:
    """The events below `after` (older) or just above `before` (newer), else the newest.

    `rows`: filtered, in no order.
    """
    rows = settled(rows)
    if before is not None:
        above = list(rows.filter(pk__gt=before.pk).order_by("id")[: limit + 1])
        return Page(above[:limit][::-1], len(above) > limit)
    if after is not None:
        rows = rows.filter(pk__lt=after.pk)
    below = list(rows.order_by("-id")[: limit + 1])
    return Page(below[:limit], len(below) > limit)


def settled(rows: QuerySet[Event]) -> QuerySet[Event]:
    """Without the events above which one may still appear with a smaller number.

    The order of the questions matters: whoever has drawn a number below `last` holds
    the lock by the time that it is looked for, or has committed before the rows are
    read. On SQLite one writer follows the other, so there are no gaps.
    """
    if connection.vendor != "postgresql":
        return rows
    last = Event.objects.order_by("-id").values_list("id", flat=True).first()
    since = _oldest_writer()
    rows = rows.filter(pk__lte=last or 0)
    return rows if since is None else rows.filter(created__lt=since - SLACK)


def _oldest_writer() -> datetime | None:
    table = connection.ops.quote_name(Event._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [table])
        (since,) = cursor.fetchone()
    return since


def delivered(rows: QuerySet[Event], fully: bool) -> QuerySet[Event]:
    """Those that every endpoint has acknowledged, or those that one has not."""
    owed = Delivery.objects.exclude(endpoint__kind=Endpoint.Kind.FORWARD)
    missing = Exists(owed.filter(event=OuterRef("pk"), state__in=UNDELIVERED))
    return rows.filter(~missing if fully else missing)


def pending(events: Sequence[Event]) -> dict[int, int]:
    """event -> how many endpoints are still to be told."""
    waiting = Q(state__in=(_State.PENDING, _State.HELD))
    found = Delivery.objects.filter(
        waiting, event__in=events, endpoint__kind=Endpoint.Kind.ENDPOINT
    )
    counted = found.values("event").annotate(count=Count("id")).order_by()
    return {row["event"]: row["count"] for row in counted}
