"""What stands beside the purchases: subscriptions and payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from merchant.money import Inexact
from merchant.providers.base import (
    Fact,
    Said,
    first,
    labels,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import reading, sessions, words
from merchant.providers.stripe.reading import Body, Source


def subscription(
    body: Body, source: Source, before: Mapping[str, Any] | None = None
) -> list[Fact]:
    """`before`: the event's previous_attributes."""
    standing = reading.status_of(body, words.SUBSCRIPTION)
    items = rows(mapping(body.get("items")).get("data"))
    periods = [body, *items]  # on the items since 2025-03-31
    said = {
        **_price(items),
        **say(
            0,
            created=stamp(moment(body.get("created"))),
            product=sessions.product_of(items[0]) if items else None,
            interval=_interval(items[0]) if items else None,
            period_start=stamp(_time(periods, "current_period_start")),
            period_end=stamp(_time(periods, "current_period_end")),
            ends=stamp(_ends(body)),
            reason=_reason(body),
            details=_details(body, source),
        ),
    }
    seconds = int(source.at.timestamp()) if source.at else 0
    changed = "status" in (before or {})
    told = reading.fact(
        "subscription",
        "subscription",
        body,
        source,
        standing,
        said,
        order=seconds,
        # Active once more after it was past due counts as another happening.
        occurrence=str(seconds) if changed else "",
    )
    return [told]


def _time(periods: list[Body], name: str) -> Any:
    return next((when for body in periods if (when := moment(body.get(name)))), None)


def _ends(body: Body) -> Any:
    end = moment(first(body.get("ended_at"), body.get("cancel_at")))
    if end is None and body.get("cancel_at_period_end") is True:
        items = rows(mapping(body.get("items")).get("data"))
        return _time([body, *items], "current_period_end")
    return end


def _price(items: list[Body]) -> dict[str, Said]:
    """What one period costs; nothing when a price is no plain amount (tiers, usage)."""
    total, currencies = 0, set()
    for item in items:
        price = mapping(first(item.get("price"), item.get("plan")))
        each = first(price.get("unit_amount"), price.get("amount"))
        cost, quantity = reading.whole(each), reading.whole(item.get("quantity"))
        currency = text(price.get("currency"), 12)
        if cost is None or currency is None:
            return {}
        total += cost * (1 if quantity is None else quantity)
        currencies.add(currency)
    if len(currencies) != 1:
        return {}
    try:
        return say(0, money=reading.minor(total, currencies.pop()))
    except Inexact:
        return {}


def _interval(item: Body) -> str | None:
    price = mapping(first(item.get("price"), item.get("plan")))
    every = mapping(first(price.get("recurring"), price))
    unit, count = text(every.get("interval"), 20), every.get("interval_count")
    if unit is None:
        return None
    many = reading.whole(count) or 1
    return unit if many == 1 else f"{many} {unit}s"


def _reason(body: Body) -> str | None:
    why = mapping(body.get("cancellation_details"))
    words_ = [
        part
        for part in (
            reading.readable(why.get("reason")),
            reading.readable(why.get("feedback")),
            text(why.get("comment"), 200),
        )
        if part
    ]
    return ": ".join(words_) or None


def _details(body: Body, source: Source) -> dict[str, Any] | None:
    found = {
        "customer": reading.id_of(body.get("customer")),
        "latest_invoice": reading.id_of(body.get("latest_invoice")),
        "trial_end": stamp(moment(body.get("trial_end"))),
        "cancel_at_period_end": body.get("cancel_at_period_end") is True or None,
        "metadata": labels(body.get("metadata")),
        "account": source.account,
    }
    return {name: value for name, value in found.items() if value} or None


def payout(body: Body, source: Source) -> list[Fact]:
    standing = reading.status_of(body, words.PAYOUT)
    said = {
        **_moved(body),
        **say(
            0,
            created=stamp(moment(body.get("created"))),
            arrives=stamp(moment(body.get("arrival_date"))),
            reason=_failure(body),
            method=text(first(body.get("type"), body.get("method")), 60),
            details=_way(body, source),
        ),
    }
    return [reading.fact("payout", "payout", body, source, standing, said)]


def _moved(body: Body) -> dict[str, Said]:
    """The amount; below zero where Stripe takes back a debt."""
    if body.get("amount") is None:
        return {}
    try:
        return say(0, money=reading.minor(body["amount"], body.get("currency")))
    except Inexact:
        return say(0, verified=False)


def _failure(body: Body) -> str | None:
    return reading.because(body.get("failure_message"), body.get("failure_code"))


def _way(body: Body, source: Source) -> dict[str, Any] | None:
    found = {
        "destination": reading.id_of(body.get("destination")),
        "description": text(body.get("description"), 200),
        "speed": text(body.get("method"), 40),
        "reconciliation": reading.readable(body.get("reconciliation_status")),
        "trace": text(mapping(body.get("trace_id")).get("value"), 120),
        "automatic": body.get("automatic") is True or None,
        "account": source.account,
    }
    return {name: value for name, value in found.items() if value} or None
