"""What a delivery costs: one statement, and no word with Redis that it waits for."""

from __future__ import annotations

import threading

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from merchant import connections, queue
from merchant.models import Connection
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks.models import InboundEvent


@pytest.fixture(params=deliveries.EVERY)
def warm(request: pytest.FixtureRequest, db: None) -> Connection:
    """A connection that the process has read a moment ago."""
    connection = make_connection(request.param)
    deliveries.post(connection, deliveries.body(request.param))
    return connection


def statements(connection: Connection, body: bytes) -> list[str]:
    headers = deliveries.signed(connection, body)
    with CaptureQueriesContext(database) as asked:
        deliveries.post(connection, body, headers)
    return [query["sql"] for query in asked.captured_queries]


def test_a_delivery_is_one_statement(warm: Connection) -> None:
    sent = statements(warm, deliveries.body(warm.provider))
    assert len(sent) == 1
    assert sent[0].startswith("INSERT")


def test_a_duplicate_is_two(warm: Connection) -> None:
    body = deliveries.body(warm.provider)
    deliveries.post(warm, body)
    assert len(statements(warm, body)) == 2


@pytest.mark.parametrize("warm", deliveries.SIGNS_BODY, indirect=True)
def test_a_letter_in_quarantine_is_one(warm: Connection) -> None:
    assert len(statements(warm, b"[]")) == 1


def test_a_cold_connection_costs_two_more(warm: Connection) -> None:
    other = make_connection(warm.provider)
    assert len(statements(other, deliveries.body(warm.provider))) == 3


@pytest.mark.django_db(transaction=True)
def test_it_is_committed_when_the_sender_hears(warm: Connection) -> None:
    body = deliveries.body(warm.provider)
    deliveries.post(warm, body)
    seen: list[int] = []

    def look() -> None:
        seen.append(InboundEvent.objects.count())
        database.close()

    other = threading.Thread(target=look)
    other.start()
    other.join()
    assert seen == [2]


def test_no_request_waits_for_redis(warm: Connection, monkeypatch, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    asked: list[int] = []
    here = threading.get_ident()

    def enqueue(job: str) -> bool:
        asked.append(threading.get_ident())
        return True

    monkeypatch.setattr(queue, "enqueue_once", enqueue)
    for _ in range(50):
        deliveries.post(warm, deliveries.body(warm.provider))
    assert here not in asked
    assert len(asked) < 50


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("warm", ["stripe"], indirect=True)
@pytest.mark.parametrize("cold", [False, True])
def test_a_lost_line_is_opened_again(warm: Connection, cold: bool) -> None:
    body = deliveries.body(warm.provider)
    headers = deliveries.signed(warm, body)
    if cold:
        connections.forget(warm.pk)
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def end() -> None:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        database.close()

    other = threading.Thread(target=end)
    other.start()
    other.join()
    response = deliveries.post(warm, body, headers)
    assert response.status_code == 200
    assert InboundEvent.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("warm", ["stripe"], indirect=True)
def test_a_lock_that_takes_too_long_asks_to_come_back(warm: Connection) -> None:
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("LOCK TABLE webhooks_inboundevent IN ACCESS EXCLUSIVE MODE")
            locked.set()
            done.wait(10)
        database.close()

    other = threading.Thread(target=hold)
    other.start()
    locked.wait(10)
    with database.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        response = deliveries.post(warm, deliveries.body(warm.provider))
    finally:
        done.set()
        other.join()
        with database.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    again = deliveries.post(warm, deliveries.body(warm.provider))
    assert again.status_code == 200
