"""kill -9 of the sender at every step, and Redis emptied: no letter is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from tests.factories import make_project
from tests.live import MANAGE, ROOT, House, OwnRedis, own_database, until
from tests.webhooks.delivery.parts import make_endpoint, publish, receiver
from tests.webhooks.delivery.test_killed import STEPS
from webhooks import jobs
from webhooks.delivery import claims
from webhooks.models import Attempt, Delivery

ENDPOINTS, EVENTS = 3, 200


def die_at(step: str, number: int) -> None:
    """A worker whose process is killed when it comes to the step for that time."""
    connections.close_all()
    where, name, _gone = STEPS[step]
    real, times = getattr(where, name), iter(range(1, number))

    def perhaps(*given: Any, **more: Any) -> Any:
        if next(times, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **more)

    setattr(where, name, perhaps)
    jobs.deliver()


def pass_the_leases() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.exclude(lease=None).update(leased_until=past)


@pytest.mark.django_db(transaction=True)
def test_killed_at_every_step(settings: Any) -> None:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    project, context = make_project(), multiprocessing.get_context("fork")
    with receiver() as shop:
        for number in range(ENDPOINTS):
            make_endpoint(project, f"{shop.url}/{number}")
        publish(project, EVENTS)
        for turn, step in enumerate(STEPS):
            connections.close_all()
            worker = context.Process(target=die_at, args=(step, 1 + turn % 3))
            worker.start()
            worker.join(30)
            assert worker.exitcode == -signal.SIGKILL, step
            pass_the_leases()
        assert Delivery.objects.filter(state="pending").exists()
        jobs.deliver()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Attempt.objects.count() == ENDPOINTS * EVENTS
    copies = Counter(heard.id for heard in shop.heard)
    assert len(copies) == EVENTS
    # A letter that was out already may go out once more for each kill after it.
    after = sum(gone for _where, _name, gone in STEPS.values())
    assert max(copies.values()) <= ENDPOINTS * (1 + after)
    extra = len(shop.heard) - ENDPOINTS * EVENTS
    assert 0 < extra <= after * ENDPOINTS * claims.STOCK


# ------------------------------------------------------------- the product's processes
BEGIN = """
from tests.factories import make_project
from tests.webhooks.delivery.parts import make_endpoint, publish
make_endpoint(project := make_project(), {url!r})
publish(project, 20)
"""
GO_ON = """
from merchant.models import Project
from tests.webhooks.delivery.parts import publish
from webhooks.models import Delivery
first = Delivery.objects.earliest("id")
Delivery.objects.exclude(lease=None).update(leased_until=first.created)
publish(Project.objects.get(), 10)
"""


def say(house: House, code: str) -> None:
    """Does something in the house's own database."""
    subprocess.run(
        [*MANAGE, "shell", "--no-imports", "-c", code],
        env=house.environment | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
    )


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    place = tmp_path / "redis"
    place.mkdir()
    server = OwnRedis(place)
    yield server
    server.end()


@pytest.mark.server
@pytest.mark.redis
def test_an_emptied_redis_and_a_killed_worker_lose_nothing(
    tmp_path: Path, redis: OwnRedis
) -> None:
    with own_database() as database, receiver() as shop:
        house = House(
            tmp_path, ALLOW_PRIVATE_ENDPOINTS="on", REDIS_URL=redis.url, **database
        )
        say(house, BEGIN.format(url=shop.url))
        flush(redis)
        shop.answer = slowly
        with house.running("work") as worker:
            until(lambda: len(shop.heard) >= 5, 60, "the first letters")
            os.killpg(worker.pid, signal.SIGKILL)
        sent = {heard.id for heard in shop.heard}
        shop.answer = lambda heard: (200, {}, b"")
        say(house, GO_ON)
        flush(redis)
        with house.running("work"):
            until(lambda: len({h.id for h in shop.heard}) == 30, 60, "the last letter")
    copies = Counter(heard.id for heard in shop.heard)
    assert max(copies.values()) <= 2
    assert {key for key, count in copies.items() if count > 1} <= sent


def slowly(_heard: Any) -> tuple[int, dict[str, str], bytes]:
    time.sleep(0.1)
    return 200, {}, b""


def flush(redis: OwnRedis) -> None:
    subprocess.run(
        ["redis-cli", "-p", str(redis.port), "flushall"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
