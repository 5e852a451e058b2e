"""How long letters are kept: their bodies, what was answered, and that they were sent.

Rows are emptied and deleted oldest first, a few at a time. What is emptied lies in one
piece at the beginning, so that halving finds its end in some forty look-ups, whatever
was left undone before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone

from webhooks.models import Attempt, Delivery, Event

#: Rows in one statement, and statements in one round: it comes again within the hour.
BATCH, BATCHES = 1000, 200


def tidy(now: datetime | None = None) -> int:
    """Empties and deletes what is too old; returns how many rows were changed."""
    now = now or timezone.now()
    answers = now - timedelta(days=settings.ANSWERS_KEPT_DAYS)
    bodies = now - timedelta(days=settings.EVENTS_KEPT_DAYS)
    all_of_it = now - timedelta(days=settings.DELIVERIES_KEPT_DAYS)
    return (
        _empty(
            Attempt.objects.all(),
            lambda row: row.at < answers,
            lambda row: not row.sent_headers,
            {"sent_headers": {}, "answer_headers": {}, "answer": b""},
        )
        + _empty(
            Event.objects.all(),
            lambda row: row.created < bodies,
            lambda row: not row.payload,
            {"payload": {}},
        )
        + _delete(Attempt.objects.all(), lambda row: row.at < all_of_it)
        + _delete(
            Delivery.objects.exclude(state=Delivery.State.PENDING),
            lambda row: row.created < all_of_it,
        )
        + _delete(
            Event.objects.filter(deliveries=None), lambda row: row.created < all_of_it
        )
    )


Test = Callable[[Any], bool]


def _empty(
    rows: QuerySet[Any], is_old: Test, is_empty: Test, empty: dict[str, Any]
) -> int:
    start = _first(rows, lambda row: not is_empty(row))
    end = _first(rows, lambda row: not is_old(row))
    return _in_batches(
        rows, start, end, lambda some: int(rows.filter(pk__in=some).update(**empty))
    )


def _delete(rows: QuerySet[Any], is_old: Test) -> int:
    end = _first(rows, lambda row: not is_old(row))
    model: type[Model] = rows.model
    return _in_batches(
        rows,
        0,
        end,
        lambda some: model._default_manager.filter(pk__in=some).delete()[0],
    )


def _in_batches(
    rows: QuerySet[Any], start: int, end: int, act: Callable[[list[int]], int]
) -> int:
    done = 0
    for _ in range(BATCHES):
        ids = rows.filter(pk__gte=start, pk__lt=end).order_by("pk")
        some = list(ids.values_list("pk", flat=True)[:BATCH])
        if not some:
            break
        done += act(some)
        start = some[-1] + 1
    return done


def _first(rows: QuerySet[Any], found: Test) -> int:
    """The smallest number from which on rows are as asked, by halving; rows before it
    are not, as time goes on in them."""
    ends = rows.order_by("pk").values_list("pk", flat=True)
    low, last = ends.first(), ends.reverse().first()
    if low is None or last is None:
        return 0
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        row = rows.filter(pk__gte=middle).order_by("pk").first()
        if row is None or found(row):
            high = middle
        else:
            low = row.pk + 1
    return low
