"""An endpoint with something on its way to it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.factories import PASSWORD
from webhooks import endpoints
from webhooks.models import Attempt, Delivery, Endpoint, Event

URL = "https://shop.example.com/hooks"
_numbers = itertools.count(1)


def make_endpoint(project: Project, **over: Any) -> Endpoint:
    made, _secret = endpoints.create(project, **{"url": URL} | over)
    return made


def make_delivery(endpoint: Endpoint, **over: Any) -> Delivery:
    """One event on its way, not tried yet."""
    name = over.pop("name", "payment.success")
    event = Event.objects.create(
        key=f"msg_{next(_numbers):022}",
        project=endpoint.project,
        name=name,
        payload={"object": {}},
    )
    given = {"event": event, "endpoint": endpoint, "project": endpoint.project}
    return Delivery.objects.create(**given | {"name": name} | over)


def make_try(endpoint: Endpoint, outcome: str = "ok", **over: Any) -> Attempt:
    """A delivery with one try of it."""
    ok = outcome == "ok"
    state = Delivery.State.DELIVERED if ok else Delivery.State.PENDING
    later = timezone.now() + timedelta(minutes=5)
    delivery = make_delivery(endpoint, state=state, due=later, tries=1)
    given = {"status": 200 if ok else 503, "total_ms": 100, "outcome": outcome}
    return Attempt.objects.create(delivery=delivery, number=1, **given | over)


def proven(member: Member) -> Client:
    """A browser whose person has just given their password."""
    client = Client()
    client.post("/login/", {"login": member.user.email, "password": PASSWORD})
    return client


def noted(verb: str) -> list[dict[str, Any]]:
    """The details of the audit log's lines of this kind, the oldest first."""
    rows = AuditEntry.objects.filter(verb=verb).order_by("pk")
    return [row.detail for row in rows]
