"""What webhooks leave out: questions to a provider, kept until they are answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchant.models import Connection
from transactions.models.purchase import Transaction
from webhooks.models import InboundEvent


class LookUp(models.Model):
    """One question. `kind` and `want` are the provider module's own words.

    States: waiting (due says when), needs_key (the connection has no API key),
    done, refused (the provider said no; `error` has its words).
    A claim sets `lease`; a late writer's lease no longer matches.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        NEEDS_KEY = "needs_key", "needs an API key"
        DONE = "done", "done"
        REFUSED = "refused", "refused"

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="look_ups", db_index=False
    )
    kind = models.CharField(max_length=40)
    want = models.CharField(max_length=300)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, null=True, related_name="look_ups"
    )
    inbound = models.ForeignKey(InboundEvent, models.SET_NULL, null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, default="", blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "want"], name="look_up_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due"], condition=Q(state="waiting"), name="look_up_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.want}"
