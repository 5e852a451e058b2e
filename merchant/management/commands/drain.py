"""Does everything that is due now and exits."""

from __future__ import annotations

from typing import Any

from merchant import queue
from merchant.management import base


class Command(base.Command):
    help = "Handles what is due now: inbound events, then look-ups, until none is left."

    def act(self, **_options: Any) -> dict[str, Any]:
        return dict(queue.drain())
