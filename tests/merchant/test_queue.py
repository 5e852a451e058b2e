"""The bell wakes, never waits, and nothing is lost when it falls silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from merchant import queue
from tests.live import OwnRedis, until

JOB = f"{__name__}.look"
looks: list[float] = []


def look() -> int:
    looks.append(time.monotonic())
    return 0


@pytest.fixture(autouse=True)
def _nothing_looked_at() -> None:
    looks.clear()
    queue._bells.clear()


@pytest.fixture
def own_redis(tmp_path: Path, settings) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    settings.REDIS_URL = server.url
    _forget_clients()
    yield server
    server.end()
    _forget_clients()


def _forget_clients() -> None:
    queue._redis.cache_clear()
    queue._ringer.cache_clear()


def waiting(server: OwnRedis) -> int:
    return int(Redis.from_url(server.url).llen(f"rq:queue:{queue.SLOW}"))


def work_off(server: OwnRedis) -> None:
    """An RQ worker that does what waits and ends."""
    client = Redis.from_url(server.url)
    box = queue.Queue(queue.SLOW, connection=client, serializer=JSONSerializer)
    SimpleWorker([box], connection=client, serializer=JSONSerializer).work(
        burst=True, logging_level="ERROR"
    )


# ------------------------------------------------------------------- with Redis
@pytest.mark.redis
@pytest.mark.django_db
class TestWithRedis:
    def test_a_hundred_rings_are_one_job(self, own_redis: OwnRedis) -> None:
        for _ in range(100):
            queue._ring(JOB)
        until(lambda: waiting(own_redis) == 1)
        time.sleep(0.2)
        assert waiting(own_redis) == 1

    def test_a_ring_makes_the_worker_look_once(self, own_redis: OwnRedis) -> None:
        queue._ring(JOB)
        until(lambda: waiting(own_redis) == 1)
        work_off(own_redis)
        assert len(looks) == 1

    def test_a_ring_while_the_job_runs_is_another_job(
        self, own_redis: OwnRedis, monkeypatch
    ) -> None:
        queue.enqueue_once(JOB)
        once = iter([True])
        monkeypatch.setattr(
            f"{__name__}.look",
            lambda: (
                looks.append(0.0) or (next(once, False) and queue.enqueue_once(JOB))
            ),
        )
        work_off(own_redis)
        assert len(looks) == 2

    def test_redis_is_called_at_most_every_50_ms(
        self, own_redis: OwnRedis, monkeypatch
    ) -> None:
        calls: list[float] = []
        monkeypatch.setattr(
            queue, "enqueue_once", lambda job: calls.append(time.monotonic())
        )
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            queue._ring(JOB)
        assert 2 <= len(calls) <= 13
        gaps = [later - sooner for sooner, later in zip(calls, calls[1:], strict=False)]
        assert min(gaps) >= 0.05

    def test_a_frozen_redis_holds_up_nobody(
        self, own_redis: OwnRedis, monkeypatch
    ) -> None:
        monkeypatch.setattr(queue, "SECONDS_AFTER_ERROR", 0.2)
        own_redis.freeze()
        began = time.monotonic()
        for _ in range(200):
            queue._ring(JOB)
        assert time.monotonic() - began < 0.2
        time.sleep(1.5)  # the ringer's own second runs out meanwhile
        own_redis.thaw()
        queue._ring(JOB)
        until(lambda: waiting(own_redis) >= 1)

    def test_a_redis_that_is_gone_raises_nothing(self, own_redis: OwnRedis) -> None:
        own_redis.end()
        queue.ring(JOB)

    def test_after_a_flush_the_bell_rings_again(self, own_redis: OwnRedis) -> None:
        queue.enqueue_once(JOB)
        Redis.from_url(own_redis.url).flushall()
        assert queue.enqueue_once(JOB)
        assert waiting(own_redis) == 1

    def test_a_job_carries_a_name_and_no_pickle(self, own_redis: OwnRedis) -> None:
        queue.enqueue_once(JOB)
        client = Redis.from_url(own_redis.url)
        (id_,) = client.lrange(f"rq:queue:{queue.SLOW}", 0, -1)
        job = queue.rq_queue(queue.SLOW).fetch_job(id_.decode())
        assert job is not None
        assert (job.func_name, list(job.args)) == ("merchant.queue.answer", [JOB])


# ----------------------------------------------------------------- without Redis
@pytest.fixture
def embedded(settings) -> None:
    settings.REDIS_URL = ""


@pytest.fixture
def sweep(embedded: None, monkeypatch) -> Iterator[None]:
    """The loop with our job on a clock of half a minute."""
    monkeypatch.setattr(queue, "PERIODIC", [(JOB, 30.0)])
    stop = threading.Event()
    thread = threading.Thread(target=queue.loop, args=(stop,))
    thread.start()
    until(lambda: looks, what="the first look")
    yield
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_ring_wakes_the_sweep_at_once(sweep: None) -> None:
    rung = time.monotonic()
    queue.ring(JOB)
    until(lambda: len(looks) == 2, 5)
    assert looks[1] - rung < 0.5


@pytest.mark.django_db(transaction=True)
def test_a_ring_waits_for_the_commit(sweep: None) -> None:
    with transaction.atomic():
        queue.ring(JOB)
        time.sleep(0.3)
        assert len(looks) == 1
    until(lambda: len(looks) == 2, 5)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_does_not_ring(sweep: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.ring(JOB)
        _ = 1 / 0
    time.sleep(0.3)
    assert len(looks) == 1


@pytest.mark.django_db
def test_the_sweep_survives_an_error_and_tries_again(
    embedded: None, monkeypatch
) -> None:
    def fail() -> int:
        looks.append(time.monotonic())
        raise RuntimeError("the world ended")

    monkeypatch.setattr(f"{__name__}.look", fail)
    monkeypatch.setattr(queue, "PERIODIC", [(JOB, 0.05)])
    stop = threading.Event()
    thread = threading.Thread(target=queue.loop, args=(stop,))
    thread.start()
    until(lambda: len(looks) >= 2, 10)
    stop.set()
    thread.join(timeout=10)
    assert looks[1] - looks[0] >= 0.9  # a second and not a twentieth


@pytest.mark.django_db
def test_a_job_never_runs_twice_at_once(embedded: None, monkeypatch) -> None:
    running, most = 0, 0

    def slow() -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        looks.append(0.0)
        time.sleep(0.05)
        running -= 1
        return 0

    monkeypatch.setattr(f"{__name__}.look", slow)
    monkeypatch.setattr(queue, "PERIODIC", [(JOB, 0.01)])
    stop = threading.Event()
    thread = threading.Thread(target=queue.loop, args=(stop,))
    thread.start()
    for _ in range(20):
        queue._ring(JOB)
        time.sleep(0.01)
    stop.set()
    thread.join(timeout=10)
    assert len(looks) > 2
    assert most == 1


@pytest.mark.django_db
def test_draining_goes_on_until_nothing_is_found(monkeypatch) -> None:
    left = iter([3, 2])
    monkeypatch.setattr(f"{__name__}.look", lambda: next(left, 0))
    monkeypatch.setattr(queue, "DRAINED", {"inbound": JOB})
    assert queue.drain() == {"inbound": 5}


@pytest.mark.django_db
def test_an_idle_look_costs_few_statements(django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(1):
        queue.import_string(queue.settings.INBOX_JOB)()


def test_ringing_asks_the_database_nothing(embedded: None) -> None:
    """No database is allowed here at all: a ring must not need one."""
    assert not connection.in_atomic_block
    queue.ring(JOB)
    assert queue._bells[JOB].is_set()
