"""What happened, on its way out: events and their deliveries, in the caller's commit.

Nothing is sent here. Either the change and its letters are both in the books, or
neither is; webhooks.delivery finds what is due.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from merchant import bulk, queue
from webhooks import dialects
from webhooks.catalogue import asks_for
from webhooks.dialects.base import News
from webhooks.models import Delivery, Endpoint, Event

#: A body is not larger than this, bytes.
MOST = 60 * 1024
#: How far our clock and a provider's may be apart: what happened a moment before an
#: endpoint was set up is not older than it.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something to announce; see webhooks.models.Event for what its fields mean.

    `only_to`: the id of the one endpoint that is told, instead of the project's.
    """

    project_id: UUID
    livemode: bool
    name: str
    subject_kind: str
    subject: UUID
    sequence: int
    payload: Mapping[str, Any]
    happened: datetime
    only_to: UUID | None = None


def publish(happenings: Sequence[Happening]) -> None:
    """Enters the events, and a delivery for each endpoint that asks for one.

    A few statements for all of them. Rings for the sender after the commit.
    """
    if not happenings:
        return
    now = timezone.now()
    rows = [_row(happening, now) for happening in happenings]
    bulk.insert(Event, rows)
    told = _told(happenings, rows)
    if told:
        numbers = dict(
            Event.objects.filter(key__in={row["key"] for row, _ in told}).values_list(
                "key", "id"
            )
        )
        bulk.insert(
            Delivery,
            [delivery_row(numbers[row["key"]], row, to, now) for row, to in told],
            ignore=True,
        )
        queue.ring(queue.DELIVERIES_JOB)


def new_key() -> str:
    """A name for an event that nobody can guess and nobody else has."""
    return f"msg_{secrets.token_hex(16)}"


def delivery_row(
    event_id: int, event: Mapping[str, Any], endpoint: Endpoint, now: datetime
) -> bulk.Row:
    """A new delivery of an event (its columns) to an endpoint."""
    waits = endpoint.state == Endpoint.State.ENABLED
    return _blank() | {
        "event_id": event_id,
        "endpoint_id": endpoint.pk,
        "project_id": event["project_id"],
        "livemode": event["livemode"],
        "name": event["name"],
        "subject": event["subject"],
        "state": Delivery.State.PENDING if waits else Delivery.State.HELD,
        "due": now,
        "created": now,
    }


@cache
def _blank() -> bulk.Row:
    """A delivery's columns as they are at first: not worth a model object each time."""
    return bulk.row_of(Delivery())


def _row(happening: Happening, now: datetime) -> bulk.Row:
    return {
        "key": new_key(),
        "project_id": happening.project_id,
        "livemode": happening.livemode,
        "name": happening.name,
        "subject_kind": happening.subject_kind,
        "subject": happening.subject,
        "sequence": happening.sequence,
        "payload": fitting(happening.payload),
        "happened": happening.happened,
        "created": now,
    }


def fitting(payload: Mapping[str, Any]) -> bulk.Written:
    """The payload, without the customer's and the merchant's extras where they would
    make it larger than an endpoint has to take."""
    for left_out in ((), ("details",), ("details", "metadata")):
        fits = {**payload, **{name: {} for name in left_out if name in payload}}
        if "metadata" in left_out:
            fits["object"] = {**payload["object"], "metadata": {}}
        written = bulk.Written(fits)
        if len(written.text.encode("utf-8", "replace")) <= MOST:
            break
    return written


# ------------------------------------------------------------------------ to whom
def _told(
    happenings: Sequence[Happening], rows: Sequence[bulk.Row]
) -> list[tuple[bulk.Row, Endpoint]]:
    """Each event with each endpoint that is told of it."""
    endpoints = _endpoints(happenings)
    return [
        (row, endpoint)
        for happening, row in zip(happenings, rows, strict=True)
        for endpoint in endpoints.get(happening.project_id, ())
        if _is_told(endpoint, happening) and _speaks_of(endpoint, row)
    ]


def _endpoints(happenings: Iterable[Happening]) -> dict[UUID, list[Endpoint]]:
    found: dict[UUID, list[Endpoint]] = {}
    projects = {happening.project_id for happening in happenings}
    # Callbacks can be one for each purchase: only those that are named are read.
    named = {happening.only_to for happening in happenings if happening.only_to}
    wanted = ~Q(kind=Endpoint.Kind.CALLBACK) | Q(pk__in=named)
    for endpoint in Endpoint.objects.filter(wanted, project__in=projects):
        found.setdefault(endpoint.project_id, []).append(endpoint)
    return found


def _is_told(endpoint: Endpoint, happening: Happening) -> bool:
    if happening.only_to is not None:
        return endpoint.pk == happening.only_to
    return (
        endpoint.kind != Endpoint.Kind.CALLBACK
        and endpoint.livemode in {None, happening.livemode}
        and happening.happened >= endpoint.created - SKEW
        and asks_for(endpoint.events, happening.name)
    )


def _speaks_of(endpoint: Endpoint, row: bulk.Row) -> bool:
    return dialects.speaks_of(endpoint.dialect, news_of(row))


def news_of(row: Mapping[str, Any], *, attempt: int = 1) -> News:
    """An event's columns as a dialect takes them."""
    return News(
        key=row["key"],
        name=row["name"],
        livemode=row["livemode"],
        subject_kind=row["subject_kind"],
        payload=row["payload"],
        created=row["created"],
        attempt=attempt,
    )
