"""Events in a dialect's words again, for pages: what was sent is not kept twice."""

from __future__ import annotations

from merchant import bulk
from webhooks import dialects, outbox
from webhooks.models import Delivery, Endpoint, Event


def body_of(delivery: Delivery, number: int) -> bytes | None:
    """The body of a delivery's try, in the dialect that its endpoint has now."""
    return body(delivery.event, delivery.endpoint.dialect, number)


def body(event: Event, dialect: str, number: int = 1) -> bytes | None:
    """The event's body in a dialect; None where that has no words for it."""
    spoken = dialects.DIALECTS.get(dialect)
    if spoken is None:
        return None
    return spoken.body(outbox.news_of(bulk.row_of(event), attempt=number))


def known_dialects() -> list[tuple[str, str]]:
    """(name, label) of every dialect that there are words for, ours first."""
    return [
        (value, str(label))
        for value, label in Endpoint._meta.get_field("dialect").choices or ()
        if value in dialects.DIALECTS
    ]
