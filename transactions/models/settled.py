"""What happens to a purchase afterwards: refunds, disputes, things handed over."""

from __future__ import annotations

from django.db import models

from merchant import ids
from transactions.models.purchase import Transaction
from transactions.statuses import DisputeStatus, RefundStatus


class Refund(models.Model):
    """Money on its way back. Folded from the timeline like its transaction.

    `amount` in minor units of `currency`, null while unknown; `verified` is false for
    an amount that was worked out and not confirmed.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="refunds", db_index=False
    )
    provider_id = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=RefundStatus)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    reason = models.CharField(max_length=300, default="", blank=True)
    failure_reason = models.CharField(max_length=300, default="", blank=True)
    trace = models.CharField(max_length=120, default="", blank=True)
    verified = models.BooleanField(default=True)
    created = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "provider_id"], name="refund_once"
            ),
        ]
        ordering = ["created", "provider_id"]

    def __str__(self) -> str:
        return self.provider_id


class Dispute(models.Model):
    """A chargeback or an inquiry. `amount` in minor units of `currency`.

    `closed` is when it was won or lost, `cleared` when a member said that the flag
    which a lost one puts on the customer has been seen to.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="disputes", db_index=False
    )
    provider_id = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=DisputeStatus)
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
