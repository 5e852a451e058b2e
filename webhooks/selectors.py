"""Whose letters: what a member may see of the post room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Min, Q, QuerySet, Sum

from merchant.models import Connection, Member, Secret
from merchant.selectors import projects_of
from webhooks.models import InboundEvent, Refusal

#: The ledger's rows that an event wrote; they hang on it from above.
CHANGES = "entries"
#: Reasons of refusals that a page shows at most.
MOST_REASONS = 60
#: What a timeline tells of one letter at most.
MOST_ENTRIES = 50


def connections_of(member: Member) -> list[Connection]:
    """The connections of the member's projects, the closed ones last."""
    rows = Connection.objects.filter(project__in=projects_of(member))
    found = list(rows.select_related("project").order_by("created", "pk"))
    return sorted(found, key=lambda connection: connection.closed is not None)


def find_connection(member: Member, id: UUID) -> Connection | None:
    """One connection, open or closed, if the member may see it."""
    rows = Connection.objects.filter(project__in=projects_of(member))
    return rows.select_related("project__merchant").filter(pk=id).first()


def find_secret(member: Member, id: UUID) -> Secret | None:
    """One key of an open connection that the member may see."""
    rows = Secret.objects.filter(
        connection__project__in=projects_of(member), connection__closed=None
    )
    return rows.select_related("connection__project").filter(pk=id).first()


def inbound_visible_to(member: Member) -> QuerySet[InboundEvent]:
    """The inbound events of the member's projects."""
    return InboundEvent.objects.filter(connection__project__in=projects_of(member))


def find(member: Member, id: UUID) -> InboundEvent | None:
    """One event with all that it holds, if the member may see it."""
    rows = inbound_visible_to(member).select_related("connection__project__merchant")
    return rows.filter(pk=id).first()


def entries_of(event: InboundEvent) -> list[Any]:
    """What the event changed: the ledger's own rows, which hang on it from above."""
    entries = event.entries.select_related("transaction")  # type: ignore[attr-defined]
    return list(entries.order_by("pk")[:MOST_ENTRIES])


@dataclass(frozen=True, slots=True)
class Reason:
    """Deliveries that a connection refused for one reason, and the newest of them."""

    connection: Connection
    count: int
    first: datetime
    last: datetime
    example: Refusal


def refused(member: Member, connection_id: UUID | None = None) -> list[Reason]:
    """What was refused lately, by connection and reason, the newest first."""
    known = {connection.pk: connection for connection in connections_of(member)}
    wanted = known.keys() & {connection_id} if connection_id else known.keys()
    rows = Refusal.objects.filter(connection_id__in=wanted)
    groups = list(
        rows.values("connection_id", "code")
        .annotate(
            total=Sum("count"),
            earliest=Min("first"),
            latest=Max("last"),
            newest=Max("hour"),
        )
        .order_by("-latest")[:MOST_REASONS]
    )
    examples = _examples(groups)
    return [
        Reason(
            known[group["connection_id"]],
            group["total"],
            group["earliest"],
            group["latest"],
            examples[group["connection_id"], group["code"]],
        )
        for group in groups
        if (group["connection_id"], group["code"]) in examples
    ]


def _examples(groups: Iterable[Mapping[str, Any]]) -> dict[tuple[UUID, str], Refusal]:
    """The newest row of each group, in one statement."""
    which = Q(pk=None)
    for group in groups:
        which |= Q(
            connection_id=group["connection_id"],
            code=group["code"],
            hour=group["newest"],
        )
    return {(row.connection_id, row.code): row for row in Refusal.objects.filter(which)}
