"""Mail when something is wrong at the door: to those who can mend it, once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from merchant.models import Connection, Project
from tests.factories import (
    make_connection,
    make_inbound_event,
    make_member,
    make_project,
)
from tests.webhooks import deliveries
from webhooks import alerts, jobs
from webhooks.models import Alert, InboundEvent, Refusal

pytestmark = pytest.mark.django_db

State = InboundEvent.State


@pytest.fixture
def connection(project: Project) -> Connection:
    make_member("owner", merchant=project.merchant)
    make_member("developer", merchant=project.merchant)
    return make_connection("stripe", project=project)


def refuse(connection: Connection, count: int, **over) -> None:
    now = timezone.now()
    given = {
        "hour": now.replace(minute=0, second=0, microsecond=0),
        "code": "mismatch",
        "reason": "It does not fit.",
        "first": now,
        "last": now,
    }
    Refusal.objects.create(connection=connection, count=count, **given | over)


# --------------------------------------------------------------------- what is told
def test_quarantined_events_are_told(connection: Connection) -> None:
    for _ in range(3):
        make_inbound_event(connection=connection, state="quarantined")
    assert jobs.alert() == 1
    assert len(mail.outbox) == 2
    told = mail.outbox[0]
    assert told.subject == f"Events could not be understood: {connection}"
    assert "New and not understood: 3." in told.body
    assert f"/inbound/?state=quarantined&connection={connection.pk}" in told.body


def test_failed_events_are_told(connection: Connection) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    make_inbound_event(
        connection=connection, state="failed", received=long_ago, read_at=timezone.now()
    )
    assert jobs.alert() == 1
    assert "not entered: 1" in mail.outbox[0].body


def test_ten_refusals_in_an_hour_are_told(connection: Connection) -> None:
    refuse(connection, 9)
    assert jobs.alert() == 0
    refuse(connection, 1, code="missing")
    assert jobs.alert() == 1
    assert "Refused within an hour: 10." in mail.outbox[0].body
    assert f"/inbound/refused/?connection={connection.pk}" in mail.outbox[0].body


def test_ten_at_the_door_are_told(connection: Connection) -> None:
    for _ in range(10):
        deliveries.post(connection, b"{}", {})
    assert jobs.alert() == 1


def test_ten_around_the_full_hour_are_told(connection: Connection) -> None:
    now = datetime(2026, 11, 21, 10, 20, tzinfo=UTC)
    for hour, minute in ((9, 50), (10, 5)):
        at = now.replace(hour=hour, minute=minute)
        refuse(connection, 5, hour=at.replace(minute=0), first=at, last=at)
    assert [cause.count for cause in alerts.causes(now)] == [10]
    assert list(alerts.causes(now + timedelta(hours=2))) == []


def test_other_states_are_nobodys_trouble(connection: Connection) -> None:
    for state in (State.PENDING, State.DONE, State.CONFLICT, State.REFUSED):
        make_inbound_event(connection=connection, state=state)
    assert jobs.alert() == 0
    assert mail.outbox == []


def test_old_trouble_is_not_told(connection: Connection) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    make_inbound_event(connection=connection, state="quarantined", received=long_ago)
    assert jobs.alert() == 0


# ---------------------------------------------------------------------- once a day
def test_one_cause_is_told_once_a_day(connection: Connection) -> None:
    make_inbound_event(connection=connection, state="quarantined")
    jobs.alert()
    make_inbound_event(connection=connection, state="quarantined")
    assert jobs.alert() == 0
    assert len(mail.outbox) == 2


def test_each_cause_is_told(connection: Connection, project: Project) -> None:
    make_inbound_event(connection=connection, state="quarantined")
    make_inbound_event(connection=connection, state="failed")
    other = make_connection("paynow", project=project)
    make_inbound_event(connection=other, state="failed")
    assert jobs.alert() == 3


def test_the_next_day_only_news_are_told(connection: Connection) -> None:
    make_inbound_event(connection=connection, state="quarantined")
    refuse(connection, 10)
    jobs.alert()
    day = timedelta(days=1)
    Alert.objects.update(sent=timezone.now() - day, day=timezone.now().date() - day)
    Refusal.objects.update(first=timezone.now() - day * 2)
    InboundEvent.objects.update(received=timezone.now() - day * 2)
    assert jobs.alert() == 0
    make_inbound_event(connection=connection, state="quarantined")
    assert jobs.alert() == 1
    assert "not understood: 1." in mail.outbox[-1].body


def test_two_workers_send_one_mail(connection: Connection) -> None:
    make_inbound_event(connection=connection, state="quarantined")
    (cause,) = alerts.causes(timezone.now())
    assert alerts.tell(cause)
    assert not alerts.tell(cause)
    assert len(mail.outbox) == 2


def test_a_mail_that_could_not_go_out_goes_later(
    connection: Connection, monkeypatch
) -> None:
    def away(self, messages):
        raise SMTPServerDisconnected("no server")

    make_inbound_event(connection=connection, state="quarantined")
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", away)
        assert jobs.alert() == 0
    assert jobs.alert() == 1
    assert len(mail.outbox) == 2


# --------------------------------------------------------------------- who is told
def test_only_those_who_can_mend_it_are_told(connection: Connection) -> None:
    merchant = connection.project.merchant
    for role in ("admin", "finance", "support", "viewer"):
        make_member(role, merchant=merchant)
    make_member("owner")  # of another merchant
    elsewhere = make_project(merchant=merchant)
    make_member("developer", merchant=merchant, projects=[elsewhere])
    gone = make_member("developer", merchant=merchant)
    gone.user.is_active = False
    gone.user.save()
    here = make_member("developer", merchant=merchant, projects=[connection.project])
    make_inbound_event(connection=connection, state="quarantined")
    jobs.alert()
    told = sorted(to for sent in mail.outbox for to in sent.to)
    assert len(told) == 3
    assert here.user.email in told
    assert all(len(sent.recipients()) == 1 for sent in mail.outbox)


def test_without_anybody_to_tell_it_is_quiet() -> None:
    make_inbound_event(state="quarantined")
    jobs.alert()
    assert mail.outbox == []


# -------------------------------------------------------------------- what it holds
def test_a_mail_holds_nothing_of_what_came(connection: Connection) -> None:
    make_inbound_event(
        connection=connection, state="quarantined", body=b"iban DE00",
        error="iban DE00", event_type="iban DE00", headers={"x": "iban DE00"},
    )  # fmt: skip
    jobs.alert()
    assert "iban" not in str(mail.outbox[0].message())


def test_a_mail_is_text_and_html_in_one(connection: Connection, settings) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"
    connection.project.name = "<b>Dragon</b>\r\nBcc: all@example.com"
    connection.project.save()
    make_inbound_event(connection=connection, state="quarantined")
    jobs.alert()
    told = mail.outbox[0]
    assert "\n" not in told.subject
    html, kind = told.alternatives[0]
    assert kind == "text/html"
    assert "<b>Dragon" not in html
    assert 'href="https://pay.example.com/inbound/?state=quarantined&amp;' in html
    assert "&lt;b&gt;" in html
    assert "https://pay.example.com/inbound/?state=quarantined&connection" in told.body


def test_old_alerts_go(connection: Connection) -> None:
    for days in (1, 29, 31):
        sent = timezone.now() - timedelta(days=days)
        Alert.objects.create(cause="x", day=sent.date(), sent=sent)
    assert jobs.tidy() == 1
