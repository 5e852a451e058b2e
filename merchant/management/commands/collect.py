"""Collects the static files when a source is newer than what was collected."""

from __future__ import annotations

from typing import Any

from merchant import assets
from merchant.management import base


class Command(base.Command):
    help = "Collects the static files if one changed; make setup and serve do it."

    def act(self, **_options: Any) -> dict[str, Any]:
        return {"collected": assets.collect_if_stale()}

    def say(self, result: dict[str, Any]) -> None:
        """Nothing to say."""
