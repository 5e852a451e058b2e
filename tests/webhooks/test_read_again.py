"""A member lets the ledger look at an event once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from merchant import queue
from merchant.models import AuditEntry, Member, Project
from tests.factories import make_connection, make_inbound_event
from tests.webhooks import deliveries
from webhooks import intake
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["failed", "done", "pending"])
def test_it_is_due_at_once(state: str, owner: Member, monkeypatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(queue, "ring", rung.append)
    later = timezone.now() + timedelta(hours=2)
    event = make_inbound_event(state=state, tries=5, error="It broke.", due=later)
    event = intake.read_again(event, owner)
    assert (event.state, event.tries, event.error) == ("pending", 0, "")
    assert event.due <= timezone.now()
    assert rung == [settings.INBOX_JOB]


@pytest.mark.parametrize("state", ["conflict", "refused"])
def test_what_has_no_effect_gets_none(state: str, owner: Member) -> None:
    event = make_inbound_event(state=state)
    with pytest.raises(intake.NotPossible):
        intake.read_again(event, owner)


def test_it_stands_in_the_audit_log(owner: Member, project: Project) -> None:
    connection = make_connection(project=project)
    event = make_inbound_event(state="failed", connection=connection)
    intake.read_again(event, owner)
    entry = AuditEntry.objects.get(verb="inbound.read_again")
    assert (entry.actor, entry.subject_id) == (owner.user, str(event.pk))


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_a_quarantined_letter_that_is_understood_now_gets_its_name(
    provider: str, owner: Member
) -> None:
    body = deliveries.body(provider)
    connection = make_connection(provider)
    event = make_inbound_event(
        connection=connection, state="quarantined", body=body, event_type="",
        event_key="ab" * 32, error="We did not know it.",
    )  # fmt: skip
    event = intake.read_again(event, owner)
    assert event.state == "pending"
    assert event.event_type
    assert event.event_key != "ab" * 32
    response = deliveries.post(connection, body)
    assert response.status_code == 200
    assert InboundEvent.objects.count() == 1


def test_a_letter_that_still_makes_no_sense_stays_where_it_is(owner: Member) -> None:
    event = make_inbound_event(state="quarantined", body=b"[]")
    event = intake.read_again(event, owner)
    assert event.state == "quarantined"
    assert event.error


def test_the_button_reads_again(owner_client: Client, project: Project) -> None:
    connection = make_connection(project=project)
    event = make_inbound_event(state="failed", connection=connection)
    response = owner_client.post(f"/inbound/{event.pk}/read-again/", follow=True)
    assert b"It is read again" in response.content
    event.refresh_from_db()
    assert event.state == "pending"


def test_htmx_is_sent_on(owner_client: Client, project: Project) -> None:
    event = make_inbound_event(connection=make_connection(project=project))
    path = f"/inbound/{event.pk}/"
    response = owner_client.post(f"{path}read-again/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == path
