"""How connections stand: whether their providers are heard, and what keeps them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from merchant import connections, credentials
from merchant.models import Connection, Member, Secret
from webhooks import selectors, silence
from webhooks.models import InboundEvent
from webhooks.selectors import Reason


class State(StrEnum):
    """What a person should know first; the earlier one wins."""

    CLOSED = "closed"
    NO_KEY = "no_key"
    WAITING = "waiting"
    SILENT = "silent"
    ELSEWHERE = "elsewhere"
    HEARD = "heard"


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection as it stands now.

    `newest` is the last event that got in, `proofs` the live keys that prove one,
    `refused` what was turned away in the last days, the newest reason first.
    """

    connection: Connection
    newest: InboundEvent | None
    proofs: list[Secret]
    refused: list[Reason] = field(default_factory=list)

    @property
    def heard(self) -> datetime | None:
        """When the last event got in; known for longer than events are kept."""
        return self.newest.received if self.newest else self.connection.heard

    @property
    def turned_away(self) -> int:
        return sum(reason.count for reason in self.refused)

    @property
    def state(self) -> State:
        if self.connection.closed:
            return State.CLOSED
        if not self.proofs:
            return State.NO_KEY
        if self.heard is None:
            return State.WAITING
        self.connection.heard = self.heard  # the sweep notes it only now and then
        if silence.is_too_long(self.connection, timezone.now()):
            return State.SILENT
        return State.ELSEWHERE if self.connection.reports_to else State.HEARD


def of(connection: Connection, member: Member) -> Standing:
    """One connection that the member may see."""
    newest = connection.inbound.order_by("-id").first()
    refused = selectors.refused(member, connection.pk)
    return Standing(connection, newest, _proofs(connection), refused)


def all_of(member: Member) -> list[Standing]:
    """Every connection of the member's projects, the closed ones last, in a few
    statements however many there are."""
    rows = selectors.connections_of(member)
    newest = _newest(rows)
    proofs: dict[UUID, list[Secret]] = {}
    for secret in connections.live_secrets_of(rows):
        proofs.setdefault(secret.connection_id, []).append(secret)
    refused: dict[UUID, list[Reason]] = {}
    for reason in selectors.refused(member):
        refused.setdefault(reason.connection.pk, []).append(reason)
    return [
        Standing(
            row,
            newest.get(row.pk),
            _proving(row, proofs.get(row.pk, [])),
            refused.get(row.pk, []),
        )
        for row in rows
    ]


def _newest(rows: Iterable[Connection]) -> dict[UUID, InboundEvent]:
    """The newest event of each: one step into the index for every connection."""
    ids = [row.pk for row in rows]
    letters = InboundEvent.objects.filter(connection=OuterRef("pk")).order_by("-id")
    last = Connection.objects.filter(pk__in=ids).annotate(
        last=Subquery(letters.values("pk")[:1])
    )
    found = [id for id in last.values_list("last", flat=True) if id]
    events = InboundEvent.objects.filter(pk__in=found).defer("body", "headers")
    return {event.connection_id: event for event in events}


def _proofs(connection: Connection) -> list[Secret]:
    return _proving(connection, connections.live_secrets(connection))


def _proving(connection: Connection, live: Iterable[Secret]) -> list[Secret]:
    kind = credentials.kind_of(connection.provider)
    return [secret for secret in live if secret.kind == kind]
