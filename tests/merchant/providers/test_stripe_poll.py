"""Stripe polled: what webhooks missed, page by page, and their questions answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from merchant.providers import stripe
from merchant.providers.base import Answer, Fact, Keys, Refused
from merchant.providers.stripe import words
from merchant.sandbox import shop as shops
from merchant.sandbox.story import Purchase
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.stripe_cases import load, said
from tests.merchant.providers.stripe_wire import (
    KEYS,
    LATER,
    START,
    Sandbox,
    Wire,
    by_webhook,
    sold,
)


@pytest.fixture(scope="module")
def everything() -> list[Purchase]:
    endings = shops.endings_at("stripe")[0]
    return [sold(number, ending) for number, ending in enumerate(endings, 1)]


def test_a_poll_tells_what_the_webhooks_told(everything: list[Purchase]) -> None:
    polled = collect(stripe.poll(START, LATER, KEYS, Sandbox(*everything)))
    told = by_webhook(*everything)
    assert {fact.identity for fact in polled} == {fact.identity for fact in told}
    assert len(polled) == len(told)
    check_facts(polled, stripe)


def test_a_poll_keeps_to_its_time(everything: list[Purchase]) -> None:
    split = START + timedelta(days=7)
    box = Sandbox(*everything)
    early = collect(stripe.poll(START, split, KEYS, box))
    late = collect(stripe.poll(split, LATER, KEYS, box))
    assert early
    assert late
    assert all(fact.at and fact.at < split for fact in early)
    assert all(fact.at and fact.at >= split for fact in late)
    whole = collect(stripe.poll(START, LATER, KEYS, box))
    assert len(early) + len(late) == len(whole)


def test_a_poll_asks_for_our_types_a_few_names_at_a_time() -> None:
    wire = Wire({"object": "list", "data": [], "has_more": False})
    assert list(stripe.poll(START, LATER, KEYS, wire)) == []
    queries = [parse_qsl(urlsplit(url).query) for url in wire.urls]
    asked = [[value for name, value in q if name == "types[]"] for q in queries]
    assert all(len(names) <= 20 for names in asked)
    assert [name for names in asked for name in names] == list(words.TYPES)
    assert ("created[gte]", str(int(START.timestamp()))) in queries[0]
    assert ("created[lt]", str(int(LATER.timestamp()))) in queries[0]


def test_a_poll_of_one_connected_account_names_it() -> None:
    wire = Wire({"object": "list", "data": [], "has_more": False})
    keys = Keys(api_key="sk", account="acct_1LanternPartner")
    list(stripe.poll(START, LATER, keys, wire))
    assert {sent["Stripe-Account"] for sent in wire.sent} == {"acct_1LanternPartner"}


def test_one_event_that_cannot_be_read_spoils_nothing() -> None:
    good, bad = load("charge.succeeded"), load("charge.succeeded")
    bad["id"], bad["data"]["object"]["amount_captured"] = "evt_bad", -1
    wire = Wire({"object": "list", "data": [bad, good], "has_more": False})
    assert len(next(stripe.poll(START, LATER, KEYS, wire))) == 1


def test_a_cursor_that_is_ignored_ends_the_poll() -> None:
    page = {"object": "list", "data": [load("charge.succeeded")], "has_more": True}
    wire = Wire(page)
    list(stripe.poll(START, LATER, KEYS, wire))
    assert len(wire.urls) <= 2 * -(-len(words.TYPES) // 20)


def test_a_page_too_large_to_read_is_asked_for_in_smaller_ones() -> None:
    large = load("charge.succeeded")
    large["data"]["object"]["metadata"] = {str(n): "x" for n in range(400)}
    asked: list[str] = []

    def call(method: str, url: str, **_: Any) -> Answer:
        limit = dict(parse_qsl(urlsplit(url).query))["limit"]
        asked.append(limit)
        data = [large | {"id": f"evt_{n}"} for n in range(int(limit))]
        body = {"object": "list", "data": data, "has_more": False}
        return Answer(200, {}, json.dumps(body).encode())

    pages = list(stripe.poll(START, LATER, KEYS, call))
    assert asked[:2] == ["40", "8"]
    assert [len(page) for page in pages] == [8] * len(pages)


def test_every_question_of_the_webhooks_has_an_answer(
    everything: list[Purchase],
) -> None:
    box = Sandbox(*everything)
    asked = {want for fact in by_webhook(*everything) for want in fact.wants}
    kinds = {want.kind for want in asked}
    assert kinds == {"line_items", "balance_transaction", "invoice_payments"}
    for want in asked:
        found = stripe.fetch(want, KEYS, box)
        check_facts(found, stripe)
        first_of_a_trial = want.kind == "invoice_payments"
        assert found or first_of_a_trial, want


def test_the_items_add_up_to_the_amount(everything: list[Purchase]) -> None:
    box = Sandbox(*everything)
    for fact in by_webhook(*everything):
        for want in fact.wants:
            if want.kind == "line_items":
                (session,) = stripe.fetch(want, KEYS, box)
                items = said(session, "items")
                total = sum(item["amount"] for item in items)
                assert [total, said(session, "money")[1]] == said(session, "money")


def test_a_wrong_key_is_turned_away() -> None:
    keys = Keys(api_key="sk_wrong", base_url=KEYS.base_url)
    with pytest.raises(Refused, match="API key"):
        list(stripe.poll(START, LATER, keys, Sandbox(sold(1, "paid"))))


def collect(pages: Iterator[list[Fact]]) -> list[Fact]:
    return [fact for page in pages for fact in page]
