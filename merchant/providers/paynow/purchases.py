"""What is bought and paid: orders, and the payments that try to pay them.

The webhook and the API describe the same objects; `Source` says which one speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from merchant.providers.base import Fact, Said, Want, mapping, rows, say, stamp, text
from merchant.providers.paynow import facts, reading, words
from merchant.providers.paynow.reading import API, ECHO, Source

#: An order's total counts more than what one payment moved, whoever tells it.
_ORDER_ABOVE_PAYMENT = 2
#: States of one object that the API gives the same time.
_RANKS = {"created": 0, "pending": 1, "canceled": 2, "failed": 2, "paid": 3}
_VERBS = {
    "created": "created",
    "pending": "started",
    "canceled": "canceled",
    "failed": "declined",
    "paid": "taken",
}


def order(body: dict[str, Any], source: Source, status: str | None = None) -> Fact:
    """`status`: ours, where the event knows it; else the order's own word."""
    id = reading.needed(body, "id", "order")
    word = body.get("status")
    status = status or words.ORDER_STATUSES.get(str(word).lower(), "created")
    created = reading.first_time(body.get("created_at")) or reading.flake_time(id)
    completed = reading.first_time(body.get("completed_at"))
    said = say(
        source.weight + _ORDER_ABOVE_PAYMENT,
        money=reading.money(body.get("total_amount"), body.get("currency"), "order"),
    )
    said |= say(
        source.weight,
        created=stamp(created),
        paid=stamp(completed) if status == "paid" else None,
        description=text(body.get("product_names"), 500),
        order_reference=text(body.get("pretty_id"), 200),
        metadata=reading.checkout_metadata(body),
        items=reading.items(body, rows(body.get("lines"))) or None,
        method_details=facts.texts({"holder": body.get("billing_name")}),
    )
    if status == "paid" and completed is None:  # some bodies leave the time out
        said |= say(ECHO, paid=stamp(source.at or created))
    return facts.fact(
        body,
        source,
        said | reading.customer(body, source.weight),
        topic="payment",
        object_kind="order",
        object_id=id,
        status=status,
        references=(("order", id),),
        at=completed or source.at or created,
        times=(created, completed),
        rank=_RANKS[status],
        summary=f"Order {'completed' if status == 'paid' else status}",
    )


def payment(body: dict[str, Any], source: Source, status: str | None = None) -> Fact:
    """`status`: ours, where the event knows it; else the payment's own word."""
    id = reading.needed(body, "id", "payment")
    word = str(body.get("status")).lower()
    status = status or words.PAYMENT_STATUSES.get(word, "created")
    created = reading.first_time(body.get("created_at")) or reading.flake_time(id)
    ended = reading.first_time(body.get("completed_at"), body.get("failed_at"))
    paid = status == "paid"
    said = say(
        source.weight,
        money=reading.money(body.get("amount"), body.get("currency"), "payment"),
        created=stamp(created),
        paid=reading.stamped(body.get("completed_at")) if paid else None,
        settlement=reading.settlement(body) if paid else None,
        reason=_why(body) if status == "failed" else None,
        refund_pending=word == "refund_processing" if source.weight == API else None,
    )
    said |= _method(body, source.weight)
    gateway = text(body.get("gateway"), 40)
    return facts.fact(
        body,
        source,
        said | reading.customer(body, source.weight),
        topic="payment",
        object_kind="payment",
        object_id=id,
        status=status,
        references=facts.named(body, payment=id),
        at=ended or source.at or created,
        times=(created, reading.first_time(body.get("pending_at")), ended)
        + tuple(
            when for refund in rows(body.get("refunds")) for when in facts.times(refund)
        ),
        rank=_RANKS[status],
        wants=() if source.weight == API else (Want("payment", id),),
        summary=f"Payment {_VERBS[status]}" + (f" by {gateway}" * bool(gateway)),
    )


def echo(
    body: dict[str, Any],
    id: str,
    source: Source,
    more: Mapping[str, Said] | None = None,
) -> Fact:
    """The payment that a refund or chargeback repeats: it was taken, once."""
    made = reading.flake_time(id)
    said = say(
        ECHO,
        money=reading.money(body.get("amount"), body.get("currency"), "payment"),
        settlement=reading.settlement(body),
        created=stamp(made),
    )
    said |= _method(body, ECHO) | reading.customer(body, ECHO)
    return facts.fact(
        body,
        source,
        said | dict(more or {}),
        topic="payment",
        object_kind="payment",
        object_id=id,
        status="paid",
        references=facts.named(body, payment=id),
        at=made,
        rank=_RANKS["paid"],
        summary="Payment taken, as a later event says",
    )


def _why(body: dict[str, Any]) -> str | None:
    code = text(body.get("failure_code"), 100)
    return words.DECLINES.get(code.lower(), words.in_words(code)) if code else None


def _method(body: dict[str, Any], weight: int) -> dict[str, Said]:
    """How it was paid. Webhooks name the gateway alone, the API the method too."""
    method = mapping(body.get("method"))
    kind = text(method.get("method_type"), 60)
    details = mapping(method.get("method_details"))
    inner = mapping(details.get(kind or "")) or details
    last4 = text(inner.get("last4") or inner.get("last_4"), 20)
    expires = [text(inner.get(name), 4) for name in ("exp_month", "exp_year")]
    return say(
        weight,
        method=kind.lower() if kind else None,
        method_brand=(text(inner.get("brand"), 60) or "").lower(),
        method_last4=last4[-4:] if last4 else None,
        method_details=facts.texts(
            {
                "gateway": body.get("gateway"),
                "country": inner.get("country"),
                "funding": inner.get("funding"),
                "wallet": inner.get("wallet"),
                "expires": "/".join(e for e in expires if e) if all(expires) else None,
            }
        ),
    )
