"""Signed deliveries for started houses: Stripe charges, which need nothing else."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from http.client import HTTPResponse

from merchant.providers import stripe
from merchant.providers.base import Keys
from tests.live import House

SECRET = "whsec_tests_only"


class Shop:
    """One Stripe connection of a house, and an API key that reads what came of it."""

    def __init__(self, house: House) -> None:
        self.house = house
        *_, account, key = house.all_made(
            ["add_merchant", "--name", "Dragon", "--slug", "dragon"],
            ["add_project", "--merchant=dragon", "--name=Shop", "--slug=shop"],
            [
                "add_connection",
                "--project=shop",
                "--provider=stripe",
                "--secret",
                SECRET,
            ],
            ["add_api_key", "--project", "shop"],
        )
        self.path = f"/hooks/stripe/{account['id']}"
        self.key = key["key"]

    def send(self, number: int) -> HTTPResponse:
        """Delivers the event of charge `number`: 1.00 EUR plus as many cents."""
        body = _event(number)
        signed = stripe.sign(body, Keys(secrets=(SECRET,)), datetime.now(UTC))
        headers = {"Content-Type": "application/json", **signed}
        return self.house.ask("POST", self.path, body, headers)

    def amounts(self) -> list[int]:
        """Of all transactions there are (up to 1,000), in any order."""
        found: list[int] = []
        after = ""
        while len(found) < 1000:
            page = self.house.get_json(f"/v1/transactions?limit=100{after}", self.key)
            found += [row["amount"] for row in page["data"]]
            if not page["has_more"]:
                break
            after = f"&starting_after={page['data'][-1]['id']}"
        return found


def _event(number: int) -> bytes:
    now = int(time.time())
    charge = {
        "id": f"ch_live_{number}", "object": "charge", "amount": 100 + number,
        "amount_captured": 100 + number, "amount_refunded": 0, "refunded": False,
        "currency": "eur", "status": "succeeded", "paid": True, "captured": True,
        "created": now, "livemode": True, "metadata": {}, "payment_intent": None,
        "billing_details": {"email": f"buyer{number}@example.com", "name": "Ada"},
    }  # fmt: skip
    event = {
        "id": f"evt_live_{number}", "object": "event", "type": "charge.succeeded",
        "api_version": "2024-06-20", "created": now, "livemode": True,
        "data": {"object": charge},
    }  # fmt: skip
    return json.dumps(event).encode()
