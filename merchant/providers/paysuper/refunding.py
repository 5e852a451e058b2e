"""Refunds by PaySuper: whole orders only, and only by a person's own token.

PaySuper's API for servers has no refunds. Its dashboard's API has, for who shows the
token of a signed-in person; without one a member does it in PaySuper's dashboard and
the webhook tells when it is done. There is no idempotency key: after a lost answer the
order's list of refunds is read.
"""

from __future__ import annotations

import json
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
    Want,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.paysuper import client
from merchant.providers.paysuper.words import RANKS, REFUNDS

refunds = Refunding(
    partly="no",
    # The four that PaySuper's own dialog knows.
    reasons={
        "requested_by_customer": "Customer's request",
        "duplicate": "Customer's request",
        "other": "Customer's request",
        "chargeback": "Redeem chargeback",
        "not_delivered": "Purchase not provided",
        "fraudulent": "Card data was stolen",
    },
    needs="user_token",
    by_hand=True,
    page="https://dashboard.pay.super.com/transactions/{id}",
)

_SKEW = timedelta(minutes=10)

#: PaySuper's code -> what staff can do about it.
_ADVICE = {
    "rf000001": "The bank's side refused it for now: ask again later, or do it in "
    "PaySuper's dashboard.",
    "rf000002": "The order is in no state in which it can be given back.",
    "rf000003": "Everything was given back already: there is nothing left to do.",
    "rf000004": "PaySuper has a refund of this order already: look at it there.",
    "rf000005": "The order belongs to another merchant or mode than the token.",
    "rf000006": "PaySuper does not find the payment: ask their support.",
    "rf000007": "PaySuper lacks the settings of its commission: ask their support.",
}


def refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    """Gives the whole order back. Raises Refused, Unreachable."""
    rest = {
        "reason": refunds.reasons.get(order.reason, "Customer's request"),
        "creator_id": "",
        "is_chargeback": False,
    }
    # The amount is needed and not looked at: it is always the whole charge.
    amount = Money(order.amount, order.currency).major
    body = f'{{"amount":{amount},{json.dumps(rest)[1:]}'
    told = asking.act(
        call,
        "POST",
        _url(order, keys),
        {**_headers(keys), "Content-Type": "application/json"},
        body.encode(),
        "PaySuper",
        refused=_refused,
    )
    return _receipt(mapping(told), order)


def find_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
    """The refund among the order's; None where there is none that could be it.

    Without a token the order itself is asked for, which tells when it is done. Raises
    Refused, Unreachable.
    """
    if not keys.user_token:
        return _in_the_order(order, keys, call)
    listed = asking.get(
        call, f"{_url(order, keys)}?limit=100", _headers(keys), "PaySuper"
    )
    for one in rows(mapping(listed).get("items")):
        if _is_it(one, order):
            return _receipt(one, order)
    return None


def stop_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    raise Refused("PaySuper cannot cancel a refund.")


def _in_the_order(order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
    facts = client.fetch(Want("order", _order(order)), keys, call)
    return Receipt(facts) if any(fact.topic == "refund" for fact in facts) else None


def _is_it(one: dict[str, Any], order: RefundOrder) -> bool:
    id = wire.identifier(one.get("id"))
    if order.provider_id or id is None:
        return id == order.provider_id
    made = _time(one.get("created_at"))
    recent = made is None or order.sent is None or made >= order.sent - _SKEW
    return id not in order.others and recent


def _receipt(body: dict[str, Any], order: RefundOrder) -> Receipt:
    """The refund as a fact. Raises Unreachable for an answer about something else."""
    id = wire.identifier(body.get("id"))
    status = REFUNDS.get(body.get("status"))  # type: ignore[arg-type]
    if id is None or status is None:
        raise Unreachable("PaySuper answered something else than a refund.")
    if body.get("original_order_id") not in (None, "", _order(order)):
        raise Unreachable("PaySuper answered about another order than asked for.")
    changed = _time(body.get("updated_at"))
    fact = Fact(
        topic="refund",
        object_kind="refund",
        object_id=id,
        status=status[0],
        # Below the webhook's rank for the same refund: a webhook is the last word.
        rank=RANKS["refund"] if status[0] == "succeeded" else status[1],
        at=changed,
        references=(("order", _order(order)),),
        says=say(
            money=[order.amount, order.currency],
            created=stamp(_time(body.get("created_at"))),
            reason=text(body.get("reason"), 200),
            livemode=order.livemode,
        ),
        summary=f"Refund {status[0]}",
    )
    return Receipt([fact], id)


def _time(value: object) -> datetime | None:
    """A time as {"seconds", "nanos"}, or as text."""
    return moment(mapping(value).get("seconds") if isinstance(value, dict) else value)


def _order(order: RefundOrder) -> str:
    named = order.references.get("order")
    if not named:
        raise Refused("PaySuper's id of this order is not known.")
    return named[0]


def _url(order: RefundOrder, keys: Keys) -> str:
    base = (keys.base_url or client.API).rstrip("/")
    return f"{base}/admin/api/v1/order/{_order(order)}/refunds"


def _headers(keys: Keys) -> dict[str, str]:
    if not keys.user_token:
        raise Refused(
            "PaySuper gives money back only to a signed-in person: add a user token to "
            "the connection, or do it in PaySuper's dashboard."
        )
    return {"Authorization": f"Bearer {keys.user_token}"}


def _refused(answer: Answer) -> Exception | None:
    """What we know of PaySuper's errors beyond the status."""
    if answer.status == 401:
        return Refused(
            "PaySuper does not take the user token any more: they last for hours. Put "
            "a new one into the connection and ask again, or do it in PaySuper."
        )
    try:
        body = mapping(answer.json())
    except Unreachable:
        return None
    code, said = text(body.get("code"), 20) or "", text(body.get("message"), 200)
    if code not in _ADVICE or answer.status >= 500:
        return None
    return Refused(f"PaySuper: {said or code}. {_ADVICE[code]}")
