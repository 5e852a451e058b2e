"""kill -9 of the worker, again and again: nothing is lost and nothing done twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import House, children_of, own_database, until
from tests.live_letters import Shop

pytestmark = pytest.mark.server

DELIVERIES = 240
KILLS = 6


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with own_database() as database:
        yield House(tmp_path, **database)


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(house: House) -> None:
    shop = Shop(house)
    with house.serving() as serve:
        landed: list[int] = []
        killer = threading.Thread(target=kill_workers, args=(serve.pid, landed))
        killer.start()
        for number in range(DELIVERIES):
            assert shop.send(number).status == 200
        killer.join()
        until(lambda: len(shop.amounts()) >= DELIVERIES, 120, "the last row")
        amounts = shop.amounts()
    assert len(landed) == KILLS
    assert sorted(amounts) == [100 + number for number in range(DELIVERIES)]


def kill_workers(supervisor: int, landed: list[int]) -> None:
    """Kills the worker at random moments, each time once it works again."""
    chance = random.Random()
    for _ in range(KILLS):
        worker = until(lambda: _worker_of(supervisor), 40, "a worker")
        time.sleep(chance.uniform(0.6, 1.6))  # it starts in half a second
        os.kill(worker, signal.SIGKILL)
        until(lambda worker=worker: worker not in children_of(supervisor))
        landed.append(worker)


def _worker_of(supervisor: int) -> int | None:
    children = children_of(supervisor).items()
    return next((pid for pid, words in children if "manage.py work" in words), None)
