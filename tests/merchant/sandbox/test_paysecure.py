"""Paysecure in the sandbox speaks as Paysecure does: our own reader understands it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant import strict_json
from merchant.providers import paysecure as provider
from merchant.providers.base import Answer, Fact, Incoming, Keys, Refused, Want
from merchant.sandbox import keypair, paysecure
from merchant.sandbox.catalogue import BY_KEY
from merchant.sandbox.paysecure import bodies
from merchant.sandbox.story import Buyer, Line, Purchase, Request, Shop, Step
from tests.merchant.providers.contract import check_facts

BEGUN = datetime(2026, 10, 1, 9, tzinfo=UTC)
BUYER = Buyer(
    "Ida Example", "ida@example.net", "DK", "Aarhus", "+4520555001", "ida-7", "7656119"
)


@pytest.fixture(scope="module")
def keys() -> Keys:
    public, private = keypair.new()
    return Keys(
        public_keys=(public,),
        private_key=private,
        api_key="sandbox-key",
        brand_ids=(paysecure.BRAND_ID,),
        livemode=False,
    )


def purchase(
    *kinds: str, number: int = 41, currency: str = "eur", part: int = 0
) -> Purchase:
    """A purchase of two things, with these steps a day apart, all told."""
    lines = (Line(BY_KEY["vey"], 1), Line(BY_KEY["pin"], 2))
    made = Purchase(number, BUYER, lines, currency, "visa", "4242", False)
    made.steps = [
        Step(kind, BEGUN + timedelta(days=n), part or made.total, 1, "expired_card")
        for n, kind in enumerate(kinds)
    ]
    made.told = list(made.steps)
    return made


def told(of: Purchase) -> list[bytes]:
    return [event.body for step in of.steps for event in paysecure.events(of, step)]


def read(body: bytes, keys: Keys) -> list[Fact]:
    return provider.read(strict_json.parse(body), keys)


STORIES = [
    ("created", "pending", "paid"),
    ("created", "failed"),
    ("created", "canceled"),
    ("created", "expired"),
    ("created", "overdue", "paid"),
    ("created", "partially_paid"),
    ("created", "authorized", "released"),
    ("created", "authorized", "paid"),
    ("paid", "refund"),
    ("paid", "refund", "refund_failed"),
    ("paid", "dispute", "dispute_lost"),
    ("paid", "payout", "payout_paid"),
    ("paid", "payout", "payout_failed"),
]


@pytest.mark.parametrize("currency", ["eur", "jpy", "kwd"])
@pytest.mark.parametrize("kinds", STORIES, ids="-".join)
def test_every_step_is_understood(
    kinds: tuple[str, ...], currency: str, keys: Keys
) -> None:
    story = purchase(*kinds, currency=currency)
    assert set(kinds) <= set(paysecure.STEPS)
    for body in told(story):
        sent = provider.sign(body, keys, BEGUN)
        named = {name.replace("_", "-"): value for name, value in sent.items()}
        assert provider.verify(Incoming(body, named, BEGUN), keys)
        facts = read(body, keys)
        check_facts(facts, provider)
        assert facts[0].says["money"].value == [story.total, currency]


def events(*kinds: str, **over: Any) -> list[str]:
    story = purchase(*kinds, **over)
    return [e.type for step in story.steps for e in paysecure.events(story, step)]


def test_a_refund_is_told_when_it_begins_and_when_it_ends() -> None:
    whole = ["purchase.refund_in_process", "purchase.refunded"]
    part = ["purchase.refund_in_process", "purchase.partial_refunded"]
    assert events("paid", "refund")[-2:] == whole
    assert events("paid", "refund", part=500)[-2:] == part


def test_a_refund_that_will_fail_never_says_it_succeeded() -> None:
    names = events("paid", "refund", "refund_failed")
    assert names[-2:] == ["purchase.refund_in_process", "purchase.paid"]


def test_a_chargeback_is_told_once() -> None:
    names = events("paid", "dispute", "dispute_lost")
    assert names.count("purchase.chargeback") == 1


def test_no_two_webhooks_of_a_story_are_the_same_event(keys: Keys) -> None:
    for kinds in STORIES:
        ids = [
            provider.identify(
                Incoming(body, {}, BEGUN), strict_json.parse(body)
            ).event_id
            for body in told(purchase(*kinds))
        ]
        assert len(ids) == len(set(ids)), kinds


def test_the_same_step_is_told_in_the_same_bytes() -> None:
    assert told(purchase("paid", "refund")) == told(purchase("paid", "refund"))


def test_the_api_confirms_the_last_webhook(keys: Keys) -> None:
    for kinds in STORIES:
        story = purchase(*kinds)
        (claim, *_) = read(told(story)[-1], keys)
        want = claim.wants[0]
        (proof, *_) = provider.fetch(
            want, keys, call(Shop({41: story}, {keys.api_key}))
        )
        assert (proof.status, proof.order) == (claim.status, claim.order)
        assert proof.says["money"].value == claim.says["money"].value
        assert proof.says["verified"].value is True


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_the_poll_finds_every_purchase_once(keys: Keys, prefix: str) -> None:
    stories = {n: purchase("created", "paid", number=n) for n in range(1, 231)}
    shop = Shop(stories, {keys.api_key})
    end = BEGUN + timedelta(days=2)
    found = provider.poll(BEGUN, end, keys, call(shop, prefix))
    ids = [facts[0].object_id for facts in found]
    assert sorted(ids) == sorted(bodies.purchase_id(one) for one in stories.values())
    assert list(provider.poll(end, end, keys, call(shop, prefix))) == []


def test_a_stranger_is_turned_away(keys: Keys) -> None:
    shop = Shop({41: purchase("paid")}, {"another"})
    with pytest.raises(Refused, match="401"):
        provider.fetch(
            Want("purchase", bodies.purchase_id(purchase())), keys, call(shop)
        )


def test_what_is_not_there_is_said_so(keys: Keys) -> None:
    shop = Shop({41: purchase("paid")}, {keys.api_key})
    for want in (
        Want("purchase", bodies.purchase_id(purchase(number=42))),
        Want("purchase", bodies.payout_id(purchase())),
        Want("payout", bodies.payout_id(purchase())),
    ):
        with pytest.raises(Refused, match="404"):
            provider.fetch(want, keys, call(shop))


@pytest.mark.parametrize(
    "query", [{"page_no": ["x"]}, {"page_size": ["999"]}, {"last_updated_start": ["x"]}]
)
def test_an_odd_question_is_refused(keys: Keys, query: dict[str, list[str]]) -> None:
    headers = {"authorization": f"Bearer {keys.api_key}"}
    path = "/external/transactions/list"
    request = Request("GET", path, query, headers, b"", BEGUN)
    assert paysecure.answer(request, Shop({}, {keys.api_key})).status == 400


def call(shop: Shop, prefix: str = "/api/v1") -> Any:
    """The sandbox's API as a provider's module calls it."""

    def send(method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        address = urlsplit(url)
        path = prefix + address.path.removeprefix("/api/v1")
        named = {name.lower(): value for name, value in headers.items()}
        request = Request(method, path, parse_qs(address.query), named, b"", BEGUN)
        said = paysecure.answer(request, shop)
        return Answer(said.status, {}, json.dumps(said.body).encode())

    return send
