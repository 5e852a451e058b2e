"""The merchant's handler is checked: every case goes out, and each is judged."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Event
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from merchant.models import AuditEntry, Project
from tests.webhooks.delivery.parts import Answer, Heard, Receiver, receiver
from tests.webhooks.endpoints.parts import make_endpoint
from webhooks.models import Endpoint
from webhooks.trying import handler_checks

pytestmark = pytest.mark.django_db
CASES = 6


@pytest.fixture(autouse=True)
def private(settings: Any) -> Any:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    settings.PUBLIC_URL, settings.HOST = "http://127.0.0.1:1", "127.0.0.1"
    settings.PORT, settings.SANDBOX_URL = 1, ""
    cache.clear()
    return settings


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def made(project: Project, shop: Receiver) -> Endpoint:
    return make_endpoint(project, url=shop.url, headers={"X-Team": "payments"})


def check(client: Client, endpoint: Endpoint) -> str:
    return client.post(f"/webhooks/{endpoint.pk}/check/").content.decode()


def test_one_that_takes_everything_is_told_what_it_lets_in(
    made: Endpoint, shop: Receiver, owner_client: Client
) -> None:
    shop.answer = lambda heard: (200, {}, b"<script>alert(1)</script>")
    page = check(owner_client, made)
    assert "4 of 6 cases are right" in page
    assert "<script>alert" not in page
    assert len(shop.heard) == CASES + 1
    assert {heard.headers["x-team"] for heard in shop.heard} == {"payments"}
    assert AuditEntry.objects.filter(verb="endpoint.handler_checked").exists()


def test_the_cases_go_out_at_the_same_time(
    made: Endpoint, shop: Receiver, owner_client: Client
) -> None:
    """Each is held until all have come: one after the other would not end well."""
    together = Barrier(CASES, timeout=10)

    def answer(heard: Heard) -> Answer:
        if len(shop.heard) <= CASES:
            together.wait()
        return 200, {}, b""

    shop.answer = answer
    assert "4 of 6 cases are right" in check(owner_client, made)
    assert shop.most_at_once == CASES


def test_a_handler_that_hangs_holds_nobody_longer_than_one_answer_may_take(
    made: Endpoint,
    shop: Receiver,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = Event()

    def hang(heard: Heard) -> Answer:
        over.wait(20)
        return 200, {}, b""

    shop.answer = hang
    monkeypatch.setattr(handler_checks, "TIMEOUT", 0.5)
    page = check(owner_client, made)
    over.set()
    assert "0 of 6 cases are right" in page
    assert page.count("It did not answer.") == CASES
    assert len(shop.heard) == CASES  # no second letter after a first without answer


def test_where_nobody_answers_each_case_says_why(
    project: Project, owner_client: Client
) -> None:
    page = check(owner_client, make_endpoint(project, url="http://127.0.0.1:9"))
    assert "0 of 6 cases are right" in page
    assert page.count("It did not answer.") == CASES


def test_not_too_often(
    made: Endpoint, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_checks, "_may_begin", lambda _endpoint: False)
    answer = owner_client.post(f"/webhooks/{made.pk}/check/")
    assert answer.status_code == 409
    assert b"was just made" in answer.content
