"""What a Paysecure purchase says, proven by the API or only claimed by a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from merchant.money import Money
from merchant.providers import wire
from merchant.providers.base import (
    Fact,
    Said,
    Want,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.paysecure import details
from merchant.providers.paysecure.message import Message
from merchant.providers.paysecure.words import (
    HOLDS,
    PAID,
    PURCHASES,
    REFUNDED_WHOLE,
    SETTLED,
    Word,
    normal,
)

#: How much a source is believed. A webhook's amounts are not signed.
CLAIMED, CONFIRMED = 1, 2

#: What Paysecure writes where it has nothing to say.
_NOTHING = frozenset({"", "na", "n/a", "none", "null"})


def facts(message: Message, *, fetched: bool) -> list[Fact]:
    """The payment, and the chargeback if it is one. Raises Unreadable."""
    word = PURCHASES.get(message.status)
    if word is None:
        return []
    weight = CONFIRMED if fetched else CLAIMED
    money, warning = _money(message)
    told = [_payment(message, word, weight, money, warning)]
    if message.status == "chargeback":
        told.append(_chargeback(message, weight, money))
    return told


def _payment(
    message: Message, word: Word, weight: int, money: Money | None, warning: str
) -> Fact:
    purchase, fetched = message.content, weight == CONFIRMED
    status, reason = _standing(message, word, money)
    said = say(
        weight,
        currency=wire.known_currency(_bill(purchase).get("currency")),
        created=stamp(moment(purchase.get("created_on"))),
        paid=stamp(_paid(message)) if message.status in PAID else None,
        reason=reason,
        warning=warning,
        verified=fetched and not warning,
        refund_pending=message.status == "refund_in_process"
        if message.status in PAID
        else None,
        refunded_total=_refunded(message, money, fetched),
        description=text(mapping(purchase.get("payment")).get("description")),
        order_reference=_reference(message),
        settlement=_settlement(purchase) if message.status in PAID else None,
        items=details.items(purchase),
        account=message.brand,
        callbacks=wire.filled(
            {
                "success": wire.link(purchase.get("success_callback")),
                "failure": wire.link(purchase.get("failure_callback")),
            }
        ),
    )
    if fetched:  # also that there is nothing to warn of any more
        said["warning"] = Said(warning, weight)
    said |= details.customer(purchase, weight) | details.method(purchase, weight)
    said |= _basics(message, money, weight)
    return Fact(
        topic="payment",
        object_kind="purchase",
        object_id=message.id,
        status=status,
        order=message.updated,
        # Of one moment's two reports the confirmed one is the later.
        rank=word.rank * 2 + fetched,
        at=moment(message.updated),
        references=(("purchase", message.id),),
        says=said,
        wants=() if fetched else (Want("purchase", message.id),),
        summary=f"{word.summary}{f': {reason}' if reason else ''}",
        # Several of Paysecure's states are one of ours, and each is a step to show.
        occurrence="paid" if message.status == "chargeback" else message.status,
    )


def _chargeback(message: Message, weight: int, money: Money | None) -> Fact:
    """Paysecure tells of a chargeback when the money is gone; there is no defence."""
    said = say(weight, created=stamp(moment(message.updated)))
    return Fact(
        topic="dispute",
        object_kind="chargeback",
        object_id=message.id,
        status="lost",
        order=message.updated,
        at=moment(message.updated),
        references=(("purchase", message.id),),
        says=said | _basics(message, money, weight),
        summary="Charged back: the customer's bank took the money",
    )


def _basics(message: Message, money: Money | None, weight: int) -> dict[str, Said]:
    test = message.content.get("is_test")
    price = [money.minor, money.currency] if money else None
    return {
        **say(0 if _lacks_capture(message) else weight, money=price),
        **say(weight, livemode=not test if isinstance(test, bool) else None),
    }


def _lacks_capture(message: Message) -> bool:
    """Whether the total is what was held, and how much of it was captured not told."""
    captured = {status for status, _ in history(message.content)}
    told = message.content.get("captured_amount")
    return "partially_captured" in captured and not told


# ------------------------------------------------------------------------- amounts
def _bill(purchase: dict[str, Any]) -> dict[str, Any]:
    return mapping(purchase.get("purchase"))


def _money(message: Message) -> tuple[Money | None, str]:
    """What it costs, captured if that differs, and what is doubtful about it."""
    purchase = message.content
    bill = _bill(purchase)
    total, currency = bill.get("total"), bill.get("currency")
    if message.status in PAID:  # also of what is given back after such a capture
        total = purchase.get("captured_amount") or total
    if total is None:
        return None, "" if message.status == "created" else "It came without an amount."
    money, warning = wire.price(total, currency)
    if money and _unit_is_doubtful(purchase, money):
        warning = (
            "Paysecure says that amounts are in minor units, and it cannot be told "
            "whether the total is. Compare it with the order."
        )
    return money, warning


def _unit_is_doubtful(purchase: dict[str, Any], money: Money) -> bool:
    """Whether "MINOR" may be meant for the total as well.

    In the documented example the lines are in minor units and the total is in major
    ones. Lines that add up to exactly the total's minor units say the same; anything
    else could mean either.
    """
    if normal(purchase.get("amountUnit")) != "minor":
        return False
    lines = [line["amount"] for line in details.items(purchase) or []]
    return None in lines or sum(lines) != money.minor or not lines


def _refunded(message: Message, money: Money | None, fetched: bool) -> int | None:
    """Minor units given back so far; None where this state does not tell.

    A confirmed "paid" tells too: a refund that was under way has failed.
    """
    if message.status in REFUNDED_WHOLE:
        return money.minor if money else None
    if message.status == "partial_refunded" and money:
        left = wire.part(message.content.get("refundable_amount"), money.currency)
        if left is not None and 0 < left < money.minor:
            return money.minor - left
        return _refund_attempts(message, money) or None
    if fetched and message.status in SETTLED:
        return _refund_attempts(message, money) if money else 0
    return None


def _refund_attempts(message: Message, money: Money) -> int:
    """What the successful attempts of refunds add up to, in minor units."""
    return sum(
        wire.part(mapping(attempt.get("extra")).get("amount"), money.currency) or 0
        for attempt in details.attempts(message.content)
        if attempt.get("type") == "refund" and attempt.get("successful") is True
    )


def _settlement(purchase: dict[str, Any]) -> dict[str, Any] | None:
    payment = mapping(purchase.get("payment"))
    currency = payment.get("currency")
    fee = wire.part(payment.get("fee_amount"), currency)
    net = wire.part(payment.get("net_amount"), currency)
    if fee is None or net is None:
        return None
    return {
        "currency": str(currency).strip().lower(),
        "amount": wire.part(payment.get("amount"), currency),
        "fee": fee,
        "net": net,
        "exchange_rate": None,
    }


# ------------------------------------------------------------------ status and times
def _standing(
    message: Message, word: Word, money: Money | None
) -> tuple[str, str | None]:
    """Our status, and why in words."""
    purchase = message.content
    if message.status == "error":
        return word.status, _failure(purchase)
    if message.status in {"cancelled", "expired"}:
        # The documents print no status for a hold that was let go: it may end as
        # cancelled or expired, and only the history tells that there was one.
        if HOLDS & {status for status, _ in history(purchase)}:
            return "released", "hold released"
        return word.status, _words(purchase.get("errorMsg"))
    if message.status == "released":
        return word.status, "hold released"
    if message.status == "over_paid":
        return word.status, _received("over paid", purchase, money)
    if message.status == "partial_paid":
        return word.status, _received("paid in part", purchase, money)
    if message.status == "partially_captured":
        return word.status, "a part was captured, the rest released"
    return word.status, None


def _received(what: str, purchase: dict[str, Any], money: Money | None) -> str:
    came = wire.part(purchase.get("receivedAmt"), money.currency) if money else None
    if not came or money is None:
        return what
    code = money.currency.upper()
    return f"{what}: {Money(came, money.currency).major} {code} came"


def _failure(purchase: dict[str, Any]) -> str | None:
    told = [
        _words(mapping(attempt.get("error")).get("message"))
        for attempt in details.attempts(purchase)
    ]
    return _words(purchase.get("errorMsg")) or next(filter(None, reversed(told)), None)


def _words(value: object) -> str | None:
    found = text(value, 250)
    return None if found is None or found.lower() in _NOTHING else found


def history(purchase: dict[str, Any]) -> list[tuple[str, datetime | None]]:
    """(status in the one spelling, time) in the order in which it is told."""
    return [
        (normal(row.get("status")) or "", moment(row.get("timestamp")))
        for row in rows(purchase.get("status_history"))
    ]


def _paid(message: Message) -> datetime | None:
    """When the money came. `paid_on` moves with refunds, so the history goes first."""
    purchase = message.content
    times = [
        when
        for status, when in history(purchase)
        if status in SETTLED and when is not None
    ]
    if times:
        return min(times)
    payment = mapping(purchase.get("payment"))
    return moment(payment.get("paid_on")) or moment(message.updated)


def _reference(message: Message) -> str | None:
    """The shop's order number; Paysecure repeats its own id where there is none."""
    reference = text(message.content.get("merchantRef"), 200)
    return None if reference == message.id else reference
