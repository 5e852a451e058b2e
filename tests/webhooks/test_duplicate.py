"""The same letter twice is one letter, however it comes again."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connections as databases

from merchant.models import Connection
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks.models import InboundEvent

#: What each provider hears the second time.
AGAIN = {
    "stripe": b'{"received": true, "duplicate": true}',
    "paysecure": b'{"received": true, "duplicate": true}',
    "paysuper": b"",
    "paynow": b"Already processed",
}


@pytest.mark.django_db
@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_the_second_post_keeps_nothing(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    deliveries.post(connection, body)
    first = InboundEvent.objects.values().get()
    response = deliveries.post(connection, body)
    assert response.status_code == 200
    assert response.content == AGAIN[provider]
    assert InboundEvent.objects.values().get() == first


@pytest.mark.django_db
@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_what_was_read_stays_read(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    deliveries.post(connection, body)
    InboundEvent.objects.update(state="done")
    deliveries.post(connection, body)
    assert InboundEvent.objects.get().state == "done"


@pytest.mark.django_db
def test_paysupers_retry_says_other_times_and_is_the_same() -> None:
    connection = make_connection("paysuper")
    first = deliveries.letter("paysuper", 1)
    deliveries.post(connection, deliveries.packed(first))
    retry = first | {"created_at": "2026-09-21T10:00:00Z", "delivery_try": 7}
    deliveries.post(connection, deliveries.packed(retry))
    assert InboundEvent.objects.get().state == "pending"


@pytest.mark.django_db
def test_the_same_id_at_another_connection_is_another_event() -> None:
    body = deliveries.body("stripe")
    for _ in range(2):
        response = deliveries.post(make_connection("stripe"), body)
        assert response.json()["duplicate"] is False
    assert InboundEvent.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("provider", ["stripe", "paysuper", "paynow"])
@pytest.mark.parametrize(
    "event_id",
    ["x" * 200, "x" * 201, "x" * 5000, "é\u202e<b>", "a\x00b", "\ud800"],
    ids=lambda value: f"{len(value)} characters",
)
def test_any_id_is_kept_once(provider: str, event_id: str) -> None:
    connection = make_connection(provider)
    name = "event_id" if provider == "paynow" else "id"
    body = deliveries.body(provider, **{name: event_id})
    for _ in range(2):
        assert deliveries.post(connection, body).status_code == 200
    row = InboundEvent.objects.get()
    assert len(row.event_key) <= 200
    assert bytes(row.body) == body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_a_hundred_at_once_are_one(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    headers = deliveries.signed(connection, body)
    answers = at_once(connection, body, headers, threads=10, each=10)
    assert InboundEvent.objects.count() == 1
    assert answers[200, AGAIN[provider]] >= 99
    assert sum(answers.values()) == 100
    assert {status for status, _body in answers} == {200}


def at_once(
    connection: Connection, body: bytes, headers: dict, *, threads: int, each: int
) -> Counter[tuple[int, bytes]]:
    answers: Counter[tuple[int, bytes]] = Counter()
    start = threading.Barrier(threads)

    def knock() -> None:
        start.wait()
        for _ in range(each):
            response = deliveries.post(connection, body, headers)
            answers[response.status_code, response.content] += 1
        databases.close_all()

    running = [threading.Thread(target=knock) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return answers
