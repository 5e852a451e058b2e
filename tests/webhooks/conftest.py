"""What the post room remembers between requests must not pass from test to test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from webhooks import refusals, secrets


@pytest.fixture(autouse=True)
def flush_soon(monkeypatch) -> Callable[[], None]:
    """Stops the timer, since a test's rows are not there for another thread.

    Returns what was stopped.
    """
    refusals._held.clear()
    refusals._allowances.clear()
    real = refusals._flush_soon
    monkeypatch.setattr(refusals, "_flush_soon", lambda: None)
    return real


@pytest.fixture(autouse=True)
def nothing_believed() -> None:
    secrets._kept.clear()
