"""Refunds by Stripe's API: ask for one, find it again, cancel it.

Documents: https://docs.stripe.com/api/refunds, https://docs.stripe.com/refunds.
"""

from __future__ import annotations

from datetime import timedelta

from merchant.money import NotMoney, exponent
from merchant.providers.base import (
    Answer,
    Call,
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
from merchant.providers.stripe import reading, reversals, words
from merchant.providers.stripe.client import Client
from merchant.providers.stripe.reading import Body, Source

refunds = Refunding(
    partly="amount",
    reasons={
        name: name for name in ("requested_by_customer", "duplicate", "fraudulent")
    },
    # Stripe keeps a key for 24 hours at least; an hour for clocks that differ.
    replays=timedelta(hours=23),
    stops=frozenset({"requires_action"}),
    page="https://dashboard.stripe.com/payments/{id}",
)

#: A refund that was just made may be missing from a list for a moment.
_PAGE = 100

#: Stripe's code -> what staff can do about it.
_ADVICE = {
    "charge_already_refunded": "Everything was given back already: there is nothing "
    "left to do.",
    "charge_disputed": "The customer's bank has taken the money: answer the dispute "
    "instead.",
    "refund_disputed_payment": "Answer the dispute instead; a refund would pay twice.",
    "resource_missing": "The payment belongs to another account or mode than the API "
    "key: check the connection.",
    "amount_too_large": "Refund less: a part was given back meanwhile.",
    "amount_too_small": "Refund more than Stripe's least amount.",
    "balance_insufficient": "Top up the balance at Stripe, then ask again.",
    "charge_not_refundable": "This method of payment cannot be given back by Stripe: "
    "pay the customer in another way.",
    "charge_expired_for_capture": "The hold ran out: nothing was taken.",
    "payment_intent_unexpected_state": "The payment is not taken yet: cancel it "
    "instead.",
}


def refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    """Asks for the refund; asked again with the same order, it has no second effect.

    Raises Refused, Unreachable.
    """
    client = Client(keys, call, keys.account)
    told = client.post(
        "/v1/refunds",
        [
            *_target(order),
            ("amount", str(_wire(order))),
            *(("reason", word) for word in _reason(order)),
            (f"metadata[{reversals.REQUEST}]", order.request),
        ],
        key=f"refund-{order.request}",
        refused=_refused,
    )
    return _receipt(told, order, keys)


def find_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
    """The refund as it stands now; None when Stripe has none with our id.

    Raises Refused, Unreachable.
    """
    client = Client(keys, call, keys.account)
    if order.provider_id:
        return _receipt(client.get(f"/v1/refunds/{order.provider_id}", []), order, keys)
    for page in client.pages("/v1/refunds", _target(order), (_PAGE,)):
        for one in rows(page):
            if mapping(one.get("metadata")).get(reversals.REQUEST) == order.request:
                return _receipt(one, order, keys)
    return None


def stop_refund(order: RefundOrder, keys: Keys, call: Call) -> Receipt:
    """Cancels a refund that waits for the customer. Raises Refused, Unreachable."""
    client = Client(keys, call, keys.account)
    path = f"/v1/refunds/{order.provider_id}/cancel"
    told = client.post(path, [], key=f"stop-{order.request}", refused=_refused)
    return _receipt(told, order, keys)


def _target(order: RefundOrder) -> list[tuple[str, str]]:
    """The payment by the best name that Stripe takes. Raises Refused."""
    for kind in ("payment_intent", "charge"):
        if named := order.references.get(kind):
            return [(kind, named[0])]
    raise Refused(
        "Stripe gives back payments, and of this purchase none is known. Fetch it by "
        "a poll of the connection, then ask again."
    )


def _wire(order: RefundOrder) -> int:
    """The amount in the units that Stripe counts. Raises Refused."""
    more = words.WIRE.get(order.currency, 2) - exponent(order.currency)
    if more >= 0:
        return order.amount * int(10**more)
    if order.amount % 10**-more:
        raise Refused("Stripe does not count such small parts of this currency.")
    return order.amount // int(10**-more)


def _reason(order: RefundOrder) -> list[str]:
    word = refunds.reasons.get(order.reason)
    return [word] if word else []


def _refused(answer: Answer) -> Exception | None:
    """What we know of Stripe's errors beyond the status."""
    try:
        error = mapping(mapping(answer.json()).get("error"))
    except Unreachable:
        return None
    code, said = text(error.get("code"), 60) or "", text(error.get("message"), 200)
    if error.get("type") == "idempotency_error":
        # Something was asked with this key already, so there may be a refund.
        return Unreachable(f"Stripe knows this request already: {said}")
    if answer.status >= 500 or answer.status in {401, 403, 409, 429}:
        return None
    if error.get("param") == "amount" and not code:
        code = "amount_too_large" if "greater than" in (said or "") else ""
    if code not in _ADVICE:
        return None
    words_ = (said or reading.readable(code) or code).rstrip(".")
    return Refused(f"Stripe: {words_}. {_ADVICE[code]}")


def _receipt(body: Body, order: RefundOrder, keys: Keys) -> Receipt:
    """The refund as facts, exactly as its webhook tells them.

    Raises Unreachable for an answer that is about something else.
    """
    source = Source("", None, order.livemode, keys.account)
    try:
        facts = reversals.refund(body, source)
        money = reading.minor(body.get("amount"), body.get("currency"))
        named = reading.own_id(body)
    except (Unreadable, NotMoney) as error:
        raise Unreachable(f"Stripe answered something else: {error}") from error
    asked = mapping(body.get("metadata")).get(reversals.REQUEST)
    if body.get("object") != "refund" or asked not in (None, order.request):
        raise Unreachable("Stripe answered about another refund than asked for.")
    if money != [order.amount, order.currency]:
        raise Unreachable("Stripe answered with another amount than asked for.")
    if not _is_of(body, order):
        raise Unreachable("Stripe answered about another payment than asked for.")
    return Receipt(facts, named)


def _is_of(body: Body, order: RefundOrder) -> bool:
    told = {
        kind: reading.id_of(body.get(kind)) for kind in ("payment_intent", "charge")
    }
    return all(
        id in order.references.get(kind, (id,)) for kind, id in told.items() if id
    )
