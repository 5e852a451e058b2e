"""Sent again: one, what failed, what was missed, some; once however often asked."""

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


def give_up(endpoint: Endpoint, count: int) -> list[Delivery]:
    rows = publish(endpoint.project, count)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state="exhausted", tries=10, done=timezone.now() - timedelta(hours=1)
    )
    return rows


def test_all_that_failed_since_goes_out_again_at_a_rate(
    endpoint: Endpoint, owner: Member
) -> None:
    old = give_up(endpoint, 2)
    Delivery.objects.filter(pk__in=[row.pk for row in old]).update(
        created=timezone.now() - 3 * DAY
    )
    rows = give_up(endpoint, 6)
    since = timezone.now() - DAY
    now = timezone.now()
    assert resending.failed_since(endpoint, since, owner, rate=2) == 6
    assert resending.failed_since(endpoint, since, owner, rate=2) == 0
    waiting = endpoint.deliveries.filter(state="pending").order_by("due")
    assert [row.pk for row in waiting] == [row.pk for row in rows]
    spread = [(row.due - now).total_seconds() for row in waiting]
    assert [round(second - spread[0], 3) for second in spread] == [
        0, 0.5, 1, 1.5, 2, 2.5,
    ]  # fmt: skip
    assert endpoint.deliveries.filter(state="exhausted").count() == 2


def test_what_failed_can_go_to_another_endpoint(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    other = make_endpoint(endpoint.project, f"{shop.url}/other", events=["payout.paid"])
    give_up(endpoint, 5)
    since = timezone.now() - DAY
    assert resending.failed_since(endpoint, since, owner, to=other) == 5
    assert resending.failed_since(endpoint, since, owner, to=other) == 0
    jobs.deliver()
    assert other.deliveries.filter(state="delivered").count() == 5
    assert endpoint.deliveries.filter(state="exhausted").count() == 5


def test_what_an_endpoint_was_never_told_is_sent(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    project = endpoint.project
    publish(project, 3)
    publish(project, 2, name="payment.failed")
    publish(project, 1, livemode=False)
    late = make_endpoint(
        project, f"{shop.url}/late", events=["payment.success"], livemode=True
    )
    since = timezone.now() - DAY
    assert resending.missing_since(late, since, owner) == 3
    assert resending.missing_since(late, since, owner) == 0
    assert set(late.deliveries.values_list("name", flat=True)) == {"payment.success"}
    assert resending.missing_since(endpoint, since, owner) == 0


def test_a_selection_goes_out_again_except_to_paused_endpoints(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    paused = make_endpoint(endpoint.project, f"{shop.url}/paused")
    publish(endpoint.project, 4)
    jobs.deliver()
    long_ago()
    Endpoint.objects.filter(pk=paused.pk).update(state="paused")
    rows = Delivery.objects.filter(project=endpoint.project)
    assert resending.selection(rows, owner) == 4
    assert resending.selection(rows, owner) == 0
    shop.heard.clear()
    jobs.deliver()
    assert len(shop.heard) == 4
    assert paused.deliveries.filter(state="delivered").count() == 4


def test_many_are_queued_without_reading_them(
    endpoint: Endpoint, owner: Member, django_assert_max_num_queries
) -> None:
    give_up(endpoint, 5000)
    with django_assert_max_num_queries(40):
        done = resending.failed_since(endpoint, timezone.now() - DAY, owner, rate=100)
    assert done == 5000
