"""The post room's rounds: tell people what went wrong, listen for connections that have
gone quiet, and throw old notes away."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from merchant.models import Connection
from webhooks import alerts, silence
from webhooks.delivery import forwarding, health, retention, rounds
from webhooks.endpoints import alerts as endpoint_alerts
from webhooks.models import Alert, Refusal

#: Refusals are for repairs of today; alerts only keep the same mail from going twice.
REFUSALS_KEPT = timedelta(days=7)
ALERTS_KEPT = timedelta(days=30)


def deliver() -> int:
    """Sends everything that is due; returns how many tries were made."""
    return rounds.deliver()


def alert() -> int:
    """Writes to those who can repair what has newly gone wrong; returns of how much."""
    now = timezone.now()
    health.hold_left_over(now)
    inbound = sum(alerts.tell(cause) for cause in alerts.causes(now))
    return inbound + sum(map(endpoint_alerts.tell, endpoint_alerts.news(now)))


def listen() -> int:
    """Notes when each open connection was last heard; returns how many changed."""
    return sum(map(silence.listen, Connection.objects.filter(closed=None)))


def tidy() -> int:
    """Deletes what nobody will look at any more; returns how many rows."""
    now = timezone.now()
    refusals, _ = Refusal.objects.filter(hour__lt=now - REFUSALS_KEPT).delete()
    old, _ = Alert.objects.filter(sent__lt=now - ALERTS_KEPT).delete()
    return refusals + old + retention.tidy(now) + forwarding.tidy()
