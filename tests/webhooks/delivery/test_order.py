"""Events about one purchase go out one after the other, but wait for none too long."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.models import Project
from tests.webhooks.delivery.parts import Receiver, make_due, make_endpoint, publish
from webhooks import jobs
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db


def said(shop: Receiver) -> list[str]:
    return [heard.told["event"] for heard in shop.heard]


def tell(project: Project, subject: uuid.UUID | None, *names: str) -> None:
    for name in names:
        publish(project, name=name, subject=subject)


def test_they_go_out_in_order(project: Project, shop: Receiver) -> None:
    make_endpoint(project, shop.url)
    names = ("payment.created", "payment.pending", "payment.success", "payment.refund")
    tell(project, uuid.uuid4(), *names)
    assert jobs.deliver() == 4
    assert said(shop) == list(names)
    assert shop.most_at_once == 1


def test_the_next_waits_until_the_first_has_failed_twice(
    project: Project, shop: Receiver
) -> None:
    make_endpoint(project, shop.url)
    tell(project, uuid.uuid4(), "payment.pending", "payment.success")
    shop.answer = lambda heard: (500, {}, b"")
    assert jobs.deliver() == 1
    assert jobs.deliver() == 0
    make_due()
    jobs.deliver()
    assert said(shop) == ["payment.pending", "payment.pending", "payment.success"]


def test_it_waits_no_longer_than_some_seconds(project: Project, shop: Receiver) -> None:
    make_endpoint(project, shop.url)
    tell(project, uuid.uuid4(), "payment.pending", "payment.success")
    first = Delivery.objects.earliest("id")
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(pk=first.pk).update(due=later)
    assert jobs.deliver() == 1
    assert said(shop) == ["payment.success"]


def test_other_purchases_and_endpoints_do_not_wait(
    project: Project, shop: Receiver
) -> None:
    good, bad = (make_endpoint(project, f"{shop.url}/{n}") for n in range(2))
    one = uuid.uuid4()
    tell(project, one, "payment.pending", "payment.success")
    tell(project, uuid.uuid4(), "payment.failed")
    tell(project, None, "payout.paid")
    Delivery.objects.filter(endpoint=bad, name="payment.pending").update(
        tries=1, due=timezone.now() + timedelta(seconds=5)
    )
    jobs.deliver()
    left = Delivery.objects.exclude(state="delivered").order_by("id")
    assert [(row.endpoint, row.name) for row in left] == [
        (bad, "payment.pending"),
        (bad, "payment.success"),
    ]
    assert good.deliveries.filter(state="delivered").count() == 4
