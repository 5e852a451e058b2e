"""Events and endpoints for tests of what is told."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from merchant.models import Project
from webhooks import outbox
from webhooks.models import Delivery, Endpoint, Event
from webhooks.samples import sample


def make_endpoint(project: Project, **over: Any) -> Endpoint:
    """An endpoint without secrets."""
    given = {"url": "https://shop.example.com/hooks"}
    return Endpoint.objects.create(project=project, **given | over)


def make_event(project: Project, name: str = "payment.success", **over: Any) -> Event:
    """An event that the ledger could have published; told to nobody."""
    given: dict[str, Any] = {
        "key": outbox.new_key(),
        "livemode": False,
        "payload": sample(name, project=str(project.pk)),
        "created": timezone.now(),
    }
    return Event.objects.create(project=project, name=name, **given | over)


def make_delivery(event: Event, endpoint: Endpoint, **over: Any) -> Delivery:
    return Delivery.objects.create(
        event=event,
        endpoint=endpoint,
        project=event.project,
        name=event.name,
        livemode=event.livemode,
        subject=event.subject,
        **over,
    )
