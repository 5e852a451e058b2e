"""What Stripe's tests share: keys, payload files, the facts of one."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from pathlib import Path
from typing import Any

from merchant import strict_json
from merchant.providers import stripe
from merchant.providers.base import Fact, Keys

FOLDER = Path(__file__).parents[2] / "payloads" / "stripe"
SECRET = "whsec_a-lantern-in-the-window-7"
KEYS = Keys(secrets=(SECRET,))

#: The purchase that most payload files are about.
PURCHASE = (("payment_intent", "pi_3LanternA"), ("charge", "ch_3LanternA"))


def raw(name: str) -> bytes:
    """The exact bytes of a payload file."""
    return (FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> Any:
    return strict_json.parse(raw(name))


def facts(name: str, keys: Keys = KEYS) -> list[Fact]:
    return stripe.read(load(name), keys)


def only(name: str) -> Fact:
    (fact,) = facts(name)
    return fact


def read_with(name: str, **over: Any) -> list[Fact]:
    """The facts of a payload whose object differs in these keys."""
    payload = load(name)
    payload["data"]["object"] |= over
    return stripe.read(payload, KEYS)


def said(fact: Fact, column: str) -> Any:
    return fact.says[column].value if column in fact.says else None


def by_hand(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The header, computed without the provider's module."""
    stamp = str(int(at.timestamp()))
    message = stamp.encode() + b"." + body
    made = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={made}"}
