"""From a Paysecure message to facts, and how much of it is to be believed."""

from __future__ import annotations

from typing import Any

from merchant.providers.base import Fact, Keys
from merchant.providers.paysecure import payouts, purchases
from merchant.providers.paysecure.message import Message, opened


def read(payload: Any, keys: Keys) -> list[Fact]:
    """The facts of a webhook, each with the wish to have it confirmed by the API.

    None for a status that nobody knows. Raises Unreadable.
    """
    return facts(opened(payload), keys, fetched=False)


def facts(message: Message, keys: Keys, *, fetched: bool) -> list[Fact]:
    """`fetched`: the API itself said it, so its amounts may be believed."""
    if message.kind == "payout":
        return payouts.facts(message, keys, fetched=fetched)
    return purchases.facts(message, fetched=fetched)
