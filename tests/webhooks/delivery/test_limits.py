"""So many at once and so many a second; and one that is slow holds up nobody."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
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
from webhooks.models import Attempt, Delivery, Endpoint, Event

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
    taken = [len(claims.Claims().take(100)) for _ in range(3)]
    assert sum(taken) <= 3
    Endpoint.objects.update(rate=10_000, paced=None)
    taken = [len(claims.Claims().take(100)) for _ in range(3)]
    leased = Delivery.objects.filter(leased_until__gt=timezone.now()).count()
    assert leased == claims.AT_ONCE


def test_a_stock_is_one_workers_and_only_of_an_endpoint_that_is_well(
    project: Project, shop: Receiver
) -> None:
    well, failing, slow = (make_endpoint(project, f"{shop.url}/{n}") for n in range(3))
    now = timezone.now()
    Endpoint.objects.filter(pk=failing.pk).update(failing=now)
    Endpoint.objects.filter(pk=slow.pk).update(failing=now, slow=True)
    publish(project, claims.STOCK + 10)
    caught = Counter(one.endpoint.pk for one in claims.Claims().take(100))
    expected = {well.pk: claims.STOCK, failing.pk: claims.AT_ONCE, slow.pk: 1}
    assert caught == expected
    assert claims.Claims().take(100) == []


def test_little_room_is_shared(project: Project, shop: Receiver) -> None:
    for number in range(10):
        make_endpoint(project, f"{shop.url}/{number}")
    publish(project, 5)
    caught = Counter(one.endpoint.pk for one in claims.Claims().take(15))
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
    """Ten thousand wait; a second's run sends a second's worth, the oldest first, and
    has few of them in hand."""
    endpoint = make_endpoint(project, shop.url, rate=40)
    keys = pile_up(endpoint, 10_000)
    began = time.monotonic()
    run = rounds.Run(rounds._courier())
    run.began -= rounds.LONGEST_RUN - 1
    most = 0

    def answer(heard: Heard) -> tuple[int, dict[str, str], bytes]:
        nonlocal most
        most = max(most, run.claims.in_hand.total())
        return 200, {}, b""

    shop.answer = answer
    sent = run.to_the_end()
    spent = time.monotonic() - began
    assert 1 <= sent <= 40 * (spent + 0.05) + 2
    assert {heard.id for heard in shop.heard} == set(keys[: len(shop.heard)])
    assert most <= claims.STOCK
    assert endpoint.deliveries.filter(state="delivered").count() == sent


def test_of_a_long_queue_only_so_much_is_in_hand(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url, rate=100_000)
    pile_up(endpoint, 10_000)
    desk = claims.Claims()
    taken = desk.take(rounds.IN_HAND)
    assert len(taken) == desk.in_hand.total() == claims.STOCK
    assert desk.take(rounds.IN_HAND) == []
    assert desk.wait is None


def pile_up(endpoint: Endpoint, count: int) -> list[str]:
    """Deliveries that wait since a day ago: their events' keys, the oldest first."""
    [first] = publish(endpoint.project, subject=None)
    Delivery.objects.update(due=timezone.now() - timedelta(days=1))
    for model, changed in (
        (Event, {"id": "first.id + n", "key": "'msg_' || (100000 + n)"}),
        (Delivery, {"id": "first.id + n", "event_id": "first.event_id + n"}),
    ):
        table = model._meta.db_table
        columns = [str(field.column) for field in model._meta.concrete_fields]
        values = [changed.get(name, f"first.{name}") for name in columns]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608
                " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL"
                f" SELECT n + 1 FROM numbers WHERE n < {count - 1})"
                f" SELECT {', '.join(values)} FROM {table} first, numbers"
            )
    return [first.event.key, *(f"msg_{100_000 + n}" for n in range(1, count))]
