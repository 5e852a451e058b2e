"""What is turned away is counted, with one example, and never fills the table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from merchant.models import Connection
from merchant.providers.base import Incoming
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks import headers, jobs, refusals
from webhooks.models import InboundEvent, Refusal

pytestmark = pytest.mark.django_db

HOUR = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def connection() -> Connection:
    return make_connection("paysuper")


def knock(connection: Connection, body: bytes = b'{"a":1}', **headers: str) -> int:
    return deliveries.post(connection, body, headers).status_code


def test_alike_refusals_are_one_row(connection: Connection) -> None:
    for _ in range(5):
        assert knock(connection) == 401
    row = Refusal.objects.get()
    assert (row.count, row.code) == (5, "missing")
    assert "Authorization" in row.reason
    assert row.first < row.last


def test_another_reason_is_another_row(connection: Connection) -> None:
    knock(connection)
    knock(connection, Authorization=f"Signature {'0' * 64}")
    codes = Refusal.objects.order_by("code").values_list("code", flat=True)
    assert list(codes) == ["mismatch", "missing"]


def test_another_hour_is_another_row(connection: Connection) -> None:
    for minutes in (5, 55, 65):
        incoming = Incoming(b"", {}, HOUR + timedelta(minutes=minutes))
        refusals.note(connection.pk, "missing", "It is missing.", incoming)
    counts = Refusal.objects.order_by("hour").values_list("hour", "count")
    assert list(counts) == [(HOUR, 2), (HOUR + timedelta(hours=1), 1)]


def test_the_newest_example_stays_and_proves_nothing(connection: Connection) -> None:
    knock(connection, b"first")
    knock(connection, b"x" * 9999, Authorization="Bearer sk_live_abcdefghijkl")
    knock(connection, b"y" * 9999, Authorization="Bearer sk_live_abcdefghijkl")
    row = Refusal.objects.get(code="malformed")
    assert bytes(row.sample) == b"y" * 2048
    assert row.headers["authorization"] == "Bearer… (27 characters)"
    assert "sk_live" not in json.dumps(row.headers)


def test_the_address_is_the_clients(connection: Connection, settings) -> None:
    settings.PROXY_HOPS = 1
    chain = "10.0.0.1, 203.0.113.7"
    deliveries.post(connection, b"{}", {"X-Forwarded-For": chain})
    assert Refusal.objects.get().address == "203.0.113.7"


def test_noise_costs_few_statements_and_is_counted(
    connection: Connection, django_assert_max_num_queries
) -> None:
    incoming = Incoming(b"", {}, HOUR)
    with django_assert_max_num_queries(25):
        for _ in range(1000):
            refusals.note(connection.pk, "missing", "It is missing.", incoming)
    refusals.flush()
    assert Refusal.objects.get().count == 1000


def test_ten_in_a_row_are_written_at_once(connection: Connection) -> None:
    for _ in range(10):
        knock(connection)
    assert Refusal.objects.get().count == 10


@pytest.mark.django_db(transaction=True)
def test_what_was_held_back_is_written_soon(
    connection: Connection, monkeypatch, flush_soon: Callable[[], None]
) -> None:
    monkeypatch.setattr(refusals, "_flush_soon", flush_soon)
    monkeypatch.setattr(refusals, "SECONDS_HELD_BACK", 0.1)
    incoming = Incoming(b"", {}, HOUR)
    for _ in range(30):
        refusals.note(connection.pk, "missing", "It is missing.", incoming)
    assert Refusal.objects.get().count < 30
    end = time.monotonic() + 5
    while refusals._flusher is not None and time.monotonic() < end:
        time.sleep(0.05)
    while Refusal.objects.get().count < 30 and time.monotonic() < end:
        time.sleep(0.05)
    assert Refusal.objects.get().count == 30


def test_many_reasons_do_not_fill_the_memory(
    connection: Connection, monkeypatch
) -> None:
    monkeypatch.setattr(refusals, "BURST", 0)
    monkeypatch.setattr(refusals, "MOST_HELD_BACK", 5)
    incoming = Incoming(b"", {}, HOUR)
    for number in range(100):
        refusals.note(connection.pk, f"code {number}", "Why.", incoming)
    assert len(refusals._held) <= 5
    refusals.flush()


def test_a_refusal_that_cannot_be_noted_is_still_a_refusal(
    connection: Connection, monkeypatch
) -> None:
    def away(turned):
        raise OperationalError

    write = refusals._write
    monkeypatch.setattr(refusals, "_write", away)
    assert knock(connection) == 401
    assert not Refusal.objects.exists()
    monkeypatch.setattr(refusals, "_write", write)
    refusals.flush()
    assert Refusal.objects.get().count == 1


def test_one_of_a_deleted_connection_is_let_go(connection: Connection) -> None:
    incoming = Incoming(b"", {}, HOUR)
    refusals.note(connection.pk, "missing", "It is missing.", incoming)
    assert refusals._held == {}


def test_unsigned_noise_keeps_no_event(connection: Connection) -> None:
    for number in range(30):
        knock(connection, b'{"n":%d}' % number)
    assert not InboundEvent.objects.exists()
    refusals.flush()
    assert Refusal.objects.count() == 1


def test_a_text_that_no_database_keeps_is_cleaned(connection: Connection) -> None:
    sent = {"user-agent": "a\x00b\ud800", "stripe-signature": "\x00" * 50}
    incoming = Incoming(b"\x00\xff", sent, timezone.now())
    refusals.note(connection.pk, "missing", "It is missing.", incoming)
    row = Refusal.objects.get()
    assert row.headers["user-agent"] == "a\ufffdb\ufffd"
    assert bytes(row.sample) == b"\x00\xff"


def test_only_useful_headers_are_kept() -> None:
    sent = {
        "content-type": "application/json",
        "user-agent": "x" * 500,
        "paynow-timestamp": "1790000000000",
        "x-request-id": "r1",
        "host": "pay.example.com",
        "accept-encoding": "gzip",
        "x-api-key": "abcdefghijklmnop",
        "cookie": "session=1",
        "paysecure-sign": "QUJDREVGR0hJSktMTU5PUA==",
    }
    kept = headers.kept(sent)
    assert "host" not in kept
    assert "accept-encoding" not in kept
    assert kept["paynow-timestamp"] == "1790000000000"
    assert len(kept["user-agent"]) == 200
    assert kept["x-api-key"] == "abcdef… (16 characters)"
    assert kept["paysecure-sign"] == "QUJDRE… (24 characters)"
    assert kept["cookie"] == "… (9 characters)"


def test_old_refusals_go(connection: Connection) -> None:
    now = timezone.now()
    for days in (1, 6, 8, 30):
        Refusal.objects.create(
            connection=connection, code="x", hour=now - timedelta(days=days), reason="x"
        )
    assert jobs.tidy() == 2
    assert Refusal.objects.count() == 2
