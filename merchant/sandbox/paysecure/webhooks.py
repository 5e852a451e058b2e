"""Which webhooks Paysecure sends when something happens to a purchase."""

from __future__ import annotations

from typing import Any

from merchant.sandbox import wire
from merchant.sandbox.paysecure import bodies
from merchant.sandbox.story import Event, Purchase, Step

STEPS = (*bodies.STATUSES, *bodies.PAYOUTS)

#: Statuses that are only passed through: nobody is told of them.
_SILENT = frozenset({"pending_execute"})


def events(purchase: Purchase, step: Step) -> list[Event]:
    """The webhooks of this step, unsigned; none for what Paysecure does not tell."""
    told = wire.so_far(purchase, step)
    if step.kind in bodies.PAYOUTS:
        return [
            _event("payout", bodies.payout_body(purchase, told, status))
            for status in bodies.PAYOUTS[step.kind]
        ]
    if step.kind not in bodies.STATUSES:
        return []
    known = len(bodies.history(purchase, told[:-1])) if told[1:] else 0
    passed = bodies.history(purchase, told)
    return [
        _event("purchase", bodies.purchase_body(purchase, told, passed[: place + 1]))
        for place in range(len(passed))
        if place >= known and passed[place][0] not in _SILENT and _told(passed, place)
    ]


def _told(passed: bodies.History, place: int) -> bool:
    """A purchase that began with something else was made silently."""
    return passed[place][0] != "created" or place == len(passed) - 1


def _event(kind: str, content: dict[str, Any]) -> Event:
    """In the wrapper of live deliveries, whose own status is in lower case."""
    wrapper = "message" if kind == "purchase" else "payload"
    status = str(content["status"]).lower()
    body = {wrapper: content, "status": status}
    return Event(f"{kind}.{status}", wire.compact(body))
