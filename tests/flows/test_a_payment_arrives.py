"""A payment arrives: posted over HTTP, in any order, read back through the API.

The real processes, the payload files of all four providers; the expectations are
written by hand from the files.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from merchant.providers import PROVIDERS
from merchant.providers.base import Keys
from tests.factories import rsa_pair
from tests.live import House, own_database, until

pytestmark = pytest.mark.server

PAYLOADS = Path(__file__).parents[1] / "payloads"
SECRET = "throw-away-of-the-tests"

#: provider -> the files of one payment, in the order in which it happened
STORIES = {
    "paysuper": ("payment_success_simple", "payment_refund"),
    "paysecure": ("payin_created", "payin_overdue", "payin_paid", "payin_refunded"),
    "paynow": ("on_order_completed", "on_payment_completed", "on_refund__partial"),
    "stripe": (
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with own_database() as database:
        yield House(tmp_path, **database)


class Shop:
    """A project that is paid through all four, and the key that signs for them."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        public, private = rsa_pair()
        (folder / "public.pem").write_text(public)
        self.keys = Keys(secrets=(SECRET,), private_key=private)
        seal = {"paysecure": ("--public-key", str(folder / "public.pem"))}
        _merchant, _project, *opened, key = house.all_made(
            ["add_merchant", "--name", "Lamps", "--slug", "lamps"],
            ["add_project", "--merchant", "lamps", "--name", "Shop", "--slug", "shop"],
            *(
                ["add_connection", "--project", "shop", "--provider", provider,
                 *seal.get(provider, ("--secret", SECRET))]
                for provider in STORIES
            ),
            ["add_api_key", "--project", "shop"],
        )  # fmt: skip
        self.paths = {
            provider: f"/hooks/{provider}/{told['id']}"
            for provider, told in zip(STORIES, opened, strict=True)
        }
        self.key = key["key"]

    def send(self, provider: str, name: str) -> int:
        body = (PAYLOADS / provider / f"{name}.json").read_bytes()
        signed = PROVIDERS[provider].sign(body, self.keys, datetime.now(UTC))
        headers = {"Content-Type": "application/json", **signed}
        return self.house.ask("POST", self.paths[provider], body, headers).status

    def rows(self) -> dict[str, dict[str, Any]]:
        listed = self.house.get_json("/v1/transactions?limit=100", self.key)
        assert len(listed["data"]) <= len(STORIES)
        return {row["provider"]: row for row in listed["data"]}


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


#: What the API must say: amounts in minor units, times in Unix seconds.
EXPECTED: dict[str, dict[str, Any]] = {
    "paysuper": {
        "provider_id": "3c9d51aa-7e42-4b0f-9c6b-0f1d2e3a4b5c", "livemode": True,
        "status": "refunded", "amount": 4190, "currency": "eur",
        "amount_refunded": 4190, "verified": True, "refund_pending": False,
        "created": seconds("2021-02-03T08:15:30Z"),
        "paid": seconds("2021-02-03T08:15:30Z"),
    },
    "paysecure": {
        "provider_id": "6c40d1f29ab3e5001c7d8e01", "livemode": True,
        "status": "refunded", "amount": 3750, "currency": "eur",
        "amount_refunded": 3750, "verified": False, "refund_pending": False,
        "created": 1790150400, "paid": 1790150460,
    },
    "paynow": {
        "provider_id": "610924947832832101", "livemode": True,
        "status": "partially_refunded", "amount": 3960, "currency": "usd",
        "amount_refunded": 1320, "verified": False, "refund_pending": False,
        "fee": 300, "net": 3300,
        "created": seconds("2026-10-05T18:20:00Z"),
        "paid": seconds("2026-10-05T18:20:41Z"),
    },
    "stripe": {
        "provider_id": "pi_3LanternA", "livemode": True,
        "status": "paid", "amount": 5980, "currency": "eur",
        "amount_refunded": 0, "verified": True, "refund_pending": False,
        "created": 1794000000, "paid": 1794000096,
    },
}  # fmt: skip


def told(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each row what EXPECTED speaks of."""
    return {
        provider: {name: row[name] for name in EXPECTED[provider]}
        for provider, row in rows.items()
    }


def test_payments_of_all_providers_arrive_in_any_order(
    house: House, tmp_path: Path
) -> None:
    shop = Shop(house, tmp_path)
    letters = [(name, file) for name, files in STORIES.items() for file in files]
    chance = random.Random()
    letters += chance.choices(letters, k=len(letters))
    chance.shuffle(letters)
    with house.serving():
        for provider, file in letters:
            assert shop.send(provider, file) == 200, file
        until(lambda: told(shop.rows()) == EXPECTED, 20, f"the end of {letters}")
