"""An endpoint comes back: what was held goes out as its owner says."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish
from webhooks import jobs, resends
from webhooks.delivery import catch_up, resending
from webhooks.models import Delivery, Endpoint, Resend
from webhooks.resends import running
from webhooks.resends.plans import Held, LetGo

pytestmark = pytest.mark.django_db


@pytest.fixture
def paused(project: Project, shop: Receiver) -> Endpoint:
    endpoint = make_endpoint(project, shop.url, state="paused", rate=10)
    one = uuid.uuid4()
    for name in ("payment.created", "payment.pending", "payment.success"):
        publish(project, name=name, subject=one)
    publish(project, name="refund.succeeded", subject=one)
    publish(project, name="refund.succeeded", subject=one)
    publish(project, name="payment.created", subject=uuid.uuid4())
    return endpoint


def enable() -> None:
    Endpoint.objects.update(state="enabled", rate=1000)


def carry_out(endpoint: Endpoint, by: Member, **how: Any) -> Resend:
    return resends.start(Held(endpoint=endpoint, **how), by)


def test_the_plan_says_how_many_how_old_and_how_long(paused: Endpoint) -> None:
    oldest = Delivery.objects.earliest("id").created
    plan = catch_up.plan(paused)
    assert (plan.held, plan.oldest, plan.replaced) == (6, oldest, 2)
    assert (plan.rate, plan.takes) == (5, timedelta(seconds=2))
    assert plan.time_for(drop_replaced=True, rate=1) == timedelta(seconds=4)
    assert not plan.more


def test_the_plan_counts_to_a_bound(
    paused: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catch_up, "MOST_COUNTED", 5)
    assert (catch_up.plan(paused).held, catch_up.plan(paused).more) == (5, True)


def test_all_of_it_goes_out_in_order(
    paused: Endpoint, shop: Receiver, owner: Member
) -> None:
    enable()
    paused.refresh_from_db()
    assert jobs.deliver() == 0  # nothing goes by itself
    done = carry_out(paused, owner, rate=1000)
    assert (done.queued, done.dropped) == (6, 0)
    assert jobs.deliver() == 6
    first = [heard.told["event"] for heard in shop.heard if heard.told][:3]
    assert first[0] == "payment.created"
    assert catch_up.plan(paused).held == 0
    note = AuditEntry.objects.get(verb="resend.started")
    assert (note.detail["what"], note.detail["rate"]) == ("held", 1000)


def test_what_newer_news_replaced_is_dropped_and_says_so(
    paused: Endpoint, shop: Receiver, owner: Member
) -> None:
    enable()
    paused.refresh_from_db()
    done = carry_out(paused, owner, rate=1000, drop_replaced=True)
    assert (done.queued, done.dropped) == (4, 2)
    jobs.deliver()
    names = sorted(heard.told["event"] for heard in shop.heard)
    assert names == [
        "payment.created", "payment.success", "refund.succeeded", "refund.succeeded",
    ]  # fmt: skip
    dropped = Delivery.objects.filter(state="dropped")
    assert {row.error for row in dropped} == {catch_up.REPLACED}


def test_it_goes_out_at_the_rate(paused: Endpoint, owner: Member) -> None:
    enable()
    paused.refresh_from_db()
    carry_out(paused, owner, rate=2)
    dues = list(Delivery.objects.order_by("id").values_list("due", flat=True))
    gaps = {(b - a).total_seconds() for a, b in zip(dues, dues[1:], strict=False)}
    assert gaps == {0.5}


def test_all_of_it_can_be_given_up(paused: Endpoint, owner: Member) -> None:
    assert resends.start(LetGo(endpoint=paused), owner).dropped == 6
    row = Delivery.objects.earliest("id")
    assert row.state == "dropped"
    assert str(owner.user) in row.error
    Endpoint.objects.update(state="enabled")
    resending.again(Delivery.objects.earliest("id"), owner)
    row.refresh_from_db()
    assert row.state == "pending"


def test_nothing_is_carried_out_before_it_is_enabled(
    paused: Endpoint, owner: Member
) -> None:
    with pytest.raises(resending.NotPossible, match="paused"):
        carry_out(paused, owner)
    assert Delivery.objects.filter(state="held").count() == 6


def test_new_events_do_not_wait_for_old_ones(
    paused: Endpoint, shop: Receiver, owner: Member
) -> None:
    enable()
    paused.refresh_from_db()
    Delivery.objects.update(created=timezone.now() - timedelta(days=2))
    carry_out(paused, owner, rate=1)
    Delivery.objects.filter(state="pending").update(
        due=timezone.now() + timedelta(hours=1)
    )
    publish(paused.project, name="payment.success")
    assert jobs.deliver() == 1


@pytest.mark.parametrize("size", [1, 2, 4])
def test_batch_by_batch_the_same_ones_are_dropped(
    paused: Endpoint, owner: Member, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that newer ones of a later batch replace are found too."""
    monkeypatch.setattr(running, "AT_ONCE", 0)
    monkeypatch.setattr(running, "BATCH", {connection.vendor: size})
    enable()
    paused.refresh_from_db()
    run = carry_out(paused, owner, rate=1000, drop_replaced=True)
    assert (run.state, Delivery.objects.filter(state="held").count()) == ("pending", 6)
    resends.run_due()
    run.refresh_from_db()
    assert (run.state, run.queued, run.dropped) == ("done", 4, 2)


def test_news_that_comes_meanwhile_replaces_too(
    paused: Endpoint, owner: Member
) -> None:
    """It says all that the held one did, and is there first."""
    enable()
    paused.refresh_from_db()
    held = Delivery.objects.filter(name="payment.success").get()
    publish(paused.project, name="payment.refund", subject=held.subject)
    run = carry_out(paused, owner, rate=1000, drop_replaced=True)
    assert (run.queued, run.dropped) == (3, 3)
