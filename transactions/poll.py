"""Fetching from a provider what its webhooks missed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from merchant import connections, http, queue
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import Refused, Unreachable, text
from transactions import ledger

log = logging.getLogger(__name__)

#: How far back the first poll of a connection looks.
FIRST = timedelta(days=30)
#: Providers that try each webhook once: what got lost is found only by asking.
NEVER_RESENT = frozenset({"paysecure"})
#: How often they are asked for everything that changed.
EVERY = timedelta(minutes=15)
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
    since = since or _since(connection, until)
    fresh = 0
    provider = PROVIDERS[connection.provider]
    call = http.discreet(keys.api_key)
    for facts in provider.poll(since, until, keys, call):
        fresh += len(ledger.record(connection, facts, source="poll").fresh)
    Connection.objects.filter(pk=connection.pk).update(polled=until, poll_trouble="")
    return fresh


def ask(connection: Connection) -> bool:
    """Has the connection polled soon, by a worker; whether it can be."""
    rows = Connection.objects.filter(pk=connection.pk, closed=None)
    asked = rows.exclude(sealed_api_key="").update(poll_asked=timezone.now())
    if asked:
        queue.ring(queue.POLL_JOB)
    return bool(asked)


def poll_due() -> int:
    """Polls the connections that a member asked to poll, and those whose provider
    never sends a webhook again; returns how many facts were new.

    Runs on every worker; who moves `polled` first has the connection.
    """
    now = timezone.now()
    stale = Q(polled=None) | Q(polled__lt=now - EVERY)
    by_itself = stale & Q(provider__in=NEVER_RESENT, demo=False)
    waiting = Connection.objects.filter(
        by_itself | Q(poll_asked__isnull=False), closed=None
    ).exclude(sealed_api_key="")
    fresh = 0
    for connection in waiting.select_related("project"):
        mine = Connection.objects.filter(
            pk=connection.pk, polled=connection.polled, poll_asked=connection.poll_asked
        )
        if not mine.update(polled=now, poll_asked=None):
            continue
        try:
            fresh += poll(connection, _since(connection, now), now)
        except (Refused, Unreachable) as error:
            log.warning("Connection %s could not be polled: %s", connection.pk, error)
            Connection.objects.filter(pk=connection.pk).update(
                polled=connection.polled or now - EVERY,
                poll_trouble=text(error, 300) or "",
            )
    return fresh


def _since(connection: Connection, now: datetime) -> datetime:
    return (connection.polled or now - FIRST) - OVERLAP
