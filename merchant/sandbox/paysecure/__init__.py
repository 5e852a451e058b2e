"""Paysecure in the sandbox: purchases, payouts, its webhooks and its API."""

from __future__ import annotations

from merchant.sandbox.paysecure.api import answer
from merchant.sandbox.paysecure.bodies import BRAND_ID
from merchant.sandbox.paysecure.webhooks import STEPS, events

__all__ = ["BRAND_ID", "STEPS", "answer", "events"]
