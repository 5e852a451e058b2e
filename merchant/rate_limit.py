"""How often a key may ask: a bucket that fills evenly and allows a short rush.

With Redis all processes share one bucket per key; without, or while Redis is away, each
process keeps its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from functools import cache

from django.conf import settings
from redis import Redis, RedisError

logger = logging.getLogger(__name__)

PER_SECOND = 100
BURST = 200

_MOST_BUCKETS = 10_000
_SECONDS_AFTER_ERROR = 5.0

#: Answers how many milliseconds to wait, 0 when the request may pass. Redis' own clock
#: counts, so that machines need not agree on the time.
_SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = tonumber(kept[1]) or burst
local passed = math.max(0, now - (tonumber(kept[2]) or now))
left = math.min(burst, left + passed * rate / 1000)
local wait = 0
if left >= 1 then left = left - 1 else wait = math.ceil((1 - left) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'left', left, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
return wait
"""

_lock = threading.Lock()
_buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
_away_until = 0.0


def seconds_to_wait(name: str) -> float:
    """0 when the named one may ask now, and takes a token; else when to come back."""
    global _away_until
    if settings.REDIS_URL and time.monotonic() >= _away_until:
        try:
            wait = _script()(keys=[f"rate:{name}"], args=[PER_SECOND, BURST])
            return int(wait) / 1000
        except RedisError as error:
            _away_until = time.monotonic() + _SECONDS_AFTER_ERROR
            logger.warning("Redis does not count requests: %s", error)
    return take_from_own_bucket(name, time.monotonic())


def take_from_own_bucket(name: str, now: float) -> float:
    """The same from this process's memory. `now` in seconds of any steady clock."""
    with _lock:
        left, at = _buckets.pop(name, (float(BURST), now))
        left = min(BURST, left + max(0.0, now - at) * PER_SECOND)
        wait = 0.0 if left >= 1 else (1 - left) / PER_SECOND
        _buckets[name] = (left if wait else left - 1, now)
        if len(_buckets) > _MOST_BUCKETS:
            _buckets.popitem(last=False)
    return wait


@cache
def _script():
    redis = Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25
    )
    return redis.register_script(_SCRIPT)
