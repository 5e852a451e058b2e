"""Stripe: a checkout session, a payment intent and charges that make up one purchase.

Documents: https://docs.stripe.com/webhooks, https://docs.stripe.com/api.
"""

from __future__ import annotations

from merchant.providers.stripe.client import fetch, poll
from merchant.providers.stripe.connecting import setup
from merchant.providers.stripe.events import identify, read, reply
from merchant.providers.stripe.refunding import (
    find_refund,
    refund,
    refunds,
    stop_refund,
)
from merchant.providers.stripe.signature import sign, verify

slug = "stripe"
name = "Stripe"
references = ("payment_intent", "charge", "session", "invoice")
names_refunds = True

__all__ = [
    "fetch",
    "find_refund",
    "identify",
    "name",
    "names_refunds",
    "poll",
    "read",
    "references",
    "refund",
    "refunds",
    "reply",
    "setup",
    "sign",
    "slug",
    "stop_refund",
    "verify",
]
