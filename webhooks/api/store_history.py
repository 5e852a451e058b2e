"""What was sent to a subscription, as PayNow's API tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch

from webhooks import words
from webhooks.catalogue import KINDS
from webhooks.dialects import News, paynow
from webhooks.dialects.wire import iso_of as iso
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.record import rendering

PER_PAGE = 25
#: Pages go by number, so a deep one costs as much as all above it.
LAST_PAGE = 400
#: So much of an answer is told, characters.
MOST_ANSWER = 2048
ALL = "all"

_State = Delivery.State
#: PayNow's state -> ours.
STATES: dict[str, tuple[str, ...]] = {
    "success": (_State.DELIVERED,),
    "pending": (_State.PENDING, _State.HELD),
    "failed": (_State.EXHAUSTED, _State.DROPPED),
    ALL: tuple(_State.values),
}
_TOLD = {
    ours: word for word, several in STATES.items() if word != ALL for ours in several
}


def page(endpoint: Endpoint, number: int, state: str) -> list[dict[str, Any]]:
    """A page of its deliveries, the newest first; the first page is 0."""
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event")
    if state != ALL:
        rows = rows.filter(state__in=STATES[state])
    attempts = Attempt.objects.order_by("number").defer("sent_headers")
    rows = rows.prefetch_related(Prefetch("attempts", attempts))
    first = number * PER_PAGE
    return [_item(row) for row in rows.order_by("-id")[first : first + PER_PAGE]]


def variables(news: News) -> list[str]:
    """The places in an event's body, "customer.steam.name"."""
    body = paynow.body(news)
    told = json.loads(body)["body"] if body else {}
    return list(dict.fromkeys(_places(told, "")))


def _item(row: Delivery) -> dict[str, Any]:
    waits = row.state == _State.PENDING
    return {
        "id": str(row.pk),
        "webhook_id": str(row.endpoint_id),
        "created_at": iso(row.created),
        "state": _TOLD[row.state],
        "next_retry": iso(row.due) if waits else None,
        "event": words.pascal(KINDS[row.name].paynow),
        "payload": _payload(row.event),
        "executions": [_execution(attempt) for attempt in row.attempts.all()],
    }


def _payload(event: Event) -> Any:
    """None where what it said is no longer kept."""
    body = rendering.body(event, "paynow") if event.payload else None
    return json.loads(body) if body else None


def _execution(attempt: Attempt) -> dict[str, Any]:
    """`at` is when it had ended."""
    answer = bytes(attempt.answer[:MOST_ANSWER]).decode(errors="replace")
    return {
        "id": str(attempt.pk),
        "started_at": iso(_began(attempt)),
        "finished_at": iso(attempt.at),
        "status_code": attempt.status or 0,
        "response": answer or attempt.error or None,
    }


def _began(attempt: Attempt) -> datetime:
    return attempt.at - timedelta(milliseconds=attempt.total_ms)


def _places(told: Any, before: str) -> Iterator[str]:
    if isinstance(told, dict):
        for name, inner in told.items():
            yield from _places(inner, f"{before}.{name}" if before else name)
    elif not isinstance(told, list):
        yield before
