"""Whether purchases report to us: where their own callbacks point.

A callback that a shop sends along with a purchase wins over the webhooks that are set
at the provider. The address stands in the purchase, unsigned: it is never called, it
only tells that news of such purchases goes past us, so that people can point it here
or have the provider polled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.utils import timezone

from merchant import connections
from merchant.models import Connection
from merchant.providers.base import Fact, moment, text

#: Older purchases say nothing about how the shop reports now.
LATELY = timedelta(days=1)


class Told(Protocol):
    """What brings facts into the books."""

    @property
    def connection(self) -> Connection: ...


def note(told: Sequence[tuple[Told, Fact]]) -> None:
    """Keeps where each connection's newest purchase of these reports to, if not here.

    A purchase without callbacks reports by the provider's webhooks, so it clears what
    was noted, as one that points here does. Writes only what changes: nothing for
    providers whose purchases carry no callbacks.
    """
    since = timezone.now() - LATELY
    speaking = {
        letter.connection.pk
        for letter, fact in told
        if letter.connection.reports_to or "callbacks" in fact.says
    }
    newest: dict[UUID, tuple[datetime, Connection, str]] = {}
    for letter, fact in told:
        connection = letter.connection
        if fact.topic != "payment" or connection.pk not in speaking:
            continue
        made = _made(fact)
        known = newest.get(connection.pk)
        if made and made > since and (known is None or known[0] <= made):
            newest[connection.pk] = made, connection, elsewhere(connection, fact)
    # In one order everywhere, so that no two workers wait for each other.
    for _id, (_when, connection, address) in sorted(newest.items()):
        if address != connection.reports_to:
            _keep(connection, address)


def elsewhere(connection: Connection, fact: Fact) -> str:
    """The first of the purchase's callbacks that is not this connection's intake; ""
    where all of them are, or there are none."""
    said = fact.says.get("callbacks")
    callbacks: dict[str, Any] = said.value if said else {}
    given = (callbacks.get(name) for name in ("success", "failure"))
    away = (url for url in given if url and not points_here(connection, url))
    return text(next(away, ""), 500) or ""


def points_here(connection: Connection, url: str) -> bool:
    """Whether the URL is the connection's intake, by whichever of our names: nobody
    else has an address with this id in its path."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    return path.rstrip("/") == connection.intake_path


def _made(fact: Fact) -> datetime | None:
    said = fact.says.get("created")
    return moment(said.value) if said else None


def _keep(connection: Connection, address: str) -> None:
    Connection.objects.filter(pk=connection.pk).update(reports_to=address)
    # The row in hand may be the kept one, which the next batch is compared with.
    connection.reports_to = address
    connections.forget(connection.pk)
