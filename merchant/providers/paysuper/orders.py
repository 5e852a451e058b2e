"""What a PaySuper order says, from a webhook or from the API: the same facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from merchant.money import Money
from merchant.providers import wire
from merchant.providers.base import (
    Fact,
    Keys,
    Said,
    Unreadable,
    first,
    labels,
    mapping,
    say,
    stamp,
    text,
)
from merchant.providers.paysuper import details
from merchant.providers.paysuper.envelope import SPELLINGS, opened
from merchant.providers.paysuper.words import (
    CANCELED_BY_CUSTOMER,
    DECLINES,
    EVENT_STATES,
    PAID,
    RANKS,
    STATUS_STATES,
    SUMMARIES,
    State,
)


def read(payload: Any, keys: Keys) -> list[Fact]:
    """The facts of a webhook; none for tests, user checks and unknown events.

    Raises Unreadable.
    """
    message = opened(payload)
    state = EVENT_STATES.get(SPELLINGS.get(message.event, message.event))
    if state is None or message.testing or not message.content:
        return []
    return facts(message.content, state)


def listed(order: dict[str, Any]) -> list[Fact]:
    """The facts of an order as the API lists it. Raises Unreadable."""
    state = STATUS_STATES.get(str(order.get("status")))
    if state is None or order.get("testing_case"):
        return []
    return facts(order, state)


def facts(order: dict[str, Any], state: State) -> list[Fact]:
    """The payment, and what was given or taken back of it."""
    id = wire.identifier(order.get("id"))
    if id is None:
        raise Unreadable("The order has no id that could name it.")
    currency = wire.known_currency(order.get("currency"))
    amount = order.get("amount")
    money, warning = (None, "") if amount is None else wire.price(amount, currency)
    told = [_payment(order, id, state, money, currency, warning)]
    if state == "refund":
        told.append(_refund(order, id, money))
    if state == "chargeback":
        told.append(_chargeback(order, id, money))
    return told


# -------------------------------------------------------------------- the payment
def _payment(
    order: dict[str, Any],
    id: str,
    state: State,
    money: Money | None,
    currency: str | None,
    warning: str,
) -> Fact:
    created = details.time(order.get("created_at"))
    status, reason, at = "paid", None, created
    if state == "cancel":
        status, reason, at = _ending(order, created)
    elif state not in PAID:
        status = state
    said = say(
        currency=currency,
        created=stamp(created),
        # The order tells no other time: not when it was paid, and the envelope's
        # created_at is that of the delivery.
        paid=stamp(created) if state in PAID else None,
        reason=reason,
        warning=warning,
        description=text(order.get("description")),
        metadata=labels(order.get("metadata")),
        order_reference=_reference(order),
        settlement=details.settlement(order),
        items=details.items(order, currency),
        receipt_url=wire.link(order.get("receipt_url")),
    )
    said |= details.customer(order) | details.method(order) | _basics(order, money)
    if warning:
        said["verified"] = Said(False)
    return Fact(
        topic="payment",
        object_kind="order",
        object_id=id,
        status=status,
        rank=RANKS[state],
        at=at,
        references=(("order", id),),
        says=said,
        summary=f"{SUMMARIES[state]}{f': {reason}' if reason else ''}",
    )


def _basics(order: dict[str, Any], money: Money | None) -> dict[str, Said]:
    live = order.get("is_production")
    return say(
        money=[money.minor, money.currency] if money else None,
        livemode=live if isinstance(live, bool) else None,
    )


def _ending(
    order: dict[str, Any], created: datetime | None
) -> tuple[str, str | None, datetime | None]:
    """Status, reason and time of an order that was not paid.

    One event stands for both: the customer went away, or the payment was declined.
    """
    cancellation = mapping(order.get("cancellation"))
    code = text(cancellation.get("code"), 20)
    # 2019's deliveries have a plain text instead.
    words = text(cancellation.get("reason") or order.get("cancellation_reason"), 200)
    words = DECLINES.get(code or "", words)
    reason = f"{words} ({code})" if words and code else words or code
    canceled = details.time(order.get("canceled_at"))
    gone = code == CANCELED_BY_CUSTOMER or canceled is not None
    if not code and order.get("status") == "canceled":
        gone = True
    return ("canceled" if gone else "failed"), reason, canceled or created


def _reference(order: dict[str, Any]) -> str | None:
    """The shop's own order number, under the keys that PaySuper itself searches."""
    metadata = mapping(order.get("metadata"))
    found = first(metadata.get("invoiceId"), metadata.get("order_identifier"))
    return text(found, 200)


# --------------------------------------------------------- what went back afterwards
def _refund(order: dict[str, Any], id: str, money: Money | None) -> Fact:
    """PaySuper refunds whole orders only."""
    refund = mapping(order.get("refund"))
    returned, elsewhere = _returned(order, refund, money)
    reason = text(refund.get("reason"), 200)
    said = say(
        created=stamp(details.time(order.get("refunded_at"))),
        reason=" ".join(part for part in (reason, elsewhere) if part),
    )
    return Fact(
        topic="refund",
        object_kind="refund",
        object_id=wire.identifier(refund.get("receipt_number")) or id,
        status="succeeded",
        rank=RANKS["refund"],
        at=details.time(order.get("refunded_at")),
        references=(("order", id),),
        says=said | _basics(order, returned),
        summary=" ".join(part for part in ("Refunded", elsewhere) if part),
    )


def _returned(
    order: dict[str, Any], refund: dict[str, Any], whole: Money | None
) -> tuple[Money | None, str]:
    """How much of the order went back, and in words what the card got instead.

    Refunds are made in the currency that the card was charged in. In the order's own
    currency the figure is taken as it is; in another one the order is whole all the
    same, and a rate of our own would be a guess.
    """
    currency = first(refund.get("currency"), order.get("charge_currency"))
    amount = wire.number(refund.get("amount"))
    if whole is None or not currency or not amount:
        return whole, ""
    if str(currency).lower() == whole.currency:
        minor = wire.part(amount, currency)
        return (Money(minor, whole.currency) if minor else whole), ""
    return whole, f"({amount} {text(currency, 10)} to the card)"


def _chargeback(order: dict[str, Any], id: str, money: Money | None) -> Fact:
    """PaySuper tells of a dispute when it is lost, and not before."""
    at = details.time(order.get("refunded_at"))
    said = say(
        created=stamp(at),
        reason=text(mapping(order.get("refund")).get("reason"), 200),
    )
    return Fact(
        topic="dispute",
        object_kind="chargeback",
        object_id=id,
        status="lost",
        rank=RANKS["chargeback"],
        at=at,
        references=(("order", id),),
        says=said | _basics(order, money),
        summary="Charged back: the customer's bank took the money",
    )
