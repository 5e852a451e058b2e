"""Which webhooks PaySuper sends when something happens to an order."""

from __future__ import annotations

from merchant.sandbox import wire
from merchant.sandbox.paysuper import orders
from merchant.sandbox.story import Event, Purchase, Step

#: step -> event. PaySuper is silent about orders that are made or under way; of a
#: dispute it tells when the money is gone.
_EVENTS = {
    "paid": "payment.success",
    "failed": "payment.cancel",
    "canceled": "payment.cancel",
    "refund": "payment.refund",
    "dispute": "payment.chargeback",
    "dispute_lost": "payment.chargeback",
}
STEPS = tuple(_EVENTS)


def events(purchase: Purchase, step: Step) -> list[Event]:
    """The webhook of this step, unsigned; none for what PaySuper does not tell.

    A dispute that was told when it began is told again when it is lost: the same
    event with the same id, as a retry would be.
    """
    name = _EVENTS.get(step.kind)
    if name is None:
        return []
    if step.kind == "dispute_lost":
        begun = [other for other in purchase.steps if other.kind == "dispute"]
        step = begun[0] if begun else step
    body = {
        "id": wire.invented(orders.order_id(purchase), name, length=64),
        "type": "notification",
        "event": name,
        "live": purchase.livemode,
        "created_at": wire.iso(step.at, after=2),
        "expires_at": "",
        "delivery_try": 0,
        "object": orders.order(purchase, wire.so_far(purchase, step)),
    }
    return [Event(name, wire.compact(body, escaped=True))]
