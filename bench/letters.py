"""Signed deliveries for the benchmarks: about 2 KB each, every one its own purchase."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from merchant.models import Connection, Merchant, Project

SECRET = "whsec_bench_0123456789abcdef0123456789"


def open_connection() -> Connection:
    """A fresh project with a Stripe connection that knows SECRET."""
    from merchant import connections

    stamp = time.time_ns()
    merchant = Merchant.objects.create(name="Bench", slug=f"bench-{stamp}")
    project = Project.objects.create(
        merchant=merchant, name="Bench", slug=f"bench-{stamp}"
    )
    return connections.open_connection(project, "stripe", secret=SECRET)


def charge(number: int) -> bytes:
    """A charge.succeeded as Stripe sends it; `number` makes every id in it unique."""
    return json.dumps(
        {
            "id": f"evt_{number}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": 1_790_000_000 + number % 1_000_000,
            "data": {"object": _charge(number)},
            "livemode": True,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": "charge.succeeded",
        },
        separators=(",", ":"),
    ).encode()


def _charge(number: int) -> dict[str, Any]:
    address = {
        "city": "Berlin",
        "country": "DE",
        "line1": "Musterstr. 1",
        "line2": None,
        "postal_code": "10115",
        "state": None,
    }
    card = {
        "amount_authorized": 4990,
        "brand": "visa",
        "checks": {"address_line1_check": "pass", "cvc_check": "pass"},
        "country": "DE",
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": f"fp{number}",
        "funding": "credit",
        "last4": "4242",
        "network": "visa",
        "three_d_secure": None,
        "wallet": None,
    }
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": 4990,
        "amount_captured": 4990,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": address,
            "email": f"buyer{number % 5000}@example.com",
            "name": "Mira Example",
            "phone": None,
        },
        "calculated_statement_descriptor": "SHOP.EXAMPLE",
        "captured": True,
        "created": 1_790_000_000 + number % 1_000_000,
        "currency": "eur",
        "customer": None,
        "description": "Space Game key",
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": True,
        "metadata": {"sku": "GAME-1", "channel": "web", "order_id": f"order-{number}"},
        "outcome": {
            "network_status": "approved_by_network",
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": f"pi_{number}",
        "payment_method": f"pm_{number}",
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": "https://pay.stripe.com/receipts/x",
        "refunded": False,
        "shipping": None,
        "statement_descriptor": None,
        "status": "succeeded",
    }


def signature(body: bytes) -> str:
    """The Stripe-Signature header of now."""
    now = str(int(time.time()))
    signed = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256)
    return f"t={now},v1={signed.hexdigest()}"
