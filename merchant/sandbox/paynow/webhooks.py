"""Which webhooks PayNow sends when something happens to a purchase."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from merchant.sandbox.paynow import bodies, refunds
from merchant.sandbox.paynow.bodies import Body, first_sale, renewal
from merchant.sandbox.story import Event, Purchase, Step

Told = Iterable[tuple[str, Body]]


def events(purchase: Purchase, step: Step) -> list[Event]:
    """The webhooks of this step, unsigned; none for a step PayNow has no word for."""
    tell = _TELLERS.get(step.kind)
    found = tell(purchase, step) if tell else ()
    return [
        _event(purchase, step, number, name, body)
        for number, (name, body) in enumerate(found)
    ]


def _event(purchase: Purchase, step: Step, number: int, name: str, body: Body) -> Event:
    id = bodies.flake(step.at, purchase.number, step.kind, step.number, number)
    payload = {"event_type": name, "event_id": id, "body": body}
    raw = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Event(name, raw.encode())


def _paid(purchase: Purchase, step: Step) -> Told:
    sale = first_sale(purchase)
    yield "ON_ORDER_COMPLETED", bodies.order(sale)
    if purchase.total:  # what is free needs no payment
        yield "ON_PAYMENT_COMPLETED", bodies.payment(sale)


def _failed(purchase: Purchase, step: Step) -> Told:
    failure = step.reason or "do_not_honor"
    yield "ON_PAYMENT_FAILED", bodies.payment(first_sale(purchase), failure)


def _refund(purchase: Purchase, step: Step) -> Told:
    """Only once it is done."""
    if refunds.status(purchase, step) == "completed":
        yield "ON_REFUND", bodies.refund(first_sale(purchase), step)


def _refund_settled(purchase: Purchase, step: Step) -> Told:
    for refund in purchase.told:
        if refund.kind == "refund" and refund.number == step.number:
            yield "ON_REFUND", bodies.refund(first_sale(purchase), refund)


def _dispute(purchase: Purchase, step: Step) -> Told:
    yield "ON_CHARGEBACK", bodies.chargeback(first_sale(purchase), step)


def _dispute_closed(purchase: Purchase, step: Step) -> Told:
    yield "ON_CHARGEBACK_CLOSED", bodies.chargeback(first_sale(purchase), step)


def _items(name: str) -> Callable[[Purchase, Step], Told]:
    return lambda purchase, step: (
        (name, body) for body in bodies.delivery_items(first_sale(purchase), step)
    )


def _subscription(name: str) -> Callable[[Purchase, Step], Told]:
    return lambda purchase, step: [(name, bodies.subscription(purchase, step))]


def _renewed(purchase: Purchase, step: Step) -> Told:
    sale = renewal(purchase, step)
    yield "ON_SUBSCRIPTION_RENEWED", bodies.subscription(purchase, step)
    yield "ON_ORDER_COMPLETED", bodies.order(sale)
    yield "ON_PAYMENT_COMPLETED", bodies.payment(sale)


def _renewal_failed(purchase: Purchase, step: Step) -> Told:
    failure = step.reason or "insufficient_funds"
    yield "ON_PAYMENT_FAILED", bodies.payment(renewal(purchase, step), failure)


def _trial(name: str) -> Callable[[Purchase, Step], Told]:
    return lambda purchase, step: [(name, bodies.trial(purchase, step))]


def _linked(purchase: Purchase, step: Step) -> Told:
    yield (
        "ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT",
        bodies.discord_link(first_sale(purchase), step),
    )


_TELLERS: dict[str, Callable[[Purchase, Step], Told]] = {
    "paid": _paid,
    "failed": _failed,
    "refund": _refund,
    "refund_settled": _refund_settled,
    "dispute": _dispute,
    "dispute_won": _dispute_closed,
    "dispute_lost": _dispute_closed,
    "item_added": _items("ON_DELIVERY_ITEM_ADDED"),
    "item_revoked": _items("ON_DELIVERY_ITEM_REVOKED"),
    "subscription_started": _subscription("ON_SUBSCRIPTION_ACTIVATED"),
    "subscription_renewed": _renewed,
    "subscription_canceled": _subscription("ON_SUBSCRIPTION_CANCELED"),
    "renewal_failed": _renewal_failed,
    "trial_started": _trial("ON_TRIAL_ACTIVATED"),
    "trial_completed": _trial("ON_TRIAL_COMPLETED"),
    "account_linked": _linked,
}

#: What only the API can make happen is no part of a plan.
STEPS = frozenset(_TELLERS) - {"refund_settled"}
