"""Letters out: what happened, whom it is on its way to, and each try."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from merchant.models import Project
from webhooks.models.endpoint import Endpoint

#: Most events have one of these names, so their deliveries are found by walking all of
#: them; an index that held these too would cost every delivery several writes.
EVERYDAY = (
    "payment.created", "payment.pending", "payment.success", "payment.updated",
    "fulfilment.done",
)  # fmt: skip


class Event(models.Model):
    """Something that happened, as it is told; written once and never changed.

    `id` puts events in order. `key` ("msg_" and 32 hex digits) names it to
    the world: the same in every delivery, every try and every list. `name` is one of
    webhooks.catalogue. `subject` is the id of the row that it is about, of the kind
    `subject_kind` ("transaction", "subscription", "payout"); `sequence` is that row's.

    `payload`: {"object": the API's object at that moment, and beside it what some
    dialects need and the API does not show: "part" (the refund, dispute or delivery
    item that this is about), "references" (kind -> the provider's ids), "products" (our
    product id -> the provider's), "connection", "brand", "details"}. See webhooks.
    catalogue.

    `happened`: when it became news; an endpoint that was set up later is not told.
    `created`: when it was entered.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=40, unique=True)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="events", db_index=False
    )
    livemode = models.BooleanField(default=True)
    name = models.CharField(max_length=40)
    subject_kind = models.CharField(max_length=16, default="transaction")
    subject = models.UUIDField(null=True)
    sequence = models.PositiveIntegerField(default=0)
    payload = models.JSONField(default=dict)
    happened = models.DateTimeField(default=timezone.now)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-id"], name="event_newest"),
            models.Index(fields=["project", "name", "-id"], name="event_by_name"),
            models.Index(fields=["subject", "-id"], name="event_by_subject"),
            models.Index(
                fields=["project", "-id"],
                condition=models.Q(livemode=False),
                name="event_of_test",
            ),
            models.Index(fields=["created"], name="event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.key}"


class Delivery(models.Model):
    """One event on its way to one endpoint.

    pending     waits until `due`; while a worker has it, `lease` is that worker's and
                `leased_until` when others may take it
    delivered   acknowledged at `done`
    exhausted   every try of the schedule failed; can be sent again by hand
    held        its endpoint is paused or disabled
    dropped     given up by a member, or because a newer state replaced it; `error`
                says why

    `tries`: attempts made since it was last queued; `attempts_made`: ever, which is
    the `delivery_try` of the next one less one. `status`, `error`: of the last attempt,
    in words. `asked_by`: it was sent again by a person (their name), "" by itself.
    `livemode`, `name`, `subject` are the event's.
    """

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        DELIVERED = "delivered", "delivered"
        EXHAUSTED = "exhausted", "given up"
        HELD = "held", "held"
        DROPPED = "dropped", "dropped"

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(
        Event, models.CASCADE, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", db_index=False
    )
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    livemode = models.BooleanField(default=True, db_default=True)
    name = models.CharField(max_length=40)
    subject = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    due = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, default="", blank=True)
    asked_by = models.CharField(max_length=160, default="", blank=True)
    created = models.DateTimeField(default=timezone.now)
    done = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="delivery_once"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due", "id"],
                condition=models.Q(state="pending"),
                name="delivery_due",
            ),
            models.Index(
                fields=["endpoint", "subject", "id"],
                condition=models.Q(state__in=["pending", "held"]),
                name="delivery_in_order",
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_newest"),
            models.Index(
                fields=["endpoint", "state", "-id"],
                condition=~models.Q(state="delivered"),
                name="delivery_by_state",
            ),
            models.Index(fields=["project", "-id"], name="delivery_of_project"),
            models.Index(
                fields=["project", "state", "-id"],
                condition=models.Q(state__in=["exhausted", "held", "dropped"]),
                name="delivery_stopped",
            ),
            models.Index(fields=["subject", "-id"], name="delivery_by_subject"),
            models.Index(
                fields=["project", "-id"],
                condition=models.Q(livemode=False),
                name="delivery_of_test",
            ),
            models.Index(
                fields=["project", "name", "-id"],
                condition=~models.Q(name__in=EVERYDAY),
                name="delivery_by_rare_name",
            ),
            models.Index(fields=["created"], name="delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} to {self.endpoint_id}"


class Attempt(models.Model):
    """One try of a delivery, with what went out and what came back.

    `number` counts from 1 over the delivery's life. `status` is the answer's, null
    without one; `error` says in words what was wrong, "" for a success. `outcome` is
    the word for it ("ok", "refused", "timeout", "name", "connection", "certificate",
    "blocked_address", "too_large", "redirect", "gone", "answer"). Times in
    milliseconds: `name_ms`, `connect_ms`, `tls_ms`, `wait_ms` (until the first byte)
    and `total_ms`; null where it did not come to that, or a kept connection was used.
    `sent_headers` have no secret of the merchant's own; signatures stay.
    `answer` are the first 16 KiB of the answer's body.
    """

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=16)
    error = models.CharField(max_length=300, default="", blank=True)
    address = models.GenericIPAddressField(null=True)
    name_ms = models.PositiveIntegerField(null=True)
    connect_ms = models.PositiveIntegerField(null=True)
    tls_ms = models.PositiveIntegerField(null=True)
    wait_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField(default=0)
    sent_headers = models.JSONField(default=dict)
    answer_headers = models.JSONField(default=dict)
    answer = models.BinaryField(default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once"),
        ]
        indexes = [models.Index(fields=["at"], name="attempt_by_age")]

    def __str__(self) -> str:
        return f"try {self.number} of {self.delivery_id}"
