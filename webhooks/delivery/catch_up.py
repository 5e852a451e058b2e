"""An endpoint is enabled again: what was held meanwhile, and how it goes out.

Nothing is sent by itself: weeks of old news at full speed may be worse than none. A
member sees the plan and says at which rate, and whether news that newer ones replaced
should be left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from merchant import audit, queue
from merchant.audit import Actor
from webhooks.delivery import requeue, resending
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


@dataclass(frozen=True, slots=True)
class Done:
    """How many were queued, and how many dropped."""

    queued: int
    dropped: int


def plan(endpoint: Endpoint, rate: int | None = None) -> Plan:
    """What catching up would mean. `rate`: deliveries a second; half of what the
    endpoint takes unless given, so that new events are not behind the old ones."""
    held = _held(endpoint)
    count = held.order_by()[: MOST_COUNTED + 1].count()
    replaced = _replaced(endpoint).order_by()[: MOST_COUNTED + 1].count()
    oldest = held.order_by("id").values_list("created", flat=True).first()
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


def carry_out(
    endpoint: Endpoint, *, by: Actor, rate: int | None = None, drop_replaced: bool
) -> Done:
    """Queues what is held, in the order in which it happened, `rate` a second.

    What is dropped says why. Raises resending.NotPossible while the endpoint is not
    enabled.
    """
    if endpoint.state != Endpoint.State.ENABLED:
        raise resending.NotPossible("The endpoint is not enabled.")
    dropped = _drop(_replaced(endpoint), REPLACED) if drop_replaced else 0
    rate = rate or usual_rate(endpoint)
    queued = requeue.queue_again(_held(endpoint), Spread(rate), resending.name_of(by))
    _note(endpoint, by, "endpoint.caught_up", queued=queued, dropped=dropped, rate=rate)
    queue.ring(queue.DELIVERIES_JOB)
    return Done(queued, dropped)


def let_go(endpoint: Endpoint, *, by: Actor) -> int:
    """Drops all that is held; returns how many. It can still be sent again by hand."""
    words = f"Given up by {resending.name_of(by)} instead of sending it late."
    dropped = _drop(_held(endpoint), words)
    _note(endpoint, by, "endpoint.held_dropped", dropped=dropped)
    return dropped


def _held(endpoint: Endpoint) -> QuerySet[Delivery]:
    return Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.HELD)


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
    return _held(endpoint).filter(stale, subject__isnull=False)


def _drop(rows: QuerySet[Delivery], why: str) -> int:
    dropped = 0
    # The last of a row of states is kept, so those before it are found batch by batch.
    for some in requeue.batches(rows):
        dropped += Delivery.objects.filter(
            pk__in=some, state=Delivery.State.HELD
        ).update(state=Delivery.State.DROPPED, error=why[:300], done=timezone.now())
    return dropped


def _note(endpoint: Endpoint, by: Actor, verb: str, **detail: int) -> None:
    audit.note(by, verb, endpoint, merchant=endpoint.project.merchant, detail=detail)
