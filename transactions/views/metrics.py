"""/metrics: how the work stands, for Prometheus; of the project whose key asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from django.db.models import Min, QuerySet, Sum
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from rest_framework.request import Request

from merchant import health
from merchant.api_view import ApiView
from merchant.models import Project
from transactions.models import LookUp
from webhooks.models import InboundEvent, Refusal

#: Counting stops here, so that a scrape costs the same on a day when all goes wrong.
MOST = 10_000
#: States that want somebody's attention; "done" only grows and is not counted.
OPEN_EVENTS = [state for state in InboundEvent.State if state != "done"]
OPEN_LOOK_UPS = [state for state in LookUp.State if state != "done"]


class Metrics(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Standing(request.auth.project))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Standing:
    """What Prometheus collects for one project; nothing is kept between two scrapes."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def collect(self) -> Iterator[GaugeMetricFamily]:
        events = InboundEvent.objects.filter(connection__project=self.project)
        look_ups = LookUp.objects.filter(connection__project=self.project)
        yield _by_state(
            "merchant_inbound_events",
            f"Inbound events by state, counted up to {MOST}.",
            {state: _bounded(events.filter(state=state)) for state in OPEN_EVENTS},
        )
        yield _by_state(
            "merchant_look_ups",
            f"Questions to providers by state, counted up to {MOST}.",
            {state: _bounded(look_ups.filter(state=state)) for state in OPEN_LOOK_UPS},
        )
        yield GaugeMetricFamily(
            "merchant_oldest_waiting_seconds",
            "How long the oldest inbound event that is due has waited.",
            value=_oldest(events),
        )
        yield GaugeMetricFamily(
            "merchant_refusals_last_hours",
            "Deliveries turned away since the hour before this one began.",
            value=_refusals(self.project),
        )
        age = health.heartbeat_age()
        yield GaugeMetricFamily(
            "merchant_worker_heard_seconds",
            "Seconds since a worker was last heard; -1 when none was.",
            value=-1 if age is None else age,
        )


def _by_state(name: str, words: str, counts: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=["state"])
    for state, count in counts.items():
        gauge.add_metric([str(state)], count)
    return gauge


def _bounded(rows: QuerySet) -> int:
    return rows.order_by()[:MOST].count()


def _oldest(events: QuerySet[InboundEvent]) -> float:
    now = timezone.now()
    waiting = events.filter(state=InboundEvent.State.PENDING, due__lte=now)
    due = waiting.aggregate(oldest=Min("due"))["oldest"]
    return 0.0 if due is None else (now - due).total_seconds()


def _refusals(project: Project) -> int:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    recent = Refusal.objects.filter(
        connection__project=project, hour__gte=hour - timedelta(hours=1)
    )
    return recent.aggregate(total=Sum("count"))["total"] or 0
