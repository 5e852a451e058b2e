"""Stripe's words: an event object, and `Stripe-Signature` with every live secret.

https://docs.stripe.com/api/events/object, https://docs.stripe.com/webhooks/signature
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from merchant.providers import stripe
from merchant.providers.base import Keys
from webhooks.catalogue import KINDS
from webhooks.dialects import wire
from webhooks.dialects.base import News, SigningKeys
from webhooks.dialects.purchase import Purchase
from webhooks.dialects.stripe import afterwards, payments, standing

#: The version in whose shapes the objects are.
API_VERSION = "2026-10-28.endive"

#: Ours -> what builds data.object. An event that Stripe has no name for carries our
#: own object under our own name.
_OBJECTS: dict[str, Callable[[Purchase], dict[str, Any]]] = {
    "payment.created": payments.intent,
    "payment.pending": payments.intent,
    "payment.authorized": payments.intent,
    "payment.released": payments.intent,
    "payment.success": payments.session,
    "payment.failed": payments.intent,
    "payment.cancel": payments.intent,
    "payment.expired": payments.session,
    "payment.refund": payments.charge,
    "refund.requested": afterwards.refund,
    "refund.succeeded": afterwards.refund,
    "refund.failed": afterwards.refund,
    "dispute.opened": afterwards.dispute,
    "dispute.closed": afterwards.dispute,
    "subscription.activated": standing.subscription,
    "subscription.renewed": standing.subscription,
    "subscription.canceled": standing.subscription,
    "subscription.past_due": standing.unpaid_invoice,
    "payout.created": standing.payout,
    "payout.pending": standing.payout,
    "payout.paid": standing.payout,
    "payout.failed": standing.payout,
}


def word(news: News) -> str:
    """Stripe's event type, ours where it has none; "" for what is not told."""
    return KINDS[news.name].stripe


def body(news: News) -> bytes | None:
    """The event; the same bytes in every try."""
    return wire.compact(event(news)) if word(news) else None


def event(news: News) -> dict[str, Any]:
    """The event object, as delivered and as listed.

    Also of what Stripe has no name for: a list tells that under our own, with our own
    object. Never "" for a type.
    """
    story = Purchase(news.payload, news.name)
    build = _OBJECTS.get(news.name)
    data: dict[str, Any] = {
        "object": build(story) if build else dict(news.part or news.object)
    }
    before = _before(news, story)
    if before:
        data["previous_attributes"] = before
    found = {
        "id": news.key,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(news.created.timestamp()),
        "data": data,
        "livemode": news.livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": word(news) or news.name,
    }
    account = story.account("stripe")
    # Set for accounts that are connected to the merchant's own, as Stripe does.
    return {**found, "account": account} if account.startswith("acct_") else found


def sign(news: News, body: bytes, keys: SigningKeys, at: datetime) -> dict[str, str]:
    """One v1 for each live secret; the library is content if any of them fits."""
    header = stripe.sign(body, Keys(secrets=keys.secrets), at)
    return {"Content-Type": "application/json; charset=utf-8", **header}


def _before(news: News, story: Purchase) -> Mapping[str, Any]:
    """What the object said before: handlers read how much went back from it."""
    if news.name != "payment.refund":
        return {}
    back = story.part_amount()
    if back is None or back > story.refunded:
        return {}
    return {"amount_refunded": payments.units(story.refunded - back, story.currency)}
