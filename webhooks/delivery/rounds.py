"""Letters out: claim what is due, send many at once, note what came of each.

While some are under way others are claimed and sent, so that a slow endpoint holds up
nobody. What kills a worker loses nothing: its leases run out and the deliveries go out
again, under the same id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from uuid import UUID

from django.utils import timezone

from merchant import queue, vault
from merchant.http import Ended, Many, Post
from webhooks import secrets
from webhooks.delivery import claims, health, letters, notes, schedule
from webhooks.delivery.claims import Claimed
from webhooks.delivery.notes import Result

logger = logging.getLogger(__name__)

#: Deliveries that one worker has under way.
AT_ONCE = 400
#: Results are noted when there are so many, or when the first has waited so long.
BATCH, LONGEST_UNNOTED = 200, 0.03
#: While some are under way one looks for more this often, seconds.
LOOK_AGAIN = 0.1
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
    run = Run(_many())
    try:
        tried = run.to_the_end()
        if tried:
            _kept.used = time.monotonic()
        return tried
    except BaseException:
        # What is under way is left to its lease; connections may be in any state.
        _close()
        raise


def _many() -> Many:
    """This thread's connections, kept between two runs that follow one another."""
    many = getattr(_kept, "many", None)
    if many is not None and time.monotonic() - _kept.used > IDLE:
        _close()
        many = None
    if many is None:
        many = _kept.many = Many()
        _kept.used = time.monotonic()
    return many


def _close() -> None:
    many = getattr(_kept, "many", None)
    _kept.many = None
    if many is not None:
        many.close()


class Run:
    """One run of the sender."""

    def __init__(self, many: Many) -> None:
        self.many = many
        self.began = time.monotonic()
        self.look_at = 0.0
        self.wait: float | None = None
        self.under_way: Counter[UUID] = Counter()
        self.results: list[Result] = []
        self.oldest = 0.0
        self.tried = 0

    def to_the_end(self) -> int:
        while True:
            self._look_for_more()
            if not self._is_busy() and (self.wait is None or self._is_over()):
                return self.tried
            for ended in self.many.ended(self._patience()):
                self._take(ended)
            if self._should_note():
                self._note()

    def _is_busy(self) -> bool:
        return bool(len(self.many) or self.results)

    def _is_over(self) -> bool:
        return time.monotonic() - self.began > LONGEST_RUN or queue.ending.is_set()

    def _patience(self) -> float:
        """Seconds until there is something to do besides what comes in."""
        if self.results:
            return max(0.0, self.oldest + LONGEST_UNNOTED - time.monotonic())
        return max(0.0, self.look_at - time.monotonic())

    # ------------------------------------------------------------------------- to send
    def _look_for_more(self) -> None:
        if self._is_over():
            self.wait = None
            self.look_at = time.monotonic() + LOOK_AGAIN
            return
        if time.monotonic() < self.look_at:
            return
        room = AT_ONCE - self.under_way.total()
        catch = claims.take(room, self.under_way)
        for claimed in catch.claimed:
            self._begin(claimed)
        self.wait = catch.wait
        self.look_at = time.monotonic() + min(LOOK_AGAIN, catch.wait or LOOK_AGAIN)

    def _begin(self, claimed: Claimed) -> None:
        now = timezone.now()
        if (claimed.until - now).total_seconds() < claims.LEASE_SECONDS - LATEST_START:
            return  # frozen in between: by now another worker may have it
        try:
            letter = letters.of(claimed, now)
            tag = (claimed, letter.shown)
            self.many.begin(Post(tag, letter.url, letter.headers, letter.body))
        except letters.NoWords as error:
            notes.drop(claimed, str(error), now)
        except (secrets.NoKeys, vault.Locked) as error:
            notes.put_off(claimed, str(error), PUT_OFF, now)
        except Exception as error:
            logger.exception("Delivery %s cannot be written", claimed.id)
            words = f"The letter could not be written: {type(error).__name__}."
            notes.put_off(claimed, words, PUT_OFF, now)
        else:
            self.under_way[claimed.endpoint.pk] += 1

    # ------------------------------------------------------------------------- to note
    def _take(self, ended: Ended) -> None:
        claimed, shown = ended.tag
        self.under_way[claimed.endpoint.pk] -= 1
        now = timezone.now()
        answer = ended.answer
        verdict = schedule.judge(answer.status, answer.headers, ended.trouble, now)
        if not self.results:
            self.oldest = time.monotonic()
        self.results.append(Result(claimed, now, ended, verdict, shown))

    def _should_note(self) -> bool:
        return bool(self.results) and (
            len(self.results) >= BATCH
            or not len(self.many)
            or time.monotonic() - self.oldest >= LONGEST_UNNOTED
        )

    def _note(self) -> None:
        results, self.results = self.results, []
        notes.write(results)
        health.note(results)
        self.tried += len(results)
        self.under_way = +self.under_way
        self.look_at = 0.0  # there is room again
