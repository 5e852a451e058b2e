"""The same id with another body: kept once for a person to see, without effect."""

from __future__ import annotations

import pytest

from merchant import queue
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db


def changed(provider: str, number: int) -> bytes:
    """The same event of the same object, with another amount in it."""
    letter = deliveries.letter(provider, number)
    if provider == "stripe":
        letter["data"]["object"]["amount"] = 1
    elif provider == "paysecure":
        letter["message"]["purchase"]["total"] = 1
    else:
        letter["object" if provider == "paysuper" else "body"]["total_amount"] = 1
    return deliveries.packed(letter)


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_another_body_is_kept_beside_the_first(provider: str) -> None:
    connection = make_connection(provider)
    deliveries.post(connection, deliveries.body(provider, 1))
    response = deliveries.post(connection, changed(provider, 1))
    assert response.status_code == 200
    first, second = InboundEvent.objects.order_by("id")
    assert (first.state, second.state) == ("pending", "conflict")
    assert second.event_key.startswith(f"{first.event_key}#")
    assert bytes(second.body) == changed(provider, 1)
    assert second.note


@pytest.mark.parametrize("provider", ["stripe", "paysecure"])
def test_the_sender_hears_of_a_duplicate(provider: str) -> None:
    connection = make_connection(provider)
    deliveries.post(connection, deliveries.body(provider, 1))
    answer = deliveries.post(connection, changed(provider, 1)).json()
    assert answer == {"received": True, "duplicate": True}


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_a_conflict_is_kept_once(provider: str) -> None:
    connection = make_connection(provider)
    deliveries.post(connection, deliveries.body(provider, 1))
    for _ in range(3):
        deliveries.post(connection, changed(provider, 1))
    assert InboundEvent.objects.count() == 2


def test_a_conflict_wakes_nobody(monkeypatch) -> None:
    connection = make_connection("stripe")
    deliveries.post(connection, deliveries.body("stripe", 1))
    rung: list[str] = []
    monkeypatch.setattr(queue, "ring", rung.append)
    deliveries.post(connection, changed("stripe", 1))
    assert rung == []


def test_a_very_long_id_leaves_room_for_the_conflict() -> None:
    connection = make_connection("stripe")
    for amount in (1, 2):
        letter = deliveries.letter("stripe", 1, id="x" * 200, created=amount)
        deliveries.post(connection, deliveries.packed(letter))
    assert InboundEvent.objects.filter(state="conflict").count() == 1
