"""Many sent again: what failed, what was missed, some; once however often asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from merchant.models import AuditEntry, Member
from tests.factories import make_member, make_project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish
from tests.webhooks.resends.parts import DAY, give_up, long_ago, yesterday
from webhooks import jobs, resends
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint, Resend
from webhooks.resends import running
from webhooks.resends.plans import Chosen, Failed, Missing

pytestmark = pytest.mark.django_db


def sent(plan: Any, by: Member) -> int:
    """Few, so that they are queued at once; how many."""
    run = resends.start(plan, by)
    assert run.state == "done"
    return run.queued


def test_all_that_failed_since_goes_out_again_at_a_rate(
    endpoint: Endpoint, owner: Member
) -> None:
    old = give_up(endpoint, 2)
    Delivery.objects.filter(pk__in=[row.pk for row in old]).update(
        created=timezone.now() - 3 * DAY
    )
    rows = give_up(endpoint, 6)
    plan = Failed(endpoint=endpoint, since=yesterday(), rate=2)
    assert sent(plan, owner) == 6
    assert sent(plan, owner) == 0
    waiting = endpoint.deliveries.filter(state="pending").order_by("due")
    assert [row.pk for row in waiting] == [row.pk for row in rows]
    spread = [(row.due - waiting[0].due).total_seconds() for row in waiting]
    assert [round(second, 3) for second in spread] == [0, 0.5, 1, 1.5, 2, 2.5]
    assert endpoint.deliveries.filter(state="exhausted").count() == 2


def test_what_failed_can_go_to_another_endpoint(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    other = make_endpoint(endpoint.project, f"{shop.url}/other", events=["payout.paid"])
    give_up(endpoint, 5)
    plan = Failed(endpoint=endpoint, since=yesterday(), to=other)
    assert sent(plan, owner) == 5
    assert sent(plan, owner) == 0
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
    assert sent(Missing(endpoint=late, since=yesterday()), owner) == 3
    assert sent(Missing(endpoint=late, since=yesterday()), owner) == 0
    assert set(late.deliveries.values_list("name", flat=True)) == {"payment.success"}
    assert sent(Missing(endpoint=endpoint, since=yesterday()), owner) == 0


def test_a_selection_goes_out_again_except_to_paused_endpoints(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    paused = make_endpoint(endpoint.project, f"{shop.url}/paused")
    publish(endpoint.project, 4)
    jobs.deliver()
    long_ago()
    Endpoint.objects.filter(pk=paused.pk).update(state="paused")
    run = resends.start(Chosen(member=owner), owner)
    assert (run.queued, run.left_out) == (4, 4)
    assert sent(Chosen(member=owner), owner) == 0
    shop.heard.clear()
    jobs.deliver()
    assert len(shop.heard) == 4
    assert paused.deliveries.filter(state="delivered").count() == 4


def test_who_ticked_nothing_sends_nothing(endpoint: Endpoint, owner: Member) -> None:
    give_up(endpoint, 2)
    assert sent(Chosen(member=owner, ids=[]), owner) == 0


def test_a_filter_that_means_nothing_sends_nothing(
    endpoint: Endpoint, owner: Member
) -> None:
    give_up(endpoint, 2)
    assert sent(Chosen(member=owner, query="created[gte]=soon"), owner) == 0


def test_what_cannot_be_done_is_said_before_it_is_begun(
    endpoint: Endpoint, owner: Member
) -> None:
    give_up(endpoint, 2)
    Endpoint.objects.update(state="paused")
    endpoint.refresh_from_db()
    with pytest.raises(resending.NotPossible, match="paused"):
        resends.start(Failed(endpoint=endpoint, since=yesterday()), owner)
    Endpoint.objects.update(state="enabled")
    endpoint.refresh_from_db()
    foreign = make_endpoint(make_project(), "https://foreign.example.com/")
    with pytest.raises(resending.NotPossible, match="another project"):
        resends.start(Failed(endpoint=endpoint, since=yesterday(), to=foreign), owner)
    assert not Resend.objects.exists()


def test_who_asked_for_what_is_in_the_audit_log(
    endpoint: Endpoint, owner: Member
) -> None:
    give_up(endpoint, 2)
    run = resends.start(Failed(endpoint=endpoint, since=yesterday(), rate=7), owner)
    note = AuditEntry.objects.get(verb="resend.started")
    assert (note.actor, note.subject_id) == (owner.user, str(endpoint.pk))
    assert (note.detail["resend"], note.detail["rate"]) == (str(run.pk), 7)


def test_two_who_ask_for_the_same_are_given_one(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    give_up(endpoint, 3)
    colleague = make_member("developer", merchant=owner.merchant)
    first = resends.start(Failed(endpoint=endpoint, since=yesterday()), owner)
    second = resends.start(Failed(endpoint=endpoint, since=yesterday()), colleague)
    assert first == second
    assert first.state == "pending"


def test_many_are_left_to_the_worker_by_a_request_that_touches_none(
    endpoint: Endpoint, owner: Member, django_assert_max_num_queries: Any
) -> None:
    give_up(endpoint, 5_000)
    with django_assert_max_num_queries(15):
        run = resends.start(Failed(endpoint=endpoint, since=yesterday()), owner)
    assert (run.state, run.queued) == ("pending", 0)
    assert endpoint.deliveries.filter(state="exhausted").count() == 5_000
    with django_assert_max_num_queries(300):
        resends.run_due()
    run.refresh_from_db()
    assert (run.state, run.rows_total, run.queued) == ("done", 5_000, 5_000)
