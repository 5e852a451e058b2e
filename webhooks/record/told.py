"""Who was told what: the events and deliveries of a member's projects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from merchant.models import Member, Project
from merchant.selectors import projects_of
from webhooks.models import Attempt, Delivery, Endpoint, Event

#: Endpoints that are offered to choose from; a shop has a handful.
MOST_ENDPOINTS = 250
#: Events of one subject that are told of, and their deliveries.
MOST_EVENTS = 30
MOST_DELIVERIES = 120

#: Those that were set up by somebody; callbacks belong to a single purchase.
LISTED = (Endpoint.Kind.ENDPOINT, Endpoint.Kind.FORWARD)


def endpoints_of(member: Member) -> QuerySet[Endpoint]:
    """Every endpoint of the member's projects, with its project."""
    rows = Endpoint.objects.filter(project__in=projects_of(member))
    return rows.select_related("project").defer("sealed_headers")


def listed_endpoints(
    projects: Iterable[Project], also: Sequence[UUID] = ()
) -> list[Endpoint]:
    """The projects' endpoints that somebody set up, and those of the ids."""
    rows = Endpoint.objects.filter(project__in=[project.pk for project in projects])
    rows = rows.filter(Q(kind__in=LISTED) | Q(pk__in=also))
    rows = rows.select_related("project").defer("sealed_headers")
    return list(rows.order_by("project__name", "created", "pk")[:MOST_ENDPOINTS])


def deliveries_visible_to(member: Member) -> QuerySet[Delivery]:
    """The deliveries of the member's projects, with event, endpoint and project."""
    rows = Delivery.objects.filter(project__in=projects_of(member))
    return rows.select_related("event", "endpoint", "project__merchant")


def events_visible_to(member: Member) -> QuerySet[Event]:
    """The events of the member's projects, with their project."""
    rows = Event.objects.filter(project__in=projects_of(member))
    return rows.select_related("project")


def find_delivery(member: Member, id: int) -> Delivery | None:
    return deliveries_visible_to(member).filter(pk=id).first()


def find_event(member: Member, key: str) -> Event | None:
    return events_visible_to(member).filter(key=key).first()


def attempts_of(delivery: Delivery, before: int | None, most: int) -> list[Attempt]:
    """The latest first; only those with a smaller number than `before`."""
    rows = delivery.attempts.order_by("-number")
    return list(rows.filter(number__lt=before)[:most] if before else rows[:most])


def deliveries_of(event: Event) -> list[Delivery]:
    """To whom the event went, the first one first."""
    rows = event.deliveries.select_related("endpoint").order_by("pk")
    return list(rows[:MOST_DELIVERIES])


@dataclass(slots=True)
class News:
    """An event and its deliveries; `event` has no payload with it."""

    event: Event
    deliveries: list[Delivery] = field(default_factory=list)


def news_about(subjects: Any, project_id: UUID) -> list[News]:
    """What was announced about one thing, the latest first, and to whom it went.

    `subjects`: its ids, or a query for them. Two statements.
    """
    rows = Event.objects.filter(subject__in=subjects, project=project_id)
    told = {
        event.pk: News(event)
        for event in rows.defer("payload").order_by("-id")[:MOST_EVENTS]
    }
    letters = Delivery.objects.filter(event__in=list(told)).order_by("-id")
    letters = letters.select_related("endpoint").only(
        "event", "state", "due", "tries", "attempts_made", "status", "error", "done",
        "created", "asked_by", "endpoint__url", "endpoint__description",
        "endpoint__kind", "endpoint__state",
    )  # fmt: skip
    for letter in letters[:MOST_DELIVERIES]:
        told[letter.event_id].deliveries.insert(0, letter)
    return list(told.values())
