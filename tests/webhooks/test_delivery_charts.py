"""How well deliveries go: charts that add up, bounded, with the same as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from merchant.models import Project
from tests.webhooks import outbound
from webhooks.models import Delivery, Endpoint
from webhooks.record import figures
from webhooks.record.figures import Figures
from webhooks.views.delivery_charts import rate

PAGE = "/deliveries/charts/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = [NOON + timedelta(hours=n) for n in range(25)]


@pytest.fixture
def shop(project: Project) -> Endpoint:
    return outbound.endpoint(project, description="Shop server")


def tried(to: Endpoint, at: datetime, **over: object) -> Delivery:
    row = outbound.delivery(outbound.event(to.project, created=at), to)
    outbound.attempt(row, at=at, **over)
    return row


# --------------------------------------------------------------------------- figures
@given(st.lists(st.integers(0, 15_000), min_size=1))
def test_shares_of_spans_stand_in_order(spans: list[int]) -> None:
    of = Figures(spans=spans)
    assert min(spans) <= of.median <= of.p95 <= max(spans)
    assert sum(span <= of.median for span in spans) * 2 >= len(spans)
    assert sum(span <= of.p95 for span in spans) >= 0.95 * len(spans)


def test_a_rate_is_never_rounded_up_to_all() -> None:
    assert rate(Figures()) == "–"
    assert rate(Figures(succeeded=5)) == "100%"
    assert rate(Figures(succeeded=99_999, failed=1)) == "99.9%"
    assert rate(Figures(failed=3)) == "0.0%"


@pytest.mark.django_db
def test_attempts_are_counted_where_they_happened(shop: Endpoint) -> None:
    tried(shop, NOON - timedelta(seconds=1))  # before the period
    tried(shop, NOON)
    tried(shop, NOON + timedelta(minutes=59, seconds=59), outcome="timeout")
    tried(shop, NOON + timedelta(hours=23, minutes=59), total_ms=500)
    tried(shop, NOON + timedelta(hours=24))  # after it
    found = figures.course([Delivery.objects.filter(endpoint=shop)], HOURS)
    assert (found.steps[0].succeeded, found.steps[0].failed) == (1, 1)
    assert found.steps[23].spans == [500]
    assert found.whole.attempts == 3
    assert found.endpoints[shop.pk].attempts == 3
    assert found.since is None


@pytest.mark.django_db
def test_only_the_newest_are_looked_at(shop: Endpoint, monkeypatch) -> None:
    monkeypatch.setattr(figures, "MOST", 10)
    for hour in range(24):
        tried(shop, NOON + timedelta(hours=hour))
    found = figures.course([Delivery.objects.filter(endpoint=shop)], HOURS)
    assert found.whole.attempts == 10
    assert found.since == NOON + timedelta(hours=14)


# ------------------------------------------------------------------------------ page
@pytest.mark.django_db
def test_the_page_has_the_charts_and_their_tables(owner_client, shop) -> None:
    now = timezone.now()
    for minutes in range(5):
        tried(shop, now - timedelta(minutes=minutes), total_ms=40)
    tried(shop, now - timedelta(hours=2), outcome="answer", status=500)
    page = owner_client.get(PAGE).content.decode()
    assert "6 attempts, 83.3% of them succeeded" in page
    assert "answered within 40 ms" in page
    assert page.count("Show as table") == 2
    assert "Shop server" in page


@pytest.mark.django_db
@pytest.mark.parametrize("period", ["day", "week", "month", "nonsense", ""])
def test_each_period_can_be_seen(owner_client: Client, shop, period: str) -> None:
    tried(shop, timezone.now())
    response = owner_client.get(f"{PAGE}?period={period}")
    assert response.context["whole"].attempts == 1
    rows = response.context["charts"][0]["rows"]
    assert len(rows) == {"week": 28, "month": 30}.get(period, 24)


@pytest.mark.django_db
def test_one_endpoint_can_be_seen_alone(owner_client: Client, shop: Endpoint) -> None:
    other = outbound.endpoint(shop.project)
    tried(shop, timezone.now())
    tried(other, timezone.now(), outcome="timeout")
    alone = owner_client.get(f"{PAGE}?endpoint={shop.pk}")
    assert alone.context["whole"].failed == 0
    both = owner_client.get(PAGE).context["endpoints"]
    assert [row["endpoint"].pk for row in both] == [other.pk, shop.pk]


@pytest.mark.django_db
def test_a_stranger_sees_no_figures(stranger_client: Client, shop: Endpoint) -> None:
    tried(shop, timezone.now())
    assert stranger_client.get(PAGE).context["whole"].attempts == 0
    assert stranger_client.get(f"{PAGE}?endpoint={shop.pk}").status_code == 422


@pytest.mark.django_db
def test_without_anything_it_says_so(owner_client: Client) -> None:
    assert b"Nothing in this period" in owner_client.get(PAGE).content


@pytest.mark.django_db
def test_many_deliveries_cost_no_more_questions(
    owner_client: Client, shop: Endpoint, django_assert_max_num_queries
) -> None:
    outbound.many(shop, 10_000, every=timedelta(seconds=5), end=timezone.now())
    owner_client.get(PAGE)
    # The frame's five, the projects, endpoints, the newest, their attempts.
    with django_assert_max_num_queries(9):
        response = owner_client.get(PAGE)
    assert response.context["whole"].attempts == figures.MOST
    assert response.context["since"] is not None
