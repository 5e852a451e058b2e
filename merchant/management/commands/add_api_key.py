"""Makes an API key for a project; it is shown once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from merchant import audit, keys
from merchant.management import base
from merchant.models import Project


class Command(base.Command):
    help = "Makes an API key and prints it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="slug or id")
        parser.add_argument(
            "--scopes", default="read", help="read,write,refund; read if not given"
        )

    def act(self, *, project: str, scopes: str, **_options: Any) -> dict[str, Any]:
        shop = base.one(Project, project)
        wanted = scopes.replace(",", " ").split()
        try:
            row, text = keys.issue(shop, wanted)
        except ValueError as error:
            raise base.WrongUse(str(error)) from error
        audit.note(
            "command",
            "api_key.issued",
            row,
            merchant=shop.merchant,
            detail={"scopes": wanted, "hint": row.hint},
        )
        return {"key": text}

    def say(self, result: dict[str, Any]) -> None:
        self.stdout.write(result["key"])
        self.stderr.write("Keep it now: it is not shown again.")
