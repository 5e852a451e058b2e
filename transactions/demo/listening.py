"""Endpoints of the demo's shops, so that deliveries can be looked at: the sandbox plays
the servers that listen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from merchant import bulk
from merchant.models import Project
from merchant.sandbox.receiver import PREFIX
from webhooks import dialects, outbox, secrets
from webhooks.catalogue import asks_for
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event

#: project's short name -> the last part of the address, description, dialect, events
_ENDPOINTS: dict[str, tuple[tuple[str, str, str, list[str]], ...]] = {
    "harbor-store": (
        ("shop", "Shop server", "standard", []),
        ("accounting", "Accounting", "stripe", ["payment.*", "refund.*", "dispute.*"]),
    ),
    "tidewater-online": (("game", "Game server", "paynow", []),),
}
#: So many of the newest events go out at the first start, found among so many.
_TOLD_AT_FIRST, _LOOKED_AT = 40, 400


def open_endpoints(projects: Iterable[Project]) -> None:
    """Opens the endpoints, and queues the newest events for each."""
    for project in projects:
        for place, description, dialect, events in _ENDPOINTS.get(project.slug, ()):
            with transaction.atomic():
                endpoint = Endpoint.objects.create(
                    project=project,
                    url=_url(place),
                    description=description,
                    dialect=dialect,
                    events=events,
                    livemode=False,
                    demo=True,
                )
                secret = secrets.new_secret(dialect)
                EndpointSecret.sealed_for(endpoint, secret).save()
                _tell_of_the_newest(endpoint)


def follow_sandbox() -> int:
    """Points the endpoints at SANDBOX_URL where it moved; returns how many."""
    rows = Endpoint.objects.filter(demo=True, url__contains=f"/{PREFIX}/")
    moved = [row for row in rows if row.url != _url(row.url.rpartition("/")[2])]
    for row in moved:
        row.url = _url(row.url.rpartition("/")[2])
        row.save(update_fields=["url"])
    return len(moved)


def _url(place: str) -> str:
    return f"{settings.SANDBOX_URL}/{PREFIX}/{place}"


def _tell_of_the_newest(endpoint: Endpoint) -> None:
    """As the outbox would have, had the endpoint been there."""
    newest = Event.objects.filter(project=endpoint.project).order_by("-id")
    events = ((event.pk, bulk.row_of(event)) for event in newest[:_LOOKED_AT])
    told = (event for event in events if _is_told(endpoint, event[1]))
    now = timezone.now()
    rows = [
        outbox.delivery_row(pk, row, endpoint, now)
        for pk, row in islice(told, _TOLD_AT_FIRST)
    ]
    bulk.insert(Delivery, rows[::-1])


def _is_told(endpoint: Endpoint, event: bulk.Row) -> bool:
    asked = asks_for(endpoint.events, event["name"])
    return asked and dialects.speaks_of(endpoint.dialect, outbox.news_of(event))
