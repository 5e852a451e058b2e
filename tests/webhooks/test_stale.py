"""Right signature, wrong time: 401, but kept for a person to accept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks.models import InboundEvent, Refusal

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("provider", deliveries.SIGNS_TIME),
]

LATE = timedelta(minutes=-10)
EARLY = timedelta(minutes=10)


@pytest.mark.parametrize("off", [LATE, EARLY, timedelta(days=-400)])
def test_it_is_refused_and_kept(provider: str, off: timedelta) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    response = deliveries.post(connection, body, at=timezone.now() + off)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "signature_stale"
    row = InboundEvent.objects.get()
    assert row.state == "refused"
    assert bytes(row.body) == body
    assert row.event_type
    assert row.verdict
    assert Refusal.objects.get().code == "stale"


def test_it_is_kept_once(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    for minutes in (10, 11, 12):
        at = timezone.now() - timedelta(minutes=minutes)
        assert deliveries.post(connection, body, at=at).status_code == 401
    assert InboundEvent.objects.count() == 1
    assert Refusal.objects.get().count == 3


def test_sent_again_in_time_it_is_the_first(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    deliveries.post(connection, body, at=timezone.now() + LATE)
    response = deliveries.post(connection, body)
    assert response.status_code == 200
    assert response.content in {b"OK", b'{"received": true, "duplicate": false}'}
    states = InboundEvent.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["refused", "pending"]


def test_a_forged_one_is_not_kept(provider: str) -> None:
    connection = make_connection(provider)
    stranger = make_connection(provider)
    body = deliveries.body(provider)
    headers = deliveries.signed(stranger, body, at=timezone.now() + LATE)
    response = deliveries.post(connection, body, headers)
    assert response.json()["error"]["code"] == "signature_mismatch"
    assert not InboundEvent.objects.exists()


def test_one_that_cannot_be_read_is_kept_too(provider: str) -> None:
    connection = make_connection(provider)
    response = deliveries.post(connection, b"[]", at=timezone.now() + LATE)
    assert response.status_code == 401
    row = InboundEvent.objects.get()
    assert row.state == "refused"
    assert row.error
