"""Everything that happened, in order: the rows above are computed from these."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from merchant.models import Connection, User
from transactions.models.purchase import Transaction
from transactions.models.standing import Payout, Subscription
from webhooks.models import InboundEvent


class TimelineEntry(models.Model):
    """One fact about one transaction, subscription or payout.

    `identity` is the fact's own (merchant.providers.base.Fact.identity), unique per
    connection: a fact that comes twice is one entry. `says` is column -> [weight,
    value]. `order`, `rank` put the states of one object in order; `at` is the
    provider's time. `source` tells how we learned it.
    """

    class Source(models.TextChoices):
        WEBHOOK = "webhook", "webhook"
        LOOK_UP = "look_up", "look-up"
        POLL = "poll", "poll"
        STAFF = "staff", "staff"
        SYSTEM = "system", "Merchant"
        ANSWER = "answer", "refund answer"
        API = "api", "API"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False)
    identity = models.CharField(max_length=64)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, null=True, related_name="timeline"
    )
    subscription = models.ForeignKey(
        Subscription,
        models.CASCADE,
        null=True,
        related_name="timeline",
        db_index=False,
    )
    payout = models.ForeignKey(
        Payout, models.CASCADE, null=True, related_name="timeline", db_index=False
    )
    inbound = models.ForeignKey(
        InboundEvent,
        models.SET_NULL,
        null=True,
        related_name="entries",
        db_index=False,
    )
    source = models.CharField(max_length=8, choices=Source)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, db_index=False)
    topic = models.CharField(max_length=16)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=200)
    status = models.CharField(max_length=20)
    order = models.BigIntegerField(default=0)
    rank = models.SmallIntegerField(default=0)
    at = models.DateTimeField(null=True)
    says = models.JSONField(default=dict)
    summary = models.CharField(max_length=300, default="", blank=True)
    received = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "identity"], name="fact_once"
            ),
        ]
        # Most entries have none of these: docs/indexes.md.
        indexes = [
            models.Index(
                fields=[link],
                condition=models.Q(**{f"{link}__isnull": False}),
                name=f"entry_by_{link}",
            )
            for link in ("subscription", "payout", "inbound", "actor")
        ]

    def __str__(self) -> str:
        return f"{self.object_kind} {self.object_id}: {self.status}"

    def absorb(self, again: TimelineEntry) -> bool:
        """Takes in another report of the same change; whether that told anything new.

        It happened at the earlier time and holds to the later place, so neither
        depends on which report came first.
        """
        at = min((when for when in (self.at, again.at) if when), default=None)
        place = max((self.order, self.rank), (again.order, again.rank))
        changed = (at, place) != (self.at, (self.order, self.rank))
        self.at, (self.order, self.rank) = at, place
        return changed
