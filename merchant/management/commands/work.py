"""The worker and the scheduler, without the web."""

from __future__ import annotations

import sys
import threading
from typing import Any

from django.conf import settings

from merchant import processes, queue
from merchant.management import base


class Command(base.Command):
    help = "Runs worker and scheduler until SIGTERM; run as many as you need."

    def act(self, **_options: Any) -> dict[str, Any]:
        stop = processes.stop_on_signals()
        sweep = threading.Thread(target=queue.loop, args=(stop,))
        sweep.start()
        processes.keep_running(_answerers(), stop, seconds_to_end=4)
        sweep.join()
        return {"stopped": True}

    def say(self, result: dict[str, Any]) -> None:
        """Nothing to say: it was asked to stop."""


def _answerers() -> list[processes.Child]:
    """With Redis, one process per queue that answers its rings at once."""
    manage = [sys.executable, str(settings.ROOT / "manage.py"), "answer_rings"]
    return [
        processes.Child(f"rings of {name}", [*manage, name], str(settings.ROOT))
        for name in (queue.QUEUES if settings.REDIS_URL else ())
    ]
