"""Letters are kept for so long, and their bodies for less."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.models import Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish
from webhooks import jobs
from webhooks.delivery import retention
from webhooks.models import Attempt, Delivery, Event

pytestmark = pytest.mark.django_db


def age(rows: list[Delivery], days: int) -> None:
    when = timezone.now() - timedelta(days=days)
    ids = [row.pk for row in rows]
    Delivery.objects.filter(pk__in=ids).update(created=when)
    Event.objects.filter(deliveries__in=ids).update(created=when)
    Attempt.objects.filter(delivery__in=ids).update(at=when)


@pytest.fixture
def aged(project: Project, shop: Receiver) -> dict[int, list[Delivery]]:
    """Three delivered on each of some days."""
    make_endpoint(project, shop.url)
    rows = {}
    for days in (500, 401, 399, 91, 89, 31, 29, 0):
        rows[days] = publish(project, 3)
        jobs.deliver()
        age(rows[days], days)
    return rows


def kept(rows: dict[int, list[Delivery]]) -> dict[str, list[int]]:
    """The days of which there still are rows, bodies and answers."""
    there: dict[str, list[int]] = {"rows": [], "bodies": [], "answers": []}
    for days, some in rows.items():
        ids = [row.pk for row in some]
        attempts = Attempt.objects.filter(delivery__in=ids)
        if Delivery.objects.filter(pk__in=ids).exists():
            there["rows"].append(days)
        if any(event.payload for event in Event.objects.filter(deliveries__in=ids)):
            there["bodies"].append(days)
        if any(bytes(one.answer) or one.sent_headers for one in attempts):
            there["answers"].append(days)
    return there


def test_each_is_kept_for_its_time(aged: dict[int, list[Delivery]]) -> None:
    assert jobs.tidy() > 0
    assert kept(aged) == {
        "rows": [399, 91, 89, 31, 29, 0],
        "bodies": [89, 31, 29, 0],
        "answers": [29, 0],
    }
    assert Event.objects.count() == 18
    assert Attempt.objects.count() == 18
    assert retention.tidy() == 0


def test_an_interrupted_round_is_gone_on_with(
    aged: dict[int, list[Delivery]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr(retention, "BATCHES", 2)
    rounds = 0
    while retention.tidy():
        rounds += 1
        assert rounds < 50
    assert rounds > 5
    assert kept(aged)["bodies"] == [89, 31, 29, 0]


def test_what_still_waits_is_never_thrown_away(
    project: Project, aged: dict[int, list[Delivery]]
) -> None:
    Delivery.objects.filter(pk=aged[500][0].pk).update(state="pending")
    retention.tidy()
    assert Delivery.objects.filter(pk=aged[500][0].pk).exists()
