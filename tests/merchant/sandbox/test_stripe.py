"""Stripe in the sandbox: its webhooks tell stories, its API suits Stripe's library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stripe import (
    AuthenticationError,
    InvalidRequestError,
    StripeClient,
    Webhook,
)

from merchant.providers import stripe
from merchant.providers.base import Keys
from merchant.sandbox import shop as shops
from merchant.sandbox import stripe as sandbox
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.server import Server
from merchant.sandbox.story import Purchase

START = datetime(2026, 10, 1, 8, tzinfo=UTC)
KEY = "sk_test_harbor"
ENDINGS = sorted(shops.endings_at("stripe")[0])


def sold(ending: str, number: int = 4) -> Purchase:
    return shops.plan(9, number, START, "stripe", ending=ending)


def told(purchase: Purchase) -> list[dict[str, Any]]:
    """All events of the purchase, each step told when it happens."""
    found = []
    for step in purchase.steps:
        purchase.told.append(step)
        found += [json.loads(event.body) for event in sandbox.events(purchase, step)]
    return found


def types(ending: str) -> list[str]:
    return [event["type"] for event in told(sold(ending))]


# ------------------------------------------------------------------------- webhooks
def test_a_paid_step_sends_what_stripe_sends() -> None:
    assert types("paid") == [
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_fees_come_with_the_last_of_them() -> None:
    charges = [e for e in told(sold("paid")) if e["type"].startswith("charge.")]
    fees = [event["data"]["object"]["balance_transaction"] for event in charges]
    assert fees[0] is None
    assert fees[1].startswith("txn_")


def test_a_debit_is_complete_before_it_is_paid() -> None:
    found = types("paid_slowly")
    assert found.index("checkout.session.completed") < found.index("charge.succeeded")
    assert "checkout.session.async_payment_succeeded" in found


@pytest.mark.parametrize("ending", ENDINGS)
def test_ids_are_always_the_same_and_never_twice(ending: str) -> None:
    first, again = told(sold(ending)), told(sold(ending))
    assert first == again
    ids = [event["id"] for event in first]
    assert len(set(ids)) == len(ids)
    others = {event["id"] for event in told(sold(ending, number=5))}
    assert not others & set(ids)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_step_told_late_is_told_as_it_was(ending: str) -> None:
    """The shop may hand over several steps at once, all of them noted as told."""
    purchase = sold(ending)
    purchase.told = list(purchase.steps)
    late = [
        json.loads(event.body)
        for step in purchase.steps
        for event in sandbox.events(purchase, step)
    ]
    assert late == told(sold(ending))


@pytest.mark.parametrize("ending", ENDINGS)
def test_stripes_library_takes_every_event(ending: str) -> None:
    keys = Keys(secrets=("whsec_harbor",))
    purchase = sold(ending)
    for step in purchase.steps:
        purchase.told.append(step)
        for event in sandbox.events(purchase, step):
            header = stripe.sign(event.body, keys, datetime.now(UTC))
            found = Webhook.construct_event(
                event.body, header["Stripe-Signature"], "whsec_harbor"
            )
            assert found["type"] == event.type


# -------------------------------------------------------------------------- the API
@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    book = Book(tmp_path / "book.sqlite3")
    yield Market(book, [Stall("one", "stripe", Keys(api_key=KEY))])
    book.close()


@pytest.fixture
def library(market: Market) -> Iterator[StripeClient]:
    """Stripe's own library, talking to the sandbox over HTTP."""
    server = Server(market, 0)
    server.start()
    for ending in ("paid", "refunded", "subscribed", "dispute_lost", "paid_out"):
        market.sell(market.stalls[0], 2, START, ending=ending)
    market.due(START + timedelta(days=100))
    yield client(server, KEY)
    server.stop()


def client(server: Server, key: str) -> StripeClient:
    base = f"{server.url}/stripe"
    return StripeClient(key, base_addresses={"api": base}, max_network_retries=0)


def test_the_library_pages_through_the_events(library: StripeClient) -> None:
    every = list(library.v1.events.list({"limit": 3}).auto_paging_iter())
    assert len({event.id for event in every}) == len(every) > 20
    times = [event.created for event in every]
    assert times == sorted(times, reverse=True)
    oldest = every[-1].id
    params: Any = {"limit": 3, "ending_before": oldest}
    back = list(library.v1.events.list(params).auto_paging_iter())
    assert [event.id for event in back] == [event.id for event in every[:-1]][::-1]


def test_the_library_filters_events(library: StripeClient) -> None:
    every = list(library.v1.events.list({"limit": 100}).auto_paging_iter())
    middle = sorted(event.created for event in every)[len(every) // 2]
    params: Any = {"limit": 100, "created": {"gte": middle}, "type": "charge.*"}
    found = list(library.v1.events.list(params).auto_paging_iter())
    wanted = [
        event.id
        for event in every
        if event.created >= middle and event.type.startswith("charge.")
    ]
    assert [event.id for event in found] == wanted
    names: Any = {"limit": 100, "types": ["refund.created", "payout.paid"]}
    some = list(library.v1.events.list(names).auto_paging_iter())
    assert {event.type for event in some} == {"refund.created", "payout.paid"}


def test_the_library_finds_every_object_of_the_events(library: StripeClient) -> None:
    ways: dict[str, Any] = {
        "charge": library.v1.charges,
        "payment_intent": library.v1.payment_intents,
        "refund": library.v1.refunds,
        "dispute": library.v1.disputes,
        "invoice": library.v1.invoices,
        "invoice_payment": library.v1.invoice_payments,
        "subscription": library.v1.subscriptions,
        "payout": library.v1.payouts,
        "checkout.session": library.v1.checkout.sessions,
        "radar.early_fraud_warning": library.v1.radar.early_fraud_warnings,
    }
    for event in library.v1.events.list({"limit": 100}).auto_paging_iter():
        thing: Any = event.data.object
        found = ways[thing["object"]].retrieve(thing["id"])
        assert found["id"] == thing["id"]


def test_the_library_gets_the_items_of_a_session(library: StripeClient) -> None:
    params: Any = {"types": ["checkout.session.completed"], "limit": 1}
    (event, *_) = library.v1.events.list(params).data
    id = event.data.object["id"]
    sessions = library.v1.checkout.sessions
    plain: Any = sessions.retrieve(id)
    assert "line_items" not in plain
    session: Any = sessions.retrieve(id, {"expand": ["line_items"]})
    every: Any = sessions.line_items.list(id, {"limit": 1})
    items = list(every.auto_paging_iter())
    assert sum(item["amount_total"] for item in items) == session["amount_total"]
    assert session["line_items"]["data"][0]["id"] == items[0]["id"]


def test_what_is_not_there_is_missing(library: StripeClient) -> None:
    for id in ("ch_1", "ch_999S0123456789abcdef", "nothing"):
        with pytest.raises(InvalidRequestError) as caught:
            library.v1.charges.retrieve(id)
        assert caught.value.code == "resource_missing"
        assert caught.value.http_status == 404


def test_a_stranger_is_turned_away(market: Market) -> None:
    server = Server(market, 0)
    server.start()
    try:
        with pytest.raises(AuthenticationError):
            client(server, "sk_test_other").v1.events.list()
    finally:
        server.stop()
