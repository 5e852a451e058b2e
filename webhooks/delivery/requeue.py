"""Puts deliveries back into the queue, thousands at a time, spread over time.

What catching up and sending again have in common: rows get a due time each, so many a
second, in the order in which the events happened. Only ids pass through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from webhooks.models import Delivery

LONGEST_NAME = 160


class Spread:
    """Due times, one after the other from `start`: `rate` a second, or all at once.

    `following`: the next one, not yet given away.
    """

    def __init__(self, rate: float | None, start: datetime | None = None) -> None:
        self._start = start or timezone.now()
        self._pause = 1 / rate if rate else 0.0
        self._count = 0

    @property
    def following(self) -> datetime:
        return self._start + timedelta(seconds=self._count * self._pause)

    def next(self) -> datetime:
        due = self.following
        self._count += 1
        return due


@transaction.atomic
def queue_again(rows: QuerySet[Delivery], spread: Spread, by: str) -> int:
    """Makes the rows wait to be sent as new ones do; how many. `by`: who asked.

    Under their lock, so that what was sent in between is left alone.
    """
    still = list(
        rows.order_by("id").select_for_update(of=("self",)).values_list("id", flat=True)
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
