"""What is handed over and what stands: items, linked accounts, subscriptions."""

from __future__ import annotations

from typing import Any

from merchant.providers.base import Fact, Unreadable, mapping, say, stamp, text
from merchant.providers.paynow import facts, purchases, reading
from merchant.providers.paynow.reading import API, Source

#: States whose own word makes a poor sentence.
_SPOKEN = {"trialing": "started"}


def delivery_item(body: dict[str, Any], source: Source, status: str) -> list[Fact]:
    """Something handed over. One that belongs to no order (a grant by hand) tells of no
    purchase: nothing."""
    id = reading.needed(body, "id", "delivery item")
    if not (references := facts.named(body)):
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
        reason=facts.readable(body.get("revoke_reason"))
        if status == "revoked"
        else None,
    )
    fact = facts.fact(
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
        raise Unreadable("the Discord link names no order")
    told = [purchases.order(inner, source)] if reading.id_of(inner.get("id")) else []
    person = mapping(body.get("customer")) or mapping(inner.get("customer"))
    known = reading.identities(person)
    name = text(body.get("discord_user_name"), 200) or ""
    # Details are joined key by key, so the link repeats the accounts known before.
    accounts = {**known, "discord": {"id": user, "name": name}}
    link = facts.fact(
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
        reason=facts.readable(body.get("cancel_reason"))
        if status == "canceled"
        else None,
        details=facts.texts(
            {
                "period": body.get("billing_cycle_sequence"),
                "customer": body.get("customer_id")
                or mapping(body.get("customer")).get("id"),
                "country": body.get("billing_country"),
            }
        ),
    )
    fact = facts.fact(
        body,
        source,
        said,
        topic=topic,
        object_kind=topic,
        object_id=id,
        status=status,
        at=(canceled if status == "canceled" else None) or source.at,
        rank=source.rank,
        summary=f"{topic.capitalize()} {_SPOKEN.get(status, status)}",
        occurrence=source.event_id,
    )
    return [fact]


def _interval(body: dict[str, Any], name: str) -> str | None:
    """ "month" or "3 months"."""
    scale = text(body.get(f"{name}_scale"), 20)
    number = body.get(f"{name}_value")
    if scale is None or type(number) is not int or not 0 < number < 1000:
        return scale
    return scale if number == 1 else f"{number} {scale}s"
