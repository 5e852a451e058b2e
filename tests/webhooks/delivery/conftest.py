"""Private places are allowed; our own door is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.webhooks.delivery.parts import Receiver, receiver
from webhooks.delivery import health, rounds


@pytest.fixture(autouse=True)
def private(settings: Any) -> Any:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    settings.PUBLIC_URL, settings.HOST = "http://127.0.0.1:1", "127.0.0.1"
    settings.PORT, settings.SANDBOX_URL = 1, ""
    return settings


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    health._written.clear()
    yield
    rounds._close()


@pytest.fixture
def shop() -> Iterator[Receiver]:
    """A server that takes everything."""
    with receiver() as found:
        yield found
