"""An endpoint that fails: when people hear of it, when it is disabled, what is held."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.webhooks.delivery.parts import Receiver, make_due, make_endpoint, publish
from webhooks import jobs
from webhooks.delivery import health, schedule
from webhooks.models import Attempt, Delivery, Endpoint

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def failing(project: Project, shop: Receiver) -> Endpoint:
    shop.answer = lambda heard: (500, {}, b"")
    endpoint = make_endpoint(project, shop.url)
    publish(project)
    jobs.deliver()
    return endpoint


def since(endpoint: Endpoint, age: timedelta) -> None:
    """It has failed for so long."""
    Endpoint.objects.filter(pk=endpoint.pk).update(failing=timezone.now() - age)


def fail_again(endpoint: Endpoint) -> None:
    make_due(endpoint=endpoint)
    jobs.deliver()
    endpoint.refresh_from_db()


def test_the_first_failure_starts_the_clock_and_a_success_stops_it(
    failing: Endpoint, shop: Receiver
) -> None:
    failing.refresh_from_db()
    started = failing.failing
    assert started is not None
    fail_again(failing)
    assert failing.failing == started
    assert failing.failed_last > started
    shop.answer = lambda heard: (200, {}, b"")
    fail_again(failing)
    assert failing.failing is None
    assert failing.succeeded_last is not None


def test_people_hear_of_it_after_an_hour_and_after_a_day(
    failing: Endpoint, owner: Member, developer: Member, support: Member
) -> None:
    jobs.alert()
    assert mail.outbox == []
    for age in (HOUR, 23 * HOUR, 24 * HOUR, 30 * HOUR):
        since(failing, age)
        jobs.alert()
        jobs.alert()
    assert len(mail.outbox) == 4
    told = {to for message in mail.outbox for to in message.to}
    assert told == {owner.user.email, developer.user.email}
    assert "does not take its events" in mail.outbox[0].subject
    assert failing.url in mail.outbox[0].body


def test_one_that_is_well_again_is_not_written_about(
    failing: Endpoint, shop: Receiver, owner: Member
) -> None:
    since(failing, 2 * HOUR)
    jobs.alert()
    mail.outbox.clear()
    shop.answer = lambda heard: (200, {}, b"")
    fail_again(failing)
    since_then = Endpoint.objects.get(pk=failing.pk)
    assert since_then.warned == 0
    jobs.alert()
    assert mail.outbox == []


def test_five_days_of_failures_disable_it(failing: Endpoint, owner: Member) -> None:
    publish(failing.project, 3)
    since(failing, 119 * HOUR)
    fail_again(failing)
    assert failing.state == "enabled"
    since(failing, 120 * HOUR)
    fail_again(failing)
    assert failing.state == "disabled"
    assert "5 days" in failing.reason
    assert set(failing.deliveries.values_list("state", flat=True)) == {"held"}
    assert AuditEntry.objects.filter(verb="endpoint.disabled").exists()
    mail.outbox.clear()
    jobs.alert()
    [message] = mail.outbox
    assert "disabled" in message.subject
    assert "none is lost" in message.body


def test_410_disables_it_at_once_and_nothing_is_lost(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url)
    other = make_endpoint(project, f"{shop.url}/other")
    shop.answer = lambda heard: (410, {}, b"")
    publish(project, 30)
    Delivery.objects.filter(endpoint=other).update(due=timezone.now() + HOUR)
    jobs.deliver()
    endpoint.refresh_from_db()
    assert (endpoint.state, "410" in endpoint.reason) == ("disabled", True)
    assert len(shop.heard) < 30
    assert endpoint.deliveries.filter(state="held").count() == 30
    assert other.deliveries.filter(state="pending").count() == 30
    publish(project)
    assert endpoint.deliveries.filter(state="held").count() == 31


def test_what_comes_to_wait_all_the_same_is_held_later(project: Project) -> None:
    endpoint = make_endpoint(project, "https://shop.example.com/")
    publish(project, 2)
    Endpoint.objects.update(state="paused")
    past = timezone.now() - HOUR
    first = endpoint.deliveries.earliest("id")
    endpoint.deliveries.filter(pk=first.pk).update(lease=endpoint.pk, leased_until=past)
    assert health.hold_left_over(timezone.now()) == 2
    assert endpoint.deliveries.filter(state="held", lease=None).count() == 2


def test_the_tenth_failure_gives_up_and_people_hear_of_it_once_a_day(
    failing: Endpoint, owner: Member
) -> None:
    for _ in range(schedule.TRIES - 1):
        fail_again(failing)
    row = failing.deliveries.get()
    assert (row.state, row.tries) == ("exhausted", 10)
    assert row.done is not None
    assert Attempt.objects.count() == 10
    jobs.alert()
    jobs.alert()
    [message] = mail.outbox
    assert "given up" in message.subject.lower()
    assert "1." in message.body
    publish(failing.project)
    assert jobs.deliver() == 1
