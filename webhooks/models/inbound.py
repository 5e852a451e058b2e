"""Letters in: what came, what was turned away, what people were told of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchant import ids
from merchant.models import Connection


class InboundEvent(models.Model):
    """One signed message from a provider, kept as it came.

    Its id carries the time of arrival first, so `-id` is newest first. `event_key` is
    the provider's id of the event, unique per connection: the same letter twice is one
    row. States:

    pending      waits for the ledger (`due` says when to try, after a failure later)
    done         read; `note` says what came of it
    failed       reading failed too often; `error` says why; "read again" puts it back
    quarantined  authentic, but it could not be understood; no effect
    conflict     same id as an earlier event, with another body; no effect
    refused      the signature fits but the time does not; "accept" puts it in
    """

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        DONE = "done", "read"
        FAILED = "failed", "failed"
        QUARANTINED = "quarantined", "quarantined"
        CONFLICT = "conflict", "conflict"
        REFUSED = "refused", "refused"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="inbound", db_index=False
    )
    event_key = models.CharField(max_length=240)
    event_type = models.CharField(max_length=120)
    account = models.CharField(max_length=80, default="", blank=True)
    livemode = models.BooleanField(null=True)
    testing = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    fingerprint = models.CharField(max_length=64)
    verdict = models.CharField(max_length=200, default="", blank=True)
    note = models.CharField(max_length=300, default="", blank=True)
    error = models.TextField(default="", blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    due = models.DateTimeField(default=timezone.now)
    received = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "event_key"], name="inbound_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due"], condition=Q(state="pending"), name="inbound_due"
            ),
            models.Index(fields=["connection", "-id"], name="inbound_newest"),
            # What waits for a person. The usual letter is never in it, so keeping one
            # costs an index less.
            models.Index(
                fields=["connection", "state", "-id"],
                condition=Q(state__in=["failed", "quarantined", "conflict", "refused"]),
                name="inbound_by_state",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_key}"


class Refusal(models.Model):
    """Deliveries that a connection turned away, counted by reason and hour.

    Unsigned noise must not fill the table: one row per connection, reason and hour,
    with the newest example. `headers` has signatures and secrets masked.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refusals")
    code = models.CharField(max_length=20)
    hour = models.DateTimeField()
    reason = models.CharField(max_length=300)
    count = models.PositiveIntegerField(default=1)
    headers = models.JSONField(default=dict)
    sample = models.BinaryField(default=b"")
    address = models.GenericIPAddressField(null=True)
    first = models.DateTimeField(default=timezone.now)
    last = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "code", "hour"], name="refusal_per_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} x {self.reason}"


class Alert(models.Model):
    """That people were told of a cause: they are told once a day and no more."""

    cause = models.CharField(max_length=120)
    day = models.DateField()
    sent = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cause", "day"], name="alert_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.cause} on {self.day}"
