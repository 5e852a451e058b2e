"""What happens to a purchase afterwards: refunds, disputes, things handed over."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from merchant import ids
from merchant.models import Merchant, Project, User
from transactions.models.purchase import Transaction
from transactions.statuses import AfterRefund, DisputeStatus, RefundStatus


class Refund(models.Model):
    """Money on its way back: what we asked for and its provider's word on it, merged.

    One row however it came about: asked for by a member or with an API key, or made
    in the provider's own dashboard (then nobody asked, and `asked` is null). Folded
    from the timeline like its transaction (transactions.fold.refunds), but for the
    worker's own columns at the end. `key` tells a transaction's refunds apart: our id
    where we asked, else the provider's. `amount` in minor units of `currency`, null
    while unknown; `verified` is false for an amount that was worked out and not
    confirmed.

    asked            when a member (`asked_by`) or an API key (`asked_with`, its id)
                     asked; null: made elsewhere. `asker`: who, in words
    decided_by       who approved or declined it, never who asked; `decided`: when
    line             the key of the one line of the purchase that it gives back, or ""
    after            what becomes of what was handed over, once it has succeeded
    notify           whether the customer is to be told
    expires          until when it waits for approval
    by_hand          nothing can be sent: a member does it in the provider's dashboard
    sent             when it was first sent, or given to a member to do by hand
    stopping         its provider is asked to cancel it

    due, tries       when the worker looks at it next (null: never), and how often it
                     has since the state last changed
    lease            who is at it now; a late writer's lease no longer matches
    unsent           the last try to send it surely had no effect, so it may be sent
    error            what went wrong last, in words
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="refunds", db_index=False
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, db_index=False)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="refunds", db_index=False
    )
    livemode = models.BooleanField(default=True)
    key = models.CharField(max_length=200)
    provider_id = models.CharField(max_length=200, default="", blank=True)
    status = models.CharField(max_length=20, choices=RefundStatus)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    reason = models.CharField(max_length=300, default="", blank=True)
    failure_reason = models.CharField(max_length=300, default="", blank=True)
    trace = models.CharField(max_length=120, default="", blank=True)
    verified = models.BooleanField(default=True)
    created = models.DateTimeField()

    asked = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    asked_with = models.UUIDField(null=True)
    asker = models.CharField(max_length=160, default="", blank=True)
    note = models.CharField(max_length=500, default="", blank=True)
    line = models.CharField(max_length=120, default="", blank=True)
    after = models.CharField(max_length=8, choices=AfterRefund, default="", blank=True)
    notify = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    decided = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    by_hand = models.BooleanField(default=False)
    sent = models.DateTimeField(null=True)
    stopping = models.BooleanField(default=False)

    due = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    unsent = models.BooleanField(default=False, db_default=False)
    error = models.CharField(max_length=500, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "key"], name="refund_once"),
            models.CheckConstraint(
                condition=~models.Q(decided_by=models.F("asked_by")),
                name="refund_approved_by_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due"],
                condition=models.Q(due__isnull=False),
                name="refund_due",
            ),
            models.Index(
                fields=["asked_by", "created"],
                condition=models.Q(asked_by__isnull=False),
                name="refund_by_member",
            ),
            models.Index(
                fields=["asked_with", "created"],
                condition=models.Q(asked_with__isnull=False),
                name="refund_by_key",
            ),
            models.Index(
                fields=["expires"],
                condition=models.Q(status="awaiting_approval"),
                name="refund_to_approve",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                name="refund_newest",
            ),
            models.Index(
                fields=["project", "livemode", "-created", "-id"],
                name="refund_by_project",
            ),
            models.Index(
                fields=["merchant", "livemode", "status", "-created", "-id"],
                name="refund_by_status",
            ),
            models.Index(
                fields=["provider_id"],
                condition=~models.Q(provider_id=""),
                name="refund_by_provider_id",
            ),
        ]
        ordering = ["created", "key"]

    def __str__(self) -> str:
        return self.provider_id or self.key


class RefundLimit(models.Model):
    """How much a role may give back without a second member, in one project.

    `role` is a role of merchant.access or API_KEYS. `each`: minor units of `currency`
    in one refund; `daily`: of one member (or key) in one day of the project's time
    zone; null: as much as they like. Where a role has limits in some currencies only,
    refunds in any other wait for approval.
    """

    API_KEYS = "api_key"

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="refund_limits", db_index=False
    )
    role = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    each = models.BigIntegerField(null=True)
    daily = models.BigIntegerField(null=True)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "role", "currency"], name="refund_limit_once"
            ),
        ]
        ordering = ["role", "currency"]

    def __str__(self) -> str:
        return f"{self.role} {self.currency}: {self.each} each, {self.daily} a day"


class Dispute(models.Model):
    """A chargeback or an inquiry. `amount` in minor units of `currency`.

    `in_review`: an open one that waits for its provider alone, since it was answered or
    cannot be. `closed` is when it was won or lost, `cleared` when a member said that
    the flag which a lost one puts on the customer has been seen to.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="disputes", db_index=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="disputes", db_index=False
    )
    livemode = models.BooleanField(default=True)
    provider_id = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=DisputeStatus)
    in_review = models.BooleanField(default=False, db_default=False)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    reason = models.CharField(max_length=300, default="", blank=True)
    due_by = models.DateTimeField(null=True)
    created = models.DateTimeField()
    closed = models.DateTimeField(null=True)
    cleared = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "provider_id"], name="dispute_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["transaction", "due_by"],
                condition=models.Q(status="open"),
                name="dispute_open",
            ),
            models.Index(
                fields=["transaction"],
                condition=models.Q(status="lost", cleared=None),
                name="dispute_flags",
            ),
            models.Index(
                fields=["project", "livemode", "-created", "-id"],
                name="dispute_by_project",
            ),
            models.Index(
                fields=["project", "livemode", "status", "-created", "-id"],
                name="dispute_by_status",
            ),
            models.Index(fields=["provider_id"], name="dispute_by_provider_id"),
        ]
        ordering = ["created", "provider_id"]

    def __str__(self) -> str:
        return self.provider_id


class DeliveryItem(models.Model):
    """Something that the provider itself hands to the customer (PayNow's inventory)."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="delivery_items", db_index=False
    )
    provider_id = models.CharField(max_length=200)
    status = models.CharField(max_length=16)
    name = models.CharField(max_length=300, default="", blank=True)
    reason = models.CharField(max_length=300, default="", blank=True)
    expires = models.DateTimeField(null=True)
    created = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "provider_id"], name="delivery_item_once"
            ),
        ]
        ordering = ["created", "provider_id"]

    def __str__(self) -> str:
        return self.name or self.provider_id
