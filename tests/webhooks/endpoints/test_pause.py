"""An endpoint is paused and enabled; what happens meanwhile is held and not lost."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from merchant.models import Member, Project
from tests.webhooks.endpoints.parts import make_delivery, make_endpoint, noted
from webhooks import endpoints
from webhooks.endpoints import NotUsable
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db


def test_what_waits_is_held(project: Project, owner: Member) -> None:
    made, other = make_endpoint(project), make_endpoint(project)
    waiting, sent = make_delivery(made), make_delivery(made, state="delivered")
    elsewhere = make_delivery(other)
    endpoints.pause(made, by=owner)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states[waiting.pk] == "held"
    assert states[sent.pk] == "delivered"
    assert states[elsewhere.pk] == "pending"
    assert (made.state, len(noted("endpoint.paused"))) == ("paused", 1)


def test_what_is_being_sent_may_arrive(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    later = timezone.now() + timedelta(seconds=30)
    under_way = make_delivery(made, lease=uuid4(), leased_until=later)
    endpoints.pause(made, by=owner)
    under_way.refresh_from_db()
    assert under_way.state == "pending"
    assert under_way.lease is not None


def test_twice_is_once(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    for _ in range(2):
        endpoints.pause(made, by=owner)
    for _ in range(2):
        endpoints.enable(made, by=owner)
    assert len(noted("endpoint.paused")) == len(noted("endpoint.enabled")) == 1


def test_enabling_forgets_the_trouble_and_sends_nothing_old(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project)
    held = make_delivery(made, state="held")
    now = timezone.now()
    Endpoint.objects.update(
        state="disabled", reason="It answered 410", failing=now, failed_last=now,
        warned=2, slow=True, slow_until=now,
    )  # fmt: skip
    endpoints.enable(made, by=owner)
    row = Endpoint.objects.get(pk=made.pk)
    assert (row.state, row.reason, row.failing, row.warned) == ("enabled", "", None, 0)
    assert (row.slow, row.slow_until, row.failed_last) == (False, None, now)
    held.refresh_from_db()
    assert held.state == "held"


def test_a_disabled_one_cannot_be_paused(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    Endpoint.objects.update(state="disabled", reason="It answered 410")
    with pytest.raises(NotUsable, match="disabled"):
        endpoints.pause(made, by=owner)
    assert Endpoint.objects.get(pk=made.pk).reason == "It answered 410"
