"""Which deliveries a worker takes next: fair to all endpoints, and nobody takes twice.

An endpoint's row is locked while some of its deliveries are taken, so that its limits
(so many at once, so many a second) hold however many workers there are. Between those
few milliseconds no lock is held: a taken delivery carries a lease.

Of an endpoint that is well a stock is claimed, so that its letters go out while the
database is asked for more; so many at once is seen to by the sender.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from webhooks import outbox
from webhooks.delivery import claim_sql
from webhooks.delivery.claim_sql import Share
from webhooks.dialects.base import News
from webhooks.models import Endpoint, Event

#: A claim is good for this long: a try's deadline, and time to note what came of it.
LEASE_SECONDS = 45
LEASE = timedelta(seconds=LEASE_SECONDS)
#: Deliveries that an endpoint is sent at the same time.
AT_ONCE = 4
#: Deliveries that one worker claims for an endpoint that is well, with those under way.
STOCK = 32
#: What an endpoint's rate left unused is made up for within so much time.
CREDIT = timedelta(seconds=0.05)
#: An event waits for an earlier one of its subject that is tried within so many
#: seconds, until that has failed this often.
PATIENCE = timedelta(seconds=10)
FAILED_ENOUGH = 2
#: What is due later than that is left to the next run, seconds.
SOON = 1.0
#: All endpoints are looked at this often, seconds; where that takes long, less often,
#: so that it takes no more than this share of a run.
LOOK_AGAIN, MOST_LOOKING = 0.1, 0.1
#: Events that a run remembers: most go to several endpoints, one after the other.
REMEMBERED = 200

#: What of an endpoint the sender needs.
_NEEDED = (
    "project_id", "url", "dialect", "sealed_headers", "state", "rate", "failing",
    "slow", "slow_until", "paced",
)  # fmt: skip


@dataclass(slots=True)
class Claimed:
    """A delivery that is ours to send until `until`, with its event and endpoint.

    `created`: when the delivery was entered.
    """

    lease: UUID
    until: datetime
    endpoint: Endpoint
    id: int
    tries: int
    attempts_made: int
    created: datetime
    news: News


class Claims:
    """What one run of a worker takes, and where it finds more.

    in_hand     how many it has of each endpoint: claimed, and not yet noted
    wait        in how many seconds more can be claimed; None: not soon
    """

    def __init__(self) -> None:
        self.in_hand: Counter[UUID] = Counter()
        #: Endpoints for which something waits, and from when they may be sent it; those
        #: of which we have enough: never, until some of it has come back.
        self._from: dict[UUID, float] = {}
        #: Endpoints that were too slow for a stock.
        self._tardy: set[UUID] = set()
        self._look_at = 0.0
        self._is_fresh = False
        self._news: dict[int, News] = {}

    def take(self, room: int) -> list[Claimed]:
        """Claims at most `room` deliveries that are due.

        What a laptop listens for is left to it (manage.py listen).
        """
        if time.monotonic() >= self._look_at:
            self._look()
        ready = self._ready()
        if not ready and not self._is_fresh:
            self._look()
            ready = self._ready()
        if not ready or room <= 0:
            return []
        self._is_fresh = False
        lease, now = uuid4(), timezone.now()
        until = now + LEASE
        with transaction.atomic():
            endpoints = _locked(ready)
            free = {
                pk: self._depth(endpoint) - self.in_hand[pk]
                for pk, endpoint in endpoints.items()
            }
            shares = _shares(endpoints, free, room, self.in_hand, now)
            rows = _pick(shares, now, lease, until) if shares else []
            picked = Counter(row[0] for row in rows)
            _pace(endpoints, picked, now)
        for pk in ready:
            self._from.pop(pk)
        for pk, endpoint in endpoints.items():
            self._expect(endpoint, free[pk], shares.get(pk), picked[pk], now)
        claimed = self._with_news(lease, until, endpoints, rows)
        self.in_hand.update(one.endpoint.pk for one in claimed)
        return claimed

    def came_back(self, claimed: Iterable[Claimed], *, begun: bool = True) -> None:
        """They are noted or, not `begun`, let go: there may be more to claim."""
        numbers = Counter(one.endpoint.pk for one in claimed)
        self.in_hand.subtract(numbers)
        for pk in numbers:
            if self._from.get(pk, inf) == inf:
                self._from[pk] = 0.0
        self._is_fresh = self._is_fresh and not numbers
        if not begun:
            self._tardy.update(numbers)

    @property
    def wait(self) -> float | None:
        first = min(
            (at for pk, at in self._from.items() if self._has_room(pk)), default=inf
        )
        wait = max(0.0, first - time.time())
        return wait if wait <= SOON else None

    # --------------------------------------------------------------- where more waits
    def _look(self) -> None:
        began = time.monotonic()
        full = {pk for pk, moment in self._from.items() if moment == inf}
        self._from = dict.fromkeys(full, inf)
        for pk, kind, moment in claim_sql.waiting():
            if kind != Endpoint.Kind.FORWARD and pk not in full:
                self._from[pk] = moment
        ended = time.monotonic()
        self._look_at = ended + max(LOOK_AGAIN, (ended - began) / MOST_LOOKING)
        self._is_fresh = True

    def _ready(self) -> list[UUID]:
        now = time.time()
        return [pk for pk, at in self._from.items() if at <= now and self._has_room(pk)]

    def _has_room(self, endpoint: UUID) -> bool:
        """A stock goes down by half before it is filled up again, so that claims are
        few and large."""
        return self.in_hand[endpoint] <= STOCK // 2

    def _expect(
        self,
        endpoint: Endpoint,
        free: int,
        share: Share | None,
        picked: int,
        now: datetime,
    ) -> None:
        """Remembers when to come back to an endpoint that was just asked."""
        if free <= 0:
            self._from[endpoint.pk] = inf
        elif share is None or picked == share.most:
            rest = endpoint.slow_until or now
            paced = endpoint.paced or now
            self._from[endpoint.pk] = max(rest, paced).timestamp()

    def _depth(self, endpoint: Endpoint) -> int:
        """How many this worker may have of it: more than go out at once only while it
        is well and quick."""
        is_well = endpoint.failing is None and not endpoint.slow
        if is_well and endpoint.pk not in self._tardy:
            return STOCK
        return _at_once(endpoint)

    # ----------------------------------------------------------------- what they say
    def _with_news(
        self,
        lease: UUID,
        until: datetime,
        endpoints: Mapping[UUID, Endpoint],
        rows: Iterable[Sequence[Any]],
    ) -> list[Claimed]:
        rows = list(rows)
        self._read({row[2] for row in rows})
        claimed = [
            Claimed(
                lease,
                until,
                endpoints[endpoint],
                pk,
                tries,
                made,
                datetime.fromtimestamp(created, UTC),
                self._news[event],
            )
            for endpoint, pk, event, tries, made, created in rows
            if event in self._news
        ]
        for event in list(self._news)[:-REMEMBERED]:
            del self._news[event]
        return claimed

    def _read(self, events: set[int]) -> None:
        """An event is written once and never changed."""
        missing = events - self._news.keys()
        if missing:
            rows = Event.objects.filter(pk__in=missing)
            for pk, *values in rows.values_list("pk", *_TOLD):
                self._news[pk] = outbox.news_of(dict(zip(_TOLD, values, strict=True)))


_TOLD = ("key", "name", "livemode", "subject_kind", "payload", "created")


# ------------------------------------------------------------------- which endpoints
def _locked(ready: Sequence[UUID]) -> dict[UUID, Endpoint]:
    """Those whose rows nobody else is at, still as they should be."""
    rows = Endpoint.objects.filter(pk__in=ready, state=Endpoint.State.ENABLED)
    found = list(rows.only(*_NEEDED).select_for_update(skip_locked=True))
    random.shuffle(found)
    return {endpoint.pk: endpoint for endpoint in found}


def _shares(
    endpoints: Mapping[UUID, Endpoint],
    free: Mapping[UUID, int],
    room: int,
    in_hand: Mapping[UUID, int],
    now: datetime,
) -> dict[UUID, Share]:
    """How many of each may be claimed; one more of each in turn while there is room."""
    most = {}
    for pk, endpoint in endpoints.items():
        if (number := min(free[pk], _allowance(endpoint, now))) > 0:
            most[pk] = number
    numbers = Counter(most) if sum(most.values()) <= room else _in_turn(most, room)
    return {
        pk: Share(number, in_hand.get(pk, 0), _at_once(endpoints[pk]))
        for pk, number in numbers.items()
    }


def _in_turn(most: dict[UUID, int], room: int) -> Counter[UUID]:
    numbers: Counter[UUID] = Counter()
    while room > 0:
        for pk in list(most)[:room]:
            numbers[pk] += 1
            most[pk] -= 1
            room -= 1
            if not most[pk]:
                del most[pk]
    return numbers


def _at_once(endpoint: Endpoint) -> int:
    return 1 if endpoint.slow else AT_ONCE


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
    endpoints: Mapping[UUID, Endpoint], picked: Mapping[UUID, int], now: datetime
) -> None:
    """Notes when the endpoints' rates let the next one out."""
    times = {}
    for pk, count in picked.items():
        step = timedelta(seconds=count / max(1, endpoints[pk].rate))
        times[pk] = endpoints[pk].paced = _paced(endpoints[pk], now) + step
    if times:
        claim_sql.pace(times)


def _pick(
    shares: Mapping[UUID, Share], now: datetime, lease: UUID, until: datetime
) -> list[Sequence[Any]]:
    """Leases the first few of each; in the order in which they are due."""
    return claim_sql.pick(
        shares,
        now,
        patience=now + PATIENCE,
        enough=FAILED_ENOUGH,
        lease=lease,
        until=until,
    )
