"""What every fact from PayNow has: its place in time, its mode, the ids it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from merchant.providers.base import Fact, Said, say, text
from merchant.providers.paynow import reading, words
from merchant.providers.paynow.reading import Source


def fact(
    body: dict[str, Any],
    source: Source,
    said: Mapping[str, Said],
    *,
    times: tuple[datetime | None, ...] = (),
    **more: Any,
) -> Fact:
    """The fact in its place: by the event's id, or by the object's own latest time."""
    said = {**said, **say(0, livemode=source.livemode)}
    if more["topic"] == "payment":
        said |= say(source.weight, account=text(body.get("store_id"), 80))
    order = source.order
    if order is None:
        order = reading.flake_of(max((t for t in times if t), default=None))
    return Fact(order=order, says=said, **more)


def named(
    body: dict[str, Any], payment: str | None = None
) -> tuple[tuple[str, str], ...]:
    pairs = (("order", reading.id_of(body.get("order_id"))), ("payment", payment))
    return tuple((kind, id) for kind, id in pairs if id)


def begun(body: dict[str, Any], id: str) -> datetime | None:
    return reading.first_time(body.get("created_at")) or reading.flake_time(id)


def times(body: dict[str, Any]) -> list[datetime]:
    names = ("created_at", "approved_at", "pending_at", "completed_at")
    return [when for n in names if (when := reading.first_time(body.get(n)))]


def readable(value: object) -> str | None:
    code = text(value, 200)
    return words.in_words(code) if code else None


def texts(values: dict[str, Any]) -> dict[str, str] | None:
    found = {name: cut for name, v in values.items() if (cut := text(v, 200))}
    return found or None
