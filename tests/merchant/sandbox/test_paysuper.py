"""PaySuper in the sandbox speaks as PaySuper does: our own reader understands it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant import strict_json
from merchant.providers import paysuper as provider
from merchant.providers.base import Answer, Fact, Incoming, Keys, Refused, Want
from merchant.sandbox import paysuper
from merchant.sandbox.catalogue import BY_KEY
from merchant.sandbox.paysuper import orders
from merchant.sandbox.story import Buyer, Line, Purchase, Request, Shop, Step
from tests.merchant.providers.contract import check_facts

KEYS = Keys(
    secrets=("sandbox-secret-1",),
    api_key="sandbox-secret-1",
    account=paysuper.PROJECT_ID,
    livemode=False,
)
BEGUN = datetime(2026, 10, 1, 9, tzinfo=UTC)
BUYER = Buyer(
    "Ida Example", "ida@example.net", "DK", "Aarhus", "+4520555001", "ida-7", "7656119"
)


def purchase(*kinds: str, number: int = 41, currency: str = "eur") -> Purchase:
    """A purchase of two things, with these steps a day apart, all told."""
    lines = (Line(BY_KEY["vey"], 1), Line(BY_KEY["pin"], 2))
    made = Purchase(number, BUYER, lines, currency, "visa", "4242", False)
    made.steps = [
        Step(kind, BEGUN + timedelta(days=n), made.total, reason="insufficient_funds")
        for n, kind in enumerate(kinds)
    ]
    made.told = list(made.steps)
    return made


def bodies(of: Purchase) -> list[bytes]:
    return [event.body for step in of.steps for event in paysuper.events(of, step)]


def read(body: bytes) -> list[Fact]:
    return provider.read(strict_json.parse(body), KEYS)


STORIES = [
    ("paid",),
    ("failed",),
    ("canceled",),
    ("paid", "refund"),
    ("paid", "dispute", "dispute_lost"),
]


@pytest.mark.parametrize("currency", ["eur", "jpy", "kwd"])
@pytest.mark.parametrize("kinds", STORIES, ids="-".join)
def test_every_step_is_understood(kinds: tuple[str, ...], currency: str) -> None:
    story = purchase(*kinds, currency=currency)
    assert set(kinds) <= set(paysuper.STEPS)
    for body in bodies(story):
        sent = {name.lower(): v for name, v in provider.sign(body, KEYS, BEGUN).items()}
        delivery = Incoming(body, sent, BEGUN)
        assert provider.verify(delivery, KEYS)
        envelope = provider.identify(delivery, strict_json.parse(body))
        assert envelope.livemode is False
        assert not envelope.testing
        facts = read(body)
        check_facts(facts, provider)
        assert facts[0].says["money"].value == [story.total, currency]


def test_the_same_step_is_told_in_the_same_bytes() -> None:
    assert bodies(purchase("paid", "refund")) == bodies(purchase("paid", "refund"))


def test_the_wire_looks_like_gos() -> None:
    (body,) = bodies(purchase("paid"))
    assert b"from=store\\u0026lang=en" in body
    assert b": " not in body.replace(b"# ", b"")


def test_a_lost_dispute_is_told_once_and_again() -> None:
    story = purchase("paid", "dispute", "dispute_lost")
    _, first, second = bodies(story)
    assert first == second


@pytest.mark.parametrize("kinds", STORIES, ids="-".join)
def test_the_list_says_what_the_webhook_said(kinds: tuple[str, ...]) -> None:
    story = purchase(*kinds)
    want = Want("order", orders.order_id(story))
    found = provider.fetch(want, KEYS, call(Shop({41: story}, {KEYS.api_key})))
    said = read(bodies(story)[-1])
    assert [fact.identity for fact in found] == [fact.identity for fact in said]


def test_the_poll_finds_every_order_once() -> None:
    stories = {n: purchase("paid", number=n) for n in range(1, 251)}
    found = provider.poll(
        BEGUN, BEGUN + timedelta(days=1), KEYS, call(Shop(stories, {KEYS.api_key}))
    )
    ids = [told[0].object_id for told in found]
    assert sorted(ids) == sorted(orders.order_id(one) for one in stories.values())


def test_the_poll_finds_nothing_of_another_time() -> None:
    shop = Shop({41: purchase("paid")}, {KEYS.api_key})
    later = BEGUN + timedelta(days=9)
    assert list(provider.poll(later, later, KEYS, call(shop))) == []


def test_a_stranger_is_turned_away() -> None:
    shop = Shop({41: purchase("paid")}, {"another key"})
    with pytest.raises(Refused, match="401"):
        provider.fetch(Want("order", "x"), KEYS, call(shop))
    for header in ("", "Basic", "Basic ???", "Basic \xff", "Bearer another key"):
        assert ask(shop, orders.order_id(shop.purchases[41]), header).status == 401


def test_an_unknown_order_is_no_order() -> None:
    shop = Shop({41: purchase("paid")}, {KEYS.api_key})
    pair = base64.b64encode(b"p:sandbox-secret-1").decode()
    for id in ("x", orders.order_id(purchase(number=42)), "0" * 24 + "000000000029"):
        assert ask(shop, id, f"Basic {pair}").body == {"count": 0, "items": None}


def ask(shop: Shop, id: str, authorization: str) -> Any:
    headers = {"authorization": authorization}
    path = "/merchant/s2s/api/v1/order"
    return paysuper.answer(
        Request("GET", path, {"id": [id]}, headers, b"", BEGUN), shop
    )


def call(shop: Shop) -> Any:
    """The sandbox's API as a provider's module calls it."""

    def send(method: str, url: str, *, headers: dict[str, str]) -> Answer:
        address = urlsplit(url)
        named = {name.lower(): value for name, value in headers.items()}
        said = paysuper.answer(
            Request(method, address.path, parse_qs(address.query), named, b"", BEGUN),
            shop,
        )
        return Answer(said.status, {}, json.dumps(said.body).encode())

    return send
