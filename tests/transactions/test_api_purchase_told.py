"""GET /v1/purchases says at each moment exactly what the webhook has just said.

Each story walks one way through contract.md's table, with a purchase that came from
another provider, so that nothing is Paysecure's own word.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from merchant.models import Connection, Project
from merchant.providers.base import Fact
from tests.factories import make_connection
from tests.transactions.api_client import key_client
from tests.transactions.staff import WHEN, dispute, payment, refund
from transactions import ledger
from transactions.models import Transaction
from webhooks.dialects import paysecure
from webhooks.models import Event
from webhooks.outbox import news_of

pytestmark = pytest.mark.django_db


def then(status: str, hours: int = 1, **says: Any) -> Fact:
    return payment(status=status, at=WHEN + timedelta(hours=hours), **says)


def failed(amount: int) -> Fact:
    """The refund's end, a moment after its beginning."""
    fact = refund(1, amount, "failed")
    return replace(fact, order=fact.order + 1)


#: A story -> (what a provider tells, what the webhook then says) in turn; "" for news
#: that Paysecure has no word for, after which the last word holds.
STORIES: dict[str, list[tuple[list[Fact], str]]] = {
    "begun, under way, paid": [
        ([payment(status="created")], "CREATED"),
        ([then("pending")], "PAYMENT_IN_PROCESS"),
        ([then("paid", 2)], "PAID"),
    ],
    "held and released": [
        ([payment(status="authorized")], "HOLD"),
        ([then("canceled", reason="requested_by_customer")], "RELEASED"),
    ],
    "released by the provider, in its own words": [
        ([payment(status="authorized")], "HOLD"),
        ([then("released", reason="expired_uncaptured_charge")], "RELEASED"),
    ],
    "canceled": [
        ([payment(status="created")], "CREATED"),
        ([then("canceled", reason="abandoned")], "CANCELLED"),
    ],
    "expired": [([payment(status="created"), then("expired")], "EXPIRED")],
    "overdue": [([payment(status="overdue")], "OVERDUE"), ([then("paid")], "PAID")],
    "failed": [([then("failed", reason="card_declined")], "ERROR")],
    "a part goes back, then the rest": [
        ([payment()], "PAID"),
        ([refund(1, 500)], "PARTIAL_REFUNDED"),
        ([refund(1, 1499)], "REFUNDED"),
    ],
    "a refund is under way and fails": [
        ([payment()], "PAID"),
        ([refund(1, 1999, "pending")], "REFUND_IN_PROCESS"),
        ([failed(1999)], "PAID"),
    ],
    "a second refund fails": [
        ([payment()], "PAID"),
        ([refund(1, 500)], "PARTIAL_REFUNDED"),
        ([refund(1, 700, "pending")], "REFUND_IN_PROCESS"),
        ([failed(700)], "PAID"),
    ],
    "one refund comes while another is under way": [
        ([payment()], "PAID"),
        ([refund(1, 700, "pending")], "REFUND_IN_PROCESS"),
        ([refund(1, 500)], "PARTIAL_REFUNDED"),
    ],
    "disputed and lost": [
        ([payment()], "PAID"),
        ([dispute(1, "open")], ""),
        ([dispute(1, "lost")], "CHARGEBACK"),
    ],
    "disputed and won": [
        ([payment()], "PAID"),
        ([dispute(1, "open")], ""),
        ([dispute(1, "won")], ""),
    ],
    "another field changes": [
        ([payment()], "PAID"),
        ([then("paid", order_reference="A-7")], ""),
    ],
}


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


@pytest.mark.parametrize("story", STORIES)
def test_they_say_the_same(connection: Connection, client: Client, story: str) -> None:
    word, last = "", 0
    for facts, says in STORIES[story]:
        ledger.record(connection, facts, source="webhook")
        told = told_since(last)
        last = Event.objects.latest("id").pk
        row = Transaction.objects.get()
        asked = client.get(f"/v1/purchases/{row.pk}").json()
        word = says or word
        assert asked["status"] == word
        if says:
            assert told is not None
            assert asked == told


def told_since(last: int) -> dict[str, Any] | None:
    """What the newest webhook since then says; None where there was none."""
    for event in Event.objects.filter(pk__gt=last).order_by("-id").values():
        if body := paysecure.body(news_of(event)):
            return dict(json.loads(body)["message"])
    return None


def test_without_any_news_it_says_how_the_purchase_stands(
    connection: Connection, client: Client
) -> None:
    ledger.record(connection, [payment(), refund(1, 500)], source="webhook")
    Event.objects.all().delete()
    row = Transaction.objects.get()
    assert client.get(f"/v1/purchases/{row.pk}").json()["status"] == "PARTIAL_REFUNDED"


def test_news_that_no_longer_holds_is_not_repeated(
    connection: Connection, client: Client
) -> None:
    """A purchase may be mended without an announcement (manage.py refold)."""
    ledger.record(connection, [payment()], source="webhook")
    Transaction.objects.update(status="charged_back")
    row = Transaction.objects.get()
    assert client.get(f"/v1/purchases/{row.pk}").json()["status"] == "CHARGEBACK"


def test_news_that_was_emptied_is_passed_over(
    connection: Connection, client: Client
) -> None:
    ledger.record(connection, [payment()], source="webhook")
    Event.objects.update(payload={})
    row = Transaction.objects.get()
    assert client.get(f"/v1/purchases/{row.pk}").json()["status"] == "PAID"
