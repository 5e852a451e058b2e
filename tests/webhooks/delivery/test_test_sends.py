"""A test event: the whole exchange is shown, once, and says nothing of the health."""

from __future__ import annotations

import json

import pytest

from merchant.models import AuditEntry, Member, Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint
from webhooks import custom_headers, jobs
from webhooks.models import Delivery, Endpoint
from webhooks.trying import test_sends

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(project: Project, shop: Receiver) -> Endpoint:
    return make_endpoint(project, shop.url)


def test_the_whole_exchange_comes_back(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    endpoint.sealed_headers = custom_headers.seal({"X-Gate": "a-secret"}, endpoint)
    endpoint.save()
    exchange = test_sends.send_test(endpoint, owner)
    [heard] = shop.heard
    assert heard.told["event"] == "endpoint.test"
    assert heard.headers["x-gate"] == "a-secret"
    assert exchange.url == shop.url
    assert exchange.body == heard.body
    assert exchange.headers["X-Gate"] == "(hidden)"
    assert exchange.headers["webhook-signature"] == heard.headers["webhook-signature"]
    assert (exchange.attempt.status, exchange.attempt.outcome) == (200, "ok")
    assert bytes(exchange.attempt.answer) == b"thanks"
    row = Delivery.objects.get()
    assert (row.state, row.asked_by) == ("delivered", str(owner.user))
    assert AuditEntry.objects.filter(verb="endpoint.tested").exists()
    assert "a-secret" not in json.dumps(exchange.attempt.sent_headers)


def test_a_failed_one_is_not_tried_again_and_hurts_nobody(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    shop.answer = lambda heard: (410, {}, b"")
    exchange = test_sends.send_test(endpoint, owner)
    assert exchange.attempt.outcome == "gone"
    assert Delivery.objects.get().state == "exhausted"
    assert jobs.deliver() == 0
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing) == ("enabled", None)


def test_a_paused_one_can_be_tested(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    Endpoint.objects.update(state="disabled")
    endpoint.refresh_from_db()
    assert test_sends.send_test(endpoint, owner).attempt.status == 200


def test_there_are_ten_a_minute(
    endpoint: Endpoint, shop: Receiver, owner: Member, project: Project
) -> None:
    for _ in range(test_sends.MOST):
        test_sends.send_test(endpoint, owner)
    with pytest.raises(test_sends.TooMany, match="next one in"):
        test_sends.send_test(endpoint, owner)
    test_sends.send_test(make_endpoint(project, shop.url), owner)
    assert len(shop.heard) == test_sends.MOST + 1


def test_one_without_a_secret_says_so(endpoint: Endpoint, owner: Member) -> None:
    endpoint.secrets.all().delete()
    with pytest.raises(test_sends.NotSent, match="secret"):
        test_sends.send_test(endpoint, owner)
    assert Delivery.objects.get().state == "dropped"
