"""PayNow: an order, the payments that try to pay it, and what is handed over for it.

Documents: https://docs.paynow.gg (webhooks), https://api.paynow.gg (management API).
"""

from __future__ import annotations

from merchant.providers.paynow.calls import fetch, poll
from merchant.providers.paynow.connecting import setup
from merchant.providers.paynow.events import identify, read, reply
from merchant.providers.paynow.refunding import (
    find_refund,
    refund,
    refunds,
    stop_refund,
)
from merchant.providers.paynow.signature import sign, verify

slug = "paynow"
name = "PayNow"
#: No checkout: a subscription's later orders name the same one, and would be joined.
references = ("order", "payment")
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
