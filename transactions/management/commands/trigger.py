"""Sends one signed sample event to a connection."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from merchant.management import base
from merchant.models import Connection
from merchant.providers import PROVIDERS
from transactions.demo import samples, stalls


class Command(base.Command):
    help = "Sends one signed sample event of a provider to one of its connections."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=sorted(PROVIDERS))
        parser.add_argument("event", help="as the provider calls it")
        parser.add_argument(
            "--connection", default="", help="its id; default: a test one"
        )

    def act(
        self, *, provider: str, event: str, connection: str, **_options: Any
    ) -> dict[str, Any]:
        spelled = samples.spelled(provider, event)
        if spelled is None:
            known = ", ".join(samples.known(provider))
            raise base.WrongUse(
                f"{provider} sends no event {event!r}. It knows: {known}."
            )
        row = _connection(provider, connection)
        keys = stalls.signing_keys(row)
        if not keys.secrets and not keys.private_key:
            raise base.Failed(stalls.why_unsigned(row))
        book = stalls.open_book()
        try:
            answer = samples.send(book, row, keys, spelled)
        finally:
            book.close()
        return {
            "connection": str(row.pk),
            "event": spelled,
            "status": answer.status,
            "answer": answer.body.decode(errors="replace"),
            "sent": answer.way,
        }


def _connection(provider: str, wanted: str) -> Connection:
    """The one with this id, else a test one, the newest first. Raises Failed."""
    rows = Connection.objects.filter(provider=provider, closed=None)
    if wanted:
        rows = rows.filter(pk=_uuid(wanted))
    found = rows.select_related("project").order_by("livemode", "-created").first()
    if found is None:
        raise base.Failed(
            f"There is no open {provider} connection"
            + (
                f" with the id {wanted}."
                if wanted
                else "; make one with add_connection."
            )
        )
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise base.WrongUse(
            f"--connection takes a connection's id, not {text!r}."
        ) from None
