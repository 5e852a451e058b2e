"""Fetching from a provider what its webhooks missed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from merchant import connections, http
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import Refused
from transactions import ledger

#: How far back the first poll of a connection looks.
FIRST = timedelta(days=30)
#: Two polls overlap by this much, so that nothing falls between them.
OVERLAP = timedelta(minutes=10)


def poll(
    connection: Connection, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Asks the provider for everything since then; returns how many facts were new.

    `since` defaults to the last poll, else 30 days ago; times are UTC. Raises Refused
    and Unreachable of merchant.providers.base.
    """
    opened = connections.opened(connection.pk)
    if opened is None:
        raise Refused("The connection is closed.")
    _, keys = opened
    until = until or timezone.now()
    since = since or (connection.polled or until - FIRST) - OVERLAP
    fresh = 0
    provider = PROVIDERS[connection.provider]
    for facts in provider.poll(since, until, keys, http.send):
        fresh += len(ledger.record(connection, facts, source="poll").fresh)
    Connection.objects.filter(pk=connection.pk).update(polled=until)
    return fresh
