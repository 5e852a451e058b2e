"""PaySuper in the sandbox: orders of a game shop, four webhooks, the list of orders."""

from __future__ import annotations

from merchant.sandbox.paysuper.api import answer
from merchant.sandbox.paysuper.orders import PROJECT_ID
from merchant.sandbox.paysuper.webhooks import STEPS, events

__all__ = ["PROJECT_ID", "STEPS", "answer", "events"]
