"""A purchase and what names it: transaction, references, items, products, customers."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone

from merchant import ids
from merchant.models import Connection, Merchant, Project
from merchant.providers import CHOICES as PROVIDERS
from transactions.statuses import FulfilmentStatus, Status


class Customer(models.Model):
    """Somebody who bought in a project, told apart by `key`.

    The key is the merchant's own id of the person where the provider passes it on,
    else the e-mail in lower case, else the provider's id. Name and address belong to
    the transactions; this row only ties them together.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="customers")
    key = models.CharField(max_length=330)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="customer_once"),
        ]

    def __str__(self) -> str:
        return self.key


class Product(models.Model):
    """What is sold: (project, provider, the provider's product id, sku or name)."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="products")
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "provider", "key"], name="product_once"
            ),
        ]
        indexes = [models.Index(fields=["project", "name"], name="product_by_name")]

    def __str__(self) -> str:
        return self.name


class Transaction(models.Model):
    """One purchase. Every column but the last group is the fold of its timeline.

    Nothing sets these columns but transactions.ledger; amounts are whole ISO 4217
    minor units of `currency` (lower case), times are UTC. `amount` is null while only
    a part of the story is known. `sequence` is the number of timeline entries, so it
    grows with every change. A `parked` row is an invoice that may still turn out to
    belong to another transaction; nobody sees it.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, db_index=False)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="transactions", db_index=False
    )
    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="transactions"
    )
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    provider_id = models.CharField(max_length=200)
    livemode = models.BooleanField(default=True)
    parked = models.BooleanField(default=False)

    status = models.CharField(max_length=20, choices=Status, default=Status.CREATED)
    status_reason = models.CharField(max_length=300, default="", blank=True)
    refund_pending = models.BooleanField(default=False)
    verified = models.BooleanField(default=True)
    warning = models.CharField(max_length=300, default="", blank=True)

    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    amount_refunded = models.BigIntegerField(default=0)
    fee = models.BigIntegerField(null=True)
    net = models.BigIntegerField(null=True)
    settlement = models.JSONField(null=True)
    description = models.CharField(max_length=500, default="", blank=True)
    order_reference = models.CharField(max_length=200, default="", blank=True)
    metadata = models.JSONField(default=dict)

    customer = models.ForeignKey(
        Customer,
        models.SET_NULL,
        null=True,
        related_name="transactions",
        db_index=False,
    )
    customer_name = models.CharField(max_length=200, default="", blank=True)
    customer_email = models.CharField(max_length=320, default="", blank=True)
    customer_phone = models.CharField(max_length=60, default="", blank=True)
    customer_country = models.CharField(max_length=2, default="", blank=True)
    customer_details = models.JSONField(default=dict)

    method = models.CharField(max_length=60, default="", blank=True)
    method_brand = models.CharField(max_length=60, default="", blank=True)
    method_last4 = models.CharField(max_length=4, default="", blank=True)
    method_details = models.JSONField(default=dict)
    details = models.JSONField(default=dict)

    created = models.DateTimeField()
    paid = models.DateTimeField(null=True)
    sequence = models.PositiveIntegerField(default=0)

    fulfilment = models.CharField(
        max_length=12, choices=FulfilmentStatus, default=FulfilmentStatus.NOT_NEEDED
    )
    updated = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"], name="tx_newest"
            ),
            models.Index(
                fields=["project", "livemode", "-created", "-id"], name="tx_by_project"
            ),
            models.Index(
                fields=["merchant", "livemode", "status", "-created", "-id"],
                name="tx_by_status",
            ),
            models.Index(fields=["customer", "-created"], name="tx_by_customer"),
            models.Index(Upper("customer_email"), "project", name="tx_by_email"),
            models.Index(fields=["project", "order_reference"], name="tx_by_order"),
        ]

    def __str__(self) -> str:
        return self.provider_id


class TransactionAlias(models.Model):
    """The id of a row that was joined to another: links to it lead to the survivor."""

    id = models.UUIDField(primary_key=True, editable=False)
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="aliases")

    def __str__(self) -> str:
        return f"{self.id} -> {self.transaction_id}"


class ProviderReference(models.Model):
    """One of the provider's ids for a transaction; `kind` as in "stripe.charge"."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=200)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="references"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "reference"], name="reference_once"
            ),
        ]
        indexes = [models.Index(fields=["reference"], name="reference_by_id")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class LineItem(models.Model):
    """One line of a purchase.

    Carries project and time, so that product + date is one index. `amount` is the
    line's total in minor units of the transaction's currency.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="items")
    key = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="items", db_index=False
    )
    created = models.DateTimeField()
    name = models.CharField(max_length=300)
    sku = models.CharField(max_length=120, default="", blank=True)
    quantity = models.PositiveIntegerField(default=1)
    amount = models.BigIntegerField(null=True)
    platform = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "key"], name="item_once"),
        ]
        indexes = [
            models.Index(
                fields=["product", "-created", "-transaction"], name="item_by_product"
            ),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name
