"""What is taken back: refunds and chargebacks, each repeating its payment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from merchant.providers.base import Fact, Unreadable, Want, say, stamp
from merchant.providers.paynow import facts, purchases, reading, words
from merchant.providers.paynow.reading import Source

#: The API gives no time at which a chargeback closed. It takes days at least; a day
#: after it opened its end is later than the webhook that reported the opening.
_CLOSES_AFTER = timedelta(days=1)
#: States of one refund that the API gives the same time.
_REFUND_RANKS = {"pending": 0, "canceled": 1, "failed": 1, "succeeded": 2}
_DISPUTE_RANKS = {"open": 0, "won": 1, "lost": 2}


def refund(body: dict[str, Any], source: Source) -> list[Fact]:
    """A refund as ON_REFUND tells it: the refund, and the payment that it repeats."""
    id = reading.needed(body, "id", "refund")
    payment_id = reading.id_of(body.get("payment_id"))
    word = str(body.get("status") or "completed").lower()
    status = words.REFUND_STATUSES.get(word, "pending")
    amount, verified = _given_back(body)
    fact = facts.fact(
        body,
        source,
        say(
            source.weight,
            money=amount,
            created=stamp(facts.begun(body, id)),
            verified=verified,
        ),
        topic="refund",
        object_kind="refund",
        object_id=id,
        status=status,
        references=facts.named(body, payment=payment_id),
        at=reading.first_time(body.get("completed_at")) or source.at,
        rank=_REFUND_RANKS[status],
        wants=(Want("payment", payment_id),) if payment_id else (),
        summary=f"Refund {status}",
    )
    if not fact.references:
        raise Unreadable("the refund names neither an order nor a payment")
    told = [fact]
    if payment_id:
        over = status != "pending"
        pending = say(source.weight, refund_pending=False) if over else {}
        told.append(purchases.echo(body, payment_id, source, pending))
    return told


def api_refund(body: dict[str, Any], parent: dict[str, Any], source: Source) -> Fact:
    """A refund as the API lists it in its payment: `amount` is the refund's own."""
    id = reading.needed(body, "id", "refund")
    word = str(body.get("status")).lower()
    status = words.REFUND_STATUSES.get(word, "pending")
    currency = body.get("currency") or parent.get("currency")
    return facts.fact(
        parent,
        source,
        say(
            source.weight,
            money=reading.money(body.get("amount"), currency, "refund"),
            created=stamp(facts.begun(body, id)),
            verified=True,
        ),
        topic="refund",
        object_kind="refund",
        object_id=id,
        status=status,
        references=facts.named(parent, payment=reading.id_of(parent.get("id"))),
        at=max(facts.times(body), default=None),
        times=(facts.begun(body, id), *facts.times(body)),
        rank=_REFUND_RANKS[status],
        summary=f"Refund {status}",
    )


def _given_back(body: dict[str, Any]) -> tuple[list[Any] | None, bool | None]:
    """The refund's amount, and False where it was worked out and is not confirmed.

    `amount` and the fees are the payment's; only `store_refund_amount` is the
    refund's. All that the store got means the whole payment, less means a part in the
    same proportion, rounded down to whole minor units until the API confirms it.
    """
    currency = body.get("currency")
    whole = reading.minor(body.get("amount"), currency, "refund")
    back = reading.minor(body.get("store_refund_amount"), currency, "refund")
    net = reading.minor_or_debt(body.get("store_net_amount"), currency)
    if whole is None or back is None or net is None:
        return None, False
    if back[0] >= net:
        return list(whole), None
    return [whole[0] * back[0] // net, whole[1]], False


def chargeback(body: dict[str, Any], source: Source, *, closed: bool) -> list[Fact]:
    """A chargeback (its id is the payment's), and the payment that it repeats.

    One that closed without a word on who won stays open and is looked up.
    """
    id = reading.needed(body, "id", "chargeback")
    word = str(body.get("chargeback_status")).lower()
    status = words.CHARGEBACK_STATUSES.get(word, "open")
    if not closed:
        status = "open"
    unclear = closed and status == "open"
    return [
        _dispute(body, source, status, wants=(Want("payment", id),) if unclear else ()),
        purchases.echo(body, id, source),
    ]


def api_chargeback(body: dict[str, Any], source: Source) -> Fact | None:
    """The chargeback of a payment as the API tells it, if there is one."""
    word = str(body.get("chargeback_status")).lower()
    status = words.CHARGEBACK_STATUSES.get(word)
    return _dispute(body, source, status) if status else None


def _dispute(
    body: dict[str, Any], source: Source, status: str, wants: tuple[Want, ...] = ()
) -> Fact:
    id = reading.needed(body, "id", "chargeback")
    opened = reading.first_time(body.get("chargeback_at"))
    begun = opened or reading.first_time(body.get("completed_at"))
    closed = begun + _CLOSES_AFTER if begun and status != "open" else begun
    return facts.fact(
        body,
        source,
        say(
            source.weight,
            money=reading.money(body.get("amount"), body.get("currency"), "chargeback"),
            created=stamp(opened),
        ),
        topic="dispute",
        object_kind="chargeback",
        object_id=id,
        status=status,
        references=facts.named(body, payment=id),
        at=opened if status == "open" else source.at,
        times=(closed,),
        rank=_DISPUTE_RANKS[status],
        wants=wants,
        summary=f"Chargeback {'opened' if status == 'open' else status}",
    )
