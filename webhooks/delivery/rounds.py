"""Letters out: claim what is due, send many at once, note what came of each.

Two threads share the work. This one has the database: it claims, writes the letters and
notes results. The courier (merchant.http.courier) has the network: it sends what it is
given, four at a time to each endpoint, and lays what came of it where this one finds
it. So letters are under way while the database is asked, and a slow endpoint holds up
nobody. They share no rows, only posts and what became of them. What the courier has not
begun when an endpoint gets into trouble comes back, and is let go.

What kills a worker loses nothing: its leases run out and the deliveries go out again,
under the same id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from django.utils import timezone

from merchant import queue, vault
from merchant.http import Courier, Ended, Post
from webhooks import secrets
from webhooks.delivery import claims, health, letters, notes, schedule
from webhooks.delivery.claims import Claimed, Claims
from webhooks.delivery.notes import Result

logger = logging.getLogger(__name__)

#: Deliveries that one worker has in hand, under way or waiting for their turn.
IN_HAND = 2000
#: Results are noted when there are so many, or when the first has waited so long.
BATCH, LONGEST_UNNOTED = 1000, 0.03
#: While some are under way one looks for more this often, seconds; where a rate lets
#: the next one out sooner, then.
LOOK_AGAIN, SHORTEST_PAUSE = 0.1, 0.002
#: A run ends by itself, so that a queue's worker can be stopped, and none is frozen.
LONGEST_RUN = 30.0
#: A try is begun only in the first part of its lease.
LATEST_START = 20.0
#: Connections are closed when nothing went out for so long, seconds.
IDLE = 60.0
#: One that cannot be signed is looked at again after so long, seconds.
PUT_OFF = 300.0

_kept = threading.local()


def deliver() -> int:
    """Sends everything that is due, and what becomes due within the second while it is
    at it; returns how many tries were made."""
    run = Run(_courier())
    try:
        tried = run.to_the_end()
        if tried:
            _kept.used = time.monotonic()
        return tried
    except BaseException:
        # What is under way is left to its lease; connections may be in any state.
        _close()
        raise


def _courier() -> Courier:
    """This thread's, with its connections, kept between two runs that follow one
    another."""
    courier = getattr(_kept, "courier", None)
    if courier is not None and (
        time.monotonic() - _kept.used > IDLE or not courier.is_alive()
    ):
        _close()
        courier = None
    if courier is None:
        courier = _kept.courier = Courier(at_once=claims.AT_ONCE)
        _kept.used = time.monotonic()
    return courier


def _close() -> None:
    courier = getattr(_kept, "courier", None)
    _kept.courier = None
    if courier is not None:
        courier.close()


class Run:
    """One run of the sender."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.claims = Claims()
        self.began = time.monotonic()
        self.look_at = 0.0
        self.results: list[Result] = []
        self.let_go: list[Claimed] = []
        self.oldest = 0.0
        self.tried = 0

    def to_the_end(self) -> int:
        while True:
            self._look_for_more()
            if not self._is_busy() and (self.claims.wait is None or self._is_over()):
                return self.tried
            for ended in self.courier.ended(self._patience()):
                self._take(ended)
            if self._should_note():
                self._note()

    def _is_busy(self) -> bool:
        return bool(len(self.courier)) or self._is_waiting()

    def _is_over(self) -> bool:
        return time.monotonic() - self.began > LONGEST_RUN or queue.ending.is_set()

    def _patience(self) -> float:
        """Seconds until there is something to do besides what comes in."""
        if self._is_waiting():
            return max(0.0, self.oldest + LONGEST_UNNOTED - time.monotonic())
        return max(0.0, self.look_at - time.monotonic())

    # ------------------------------------------------------------------------- to send
    def _look_for_more(self) -> None:
        if time.monotonic() < self.look_at or self._is_over():
            return
        room = IN_HAND - self.claims.in_hand.total()
        taken = self.claims.take(room)
        self._read_secrets(taken)
        for claimed in taken:
            self._begin(claimed)
        wait = self.claims.wait
        pause = LOOK_AGAIN if wait is None else min(wait, LOOK_AGAIN)
        self.look_at = time.monotonic() + max(pause, SHORTEST_PAUSE)

    def _read_secrets(self, taken: Iterable[Claimed]) -> None:
        """All at once. One that does not open is told of with its own delivery."""
        endpoints = {one.endpoint.pk: one.endpoint for one in taken}
        with suppress(vault.Locked):
            secrets.read_ahead(endpoints.values())

    def _begin(self, claimed: Claimed) -> None:
        now = timezone.now()
        if (claimed.until - now).total_seconds() < claims.LEASE_SECONDS - LATEST_START:
            # Frozen in between: by now another worker may have it.
            self.claims.came_back([claimed])
            return
        try:
            letter = letters.of(claimed, now)
            tag, lane = (claimed, letter.shown), claimed.endpoint.pk.int
            self.courier.begin(Post(tag, letter.url, letter.headers, letter.body, lane))
            return
        except letters.NoWords as error:
            notes.drop(claimed, str(error), now)
        except (secrets.NoKeys, vault.Locked) as error:
            notes.put_off(claimed, str(error), PUT_OFF, now)
        except Exception as error:
            logger.exception("Delivery %s cannot be written", claimed.id)
            words = f"The letter could not be written: {type(error).__name__}."
            notes.put_off(claimed, words, PUT_OFF, now)
        self.claims.came_back([claimed])

    # ------------------------------------------------------------------------- to note
    def _take(self, ended: Ended) -> None:
        claimed, shown = ended.tag
        if not self._is_waiting():
            self.oldest = time.monotonic()
        if not ended.begun:
            self.let_go.append(claimed)
            return
        now = timezone.now()
        answer = ended.answer
        verdict = schedule.judge(answer.status, answer.headers, ended.trouble, now)
        self.results.append(Result(claimed, now, ended, verdict, shown))

    def _is_waiting(self) -> bool:
        """Whether there is something to note."""
        return bool(self.results or self.let_go)

    def _should_note(self) -> bool:
        return self._is_waiting() and (
            len(self.results) >= BATCH
            or not len(self.courier)
            or time.monotonic() - self.oldest >= LONGEST_UNNOTED
        )

    def _note(self) -> None:
        results, self.results = self.results, []
        let_go, self.let_go = self.let_go, []
        notes.write(results)
        notes.let_go(let_go)  # before an endpoint is disabled: so they are held, too
        health.note(results)
        self.claims.came_back(result.claimed for result in results)
        self.claims.came_back(let_go, begun=False)
        self.tried += len(results)
        self.look_at = 0.0  # there is room again
