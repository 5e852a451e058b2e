"""PayNow's words: an envelope of three keys, and headers for both of its schemes.

https://docs.paynow.gg (webhooks). The live product signs time and body in base64, the
SDK's guide the body alone in hex: a receiver of either is content.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from merchant.providers import paynow
from merchant.providers.base import Keys
from webhooks.catalogue import KINDS, TEST
from webhooks.dialects import wire
from webhooks.dialects.base import News, SigningKeys
from webhooks.dialects.paynow import inventory, orders
from webhooks.dialects.purchase import Purchase

#: What the ids of a test begin with, so that nobody hands anything over for them.
TESTING = "test-"

#: Group of events -> what builds the body; single events first.
_BODIES: dict[str, Callable[[Purchase], dict[str, Any]]] = {
    "payment.success": orders.order,
    "payment.failed": orders.failed_payment,
    "payment.refund": orders.refund,
    "dispute": orders.chargeback,
    "subscription": inventory.subscription,
    "trial": inventory.trial,
    "delivery_item": inventory.delivery_item,
    "customer": inventory.discord_link,
    TEST.name: orders.order,
}


def word(news: News) -> str:
    """PayNow's event type; "" for what it does not tell."""
    return KINDS[news.name].paynow


def body(news: News) -> bytes | None:
    """The envelope, the same bytes in every try."""
    told = word(news)
    if not told:
        return None
    story = Purchase(news.payload, news.name)
    build = _BODIES.get(news.name) or _BODIES[KINDS[news.name].group]
    content, event_id = build(story), news.key
    if news.name == TEST.name:
        content, event_id = _as_test(content), TESTING + event_id
    return wire.compact({"event_type": told, "event_id": event_id, "body": content})


def sign(news: News, body: bytes, keys: SigningKeys, at: datetime) -> dict[str, str]:
    """All three headers, stamped anew in every try: live receivers drop what is older
    than five minutes. They have room for one signature each: live secrets take turns,
    try by try."""
    turn = keys.turn(news.attempt)
    return {
        "Content-Type": "application/json",
        **paynow.sign(body, Keys(secrets=turn.secrets), at),
    }


def _as_test(content: dict[str, Any]) -> dict[str, Any]:
    """The order under ids that cannot be taken for real ones."""
    named = ("id", "checkout_id")
    marked = {key: TESTING + str(content[key]) for key in named if content.get(key)}
    lines = [line | {"id": TESTING + line["id"]} for line in content["lines"]]
    return content | marked | {"lines": lines}
