"""Signed deliveries of all four providers, small enough to read and to change."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from merchant import connections
from merchant.models import Connection
from merchant.providers import PROVIDERS

EVERY = list(PROVIDERS)
#: Those whose signature covers every byte of the body.
SIGNS_BODY = [slug for slug in EVERY if slug != "paysecure"]
#: Those whose signature covers a time.
SIGNS_TIME = ["stripe", "paynow"]

_numbers = itertools.count(1)


def letter(provider: str, number: int | None = None, **over: Any) -> dict[str, Any]:
    """An event of a paid purchase; `number` makes its ids, `over` changes its top."""
    number = next(_numbers) if number is None else number
    return LETTERS[provider](number) | over


def stripe(number: int) -> dict[str, Any]:
    charge = {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": 4990,
        "amount_captured": 4990,
        "amount_refunded": 0,
        "captured": True,
        "created": 1_790_000_000,
        "currency": "eur",
        "livemode": True,
        "paid": True,
        "payment_intent": f"pi_{number}",
        "refunded": False,
        "status": "succeeded",
    }
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_001,
        "livemode": True,
        "type": "charge.succeeded",
        "data": {"object": charge},
    }


def paysuper(number: int) -> dict[str, Any]:
    order = {
        "id": f"order-{number}",
        "transaction": f"tx-{number}",
        "object": "order",
        "status": "processed",
        "is_production": True,
        "amount": 49.9,
        "currency": "EUR",
        "created_at": "2026-09-20T10:00:00Z",
        "items": [],
    }
    return {
        "id": f"ps-{number}",
        "type": "notification",
        "event": "payment.success",
        "live": True,
        "created_at": "2026-09-20T10:00:05Z",
        "expires_at": "",
        "delivery_try": 0,
        "object": order,
    }


def paysecure(number: int) -> dict[str, Any]:
    purchase = {
        "purchaseId": f"{number:024x}",
        "type": "purchase",
        "status": "PAID",
        "brand_id": "brd_dragon",
        "created_on": 1_790_000_000,
        "updated_on": 1_790_000_060,
        "is_test": False,
        "purchase": {
            "currency": "EUR",
            "total": 49.9,
            "products": [{"name": "Iron Sword", "quantity": 1, "price": 49.9}],
        },
        "client": {"email": "mira@example.com", "full_name": "Mira Example"},
        "amountUnit": "MAJOR",
    }
    return {"message": purchase, "status": "paid"}


def paynow(number: int) -> dict[str, Any]:
    order = {
        "id": f"{7_000_000_000_000_000 + number}",
        "store_id": "411486491630370816",
        "status": "completed",
        "total_amount": 4990,
        "currency": "usd",
        "customer": {"id": "1", "name": "mira"},
        "lines": [],
        "created_at": "2026-09-20T10:00:00Z",
        "completed_at": "2026-09-20T10:00:05Z",
    }
    return {
        "event_type": "ON_ORDER_COMPLETED",
        "event_id": f"{8_000_000_000_000_000 + number}",
        "body": order,
    }


LETTERS = {
    "stripe": stripe, "paysuper": paysuper, "paysecure": paysecure, "paynow": paynow,
}  # fmt: skip


def body(provider: str, number: int | None = None, **over: Any) -> bytes:
    return packed(letter(provider, number, **over))


def packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signed(
    connection: Connection, content: bytes, at: datetime | None = None
) -> dict[str, str]:
    """The headers of a real delivery, names as the provider writes them."""
    keys = connections.keys_of(connection)
    return PROVIDERS[connection.provider].sign(content, keys, at or timezone.now())


def post(
    connection: Connection,
    content: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    at: datetime | None = None,
    path: str = "",
    content_type: str = "application/json",
    **environ: Any,
) -> HttpResponse:
    """Knocks at the door; signs unless headers are given. No 500 is ever forgiven."""
    if headers is None:
        headers = signed(connection, content, at)
    # The test client leaves it out where the body is empty, and its own stream does
    # not end as a server's does.
    environ.setdefault("CONTENT_LENGTH", str(len(content)))
    environ.setdefault("wsgi.input", io.BytesIO(content))
    response = Client().generic(
        "POST",
        path or connection.intake_path,
        content,
        content_type=content_type,
        headers=dict(headers),
        **environ,
    )
    assert response.status_code != 500
    assert not 300 <= response.status_code < 400
    return response
