"""A member has a provider asked now: the button, the round, what went wrong."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant.models import AuditEntry, Connection, Project
from merchant.providers import PROVIDERS
from merchant.providers.base import Refused
from tests.factories import make_connection
from transactions import poll

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project, api_key="sk_1")


def page_of(connection: Connection, verb: str = "") -> str:
    return f"/connections/{connection.pk}/{verb}"


def test_a_member_has_a_connection_polled(
    connection: Connection, developer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = developer_client.post(page_of(connection, "poll/"))
    assert answer["Location"] == page_of(connection)
    page = developer_client.get(page_of(connection)).content.decode()
    assert "within a minute" in page
    polled: list[Connection] = []
    monkeypatch.setattr(poll, "poll", lambda one, *_times: polled.append(one) or 2)
    assert poll.poll_due() == 2
    assert polled == [connection]
    connection.refresh_from_db()
    assert connection.poll_asked is None
    assert poll.poll_due() == 0
    assert AuditEntry.objects.filter(verb="connection.poll_asked").count() == 1


def test_without_a_key_nobody_is_asked(
    project: Project, developer_client: Client
) -> None:
    keyless = make_connection("stripe", project=project)
    developer_client.post(page_of(keyless, "poll/"))
    keyless.refresh_from_db()
    assert keyless.poll_asked is None
    assert not AuditEntry.objects.filter(verb="connection.poll_asked").exists()


def test_a_closed_connection_has_no_such_button(
    project: Project, developer_client: Client
) -> None:
    closed = make_connection("stripe", project=project, closed="2026-11-01T00:00Z")
    assert developer_client.post(page_of(closed, "poll/")).status_code == 404


def test_why_a_poll_did_not_work_is_said_until_one_does(
    connection: Connection, developer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object) -> None:
        raise Refused("Stripe refused the API key.")

    monkeypatch.setattr(PROVIDERS["stripe"], "poll", refuse)
    assert poll.ask(connection)
    poll.poll_due()
    page = developer_client.get(page_of(connection)).content.decode()
    assert "Stripe refused the API key." in page
    monkeypatch.setattr(PROVIDERS["stripe"], "poll", lambda *_given: iter(()))
    assert poll.ask(connection)
    poll.poll_due()
    connection.refresh_from_db()
    assert connection.poll_trouble == ""
    assert connection.polled
