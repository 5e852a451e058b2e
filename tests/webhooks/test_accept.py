"""A member accepts what only came at the wrong time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import AuditEntry, Connection, Member, Project
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks import intake
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(params=deliveries.SIGNS_TIME)
def connection(request: pytest.FixtureRequest, project: Project) -> Connection:
    return make_connection(request.param, project=project)


def refused(connection: Connection, body: bytes) -> InboundEvent:
    at = timezone.now() - timedelta(hours=1)
    assert deliveries.post(connection, body, at=at).status_code == 401
    return InboundEvent.objects.get(state="refused")


def test_it_becomes_an_ordinary_event(connection: Connection, owner: Member) -> None:
    body = deliveries.body(connection.provider)
    event = intake.accept(refused(connection, body), owner)
    assert event.state == "pending"
    assert not event.event_key.startswith("refused")
    assert event.verdict.startswith("Accepted by hand.")
    assert bytes(InboundEvent.objects.get().body) == body


def test_sent_again_it_is_a_duplicate(connection: Connection, owner: Member) -> None:
    body = deliveries.body(connection.provider)
    intake.accept(refused(connection, body), owner)
    response = deliveries.post(connection, body)
    assert response.content in {
        b"Already processed",
        b'{"received": true, "duplicate": true}',
    }
    assert InboundEvent.objects.count() == 1


def test_if_it_came_in_time_meanwhile_it_adds_nothing(
    connection: Connection, owner: Member
) -> None:
    body = deliveries.body(connection.provider)
    late = refused(connection, body)
    deliveries.post(connection, body)
    event = intake.accept(late, owner)
    assert event.state == "done"
    assert "again" in event.note
    assert InboundEvent.objects.filter(state="pending").count() == 1


def test_if_another_came_with_its_id_it_is_a_conflict(
    connection: Connection, owner: Member
) -> None:
    name = "event_id" if connection.provider == "paynow" else "id"
    letter = deliveries.letter(connection.provider, **{name: "77"})
    late = refused(connection, deliveries.packed(letter))
    other = deliveries.letter(connection.provider, **{name: "77"})
    deliveries.post(connection, deliveries.packed(other))
    assert intake.accept(late, owner).state == "conflict"


def test_what_cannot_be_read_is_quarantined(
    connection: Connection, owner: Member
) -> None:
    event = intake.accept(refused(connection, b"[]"), owner)
    assert event.state == "quarantined"
    assert event.error


def test_it_stands_in_the_audit_log(connection: Connection, owner: Member) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    intake.accept(event, owner)
    entry = AuditEntry.objects.get(verb="inbound.accepted")
    assert entry.actor == owner.user
    assert entry.merchant == owner.merchant
    assert entry.subject_id == str(event.pk)


@pytest.mark.parametrize(
    "state", [s for s in InboundEvent.State.values if s != "refused"]
)
def test_only_what_was_refused_is_accepted(
    connection: Connection, owner: Member, state: str
) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    InboundEvent.objects.update(state=state)
    with pytest.raises(intake.NotPossible):
        intake.accept(event, owner)


def test_the_button_accepts(connection: Connection, owner_client: Client) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    response = owner_client.post(f"/inbound/{event.pk}/accept/", follow=True)
    assert b"Accepted" in response.content
    event.refresh_from_db()
    assert event.state == "pending"


def test_pressed_twice_it_says_what_is_wrong(
    connection: Connection, owner_client: Client
) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    owner_client.post(f"/inbound/{event.pk}/accept/")
    response = owner_client.post(f"/inbound/{event.pk}/accept/")
    assert response.status_code == 409
    assert b"Only a refused delivery" in response.content


def test_looking_does_not_accept(connection: Connection, owner_client: Client) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    assert owner_client.get(f"/inbound/{event.pk}/accept/").status_code == 405


def test_a_form_without_its_token_does_nothing(
    connection: Connection, owner: Member
) -> None:
    event = refused(connection, deliveries.body(connection.provider))
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        owner.user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert client.post(f"/inbound/{event.pk}/accept/").status_code == 403
    event.refresh_from_db()
    assert event.state == "refused"
