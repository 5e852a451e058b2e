"""What the API's answers look like, for the people who read its description."""

from __future__ import annotations

from typing import Any

EXAMPLE: dict[str, Any] = {
    "id": "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11",
    "object": "transaction",
    "project": "0198f6a0-11aa-7c40-8e21-55d0c1b2a390",
    "provider": "stripe",
    "provider_id": "pi_example",
    "livemode": True,
    "status": "partially_refunded",
    "status_reason": None,
    "refund_pending": False,
    "verified": True,
    "amount": 1999,
    "currency": "eur",
    "amount_refunded": 500,
    "fee": 89,
    "net": 1910,
    "settlement": None,
    "description": "Iron Sword",
    "customer": {
        "id": "0198f6a2-7c1f-7e0b-a1d4-7d2f4a90c3e2",
        "name": "Ada Byron",
        "email": "ada@example.com",
        "country": "GB",
    },
    "payment_method": {"type": "card", "brand": "visa", "last4": "4242"},
    "items": [
        {
            "product": "0198f6a2-7c20-7a55-b3e8-0c9d1e2f3a4b",
            "name": "Iron Sword",
            "sku": "SWORD-1",
            "quantity": 1,
            "amount": 1999,
            "platform": None,
        }
    ],
    "refunds": [
        {
            "id": "0198f7b0-2d3e-7f61-8c9a-6b5a4c3d2e1f",
            "object": "refund",
            "transaction": "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11",
            "amount": 500,
            "currency": "eur",
            "status": "succeeded",
            "reason": "requested_by_customer",
            "provider_id": "re_example",
            "created": 1774953000,
        }
    ],
    "disputes": [],
    "fulfilment": {"status": "done"},
    "order_reference": "A-1042",
    "metadata": {"campaign": "spring"},
    "sequence": 4,
    "created": 1774951200,
    "paid": 1774951204,
    "updated": 1774953002,
}
LISTED = {
    "object": "list",
    "url": "/v1/transactions",
    "has_more": False,
    "data": [EXAMPLE],
}
