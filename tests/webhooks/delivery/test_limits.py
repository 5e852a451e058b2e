"""So many at once and so many a second; and one that is slow holds up nobody."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.http import exchange, many
from merchant.models import Project
from tests.merchant.canary import canary, hangs
from tests.webhooks.delivery.parts import (
    Heard,
    Receiver,
    make_endpoint,
    publish,
    receiver,
)
from webhooks import jobs
from webhooks.delivery import claims, rounds
from webhooks.models import Attempt, Delivery, Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    """A deadline that a test can wait for, seconds."""
    real = many.Post

    def post(*given: object) -> many.Post:
        return real(*given, timeout=1.0)  # type: ignore[arg-type]

    monkeypatch.setattr(rounds, "Post", post)
    assert exchange.TIMEOUT == 15
    return 1.0


def test_an_endpoint_is_sent_four_at_once(project: Project, shop: Receiver) -> None:
    def slowly(heard: Heard) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.02)
        return 200, {}, b""

    shop.answer = slowly
    make_endpoint(project, shop.url)
    publish(project, 20)
    assert jobs.deliver() == 20
    assert shop.most_at_once == claims.AT_ONCE


def test_the_rate_is_kept(project: Project, shop: Receiver) -> None:
    make_endpoint(project, shop.url, rate=20)
    publish(project, 12)
    assert jobs.deliver() == 12
    times = [heard.at for heard in shop.heard]
    spent = (times[-1] - times[0]).total_seconds()
    # Twelve need eleven pauses of 1/20 s; a twentieth of a second may be made up for.
    assert spent >= 11 / 20 - 0.1


def test_two_workers_share_the_rate_and_the_room(
    project: Project, shop: Receiver
) -> None:
    make_endpoint(project, shop.url, rate=20)
    publish(project, 30)
    taken = [len(claims.take(100, {}).claimed) for _ in range(3)]
    assert sum(taken) <= 3
    Endpoint.objects.update(rate=10_000, paced=None)
    taken = [len(claims.take(100, {}).claimed) for _ in range(3)]
    leased = Delivery.objects.filter(leased_until__gt=timezone.now()).count()
    assert leased == claims.AT_ONCE


def test_little_room_is_shared(project: Project, shop: Receiver) -> None:
    for number in range(10):
        make_endpoint(project, f"{shop.url}/{number}")
    publish(project, 5)
    caught = Counter(one.endpoint.pk for one in claims.take(15, {}).claimed)
    assert sorted(caught.values()) == [1] * 5 + [2] * 5


@pytest.mark.usefixtures("impatient")
def test_one_dead_endpoint_holds_up_nobody(project: Project) -> None:
    with canary(hangs) as dead, receiver() as shop:
        make_endpoint(project, dead.url())
        for number in range(10):
            make_endpoint(project, f"{shop.url}/{number}")
        publish(project, 10)
        jobs.deliver()
        assert len(shop.heard) == 100
        given_up = Attempt.objects.filter(outcome="timeout").earliest("at").at
        assert max(heard.at for heard in shop.heard) < given_up
        assert dead.hits == claims.AT_ONCE
    left = Delivery.objects.exclude(state="delivered")
    assert sorted(left.values_list("tries", flat=True)) == [0] * 6 + [1] * 4


def test_a_busy_endpoint_rests_and_is_then_tried_with_one(
    project: Project, shop: Receiver
) -> None:
    shop.answer = lambda heard: (503, {"retry-after": "120"}, b"")
    endpoint = make_endpoint(project, shop.url)
    publish(project, 20)
    jobs.deliver()
    tried = len(shop.heard)
    assert tried <= claims.AT_ONCE
    endpoint.refresh_from_db()
    assert endpoint.slow
    rest = (endpoint.slow_until - timezone.now()).total_seconds()
    assert 110 < rest <= 120
    Endpoint.objects.update(slow_until=None)
    jobs.deliver()
    assert len(shop.heard) == tried + 1
    shop.answer = lambda heard: (200, {}, b"")
    Endpoint.objects.update(slow_until=None)
    jobs.deliver()
    endpoint.refresh_from_db()
    assert (endpoint.slow, endpoint.slow_until) == (False, None)
    assert endpoint.deliveries.filter(state="delivered").count() == 20 - tried - 1


def test_what_hangs_is_noted_as_a_timeout(project: Project, impatient: float) -> None:
    with canary(hangs) as dead:
        make_endpoint(project, dead.url())
        [row] = publish(project)
        jobs.deliver()
    attempt = row.attempts.get()
    assert (attempt.outcome, attempt.status) == ("timeout", None)
    assert "did not answer within 1 s" in attempt.error
    row.refresh_from_db()
    assert (row.due - attempt.at).total_seconds() >= 60


def test_a_day_of_waiting_goes_out_at_the_rate(
    project: Project, shop: Receiver
) -> None:
    """Thousands wait; a second's run sends a second's worth, the oldest first."""
    make_endpoint(project, shop.url, rate=40)
    day = timezone.now() - timedelta(days=1)
    rows = publish(project, 3000)
    Delivery.objects.filter(pk__in=[one.pk for one in rows]).update(due=day)
    began = time.monotonic()
    run = rounds.Run(rounds._many())
    run.began -= rounds.LONGEST_RUN - 1
    sent = run.to_the_end()
    spent = time.monotonic() - began
    assert 1 <= sent <= 40 * (spent + 0.05) + 2
    keys = [one.event.key for one in rows[: len(shop.heard)]]
    assert sorted(heard.id for heard in shop.heard) == sorted(keys)
