"""Our own envelope, signed as Standard Webhooks 1.0.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from webhooks.dialects import wire
from webhooks.dialects.base import News, SigningKeys

PREFIX = "whsec_"
#: Events about a refund, a dispute or a delivery item carry it beside the purchase.
PARTS = ("refund", "dispute", "delivery_item")


def word(news: News) -> str:
    """Our own name: every event is told."""
    return news.name


def body(news: News) -> bytes:
    """The envelope; `delivery_try` alone changes between tries.

    "object" is what it is about: a JSON object has no room for a second one of that
    name that would say "event".
    """
    envelope: dict[str, Any] = {
        "id": news.key,
        "type": "notification",
        "event": news.name,
        "live": news.livemode,
        "created_at": wire.iso_of(news.created),
        "expires_at": wire.iso_of(news.expires) if news.expires else None,
        "delivery_try": news.attempt,
        "object_type": news.subject_kind,
        "object": news.object,
    }
    if news.part.get("object") in PARTS:
        envelope[news.part["object"]] = news.part
    return wire.compact(envelope)


def sign(news: News, body: bytes, keys: SigningKeys, at: datetime) -> dict[str, str]:
    """The three headers; several live secrets sign side by side, the newest first."""
    stamp = str(int(at.timestamp()))
    signed = f"{news.key}.{stamp}.".encode() + body
    signatures = [f"v1,{_signature(secret, signed)}" for secret in keys.secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": news.key,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
