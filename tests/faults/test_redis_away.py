"""Redis is a doorbell: without it deliveries are answered and the work is done."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.live import House, OwnRedis, until
from tests.live_letters import Shop

pytestmark = [pytest.mark.server, pytest.mark.redis]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.end()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis: OwnRedis) -> Iterator[House]:
    installation = House(tmp_path_factory.mktemp("house"), REDIS_URL=redis.url)
    with installation.serving():
        yield installation


@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    return Shop(house)


def sent_and_seen(shop: Shop, number: int, seconds: float = 15) -> float:
    """Sends one and waits for its row; the seconds that the answer took."""
    began = time.monotonic()
    answer = shop.send(number)
    took = time.monotonic() - began
    assert answer.status == 200
    until(lambda: 100 + number in shop.amounts(), seconds, f"the row of {number}")
    return took


def test_with_redis_a_row_is_there_at_once(shop: Shop) -> None:
    sent_and_seen(shop, 1)  # everything is warm afterwards
    began = time.monotonic()
    sent_and_seen(shop, 2)
    assert time.monotonic() - began < 1.5


def test_a_flushed_redis_loses_no_work(shop: Shop, redis: OwnRedis) -> None:
    for number in range(10, 30):
        assert shop.send(number).status == 200
        Redis.from_url(redis.url).flushall()
    until(lambda: {*range(110, 130)} <= {*shop.amounts()}, 20)


def test_a_frozen_redis_holds_up_no_answer_and_no_work(
    shop: Shop, redis: OwnRedis, house: House
) -> None:
    redis.freeze()
    try:
        took = [shop_took(shop, number) for number in range(30, 40)]
        missing = json.loads(house.ask("GET", "/readyz").text)["missing"]
    finally:
        # The API counts its requests in Redis, so its answers come after the thaw.
        time.sleep(3)
        redis.thaw()
    assert max(took) < 1
    assert list(missing) == ["redis"]
    until(lambda: {*range(130, 140)} <= {*shop.amounts()}, 20)


def shop_took(shop: Shop, number: int) -> float:
    began = time.monotonic()
    assert shop.send(number).status == 200
    return time.monotonic() - began


def test_a_redis_that_is_gone_and_comes_back(
    shop: Shop, redis: OwnRedis, tmp_path: Path
) -> None:
    redis.end()
    assert shop_took(shop, 50) < 1
    sent_and_seen(shop, 51)
    redis.start(tmp_path)
    sent_and_seen(shop, 52)
