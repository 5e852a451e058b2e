"""One sent again, or an event to another endpoint; once however often asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.factories import make_project
from tests.webhooks.delivery.parts import Receiver, make_due, make_endpoint, publish
from webhooks import jobs
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def endpoint(project: Project, shop: Receiver) -> Endpoint:
    return make_endpoint(project, shop.url)


def long_ago() -> None:
    """What was done a moment ago was done an hour ago."""
    hour = timezone.now() - timedelta(hours=1)
    Delivery.objects.exclude(done=None).update(done=hour)


def test_one_goes_out_again_with_the_same_id_and_the_next_number(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    [row] = publish(endpoint.project)
    jobs.deliver()
    resending.again(row, owner)
    row.refresh_from_db()
    assert (row.state, row.tries) == ("pending", 0)
    assert row.asked_by == str(owner.user)
    jobs.deliver()
    first, second = shop.heard
    assert first.id == second.id
    assert second.told["delivery_try"] == 2
    assert AuditEntry.objects.filter(verb="delivery.sent_again").count() == 1


def test_a_double_click_sends_once(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    [row] = publish(endpoint.project)
    jobs.deliver()
    resending.again(row, owner)
    resending.again(row, owner)
    jobs.deliver()
    resending.again(row, owner)
    jobs.deliver()
    assert len(shop.heard) == 2
    long_ago()
    resending.again(row, owner)
    jobs.deliver()
    assert len(shop.heard) == 3


def test_one_that_waits_for_its_next_try_need_not_wait(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    shop.answer = lambda heard: (500, {}, b"")
    [row] = publish(endpoint.project)
    for _ in range(3):
        jobs.deliver()
        make_due()
    Delivery.objects.update(due=timezone.now() + DAY)
    resending.again(row, owner)
    assert jobs.deliver() == 1
    row.refresh_from_db()
    assert (row.tries, row.attempts_made) == (1, 4)


def test_it_says_why_it_cannot(
    endpoint: Endpoint, project: Project, owner: Member, stranger: Member
) -> None:
    [row] = publish(project)
    Endpoint.objects.update(state="paused")
    with pytest.raises(resending.NotPossible, match="paused"):
        resending.again(Delivery.objects.get(), owner)
    Endpoint.objects.update(state="enabled")
    Event.objects.update(payload={})
    with pytest.raises(resending.NotPossible, match="no longer kept"):
        resending.again(Delivery.objects.get(), owner)
    Event.objects.update(payload={"object": {}}, livemode=False)
    only_live = make_endpoint(project, "https://live.example.com/", livemode=True)
    with pytest.raises(resending.NotPossible, match="mode"):
        resending.event_to(Event.objects.get(), only_live, owner)
    paysuper = make_endpoint(
        project, "https://other.example.com/", dialect="paysuper", livemode=None
    )
    Event.objects.update(name="payment.pending")
    with pytest.raises(resending.NotPossible, match="no words"):
        resending.event_to(Event.objects.get(), paysuper, owner)

    foreign = make_endpoint(make_project(), "https://foreign.example.com/")
    with pytest.raises(resending.NotPossible, match="another project"):
        resending.event_to(Event.objects.get(), foreign, owner)


def test_an_event_goes_to_an_endpoint_that_never_heard_of_it(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    [row] = publish(endpoint.project)
    late = make_endpoint(endpoint.project, f"{shop.url}/late")
    for _ in range(2):
        made = resending.event_to(row.event, late, owner)
        assert made.endpoint == late
    jobs.deliver()
    assert late.deliveries.get().state == "delivered"
    assert len(shop.heard) == 2
