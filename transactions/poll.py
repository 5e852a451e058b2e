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
#: A worker that has not come to the end after so long is taken for dead. One that is
#: only slow is not harmed: a fact that two bring is one.
LEASE = timedelta(minutes=10)


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

    Runs on every worker; who has the lease has the connection. `polled` moves when
    all until then is in the books, so what a dead worker did not get to is asked for
    again.
    """
    fresh = 0
    for connection in _waiting(timezone.now()):
        if not _claim(connection):
            continue
        seen, trouble = Connection.objects.filter(pk=connection.pk), ""
        try:
            fresh += poll(connection)
        except (Refused, Unreachable) as error:
            log.warning("Connection %s could not be polled: %s", connection.pk, error)
            trouble = text(error, 300) or ""
        # Who asked while it went on means what happened since it began.
        seen.filter(poll_asked=connection.poll_asked).update(poll_asked=None)
        seen.update(poll_leased_until=None, poll_trouble=trouble)
    return fresh


def _waiting(now: datetime) -> list[Connection]:
    stale = Q(polled=None) | Q(polled__lt=now - EVERY)
    by_itself = stale & Q(provider__in=NEVER_RESENT, demo=False)
    free = Q(poll_leased_until=None) | Q(poll_leased_until__lt=now)
    rows = Connection.objects.filter(
        by_itself | Q(poll_asked__isnull=False), free, closed=None
    )
    return list(rows.exclude(sealed_api_key="").select_related("project"))


def _claim(connection: Connection) -> bool:
    """Whether it is ours to poll now; another worker may have been quicker."""
    same = Connection.objects.filter(
        pk=connection.pk,
        polled=connection.polled,
        poll_leased_until=connection.poll_leased_until,
    )
    return bool(same.update(poll_leased_until=timezone.now() + LEASE))


def _since(connection: Connection, now: datetime) -> datetime:
    return (connection.polled or now - FIRST) - OVERLAP
