"""The worker reads what is due: each event once, a bad one never sinks the others."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from merchant.models import Connection
from merchant.providers.base import digest
from tests import factories
from transactions import jobs, ledger
from transactions.models import Transaction
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db
State = InboundEvent.State


@pytest.fixture
def connection(db: None) -> Connection:
    return factories.make_connection(provider="paynow")


def keep(connection: Connection, number: int, **over: Any) -> InboundEvent:
    body = json.dumps(
        {
            "event_type": "ON_ORDER_COMPLETED",
            "event_id": str(number),
            "body": {
                "id": f"order-{number}",
                "customer": {"id": "customer-1", "name": "Mira Example"},
                "total_amount": 1999,
                "currency": "USD",
                "status": "completed",
                "created_at": "2026-11-18T14:03:10Z",
                "completed_at": "2026-11-18T14:04:02Z",
                "lines": [],
            }
            | over.pop("changes", {}),
        }
    ).encode()
    given: dict[str, Any] = {"body": over.pop("raw", body)}
    return InboundEvent.objects.create(
        connection=connection,
        event_key=str(number),
        event_type="ON_ORDER_COMPLETED",
        fingerprint=digest(given["body"]),
        **given | over,
    )


def test_an_event_becomes_a_transaction(connection: Connection) -> None:
    event = keep(connection, 1)
    assert jobs.drain_inbox() == 1
    event.refresh_from_db()
    assert (event.state, event.note) == (State.DONE, "Entered.")
    row = Transaction.objects.get()
    assert (row.status, row.amount, row.currency) == ("paid", 1999, "usd")
    assert row.timeline.get().inbound_id == event.pk


def test_more_than_a_batch_is_drained_in_one_go(connection: Connection) -> None:
    for number in range(120):
        keep(connection, number)
    assert jobs.drain_inbox() == 120
    assert Transaction.objects.count() == 120


def test_what_is_not_due_waits(connection: Connection) -> None:
    keep(connection, 1, due=timezone.now() + timedelta(minutes=1))
    assert jobs.drain_inbox() == 0


def test_an_authentic_event_that_makes_no_sense_is_quarantined(
    connection: Connection,
) -> None:
    event = keep(connection, 1, changes={"total_amount": -5})
    jobs.drain_inbox()
    event.refresh_from_db()
    assert event.state == State.QUARANTINED
    assert event.error
    assert not Transaction.objects.exists()


def test_an_unbelievable_amount_is_quarantined(connection: Connection) -> None:
    event = keep(connection, 1, changes={"total_amount": 10**13 + 1})
    jobs.drain_inbox()
    event.refresh_from_db()
    assert event.state == State.QUARANTINED


def test_a_poisonous_event_sinks_alone(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [keep(connection, number) for number in range(5)]
    whole = ledger.record_all

    def choke(letters: list[ledger.Letter]) -> ledger.Outcome:
        if any(letter.inbound == events[2] for letter in letters):
            raise ValueError("a bug of ours")
        return whole(letters)

    monkeypatch.setattr(ledger, "record_all", choke)
    jobs.drain_inbox()
    states = list(InboundEvent.objects.order_by("id").values_list("state", flat=True))
    assert states == ["done", "done", "pending", "done", "done"]
    events[2].refresh_from_db()
    assert events[2].due > timezone.now()
    assert "a bug of ours" in events[2].error
    assert Transaction.objects.count() == 4


def test_a_poisonous_event_is_failed_in_the_end_and_heals_when_read_again(
    connection: Connection,
) -> None:
    event = keep(connection, 1)
    with mock.patch.object(ledger, "record_all", side_effect=ValueError("a bug")):
        for _ in range(len(jobs.AGAIN) + 1):
            InboundEvent.objects.update(due=timezone.now())
            jobs.drain_inbox()
    event.refresh_from_db()
    assert event.state == State.FAILED
    InboundEvent.objects.update(state=State.PENDING, due=timezone.now(), tries=0)
    jobs.drain_inbox()
    event.refresh_from_db()
    assert (event.state, event.error) == (State.DONE, "")


def test_a_closed_connections_event_says_so(connection: Connection) -> None:
    event = keep(connection, 1)
    connection.closed = timezone.now()
    connection.save()
    jobs.drain_inbox()
    event.refresh_from_db()
    assert "closed" in event.error
