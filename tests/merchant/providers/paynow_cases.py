"""What PayNow's tests share: keys, payload files, the facts of one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from merchant import strict_json
from merchant.providers import paynow
from merchant.providers.base import Fact, Keys

FOLDER = Path(__file__).parents[2] / "payloads" / "paynow"
SECRET = "whs_orchard-and-lantern-51"
KEYS = Keys(secrets=(SECRET,))

ORDER_ID = json.loads((FOLDER / "on_order_completed.json").read_bytes())["body"]["id"]
PAYMENT_ID = json.loads((FOLDER / "on_chargeback.json").read_bytes())["body"]["id"]
PURCHASE = (("order", ORDER_ID), ("payment", PAYMENT_ID))


def raw(name: str) -> bytes:
    """The exact bytes of a payload file."""
    return (FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> Any:
    return strict_json.parse(raw(name))


def facts(name: str, keys: Keys = KEYS) -> list[Fact]:
    return paynow.read(load(name), keys)


def read_with(name: str, **over: Any) -> list[Fact]:
    """The facts of a payload whose body differs in these keys."""
    payload = load(name)
    payload["body"] |= over
    return paynow.read(payload, KEYS)


def said(fact: Fact, column: str) -> Any:
    return fact.says[column].value if column in fact.says else None


def by_hand(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The three headers, computed without the provider's module."""
    stamp = str(round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000))
    key = secret.encode()
    live = hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "PayNow-Timestamp": stamp,
        "PayNow-Signature": base64.standard_b64encode(live).decode(),
        "x-paynow-signature": hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
