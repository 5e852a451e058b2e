"""Events in a dialect's words again, for pages: what was sent is not kept twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from merchant import bulk
from webhooks import dialects, outbox
from webhooks.delivery import schedule
from webhooks.models import Attempt, Delivery, Endpoint, Event


def body_of(delivery: Delivery, attempt: Attempt) -> bytes | None:
    """The body of a try, in the dialect that the delivery's endpoint has now."""
    expires = schedule.expires(delivery.created, attempt.at)
    return body(delivery.event, delivery.endpoint.dialect, attempt.number, expires)


def body(
    event: Event, dialect: str, number: int = 1, expires: datetime | None = None
) -> bytes | None:
    """The event's body in a dialect; None where that has no words for it, or where
    what it said is no longer kept.

    `expires`: as for webhooks.dialects.base.News; without it that of a delivery which
    was queued along with the event.
    """
    spoken = dialects.DIALECTS.get(dialect)
    if spoken is None or not event.payload:
        return None
    news = outbox.news_of(bulk.row_of(event), attempt=number)
    expires = expires or schedule.expires(event.created, event.created)
    return spoken.body(replace(news, expires=expires))


def known_dialects() -> list[tuple[str, str]]:
    """(name, label) of every dialect that there are words for, ours first."""
    return [
        (value, str(label))
        for value, label in Endpoint._meta.get_field("dialect").choices or ()
        if value in dialects.DIALECTS
    ]
