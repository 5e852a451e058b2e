"""Makes a key for ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from merchant import vault
from merchant.management import base


class Command(base.Command):
    help = "Prints a fresh key for ENCRYPTION_KEYS. Put it first, then run reseal."

    def act(self, **_options: Any) -> dict[str, Any]:
        return {"key": vault.new_key()}

    def say(self, result: dict[str, Any]) -> None:
        self.stdout.write(result["key"])
