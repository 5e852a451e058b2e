"""Paysecure: purchases and payouts whose signature covers little more than the status.

Documents: https://developers.paysecure.net (webhooks, purchases, payouts). A verified
delivery is a trigger: id, status and brand are proven, amounts and everything else are
not, so each one asks the API for what it may believe.
"""

from __future__ import annotations

from merchant.providers.paysecure.client import fetch, poll
from merchant.providers.paysecure.connecting import setup
from merchant.providers.paysecure.message import identify, reply
from merchant.providers.paysecure.public_keys import (
    fingerprint,
    load_public_key,
    normalise_public_key,
)
from merchant.providers.paysecure.reading import read
from merchant.providers.paysecure.refunding import (
    find_refund,
    refund,
    refunds,
    stop_refund,
)
from merchant.providers.paysecure.signature import sign, verify

slug = "paysecure"
name = "Paysecure"
references = ("purchase",)
names_refunds = False

__all__ = [
    "fetch",
    "find_refund",
    "fingerprint",
    "identify",
    "load_public_key",
    "name",
    "names_refunds",
    "normalise_public_key",
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
