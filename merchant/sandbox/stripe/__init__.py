"""Stripe in the sandbox: checkouts of a game shop, their webhooks and Stripe's API."""

from __future__ import annotations

from merchant.sandbox.stripe.api import answer
from merchant.sandbox.stripe.webhooks import STEPS, events

__all__ = ["STEPS", "answer", "events"]
