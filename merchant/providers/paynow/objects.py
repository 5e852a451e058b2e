"""PayNow's objects as facts: order, payment, refund, chargeback, item, standing ones.

The webhook and the API describe the same objects; `Source` says which one speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from merchant.providers.base import (
    Fact,
    Said,
    Want,
    mapping,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.paynow import reading, words
from merchant.providers.paynow.reading import API, ECHO, Source

#: An order's total counts more than what one payment moved, whoever tells it.
_ORDER_ABOVE_PAYMENT = 2
#: The API gives no time at which a chargeback closed. It takes days at least; a day
#: after it opened its end is later than the webhook that reported the opening.
_CLOSES_AFTER = timedelta(days=1)
#: States of one object that the API gives the same time.
_PAYMENT_RANKS = {"created": 0, "pending": 1, "canceled": 2, "failed": 2, "paid": 3}
_REFUND_RANKS = {"pending": 0, "canceled": 1, "failed": 1, "succeeded": 2}


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
        method_details=_texts({"holder": body.get("billing_name")}),
    )
    if status == "paid" and completed is None:  # some bodies leave the time out
        said |= say(ECHO, paid=stamp(source.at or created))
    return _fact(
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
        rank=_PAYMENT_RANKS[status],
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
    return _fact(
        body,
        source,
        said | reading.customer(body, source.weight),
        topic="payment",
        object_kind="payment",
        object_id=id,
        status=status,
        references=_named(body, payment=id),
        at=ended or source.at or created,
        times=(created, reading.first_time(body.get("pending_at")), ended)
        + tuple(
            when for refund in rows(body.get("refunds")) for when in _times(refund)
        ),
        rank=_PAYMENT_RANKS[status],
        wants=() if source.weight == API else (Want("payment", id),),
        summary=f"Payment {_PAYMENT_VERBS[status]}"
        + (f" by {gateway}" * bool(gateway)),
    )


_PAYMENT_VERBS = {
    "created": "created",
    "pending": "started",
    "canceled": "canceled",
    "failed": "declined",
    "paid": "taken",
}


def refund(body: dict[str, Any], source: Source) -> list[Fact]:
    """A refund as ON_REFUND tells it: the refund, and the payment that it repeats."""
    id = reading.needed(body, "id", "refund")
    payment_id = reading.id_of(body.get("payment_id"))
    word = str(body.get("status") or "completed").lower()
    status = words.REFUND_STATUSES.get(word, "pending")
    amount, verified = _given_back(body)
    fact = _fact(
        body,
        source,
        say(
            source.weight,
            money=amount,
            created=stamp(_begun(body, id)),
            verified=verified,
        ),
        topic="refund",
        object_kind="refund",
        object_id=id,
        status=status,
        references=_named(body, payment=payment_id),
        at=reading.first_time(body.get("completed_at")) or source.at,
        rank=_REFUND_RANKS[status],
        wants=(Want("payment", payment_id),) if payment_id else (),
        summary=f"Refund {status}",
    )
    told = [fact] if fact.references else []
    if payment_id:
        over = status != "pending"
        pending = say(source.weight, refund_pending=False) if over else {}
        told.append(_echo(body, payment_id, source, pending))
    return told


def api_refund(body: dict[str, Any], parent: dict[str, Any], source: Source) -> Fact:
    """A refund as the API lists it in its payment: `amount` is the refund's own."""
    id = reading.needed(body, "id", "refund")
    word = str(body.get("status")).lower()
    status = words.REFUND_STATUSES.get(word, "pending")
    currency = body.get("currency") or parent.get("currency")
    return _fact(
        parent,
        source,
        say(
            source.weight,
            money=reading.money(body.get("amount"), currency, "refund"),
            created=stamp(_begun(body, id)),
            verified=True,
        ),
        topic="refund",
        object_kind="refund",
        object_id=id,
        status=status,
        references=_named(parent, payment=reading.id_of(parent.get("id"))),
        at=max(_times(body), default=None),
        times=(_begun(body, id), *_times(body)),
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
        _echo(body, id, source),
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
    return _fact(
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
        references=_named(body, payment=id),
        at=opened if status == "open" else source.at,
        times=(closed,),
        rank={"open": 0, "won": 1, "lost": 2}[status],
        wants=wants,
        summary=f"Chargeback {'opened' if status == 'open' else status}",
    )


def _echo(
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
    return _fact(
        body,
        source,
        said | dict(more or {}),
        topic="payment",
        object_kind="payment",
        object_id=id,
        status="paid",
        references=_named(body, payment=id),
        at=made,
        rank=_PAYMENT_RANKS["paid"],
        summary="Payment taken, as a later event says",
    )


def delivery_item(body: dict[str, Any], source: Source, status: str) -> list[Fact]:
    """Something handed over. One that belongs to no order (a grant by hand) tells of no
    purchase: nothing."""
    id = reading.needed(body, "id", "delivery item")
    if not (references := _named(body)):
        return []
    product = mapping(body.get("product"))
    name = reading.product_name(product) or reading.id_of(body.get("product_id"))
    times = {
        "usable": "added_at",
        "active": "active_at",
        "expired": "expires_at",
        "revoked": "revoked_at",
    }
    said = say(
        source.weight,
        name=name,
        created=reading.stamped(body.get("added_at")),
        expires=reading.stamped(body.get("expires_at")),
        reason=_readable(body.get("revoke_reason")) if status == "revoked" else None,
    )
    fact = _fact(
        body,
        source,
        said,
        topic="delivery_item",
        object_kind="delivery_item",
        object_id=id,
        status=status,
        references=references,
        at=reading.first_time(body.get(times.get(status, ""))) or source.at,
        rank=source.rank,
        summary=f"{name or 'Item'}: {status}",
    )
    return [fact]


def discord_link(body: dict[str, Any], source: Source) -> list[Fact]:
    """A Discord account tied to a purchase; carries the whole order."""
    user = reading.needed(body, "discord_user_id", "Discord link")
    inner = mapping(body.get("order"))
    order_id = reading.id_of(body.get("order_id")) or reading.id_of(inner.get("id"))
    if order_id is None:
        return []
    told = [order(inner, source)] if reading.id_of(inner.get("id")) else []
    person = mapping(body.get("customer")) or mapping(inner.get("customer"))
    known = reading.identities(person)
    name = text(body.get("discord_user_name"), 200) or ""
    # Details are joined key by key, so the link repeats the accounts known before.
    accounts = {**known, "discord": {"id": user, "name": name}}
    link = _fact(
        body,
        source,
        say(API + 1, customer_details={"identities": accounts}),
        topic="link",
        object_kind="discord",
        object_id=user,
        status="linked",
        references=(("order", order_id),),
        at=reading.first_time(body.get("enqueued_at")) or source.at,
        rank=source.rank,
        summary=f"Discord account {name or user} linked",
    )
    return [*told, link]


def standing(
    body: dict[str, Any], source: Source, topic: str, status: str
) -> list[Fact]:
    """A subscription or a trial. Every event counts: the same state may come again."""
    id = reading.needed(body, "id", topic)
    canceled = reading.first_time(body.get("canceled_at"))
    amount = body.get("total_amount")
    product = mapping(body.get("product"))
    said = say(
        source.weight,
        money=reading.money(amount, body.get("currency"), topic),
        created=stamp(
            reading.first_time(body.get("created_at")) or reading.flake_time(id)
        ),
        customer_name=reading.display_name(mapping(body.get("customer"))),
        customer_email=text(body.get("billing_email"), 320),
        product=text(body.get("product_name"), 300) or reading.product_name(product),
        interval=_interval(body, "interval") or _interval(body, "period"),
        period_start=reading.stamped(
            body.get("current_period_start"), body.get("starts_at")
        ),
        period_end=reading.stamped(body.get("current_period_end"), body.get("ends_at")),
        ends=stamp(canceled) if status == "canceled" else None,
        reason=_readable(body.get("cancel_reason")) if status == "canceled" else None,
        details=_texts(
            {
                "period": body.get("billing_cycle_sequence"),
                "customer": body.get("customer_id")
                or mapping(body.get("customer")).get("id"),
                "country": body.get("billing_country"),
            }
        ),
    )
    fact = _fact(
        body,
        source,
        said,
        topic=topic,
        object_kind=topic,
        object_id=id,
        status=status,
        at=(canceled if status == "canceled" else None) or source.at,
        rank=source.rank,
        summary=f"{topic.capitalize()} {status}",
        occurrence=source.event_id,
    )
    return [fact]


# ---------------------------------------------------------------------- small things
def _fact(
    body: dict[str, Any],
    source: Source,
    said: Mapping[str, Said],
    *,
    times: tuple[datetime | None, ...] = (),
    **more: Any,
) -> Fact:
    """The fact in its place: by the event's id, or by the object's own latest time."""
    said = {**said, **say(0, livemode=source.livemode)}
    if more["topic"] == "payment":
        said |= say(source.weight, account=text(body.get("store_id"), 80))
    order = source.order
    if order is None:
        order = reading.flake_of(max((t for t in times if t), default=None))
    return Fact(order=order, says=said, **more)


def _named(
    body: dict[str, Any], payment: str | None = None
) -> tuple[tuple[str, str], ...]:
    pairs = (("order", reading.id_of(body.get("order_id"))), ("payment", payment))
    return tuple((kind, id) for kind, id in pairs if id)


def _begun(body: dict[str, Any], id: str) -> datetime | None:
    return reading.first_time(body.get("created_at")) or reading.flake_time(id)


def _times(body: dict[str, Any]) -> list[datetime]:
    names = ("created_at", "approved_at", "pending_at", "completed_at")
    return [when for n in names if (when := reading.first_time(body.get(n)))]


def _why(body: dict[str, Any]) -> str | None:
    code = text(body.get("failure_code"), 100)
    return words.DECLINES.get(code.lower(), words.in_words(code)) if code else None


def _readable(value: object) -> str | None:
    code = text(value, 200)
    return words.in_words(code) if code else None


def _interval(body: dict[str, Any], name: str) -> str | None:
    """ "month" or "3 months"."""
    scale = text(body.get(f"{name}_scale"), 20)
    number = body.get(f"{name}_value")
    if scale is None or type(number) is not int or not 0 < number < 1000:
        return scale
    return scale if number == 1 else f"{number} {scale}s"


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
        method_details=_texts(
            {
                "gateway": body.get("gateway"),
                "country": inner.get("country"),
                "funding": inner.get("funding"),
                "wallet": inner.get("wallet"),
                "expires": "/".join(e for e in expires if e) if all(expires) else None,
            }
        ),
    )


def _texts(values: dict[str, Any]) -> dict[str, str] | None:
    found = {name: cut for name, v in values.items() if (cut := text(v, 200))}
    return found or None
