"""The doorbell: "look now". The work itself is rows, so a lost ring costs seconds.

`ring` wakes whoever does a job: with Redis an RQ job that carries no work, without it
an event in this process. `loop` is the sweep that runs every job on its own clock, so
that nothing depends on the bell.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import defaultdict
from functools import cache
from types import FrameType

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.utils.module_loading import import_string
from redis import Redis, RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

logger = logging.getLogger(__name__)

LOOK_UPS_JOB = "transactions.jobs.drain_look_ups"
BULK_JOB = "transactions.bulk_actions.run_due"
RULES_JOB = "transactions.reach.apply_rules"
#: Nobody rings for it: one may take minutes, and is begun within a second anyway.
EXPORTS_JOB = "transactions.exporting.run_due"

REFUNDS_JOB = "transactions.jobs.drain_refunds"
NEWS_JOB = "transactions.outgoing.tell_overdue"
DELIVERIES_JOB = "webhooks.jobs.deliver"
RESENDS_JOB = "webhooks.resends.run_due"
POLL_JOB = "transactions.poll.poll_due"

#: What the sweep runs and how many seconds it waits in between. Where Redis rings, the
#: sweep only finds what the bell missed.
PERIODIC: list[tuple[str, float]] = [
    (settings.INBOX_JOB, 2.0 if settings.REDIS_URL else 0.2),
    (LOOK_UPS_JOB, 1.0),
    (REFUNDS_JOB, 1.0),
    (DELIVERIES_JOB, 1.0 if settings.REDIS_URL else 0.3),
    (BULK_JOB, 2.0),
    (RESENDS_JOB, 2.0),
    (RULES_JOB, 2.0),
    (NEWS_JOB, 5.0),
    (POLL_JOB, 60.0),
    (EXPORTS_JOB, 1.0),
    ("transactions.totals.merge", 20.0),
    ("webhooks.jobs.alert", 60.0),
    ("webhooks.jobs.listen", 300.0),
    ("webhooks.jobs.tidy", 3600.0),
    ("merchant.idempotency.tidy", 3600.0),
    ("transactions.bulk_actions.tidy", 3600.0),
    ("transactions.exporting.tidy", 3600.0),
    ("merchant.health.beat", 10.0),
]

#: What `drain` empties, in this order until all of them find nothing.
DRAINED: dict[str, str] = {
    "inbound": settings.INBOX_JOB,
    "look_ups": LOOK_UPS_JOB,
    "refunds": REFUNDS_JOB,
    "news": NEWS_JOB,
    "rules": RULES_JOB,
    "bulk": BULK_JOB,
    "exports": EXPORTS_JOB,
    "resends": RESENDS_JOB,
    "deliveries": DELIVERIES_JOB,
}

#: Drains are quick and have a queue of their own; whatever asks a provider may wait
#: for it and must not make them wait.
QUICK, SLOW = "quick", "default"
#: Sending waits for the merchants' servers, which must not wait for a provider either.
SENDING = "sending"
QUEUE_OF = defaultdict(
    lambda: SLOW, {settings.INBOX_JOB: QUICK, DELIVERIES_JOB: SENDING}
)
QUEUES = (QUICK, SLOW, SENDING)

SECONDS_BETWEEN_RINGS = 0.05
SECONDS_AFTER_ERROR = 5.0
LONGEST_PAUSE = 30.0
SECONDS_TO_FINISH = 4.0

#: Set when this process is to end: a long job finishes what it has and begins no more.
ending = threading.Event()

_bells: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def ring(job: str) -> None:
    """Wakes the job after the commit; at once where no transaction is open.

    Never raises and never waits for Redis: a thread of its own talks to it, at most
    once per 50 ms, and not for some seconds after an error.
    """
    try:
        if connection.in_atomic_block:
            transaction.on_commit(lambda: _ring(job))
        else:
            _ring(job)
    except Exception:
        logger.exception("The bell for %s could not be rung; the sweep will look.", job)


def _ring(job: str) -> None:
    if settings.REDIS_URL:
        _ringer(os.getpid()).ring(job)
    _bells[job].set()


class Ringer:
    """Rings Redis from one thread, so that no request ever waits for it."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        threading.Thread(target=self._serve, name="ringer", daemon=True).start()

    def ring(self, job: str) -> None:
        with self._lock:
            self._waiting.add(job)
        self._wake.set()

    def _serve(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                jobs, self._waiting = self._waiting, set()
            time.sleep(self._send(jobs))

    def _send(self, jobs: set[str]) -> float:
        """Seconds to be quiet afterwards."""
        try:
            for job in jobs:
                enqueue_once(job)
        except (RedisError, OSError) as error:
            logger.warning(
                "Redis does not answer (%s); the sweep does the work.", error
            )
            return SECONDS_AFTER_ERROR
        return SECONDS_BETWEEN_RINGS


@cache
def _ringer(pid: int) -> Ringer:
    """This process's ringer; a thread does not survive a fork, hence the pid."""
    return Ringer()


@cache
def _redis(pid: int) -> Redis:
    """One client per process: a new one per call costs four fifths of the intake."""
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
    )


def rq_queue(name: str) -> Queue:
    return Queue(name, connection=_redis(os.getpid()), serializer=JSONSerializer)


def _mark(job: str) -> str:
    return f"merchant:rung:{job}"


def enqueue_once(job: str) -> bool:
    """Puts "look now" into Redis unless one already waits there. Raises RedisError.

    RQ's own fixed job id would not do: a job that is just running keeps its id, and a
    ring for what it has no longer seen would be taken for a second one. So a mark says
    that a ring waits, and the job wipes it before it looks. The mark goes by itself
    should a worker die in between.
    """
    if not _redis(os.getpid()).set(_mark(job), 1, nx=True, ex=10):
        return False
    rq_queue(QUEUE_OF[job]).enqueue(
        "merchant.queue.answer", job, result_ttl=0, failure_ttl=3600, description=job
    )
    return True


def answer(job: str) -> None:
    """What RQ runs for a ring."""
    _redis(os.getpid()).delete(_mark(job))
    _leave_stale_connections()
    import_string(job)()


def answer_rings(name: str) -> None:
    """An RQ worker for one queue, in this process, until SIGTERM.

    It does not fork: a drain takes milliseconds, a fork and a new database connection
    take twenty, and work that is cut off is found again by the sweep.
    """
    # A client of its own: it waits in Redis for minutes, a ring must not.
    client = Redis.from_url(settings.REDIS_URL)
    queues = [Queue(name, connection=client, serializer=JSONSerializer)]
    worker = Answerer(queues, connection=client, serializer=JSONSerializer)
    worker.work(logging_level="WARNING")


class Answerer(SimpleWorker):
    """Tells a job that runs long that the process is to end."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        ending.set()
        super().request_stop(signum, frame)


def drain() -> dict[str, int]:
    """Does here what is due now until nothing is left; how much of each."""
    done = dict.fromkeys(DRAINED, 0)
    found = 1
    while found:
        found = 0
        for name, job in DRAINED.items():
            handled = import_string(job)()
            done[name] += handled
            found += handled
    return done


def loop(stop: threading.Event) -> None:
    """The sweep: every job of PERIODIC in a thread of its own, until `stop` is set.

    A thread per job, so no job runs twice at once in a process and a slow provider
    holds up only the look-ups.
    """
    threads = [
        threading.Thread(target=_keep, args=(job, every, stop), name=job, daemon=True)
        for job, every in PERIODIC
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    ending.set()
    for job, _every in PERIODIC:
        _bells[job].set()
    end = time.monotonic() + SECONDS_TO_FINISH
    for thread in threads:
        thread.join(timeout=max(0.0, end - time.monotonic()))
    ending.clear()


def _keep(job: str, every: float, stop: threading.Event) -> None:
    """Runs the job on its clock; after an error it waits longer and longer."""
    pause = every
    while not stop.is_set():
        longer = min(max(pause, 0.5) * 2, max(every, LONGEST_PAUSE))
        pause = every if _run(job) else longer
        _bells[job].wait(pause)
        _bells[job].clear()
    connection.close()


def _run(job: str) -> bool:
    try:
        _leave_stale_connections()
        import_string(job)()
    except Exception:
        logger.exception("%s failed; it will be tried again.", job)
        connection.close()
        return False
    return True


def _leave_stale_connections() -> None:
    """A server may have gone and come back meanwhile; a file has not."""
    if connection.vendor != "sqlite":
        close_old_connections()
