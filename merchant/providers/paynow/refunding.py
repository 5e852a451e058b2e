"""Refunds by PayNow's management API: a whole order, or one of its lines.

There is no idempotency key, so nothing is ever sent twice: after a lost answer the
payment's list of refunds is read until it tells.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from merchant.providers.base import (
    Answer,
    Call,
    Fact,
    Keys,
    Receipt,
    Refunding,
    RefundOrder,
    Refused,
    Unreachable,
    Unreadable,
    mapping,
    rows,
    text,
)
from merchant.providers.paynow import calls, facts, reading, reversals

refunds = Refunding(partly="line")

#: Clocks differ: a refund that was made so long before ours was sent may be ours.
_SKEW = timedelta(minutes=10)

_ADVICE = {
    400: "PayNow gives an order back once, and only after it was paid: look at it in "
    "PayNow's dashboard.",
    404: "PayNow does not have this order: check the store id and mode of the "
    "connection.",
    409: "Another refund of this order is under way at PayNow.",
}


def refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    """Gives the order, or one line, back. Raises Refused, Unreachable."""
    named = _one(order, "order")
    store = calls.store(keys, call, unsent=True)
    body = {"order_line_id": order.line} if order.line else {}
    told = calls.act(
        f"{store}/orders/{quote(named, safe='')}/refund",
        json.dumps(body).encode(),
        keys,
        call,
        refused=_refused,
    )
    return _receipt(mapping(told), order)


def find_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
    """The refund in its payment; None where the payment lists none that could be it.

    Raises Refused, Unreachable.
    """
    for payment in _payments(order, keys, call):
        for one in rows(payment.get("refunds")):
            if _is_it(one, order):
                return _receipt(one, order, payment)
    return None


def stop_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    raise Refused("PayNow's API cannot cancel a refund: ask their support.")


def _payments(order: RefundOrder, keys: Keys, call: Call) -> list[dict[str, Any]]:
    store = calls.store(keys, call)
    if named := order.references.get("payment"):
        return [
            mapping(calls.ask(f"{store}/payments/{quote(id, safe='')}", {}, keys, call))
            for id in named
        ]
    query = {"order_id": _one(order, "order")}
    return rows(calls.ask(f"{store}/payments", query, keys, call))


def _is_it(one: dict[str, Any], order: RefundOrder) -> bool:
    """By its id; while we have none, by amount, line and time, unless it is another's.

    PayNow keeps nothing of ours with a refund.
    """
    id = reading.id_of(one.get("id"))
    if order.provider_id or not id:
        return id == order.provider_id
    line = reading.id_of(one.get("order_line_id")) or ""
    made = facts.begun(one, id)
    return (
        id not in order.others
        and line == order.line
        and reading.minor(one.get("amount"), order.currency, "refund")
        == (order.amount, order.currency)
        and (made is None or order.sent is None or made >= order.sent - _SKEW)
    )


def _receipt(
    body: dict[str, Any], order: RefundOrder, payment: dict[str, Any] | None = None
) -> Receipt:
    """The refund as facts. Raises Unreachable for an answer about something else."""
    parent = payment or {
        "id": reading.id_of(body.get("payment_id")),
        "order_id": _one(order, "order"),
        "currency": order.currency,
    }
    try:
        id = reading.needed(body, "id", "refund")
        fact: Fact = reversals.api_refund(
            body, parent, reading.Source(weight=reading.API, livemode=order.livemode)
        )
        currency = str(body.get("currency") or order.currency).lower()
        amount = reading.minor(body.get("amount"), currency, "refund")
    except Unreadable as error:
        raise Unreachable(f"PayNow answered something else: {error}") from error
    known = order.references.get("payment")
    of = reading.id_of(body.get("payment_id"))
    other = bool(known and of and of not in known)
    if other or amount is None or currency != order.currency:
        raise Unreachable("PayNow answered about another payment than asked for.")
    return Receipt([fact], id)


def _one(order: RefundOrder, kind: str) -> str:
    named = order.references.get(kind)
    if not named:
        raise Refused(
            "PayNow gives back orders, and of this purchase none is known. Poll the "
            "connection, then ask again."
        )
    return named[0]


def _refused(answer: Answer) -> Exception | None:
    if answer.status not in _ADVICE:
        return None
    try:
        said = text(mapping(answer.json()).get("message"), 200)
    except Unreachable:
        said = None
    return Refused(f"PayNow: {said or answer.status}. {_ADVICE[answer.status]}")
