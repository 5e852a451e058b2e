"""PaySuper: one order per payment, and four events that say what became of it.

Documents: https://docs.pay.super.com/api/#webhooks (the company is now Unlimint Game
Services). What its own services do was read from their public sources.
"""

from __future__ import annotations

from merchant.providers.paysuper.client import fetch, poll
from merchant.providers.paysuper.connecting import setup
from merchant.providers.paysuper.envelope import identify, reply
from merchant.providers.paysuper.orders import read
from merchant.providers.paysuper.refunding import (
    find_refund,
    refund,
    refunds,
    stop_refund,
)
from merchant.providers.paysuper.signature import sign, verify

slug = "paysuper"
name = "PaySuper"
references = ("order",)
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
