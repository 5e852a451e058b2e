"""Plain rows of letters out: each function makes one thing and what it needs."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from merchant.models import Project
from tests.factories import make_project
from webhooks import outbox
from webhooks.models import Attempt, Delivery, Endpoint, Event

_numbers = itertools.count(1)

OBJECT = {"id": "x", "object": "transaction", "amount": 1999, "currency": "eur"}


def endpoint(project: Project | None = None, **over: Any) -> Endpoint:
    number = next(_numbers)
    given: dict[str, Any] = {"url": f"https://shop{number}.example.com/hooks"}
    return Endpoint.objects.create(project=project or make_project(), **given | over)


def event(project: Project | None = None, **over: Any) -> Event:
    """Announced just now, about a transaction that may not be in the books."""
    subject = over.setdefault("subject", uuid4())
    given: dict[str, Any] = {
        "key": outbox.new_key(),
        "name": "payment.success",
        "sequence": 1,
        "payload": {"object": OBJECT | {"id": str(subject)}},
    }
    return Event.objects.create(project=project or make_project(), **given | over)


def delivery(
    of: Event | None = None, to: Endpoint | None = None, **over: Any
) -> Delivery:
    """An event on its way to an endpoint; without attempts."""
    if of is None:
        of = event(to.project if to else None)
    to = to or endpoint(of.project)
    given = {
        "name": of.name, "subject": of.subject, "created": of.created,
        "livemode": of.livemode,
    }  # fmt: skip
    return Delivery.objects.create(
        event=of, endpoint=to, project=of.project, **given | over
    )


def delivered(of: Event | None = None, to: Endpoint | None = None) -> Delivery:
    """Acknowledged at the first try."""
    row = delivery(
        of, to, state="delivered", status=200, tries=1, attempts_made=1,
        done=timezone.now(),
    )  # fmt: skip
    attempt(row)
    return row


def exhausted(
    of: Event | None = None, to: Endpoint | None = None, **over: Any
) -> Delivery:
    """Given up after ten tries, of which the last one is kept."""
    given = {"status": 503, "error": "the endpoint answered 503"} | over
    row = delivery(
        of, to, state="exhausted", tries=10, attempts_made=10, done=timezone.now(),
        **given,
    )  # fmt: skip
    attempt(row, number=10, status=503, outcome="refused", error=row.error)
    return row


def attempt(of: Delivery, **over: Any) -> Attempt:
    """A try: acknowledged within 87 ms over a new connection."""
    given: dict[str, Any] = {
        "number": 1,
        "at": of.created + timedelta(milliseconds=40),
        "status": 200,
        "outcome": "ok",
        "address": "203.0.113.10",
        "name_ms": 3,
        "connect_ms": 12,
        "tls_ms": 30,
        "wait_ms": 40,
        "total_ms": 87,
        "sent_headers": {
            "content-type": "application/json",
            "webhook-id": of.event.key,
            "webhook-signature": "v1,bm9uZQ==",
        },
        "answer_headers": {"content-type": "application/json"},
        "answer": b'{"taken": true}',
    }
    return Attempt.objects.create(delivery=of, **given | over)


def many(to: Endpoint, count: int, *, every: timedelta, end: datetime) -> list[int]:
    """So many deliveries with an attempt each, the last one at `end`; returns their
    ids. Of ten one has failed; of a hundred one is about test money."""
    times = [end - every * n for n in reversed(range(count))]
    events = Event.objects.bulk_create(
        Event(
            key=outbox.new_key(), project=to.project, name="payment.success",
            subject=uuid4(), payload={"object": OBJECT}, happened=at, created=at,
            livemode=number % 100 != 0,
        )
        for number, at in enumerate(times)
    )  # fmt: skip
    rows = Delivery.objects.bulk_create(
        Delivery(
            event=one, endpoint=to, project=to.project, name=one.name,
            subject=one.subject, created=one.created, due=one.created,
            livemode=one.livemode,
            state="exhausted" if number % 10 == 0 else "delivered", attempts_made=1,
        )
        for number, one in enumerate(events)
    )  # fmt: skip
    Attempt.objects.bulk_create(
        Attempt(
            delivery=row, number=1, at=row.created, total_ms=20 + row.pk % 80,
            outcome="answer" if row.state == "exhausted" else "ok",
            status=500 if row.state == "exhausted" else 200,
        )
        for row in rows
    )  # fmt: skip
    return [row.pk for row in rows]
