"""Failures in their thousands, and a moment before all of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from tests.webhooks.delivery.parts import publish
from webhooks.models import Delivery, Endpoint

DAY = timedelta(days=1)


def yesterday() -> datetime:
    return timezone.now() - DAY


def give_up(endpoint: Endpoint, count: int) -> list[Delivery]:
    """So many deliveries that every try of failed, an hour ago."""
    rows = publish(endpoint.project, count)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state="exhausted", tries=10, done=timezone.now() - timedelta(hours=1)
    )
    return rows


def long_ago() -> None:
    """What was done a moment ago was done an hour ago."""
    hour = timezone.now() - timedelta(hours=1)
    Delivery.objects.exclude(done=None).update(done=hour)
