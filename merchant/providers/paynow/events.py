"""PayNow's webhooks: the envelope, and the nineteen events with a published body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from merchant.providers.base import (
    Envelope,
    Fact,
    Incoming,
    Keys,
    Reply,
    Unreadable,
    text,
)
from merchant.providers.paynow import inventory, purchases, reading, reversals, words
from merchant.providers.paynow.reading import WEBHOOK, Source

Reader = Callable[[dict[str, Any], Source], list[Fact]]


def identify(incoming: Incoming, payload: Any) -> Envelope:
    """The three keys of every event. Raises Unreadable when one is missing."""
    event_type, event_id, _ = _opened(payload)
    return Envelope(event_id=event_id, event_type=event_type)


def read(payload: Any, keys: Keys) -> list[Fact]:
    """What the event says; nothing for one that is not known. Raises Unreadable."""
    event_type, event_id, body = _opened(payload)
    if event_type not in READERS:
        return []
    reader, rank = READERS[event_type]
    source = Source(
        weight=WEBHOOK,
        livemode=keys.livemode,
        order=reading.place(event_id),
        rank=rank,
        at=reading.flake_time(event_id),
        event_id=event_id,
    )
    return reader(body, source)


def reply(
    incoming: Incoming, envelope: Envelope, payload: Any, duplicate: bool
) -> Reply | None:
    """PayNow's guide answers in plain words."""
    return Reply(200, b"Already processed" if duplicate else b"OK")


def _opened(payload: Any) -> tuple[str, str, dict[str, Any]]:
    if not isinstance(payload, dict):
        raise Unreadable("the delivery is not an object")
    spelt, event_id = payload.get("event_type"), reading.id_of(payload.get("event_id"))
    if not isinstance(spelt, str) or not text(spelt, 80):
        raise Unreadable("the delivery has no event_type")
    if event_id is None:
        raise Unreadable("the delivery has no event_id")
    body = payload.get("body")
    if not isinstance(body, dict):
        raise Unreadable("the delivery has no body")
    return words.event_name(text(spelt, 80) or ""), event_id, body


# --------------------------------------------------------------- event by event
def _order_completed(body: dict[str, Any], source: Source) -> list[Fact]:
    return [purchases.order(body, source, "paid")]


def _payment_completed(body: dict[str, Any], source: Source) -> list[Fact]:
    return [purchases.payment(body, source, "paid")]


def _payment_failed(body: dict[str, Any], source: Source) -> list[Fact]:
    return [purchases.payment(body, source, "failed")]


def _chargeback(body: dict[str, Any], source: Source) -> list[Fact]:
    return reversals.chargeback(body, source, closed=False)


def _chargeback_closed(body: dict[str, Any], source: Source) -> list[Fact]:
    return reversals.chargeback(body, source, closed=True)


def _item(status: str) -> Reader:
    return lambda body, source: inventory.delivery_item(body, source, status)


def _standing(topic: str, status: str) -> Reader:
    return lambda body, source: inventory.standing(body, source, topic, status)


#: event -> (its reader, its place where ids give no order)
READERS: dict[str, tuple[Reader, int]] = {
    "ON_ORDER_COMPLETED": (_order_completed, 0),
    "ON_PAYMENT_COMPLETED": (_payment_completed, 0),
    "ON_PAYMENT_FAILED": (_payment_failed, 0),
    "ON_REFUND": (reversals.refund, 0),
    "ON_CHARGEBACK": (_chargeback, 0),
    "ON_CHARGEBACK_CLOSED": (_chargeback_closed, 0),
    "ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT": (inventory.discord_link, 0),
    **{
        event: (_item(status), rank)
        for event, (status, rank) in words.DELIVERY_EVENTS.items()
    },
    **{
        event: (_standing("subscription", status), rank)
        for event, (status, rank) in words.SUBSCRIPTION_EVENTS.items()
    },
    **{
        event: (_standing("trial", status), rank)
        for event, (status, rank) in words.TRIAL_EVENTS.items()
    },
}
