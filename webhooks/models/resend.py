"""Sending many deliveries again, as a worker does it: what was asked, and how far."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from merchant import ids
from merchant.models import Member, Merchant, Project
from webhooks.models.endpoint import Endpoint


class Resend(models.Model):
    """Deliveries that are put into the queue again, some at a time, under a lease.

    what        "failed" and "missing": of `endpoint`, since `since`. "chosen": those
                with the numbers in `chosen`, or if that is null all that match `query`
                on the Deliveries page. "held": what `endpoint` was not sent while it
                was paused or disabled; "let_go": the same, dropped
    to          goes to this endpoint instead; null: to each one's own
    upto        no row with a greater number is meant: it came after this was asked
    rate        so many a second; null: as fast as the endpoint's own limit
    drop_replaced   of "held": leave out what a newer state replaced
    state       "pending" until a worker begins; "running"; "done"; "canceled" by a
                member; "stopped" by itself, `error` says why

    `at`: the number of the last row that was looked at. `rows_total`: how many there
    are, null until somebody counted; of the `rows_done` that were looked at, `queued`
    go out and `dropped` were given up; the others need not or cannot. `next_due`: when
    the next one may go out; `due`: when a worker looks again, because rows are queued
    only shortly before their time, so that a stop is one.
    """

    class What(models.TextChoices):
        FAILED = "failed", "failed"
        MISSING = "missing", "missing"
        CHOSEN = "chosen", "chosen"
        HELD = "held", "held"
        LET_GO = "let_go", "let go"

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        RUNNING = "running", "under way"
        DONE = "done", "done"
        CANCELED = "canceled", "canceled"
        STOPPED = "stopped", "stopped"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, db_index=False)
    project = models.ForeignKey(Project, models.CASCADE, null=True)
    what = models.CharField(max_length=8, choices=What)
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, null=True, related_name="resends"
    )
    to = models.ForeignKey(Endpoint, models.CASCADE, null=True, related_name="+")
    since = models.DateTimeField(null=True)
    chosen = models.JSONField(null=True)
    query = models.TextField(default="")
    upto = models.BigIntegerField(default=0)
    rate = models.PositiveIntegerField(null=True)
    drop_replaced = models.BooleanField(default=False)
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="resends"
    )
    by_member = models.BooleanField(default=False)
    actor_name = models.CharField(max_length=160, default="")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    error = models.CharField(max_length=300, default="")
    rows_total = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    queued = models.PositiveIntegerField(default=0)
    dropped = models.PositiveIntegerField(default=0)
    at = models.BigIntegerField(default=0)
    next_due = models.DateTimeField(null=True)
    due = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["merchant", "-id"], name="resend_newest"),
            models.Index(
                fields=["due"],
                condition=models.Q(state__in=["pending", "running"]),
                name="resend_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} again, asked by {self.actor_name}"

    @property
    def is_over(self) -> bool:
        return self.state not in {self.State.PENDING, self.State.RUNNING}

    @property
    def left_out(self) -> int:
        """Looked at, and neither queued nor dropped."""
        return self.rows_done - self.queued - self.dropped
