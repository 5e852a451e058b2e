"""Is everything there that we need? Asked by load balancers, `serve` and operators."""

from __future__ import annotations

import time
from functools import cache

from django.conf import settings
from django.core.cache import cache as shared
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis, RedisError

HEARTBEAT = "worker.heartbeat"


def missing() -> dict[str, str]:
    """What is not there, each with a sentence; empty when we are ready."""
    found = _database()
    if settings.REDIS_URL and not _redis_answers():
        found["redis"] = "Redis does not answer at REDIS_URL."
    if not settings.ENCRYPTION_KEYS:
        found["encryption_keys"] = "ENCRYPTION_KEYS is not set: no secret opens."
    return found


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {} if migrated() else {"migrations": "Run: manage.py migrate"}
    except (DatabaseError, InterfaceError):
        connection.close()
        return {"database": "The database at DATABASE_URL does not answer."}


_seen_migrated = False


def migrated() -> bool:
    """Whether all migrations are applied (remembered). Raises DatabaseError."""
    global _seen_migrated
    if not _seen_migrated:
        executor = MigrationExecutor(connection)
        leaves = executor.loader.graph.leaf_nodes()
        _seen_migrated = not executor.migration_plan(leaves)
    return _seen_migrated


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
    )


def _redis_answers() -> bool:
    try:
        return bool(_redis().ping())
    except (RedisError, OSError):
        return False


def beat() -> None:
    """The worker says that it is alive; kept where every process sees it."""
    shared.set(HEARTBEAT, int(time.time()), timeout=None)


def heartbeat_age() -> int | None:
    """Seconds since a worker was last heard; None when none was or nobody knows."""
    try:
        heard = shared.get(HEARTBEAT)
    except (DatabaseError, InterfaceError, RedisError, OSError):
        return None
    return None if heard is None else max(0, int(time.time()) - heard)
