"""From the outbox to the endpoint: what is due goes out, and what came is noted."""

from __future__ import annotations

import pytest

from merchant.models import Project
from tests.webhooks.delivery.parts import Receiver, make_due, make_endpoint, publish
from webhooks import jobs
from webhooks.models import Attempt, Delivery, Endpoint

pytestmark = pytest.mark.django_db


def test_what_happened_reaches_the_endpoint_signed(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url)
    [row] = publish(project)
    assert jobs.deliver() == 1
    [heard] = shop.heard
    assert heard.told["event"] == "payment.success"
    assert heard.told["delivery_try"] == 1
    assert heard.id == row.event.key
    row.refresh_from_db()
    assert (row.state, row.status, row.tries, row.lease) == ("delivered", 200, 1, None)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.error) == (1, "ok", "")
    assert bytes(attempt.answer) == b"thanks"
    assert attempt.address == "127.0.0.1"
    assert attempt.connect_ms is not None
    assert attempt.sent_headers["webhook-id"] == heard.id
    endpoint.refresh_from_db()
    assert endpoint.succeeded_last is not None
    assert jobs.deliver() == 0


def test_a_failure_is_tried_again_under_the_same_id(
    project: Project, shop: Receiver
) -> None:
    make_endpoint(project, shop.url)
    publish(project)
    shop.answer = lambda heard: (500, {}, b"oops")
    assert jobs.deliver() == 1
    assert jobs.deliver() == 0
    row = Delivery.objects.get()
    assert (row.state, row.status, row.tries) == ("pending", 500, 1)
    assert row.error == "The endpoint answered 500 (Internal Server Error)."
    assert 4 < (row.due - Attempt.objects.get().at).total_seconds() < 6.1
    make_due()
    shop.answer = lambda heard: (204, {}, b"")
    assert jobs.deliver() == 1
    first, second = shop.heard
    assert first.id == second.id
    assert second.told["delivery_try"] == 2
    assert first.told | {"delivery_try": 2} == second.told
    assert list(Attempt.objects.values_list("number", "status")) == [(1, 500), (2, 204)]


def test_an_endpoint_that_is_not_enabled_is_sent_nothing(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url)
    publish(project)
    Endpoint.objects.update(state="paused")
    publish(project)
    assert jobs.deliver() == 0
    assert list(Delivery.objects.values_list("state", flat=True)) == ["pending", "held"]
    assert endpoint.deliveries.count() == 2
    assert shop.heard == []
