"""How an endpoint does, at a glance: from its newest deliveries and no more.

An index holds an endpoint's deliveries by age and a delivery's attempts by number, so
a look costs the same whether the log is short or years long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from webhooks.catalogue import TEST
from webhooks.models import Attempt, Delivery, Endpoint

#: What is looked at: this long, and so many deliveries at most.
SPAN = timedelta(days=1)
MOST_LOOKED_AT = 1_000
#: Nobody needs to know how many more than this wait.
MOST_COUNTED = 1_000

State = Delivery.State


@dataclass(frozen=True, slots=True)
class Health:
    """`tries`: attempts of the last day that were looked at, without tests;
    `succeeded` of them were acknowledged. `p95`: milliseconds that 95 of 100 of those
    took at most, None without any. `next_try`: when the next waiting delivery goes out.
    `waiting`, `held`: counted up to MOST_COUNTED + 1.
    """

    endpoint: Endpoint
    tries: int = 0
    succeeded: int = 0
    p95: int | None = None
    next_try: datetime | None = None
    waiting: int = 0
    held: int = 0

    @property
    def rate(self) -> float | None:
        """The share that was acknowledged, 0 to 1; None while nothing was sent."""
        return self.succeeded / self.tries if self.tries else None

    @property
    def is_failing(self) -> bool:
        enabled = self.endpoint.state == Endpoint.State.ENABLED
        return enabled and self.endpoint.failing is not None


def of_all(endpoints: Iterable[Endpoint], now: datetime) -> list[Health]:
    return [of(endpoint, now) for endpoint in endpoints]


def of(endpoint: Endpoint, now: datetime) -> Health:
    tries = _tries(endpoint, now)
    spans = sorted(ms for ok, ms in tries if ok)
    waiting = count(endpoint, State.PENDING)
    return Health(
        endpoint,
        tries=len(tries),
        succeeded=len(spans),
        p95=percentile(spans, 95),
        next_try=_next_try(endpoint, now) if waiting else None,
        waiting=waiting,
        held=count(endpoint, State.HELD),
    )


def percentile(values: list[int], share: int) -> int | None:
    """The smallest of the sorted values that `share` of 100 are not above."""
    if not values:
        return None
    return values[max(0, -(-len(values) * share // 100) - 1)]


def _tries(endpoint: Endpoint, now: datetime) -> list[tuple[bool, int]]:
    """(acknowledged, milliseconds) of each.

    "From this endpoint to this one", in the order of the index that holds each
    endpoint's newest: said as plain equality, PostgreSQL may go through everybody's
    newest rows to find those of an endpoint that has been silent for long.
    """
    rows = Delivery.objects.filter(endpoint__gte=endpoint.pk, endpoint__lte=endpoint.pk)
    newest = rows.exclude(name=TEST.name).order_by("endpoint_id", "-id")
    ids = list(newest.values_list("id", flat=True)[:MOST_LOOKED_AT])
    if not ids:
        return []
    tries = Attempt.objects.filter(
        delivery__in=ids, delivery__gte=ids[-1], at__gt=now - SPAN
    )
    found = tries.values_list("outcome", "total_ms")
    return [(outcome == "ok", ms) for outcome, ms in found]


def _next_try(endpoint: Endpoint, now: datetime) -> datetime | None:
    """Not before a receiver that is slowed down may be asked again."""
    waits = Delivery.objects.filter(endpoint=endpoint, state=State.PENDING)
    due = waits.aggregate(first=Min("due"))["first"]
    moments = [when for when in (due, endpoint.slow_until) if when]
    return max([*moments, now]) if due else None


def count(endpoint: Endpoint, state: str) -> int:
    """Its deliveries in a state, up to MOST_COUNTED + 1."""
    rows = Delivery.objects.filter(endpoint=endpoint, state=state)
    return rows.order_by()[: MOST_COUNTED + 1].count()
