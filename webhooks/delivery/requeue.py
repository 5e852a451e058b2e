"""Puts deliveries back into the queue, thousands at a time, spread over time.

What catching up and sending again have in common: rows get a due time each, so many a
second, in the order in which the events happened. Only ids pass through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from webhooks.models import Delivery

#: Deliveries in one statement.
BATCH = 2000
LONGEST_NAME = 160


class Spread:
    """Due times, one after the other: `rate` a second, or all at once."""

    def __init__(self, rate: float | None, start: datetime | None = None) -> None:
        self._start = start or timezone.now()
        self._pause = 1 / rate if rate else 0.0
        self._count = 0

    def next(self) -> datetime:
        due = self._start + timedelta(seconds=self._count * self._pause)
        self._count += 1
        return due


def batches(rows: QuerySet[Delivery], size: int = BATCH) -> Iterator[list[int]]:
    """The ids of all rows, in order, a few at a time. Those that change meanwhile are
    not met twice."""
    last = 0
    ids = rows.order_by("id").values_list("id", flat=True)
    while some := list(ids.filter(id__gt=last)[:size]):
        yield some
        last = some[-1]


def queue_again(rows: QuerySet[Delivery], spread: Spread, by: str) -> int:
    """Makes the rows wait to be sent as new ones do; how many. `by`: who asked."""
    return sum(_queue(some, rows, spread, by) for some in batches(rows))


@transaction.atomic
def _queue(
    ids: Sequence[int], rows: QuerySet[Delivery], spread: Spread, by: str
) -> int:
    """Under their lock, so that what was sent in between is left alone."""
    still = list(
        rows.filter(id__in=ids)
        .order_by("id")
        .select_for_update(of=("self",))
        .values_list("id", flat=True)
    )
    Delivery.objects.filter(id__in=still).update(
        state=Delivery.State.PENDING,
        tries=0,
        error="",
        done=None,
        lease=None,
        leased_until=None,
        asked_by=by[:LONGEST_NAME],
    )
    _say_when(still, [spread.next() for _ in still])
    return len(still)


def _say_when(ids: Sequence[int], dues: Sequence[datetime]) -> None:
    table = connection.ops.quote_name(Delivery._meta.db_table)
    if not ids:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"UPDATE {table} d SET due = given.due"  # noqa: S608 - own names
                " FROM unnest(%s::bigint[], %s::timestamptz[]) AS given(id, due)"
                " WHERE d.id = given.id",
                [list(ids), list(dues)],
            )
            return
        adapt = connection.ops.adapt_datetimefield_value
        cursor.executemany(
            f"UPDATE {table} SET due = %s WHERE id = %s",  # noqa: S608 - own names
            [(adapt(due), pk) for pk, due in zip(ids, dues, strict=True)],
        )
