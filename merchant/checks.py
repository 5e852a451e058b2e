"""What `manage.py check` proves about names that are only texts in the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection
from django.utils.module_loading import import_string

from merchant import queue


@register
def jobs_exist(**_options: Any) -> list[CheckMessage]:
    """The queue knows its jobs by name, because it stands below them."""
    found: list[CheckMessage] = []
    for job, _every in queue.PERIODIC:
        try:
            import_string(job)
        except ImportError as error:
            found.append(
                Error(f"The job {job} does not import: {error}", id="merchant.E001")
            )
    return found


#: Settings of PostgreSQL without which a commit is only a promise.
DURABLE = ["fsync", "synchronous_commit"]


@register("database")
def commits_are_durable(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """An accepted delivery must survive a power cut, so the server must wait for it."""
    if not databases or connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'",
            [DURABLE],
        )
        unsafe = [name for (name,) in cursor.fetchall()]
    return [
        Warning(
            f"PostgreSQL runs with {name} off: accepted deliveries can be lost.",
            id="merchant.W001",
        )
        for name in unsafe
    ]
