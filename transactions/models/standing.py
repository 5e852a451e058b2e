"""What stands beside the purchases: subscriptions, trials and payouts."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from merchant import ids
from merchant.models import Connection, Project
from merchant.providers import CHOICES as PROVIDERS
from transactions.statuses import PayoutStatus, SubscriptionStatus


class Subscription(models.Model):
    """A subscription or a trial, folded from its own timeline.

    `amount` is what one period costs, in minor units of `currency`; times are UTC.
    """

    KINDS = (("subscription", "subscription"), ("trial", "trial"))

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="subscriptions")
    connection = models.ForeignKey(Connection, models.CASCADE)
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    kind = models.CharField(max_length=12, choices=KINDS)
    provider_id = models.CharField(max_length=200)
    livemode = models.BooleanField(default=True)
    status = models.CharField(max_length=12, choices=SubscriptionStatus)
    reason = models.CharField(max_length=300, default="", blank=True)
    customer_name = models.CharField(max_length=200, default="", blank=True)
    customer_email = models.CharField(max_length=320, default="", blank=True)
    product = models.CharField(max_length=300, default="", blank=True)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    interval = models.CharField(max_length=40, default="", blank=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)
    created = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=0)
    updated = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "provider", "kind", "provider_id"],
                name="subscription_once",
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id


class Payout(models.Model):
    """Money that a provider sends to the merchant (or, at Paysecure, to a payee)."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="payouts", db_index=False
    )
    connection = models.ForeignKey(Connection, models.CASCADE)
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    provider_id = models.CharField(max_length=200)
    livemode = models.BooleanField(default=True)
    status = models.CharField(max_length=12, choices=PayoutStatus)
    reason = models.CharField(max_length=300, default="", blank=True)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    verified = models.BooleanField(default=True)
    method = models.CharField(max_length=60, default="", blank=True)
    arrives = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)
    created = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=0)
    updated = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "provider", "provider_id"], name="payout_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "livemode", "-created", "-id"],
                name="payout_by_project",
            ),
            models.Index(
                fields=["project", "livemode", "status", "-created", "-id"],
                name="payout_by_status",
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id
