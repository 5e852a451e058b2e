"""An endpoint is enabled again: what was held meanwhile, and how it goes out.

Nothing is sent by itself: weeks of old news at full speed may be worse than none. A
member sees the plan and says at which rate, and whether news that newer ones replaced
should be left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from webhooks.delivery import requeue
from webhooks.delivery.requeue import Spread
from webhooks.models import Delivery, Endpoint

#: Nobody counts to the end of a longer queue.
MOST_COUNTED = 100_000
#: Groups whose object is the whole state: a later one says all that an earlier one did.
#: A refund, a dispute or a key is a thing of its own and is never replaced.
WHOLE = ("payment.", "fulfilment.", "subscription.", "payout.")

REPLACED = "A newer state of the same subject replaced it."


@dataclass(frozen=True, slots=True)
class Plan:
    """What waits: `held` deliveries, the `oldest` of them, how many a newer state of
    the same subject `replaced`, and at `rate` a second how long it `takes`.

    `more`: there are more than were counted.
    """

    held: int
    oldest: datetime | None
    replaced: int
    rate: int
    more: bool = False

    @property
    def takes(self) -> timedelta:
        return self.time_for(drop_replaced=False)

    def time_for(self, *, drop_replaced: bool, rate: int | None = None) -> timedelta:
        """How long it takes, with or without what was replaced."""
        count = self.held - (self.replaced if drop_replaced else 0)
        return timedelta(seconds=math.ceil(count / max(1, rate or self.rate)))


def plan(endpoint: Endpoint, rate: int | None = None) -> Plan:
    """What catching up would mean. `rate`: deliveries a second; half of what the
    endpoint takes unless given, so that new events are not behind the old ones."""
    rows = held(endpoint)
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    replaced = _replaced(endpoint).order_by()[: MOST_COUNTED + 1].count()
    oldest = rows.order_by("id").values_list("created", flat=True).first()
    return Plan(
        held=min(count, MOST_COUNTED),
        oldest=oldest,
        replaced=min(replaced, MOST_COUNTED),
        rate=rate or usual_rate(endpoint),
        more=count > MOST_COUNTED,
    )


def usual_rate(endpoint: Endpoint) -> int:
    """Half of what the endpoint takes."""
    return max(1, endpoint.rate // 2)


def held(endpoint: Endpoint) -> QuerySet[Delivery]:
    """What waits for a decision, some of which may have been replaced."""
    return Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.HELD)


def put(rows: QuerySet[Delivery], spread: Spread, by: str) -> int:
    """Queues held rows in the order in which they happened; how many."""
    return requeue.queue_again(rows, spread, by)


def drop_replaced(endpoint: Endpoint, ids: Sequence[int]) -> int:
    """Drops those of the held ones after which newer news of the same subject came;
    how many. The last of a row of states is never one of them."""
    stale = _replaced(endpoint).filter(pk__in=ids)
    return _drop(list(stale.values_list("pk", flat=True)), REPLACED)


def let_go(ids: Sequence[int], by: str) -> int:
    """Drops held ones; how many. They can still be sent again by hand."""
    return _drop(ids, f"Given up by {by} instead of sending it late.")


def _replaced(endpoint: Endpoint) -> QuerySet[Delivery]:
    """Held ones after which another of the same kind about the same subject came."""
    stale = Q()
    for group in WHOLE:
        later = Delivery.objects.filter(
            subject=OuterRef("subject"),
            id__gt=OuterRef("id"),
            endpoint=endpoint,
            name__startswith=group,
        ).exclude(state=Delivery.State.DROPPED)
        stale |= Q(Exists(later), name__startswith=group)
    return held(endpoint).filter(stale, subject__isnull=False)


def _drop(ids: Sequence[int], why: str) -> int:
    rows = Delivery.objects.filter(pk__in=ids, state=Delivery.State.HELD)
    return rows.update(
        state=Delivery.State.DROPPED, error=why[:300], done=timezone.now()
    )
