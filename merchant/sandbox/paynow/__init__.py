"""PayNow in the sandbox: orders of a game shop, its webhooks and its management API."""

from __future__ import annotations

from merchant.sandbox.paynow.api import answer
from merchant.sandbox.paynow.bodies import STORE_ID
from merchant.sandbox.paynow.webhooks import STEPS, events

__all__ = ["STEPS", "STORE_ID", "answer", "events"]
