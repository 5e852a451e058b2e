"""What staff keep beside the books: notes, views of the list, actions on many rows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchant import ids
from merchant.models import Member, Merchant, User
from transactions.models.purchase import Transaction
from transactions.statuses import AfterRefund, RefundReason


class Note(models.Model):
    """What a member wrote about a transaction. Only its author changes it."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=160)
    text = models.TextField(max_length=5000)
    created = models.DateTimeField(default=timezone.now)
    edited = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created", "id"]

    def __str__(self) -> str:
        return self.text[:80]


class SavedView(models.Model):
    """A filter of the transactions under a name; `query` in its cleanest spelling."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="saved_views")
    member = models.ForeignKey(Member, models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.TextField(max_length=4000, blank=True)
    shared = models.BooleanField(default=False)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "name"], name="view_name_once"),
        ]
        ordering = ["created", "id"]

    def __str__(self) -> str:
        return self.name


class ListLayout(models.Model):
    """How a member wants the list: columns in order (none = ours), height, and view."""

    class Density(models.TextChoices):
        ROOMY = "roomy", "Roomy"
        COMPACT = "compact", "Compact"

    member = models.OneToOneField(
        Member, models.CASCADE, primary_key=True, related_name="list_layout"
    )
    columns = models.JSONField(default=list)
    density = models.CharField(max_length=8, choices=Density, default=Density.ROOMY)
    view = models.ForeignKey(SavedView, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"List of {self.member}"


class BulkAction(models.Model):
    """One act on many transactions: exactly those of its BulkItems.

    draft       the rows are chosen and counted, the member has not confirmed
    pending     waits for a worker
    running     a worker has it under `lease`; a batch at a time, each in one commit
    done        every item is done or skipped with its reason
    canceled    stopped by a member; what was done stays done

    `query` and `shown_at`: all that matched a list as it was shown then; without a time
    the rows were chosen one by one. `wanted` is how many were asked for, `found` how
    many items there are, `ready` how many of them could be acted on when it was
    drafted: that is the number the member confirms. Of those, `done` and `missed` grow
    with each batch. `forecast` and `outcome` tell the draft and the result in sums.
    `reason` and `after`: of refunds, as for one.
    """

    class Act(models.TextChoices):
        FULFIL = "fulfil", "Mark as handed over"
        UNDO = "undo", "Undo handing over"
        EXPORT = "export", "Export as CSV"
        REFUND = "refund", "Refund in full"

    class State(models.TextChoices):
        DRAFT = "draft", "Not confirmed"
        PENDING = "pending", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELED = "canceled", "Canceled"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="bulk_actions")
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="bulk_actions"
    )
    actor_name = models.CharField(max_length=160)
    act = models.CharField(max_length=8, choices=Act)
    query = models.TextField(blank=True)
    livemode = models.BooleanField(default=True)
    described = models.TextField(default="", blank=True)
    shown_at = models.DateTimeField(null=True)
    reverses = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="reversals"
    )
    wanted = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    ready = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    forecast = models.JSONField(default=list)
    outcome = models.JSONField(default=list)
    note = models.CharField(max_length=500, default="", blank=True)
    reference = models.CharField(max_length=200, default="", blank=True)
    reason = models.CharField(
        max_length=24, choices=RefundReason, default="", db_default="", blank=True
    )
    after = models.CharField(
        max_length=8, choices=AfterRefund, default="", db_default="", blank=True
    )
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created"],
                condition=Q(state__in=["pending", "running"]),
                name="bulk_due",
            ),
            models.Index(fields=["merchant", "-id"], name="bulk_by_merchant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}, {self.created:%Y-%m-%d %H:%M}"


class BulkItem(models.Model):
    """One transaction of a bulk action, and what came of it.

    One that could not be acted on when it was drafted is skipped from the beginning.
    `entry` is the identity of the timeline entry that the act made.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Not changed"

    id = models.BigAutoField(primary_key=True)
    bulk = models.ForeignKey(BulkAction, models.CASCADE, related_name="items")
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="bulk_items"
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=200, default="", blank=True)
    entry = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "transaction"], name="bulk_item_once"
            ),
        ]
        indexes = [
            models.Index(fields=["bulk", "state", "id"], name="bulk_item_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.state}"
