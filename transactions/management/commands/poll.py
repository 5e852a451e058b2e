"""Fetches from the providers what their webhooks missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from merchant.http import NotAllowed
from merchant.management import base
from merchant.models import Connection
from merchant.providers.base import Refused, Unreachable
from transactions import poll


class Command(base.Command):
    help = "Asks providers for what happened and enters what is not known yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--connection", default="", help="its id; default: all that have an API key"
        )
        parser.add_argument(
            "--since",
            default="",
            help="ISO 8601, UTC if it names no zone; default: last poll",
        )

    def act(self, *, connection: str, since: str, **_options: Any) -> dict[str, Any]:
        start = _moment(since)
        asked = [_ask(row, start) for row in _rows(connection)]
        failed = [row for row in asked if row["error"]]
        if asked and len(failed) == len(asked):
            raise base.Failed(" ".join(str(row["error"]) for row in failed))
        return {"facts": sum(row["facts"] for row in asked), "connections": asked}

    def say(self, result: dict[str, Any]) -> None:
        if not result["connections"]:
            self.stdout.write("No open connection has an API key, so nobody was asked.")
        for row in result["connections"]:
            said = row["error"] or f"{row['facts']} new"
            self.stdout.write(f"{row['provider']} {row['id']}: {said}")


def _ask(row: Connection, since: datetime | None) -> dict[str, Any]:
    facts, error = 0, ""
    try:
        facts = poll.poll(row, since)
    except (Refused, Unreachable, NotAllowed) as problem:
        error = f"{row.get_provider_display()} ({row.pk}): {problem}"
    return {"id": str(row.pk), "provider": row.provider, "facts": facts, "error": error}


def _rows(wanted: str) -> QuerySet[Connection]:
    rows = Connection.objects.filter(closed=None).select_related("project")
    if not wanted:
        return rows.exclude(sealed_api_key="").order_by("created")
    try:
        rows = rows.filter(pk=UUID(wanted))
    except ValueError:
        raise base.WrongUse(
            f"--connection takes a connection's id, not {wanted!r}."
        ) from None
    if not rows.exists():
        raise base.Failed(f"There is no open connection with the id {wanted}.")
    return rows


def _moment(text: str) -> datetime | None:
    """The time as UTC; None for "". Raises WrongUse."""
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise base.WrongUse(
            f"--since takes a time as 2026-05-31 or 2026-05-31T12:00:00Z, not {text!r}."
        ) from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if when > timezone.now():
        raise base.WrongUse("--since lies in the future.")
    return when
