"""A worker puts many into the queue: seen, stopped, killed, taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from merchant.models import AuditEntry, Member
from tests.factories import make_member
from tests.webhooks.delivery.parts import Receiver, make_due
from tests.webhooks.resends.parts import give_up, yesterday
from webhooks import jobs, resends
from webhooks.models import Endpoint, Resend
from webhooks.resends import plans, running, seen
from webhooks.resends.plans import Chosen, Failed

pytestmark = pytest.mark.django_db
ROWS = 20


class Killed(BaseException):
    """No `except Exception` sees it, as none sees kill -9."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 5)
    monkeypatch.setattr(running, "BATCH", {connection.vendor: 3})


def begun(endpoint: Endpoint, by: Member, rate: int | None = None) -> Resend:
    give_up(endpoint, ROWS)
    plan = Failed(endpoint=endpoint, since=yesterday(), rate=rate, member=by)
    return resends.start(plan, by)


def waiting(endpoint: Endpoint) -> int:
    return endpoint.deliveries.filter(state="pending").count()


@pytest.mark.parametrize("batch", [0, 1, 4])
@pytest.mark.parametrize("where", ["before", "after"])
def test_another_goes_on_where_one_was_killed(
    endpoint: Endpoint,
    shop: Receiver,
    owner: Member,
    batch: int,
    where: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = begun(endpoint, owner)
    steps = iter(range(100))
    real = running._step

    def step(*ours: object) -> int | None:
        if next(steps) < batch:
            return real(*ours)  # type: ignore[arg-type]
        if where == "after":
            real(*ours)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "_step", step)
        patch.setattr(running.leases, "give_back", lambda mine: None)
        with pytest.raises(Killed):
            resends.run_due()
    run.refresh_from_db()
    reached = 3 * (batch + (where == "after"))
    assert (run.state, run.queued, waiting(endpoint)) == ("running", reached, reached)
    assert resends.run_due() == 0  # the lease is still the dead one's
    Resend.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert resends.run_due() == ROWS - reached
    run.refresh_from_db()
    assert (run.state, run.rows_done, run.queued) == ("done", ROWS, ROWS)
    jobs.deliver()
    assert len(shop.heard) == len({heard.id for heard in shop.heard}) == ROWS


def test_a_batch_that_was_not_committed_is_queued_once(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(endpoint, owner)
    real = Failed.put

    def put(*ours: object) -> plans.Put:
        real(*ours)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Failed, "put", put)
        with pytest.raises(Killed):
            resends.run_due()
    assert waiting(endpoint) == 0
    resends.run_due()
    run.refresh_from_db()
    assert (run.queued, waiting(endpoint)) == (ROWS, ROWS)


def test_with_a_rate_only_what_goes_out_soon_is_queued(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AHEAD", timedelta(seconds=5))
    run = begun(endpoint, owner, rate=1)
    resends.run_due()
    run.refresh_from_db()
    assert 5 <= run.queued <= 9
    assert run.due > timezone.now()
    assert resends.run_due() == 0
    assert run.next_due is not None
    left = seen.time_left(run, timezone.now())
    assert left is not None
    assert timedelta(seconds=15) < left <= timedelta(seconds=21)


def test_a_worker_that_was_away_does_not_make_up_for_it(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that was due meanwhile would go out in one burst."""
    monkeypatch.setattr(running, "AHEAD", timedelta(seconds=5))
    begun(endpoint, owner, rate=1)
    resends.run_due()
    hour = timezone.now() - timedelta(hours=1)
    Resend.objects.update(due=hour, next_due=hour)
    known = set(endpoint.deliveries.filter(state="pending").values_list("pk"))
    now = timezone.now()
    resends.run_due()
    fresh = endpoint.deliveries.filter(state="pending").order_by("due")
    dues = [row.due for row in fresh if (row.pk,) not in known]
    assert len(dues) >= 3
    assert dues[0] >= now
    assert {(b - a).total_seconds() for a, b in zip(dues, dues[1:], strict=False)} == {
        1.0
    }


def test_who_stops_it_stops_it(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AHEAD", timedelta(seconds=5))
    run = begun(endpoint, owner, rate=1)
    resends.run_due()
    assert resends.cancel(run, owner)
    assert not resends.cancel(run, owner)
    reached = waiting(endpoint)
    Resend.objects.update(due=timezone.now())
    assert resends.run_due() == 0
    run.refresh_from_db()
    assert (run.state, waiting(endpoint)) == ("canceled", reached)
    assert endpoint.deliveries.filter(state="exhausted").count() == ROWS - reached
    note = AuditEntry.objects.get(verb="resend.canceled")
    assert note.detail["queued"] == reached


def test_an_endpoint_that_is_paused_meanwhile_stops_it(
    endpoint: Endpoint, owner: Member
) -> None:
    run = begun(endpoint, owner)
    Endpoint.objects.update(state="paused")
    resends.run_due()
    run.refresh_from_db()
    assert (run.state, run.error) == ("stopped", "The endpoint is paused.")
    assert waiting(endpoint) == 0


def test_who_may_not_any_more_does_not(endpoint: Endpoint, owner: Member) -> None:
    developer = make_member("developer", merchant=owner.merchant)
    run = begun(endpoint, developer)
    developer.role = "viewer"
    developer.save()
    resends.run_due()
    run.refresh_from_db()
    assert run.state == "stopped"
    assert "may not do this any more" in run.error
    assert waiting(endpoint) == 0


def test_what_came_after_it_was_asked_is_not_meant(
    endpoint: Endpoint, owner: Member
) -> None:
    run = begun(endpoint, owner)
    give_up(endpoint, 4)
    resends.run_due()
    run.refresh_from_db()
    assert run.queued == ROWS
    assert endpoint.deliveries.filter(state="exhausted").count() == 4


def test_a_filter_goes_on_meaning_what_it_meant(
    endpoint: Endpoint, owner: Member
) -> None:
    give_up(endpoint, ROWS)
    run = resends.start(Chosen(member=owner, query="state=exhausted"), owner)
    resends.run_due()
    run.refresh_from_db()
    assert (run.state, run.queued) == ("done", ROWS)


def test_a_mistake_of_ours_stops_it_and_is_said(
    endpoint: Endpoint, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(endpoint, owner)

    def broken(*_: object) -> plans.Put:
        raise ValueError("no")

    monkeypatch.setattr(Failed, "put", broken)
    resends.run_due()
    run.refresh_from_db()
    assert run.state == "stopped"
    assert "ValueError" in run.error


def test_what_was_delivered_meanwhile_is_not_sent_twice(
    endpoint: Endpoint, shop: Receiver, owner: Member
) -> None:
    begun(endpoint, owner)
    endpoint.deliveries.update(state="delivered")
    resends.run_due()
    make_due()
    jobs.deliver()
    assert not shop.heard
