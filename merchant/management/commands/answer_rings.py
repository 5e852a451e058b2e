"""Answers the rings of one Redis queue; `work` starts it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from merchant import queue
from merchant.management import base


class Command(base.Command):
    help = "Answers the rings of one Redis queue until SIGTERM; `work` starts it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", choices=queue.QUEUES)

    def act(self, **options: Any) -> dict[str, Any]:
        if not settings.REDIS_URL:
            raise base.WrongUse(
                "REDIS_URL is not set, so there are no rings to answer."
            )
        queue.answer_rings(options["queue"])
        return {"stopped": True}

    def say(self, result: dict[str, Any]) -> None:
        """Nothing to say: it was asked to stop."""
