"""Stripes for tests: one that answers everything alike, and the sandbox's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from merchant.providers import stripe
from merchant.providers.base import Answer, Fact, Keys
from merchant.sandbox import shop as shops
from merchant.sandbox import stripe as sandbox
from merchant.sandbox.story import Purchase, Request, Shop

KEYS = Keys(api_key="sk_test_lantern", base_url="http://127.0.0.1:9/stripe/")
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
LATER = START + timedelta(days=120)


class Wire:
    """A Stripe that answers everything alike, and notes what it was asked."""

    def __init__(self, body: Any = None, status: int = 200, **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.urls: list[str] = []
        self.sent: list[dict[str, str]] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], **_: Any
    ) -> Answer:
        assert method == "GET"
        self.urls.append(url)
        self.sent.append(dict(headers))
        return Answer(self.status, self.headers, self.body)


class Sandbox:
    """The sandbox's API under /stripe, as our way out would reach it."""

    def __init__(self, *purchases: Purchase) -> None:
        self.shop = Shop({p.number: p for p in purchases}, {KEYS.api_key})
        self.asked: list[str] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        parts = urlsplit(url)
        self.asked.append(url)
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        path = parts.path.removeprefix("/stripe")
        request = Request(method, path, query, headers, body, LATER)
        said = sandbox.answer(request, self.shop)
        return Answer(said.status, {}, json.dumps(said.body).encode())


def sold(number: int, ending: str, seed: int = 3) -> Purchase:
    purchase = shops.plan(seed, number, START, "stripe", ending=ending)
    purchase.told = list(purchase.steps)
    return purchase


def by_webhook(*purchases: Purchase) -> list[Fact]:
    return [
        fact
        for purchase in purchases
        for step in purchase.told
        for event in sandbox.events(purchase, step)
        for fact in stripe.read(json.loads(event.body), KEYS)
    ]
