"""Refunds by Paysecure's API: in full by a GET that changes things, in part by a POST.

There is no idempotency key: the call is made once, and from then on only the status is
asked for. A refund in full has no id; what became of it stands in the purchase.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from merchant.money import Money
from merchant.providers import asking, wire
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
    moment,
    say,
    stamp,
    text,
)
from merchant.providers.paysecure import client, purchases
from merchant.providers.paysecure.message import Message, opened
from merchant.providers.paysecure.words import REFUNDED_WHOLE, SETTLED, normal

refunds = Refunding(partly="amount", names=False, one_by_one=True)

#: Paysecure's word for a refund -> ours, and how late in its life.
WORDS = {
    "refund_in_process": ("pending", 0),
    "refunded": ("succeeded", 2),
    "partial_refunded": ("succeeded", 2),
    "error": ("failed", 3),
    "failed": ("failed", 3),
    "rejected": ("failed", 3),
}
#: Clocks differ: what Paysecure says happened so long before ours was sent may be ours.
_SKEW = timedelta(minutes=10)

#: What Paysecure says, small, -> what staff can do about it.
_ADVICE = (
    ("exceeds refundable amount", "Refund less: a part was given back meanwhile."),
    ("already fully refunded", "There is nothing left to do."),
    (
        "already in process",
        "Wait until the refund before it has ended, then ask again.",
    ),
    ("max time", "It is too late for Paysecure: pay the customer in another way."),
    ("can be refunded", "The purchase is not paid, or not any more: look at it there."),
    (
        "not found",
        "The purchase belongs to another account or mode: check the API key.",
    ),
)


def refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    """Gives the purchase back, once and never again. Raises Refused, Unreachable."""
    purchase = _purchase(order)
    headers = client.headers(keys)
    if order.whole and order.untouched:
        url = client.address(f"purchases/{purchase}/refund/", keys)
        told = asking.act(call, "GET", url, headers, b"", "Paysecure", refused=_refused)
        found = _of_purchase(told, order, answered=True)
        assert found is not None
        return found
    url = client.address(f"purchases/{purchase}/refund", keys)
    amount = Money(order.amount, order.currency).major
    # A number with exactly the decimals of the currency, never a float.
    body = f'{{"amount":{amount},"reason":{json.dumps(order.words)}}}'.encode()
    headers |= {
        "Content-Type": "application/json",
        "X-Idempotency-Key": f"refund-{order.request}",
    }
    told = asking.act(call, "POST", url, headers, body, "Paysecure", refused=_refused)
    return _of_refund(mapping(told), order)


def find_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
    """What became of it: by its own id, or by what the purchase says.

    Raises Refused, Unreachable.
    """
    purchase = _purchase(order)
    if order.provider_id:
        url = client.address(f"refundStatus/{purchase}/", keys)
        headers = {**client.headers(keys), "Content-Type": "application/json"}
        body = json.dumps({"refundId": order.provider_id}).encode()
        told = asking.act(call, "POST", url, headers, body, "Paysecure")
        return _of_refund(mapping(told), order)
    url = client.address(f"purchases/{purchase}/", keys)
    told = asking.get(call, url, client.headers(keys), "Paysecure", client.GOOD)
    return _of_purchase(told, order)


def stop_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    raise Refused("Paysecure cannot cancel a refund.")


# --------------------------------------------------------------------------- answers
def _of_refund(body: dict[str, Any], order: RefundOrder) -> Receipt:
    """A refund in part, which has an id. Some methods wrap it once more."""
    body = mapping(body.get("refund")) or body
    id = wire.identifier(body.get("refundId"))
    purchase = body.get("purchaseId")
    if id is None or purchase not in (None, *order.references["purchase"]):
        raise Unreachable("Paysecure answered about another refund than asked for.")
    money = (body.get("amount"), body.get("currency") or order.currency)
    minor = wire.part(*money)
    currency = str(money[1]).lower()
    if minor is None or currency != order.currency:
        raise Unreachable("Paysecure answered with another currency, or no amount.")
    word = normal(body.get("status")) or ""
    status, rank = WORDS.get(word, ("pending", 0))
    made = moment(body.get("createdOn"))
    ended = moment(body.get("refundOn")) if body.get("refundOn") else None
    fact = _fact(
        order,
        "refund",
        id,
        (status, rank),
        ended if status == "succeeded" else made,
        {"money": [minor, currency], "created": stamp(made)},
    )
    return Receipt([fact], id)


def _of_purchase(
    told: Any, order: RefundOrder, *, answered: bool = False
) -> Receipt | None:
    """What the purchase says of a refund that has no id of its own; None: nothing.

    `answered`: it is the answer to our call. Raises Unreachable for another purchase.
    """
    try:
        message = opened(told)
        is_purchase = message.kind == "purchase"
        found = purchases.facts(message, fetched=True) if is_purchase else []
    except Unreadable as error:
        raise Unreachable(f"Paysecure answered something else: {error}") from error
    if not is_purchase or message.id not in order.references["purchase"]:
        raise Unreachable("Paysecure answered about another purchase than asked for.")
    currency = str(mapping(message.content.get("purchase")).get("currency")).lower()
    if currency != order.currency:
        raise Unreachable("Paysecure answered with another currency than asked for.")
    standing = _standing(message, order)
    if answered and (standing is None or standing[0] == "failed"):
        raise Unreachable(f"Paysecure answered that the purchase is {message.status}.")
    if standing is None:
        # A part that was given back is told by the purchase's figure alone.
        told_by_figure = message.status == "partial_refunded"
        return Receipt(found) if told_by_figure else None
    fact = _fact(
        order,
        "unnamed_refund",
        f"{message.id}:{order.request}",
        standing,
        moment(message.updated),
        {"money": [order.amount, order.currency]},
        times=message.updated,
    )
    return Receipt([*found, fact])


def _standing(message: Message, order: RefundOrder) -> tuple[str, int] | None:
    """Status and rank of our refund as the purchase tells; None: it does not tell."""
    if message.status in REFUNDED_WHOLE:
        return "succeeded", 2
    if message.status == "refund_in_process":
        return "pending", 0
    back = message.status in SETTLED and order.untouched
    return ("failed", 3) if back and _was_under_way(message, order) else None


def _was_under_way(message: Message, order: RefundOrder) -> bool:
    """Whether one was under way since ours was sent, which then came to nothing."""
    return any(
        status == "refund_in_process"
        and when is not None
        and order.sent is not None
        and when >= order.sent - _SKEW
        for status, when in purchases.history(message.content)
    )


def _fact(
    order: RefundOrder,
    kind: str,
    id: str,
    standing: tuple[str, int],
    at: datetime | None,
    said: Mapping[str, Any],
    times: int = 0,
) -> Fact:
    status, rank = standing
    return Fact(
        topic="refund",
        object_kind=kind,
        object_id=id,
        status=status,
        order=times,
        rank=rank,
        at=at,
        references=tuple(("purchase", name) for name in order.references["purchase"]),
        says=say(2, **said, request=order.request, livemode=order.livemode),
        summary=f"Refund {status}",
    )


def _purchase(order: RefundOrder) -> str:
    named = order.references.get("purchase")
    if not named:
        raise Refused("Paysecure's id of this purchase is not known.")
    return named[0]


def _refused(answer: Answer) -> Exception | None:
    """Paysecure's no, in its words and ours; None where it is no clear one."""
    if answer.status not in {400, 404, 410, 422}:
        return None
    try:
        said = text(mapping(answer.json()).get("message"), 200) or ""
    except Unreachable:
        return None
    advice = next((do for words, do in _ADVICE if words in said.lower()), "")
    return Refused(f"Paysecure: {said.rstrip('.') or answer.status}. {advice}".strip())
