"""Which deliveries a worker takes next: fair to all endpoints, and nobody takes twice.

An endpoint's row is locked while some of its deliveries are taken, so that its limits
(so many at once, so many a second) hold however many workers there are. Between those
few milliseconds no lock is held: a taken delivery carries a lease.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from webhooks.delivery import claim_sql
from webhooks.models import Endpoint

#: A claim is good for this long: a try's deadline, and time to note what came of it.
LEASE_SECONDS = 45
LEASE = timedelta(seconds=LEASE_SECONDS)
#: Deliveries that an endpoint is sent at the same time.
AT_ONCE = 4
#: What an endpoint's rate left unused is made up for within so much time.
CREDIT = timedelta(seconds=0.05)
#: An event waits for an earlier one of its subject that is tried within so many
#: seconds, until that has failed this often.
PATIENCE = timedelta(seconds=10)
FAILED_ENOUGH = 2
#: What is due later than that is left to the next round, seconds.
SOON = 1.0

#: What of an endpoint the sender needs.
_NEEDED = (
    "project_id", "url", "dialect", "sealed_headers", "state", "rate", "failing",
    "slow", "slow_until", "paced",
)  # fmt: skip


@dataclass(slots=True)
class Claimed:
    """A delivery that is ours to send until `until`, with its event and endpoint.

    `created`: when the delivery was entered; `happened`: when the event was.
    """

    lease: UUID
    until: datetime
    endpoint: Endpoint
    id: int
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


def take(room: int, under_way: Mapping[UUID, int]) -> Catch:
    """Claims at most `room` deliveries that are due.

    `under_way`: how many this worker has at each endpoint. What a laptop listens for
    is left to it (manage.py listen).
    """
    ready, wait = _ready(under_way, timezone.now())
    if not ready or room <= 0:
        return Catch([], wait)
    with transaction.atomic():
        endpoints = _locked(ready)
        now = timezone.now()
        taken = claim_sql.leased(endpoints, now)
        for pk, number in under_way.items():
            taken[pk] = max(number, taken[pk])
        most = _shares(endpoints.values(), room, taken, now)
        claimed = _pick(endpoints, most, now) if most else []
        _pace(endpoints, Counter(one.endpoint.pk for one in claimed), now)
    return Catch(claimed, wait)


# ------------------------------------------------------------------- which endpoints
def _ready(
    under_way: Mapping[UUID, int], now: datetime
) -> tuple[list[UUID], float | None]:
    """Endpoints that may be sent something now, and seconds until others may."""
    ready, wait = [], None
    at = now.timestamp()
    for endpoint, kind, moment in claim_sql.waiting():
        if kind == Endpoint.Kind.FORWARD:
            continue
        if moment > at:
            if moment - at <= SOON:
                wait = min(moment - at, wait or SOON)
        elif under_way.get(endpoint, 0) < AT_ONCE:
            ready.append(endpoint)
    return ready, wait


def _locked(ready: Sequence[UUID]) -> dict[UUID, Endpoint]:
    """Those whose rows nobody else is at, still as they should be."""
    rows = Endpoint.objects.filter(pk__in=ready, state=Endpoint.State.ENABLED)
    found = list(rows.only(*_NEEDED).select_for_update(skip_locked=True))
    random.shuffle(found)
    return {endpoint.pk: endpoint for endpoint in found}


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
    if times:
        claim_sql.pace(times)


def _pick(
    endpoints: Mapping[UUID, Endpoint], most: Mapping[UUID, int], now: datetime
) -> list[Claimed]:
    """Leases the first few of each; in the order in which they are due."""
    lease, until = uuid4(), now + LEASE
    rows = claim_sql.pick(
        most,
        now,
        patience=now + PATIENCE,
        enough=FAILED_ENOUGH,
        lease=lease,
        until=until,
    )
    return [_claimed(lease, until, endpoints[row[0]], row) for row in rows]


def _claimed(
    lease: UUID, until: datetime, endpoint: Endpoint, row: Sequence[Any]
) -> Claimed:
    _, pk, tries, made, created, key, name, livemode, kind, payload, happened = row
    return Claimed(
        lease,
        until,
        endpoint,
        pk,
        tries,
        made,
        datetime.fromtimestamp(created, UTC),
        key,
        name,
        livemode,
        kind,
        payload,
        datetime.fromtimestamp(happened, UTC),
    )
