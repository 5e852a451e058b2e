"""How long a page takes: all of it in this process, and the database's part."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client

TIMES = 5
#: Requests before the clock runs.
WARM = 2
#: A page that takes so long is asked for once and no more, seconds.
PATIENCE = 1.0


class Reading(TypedDict):
    """Milliseconds (medians), and the number of statements."""

    whole: float
    database: float
    queries: int
    slowest: tuple[str, Any, float]


class Stopwatch:
    """Around every statement of a connection: how often, how long, and the slowest."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any, float]] = []

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: Any,
    ) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.statements.append((sql, params, spent))

    @property
    def spent(self) -> float:
        return sum(statement[2] for statement in self.statements)


def read(
    user: Any,
    address: str,
    pairs: Iterable[tuple[str, str]],
    times: int = TIMES,
    warm: int = WARM,
    fine: tuple[int, ...] = (),
) -> Reading:
    """The page that `user` sees at the address, asked for again and again."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    query = urlencode(list(pairs))
    url = f"{address}?{query}" if query else address
    whole, database, last = [], [], Stopwatch()
    for turn in range(warm + times):
        last = Stopwatch()
        start = time.perf_counter()
        with connection.execute_wrapper(last):
            response = client.get(url)
        spent = (time.perf_counter() - start) * 1000
        assert response.status_code in (200, *fine), (url, response.status_code)
        if turn >= warm:
            whole.append(spent)
            database.append(last.spent)
        if whole and spent > PATIENCE * 1000:
            break
    return {
        "whole": statistics.median(whole),
        "database": statistics.median(database),
        "queries": len(last.statements),
        "slowest": max(last.statements, key=lambda one: one[2], default=("", (), 0)),
    }
