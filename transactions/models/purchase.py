"""A purchase and what names it: transaction, references, items, products, customers."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.utils import timezone

from merchant import ids
from merchant.models import Connection, Merchant, Project, User
from merchant.providers import CHOICES as PROVIDERS
from transactions.statuses import FulfilmentStatus, Status


class Customer(models.Model):
    """Somebody who bought in a project, told apart by `key`.

    The key is the merchant's own id of the person where the provider passes it on,
    else the e-mail in lower case, else the provider's id. Everything else is computed
    by transactions.customers from their purchases: name, e-mail and country of the
    newest one, when that was (live and test apart), and whether a lost dispute waits
    for a member to say that it has been seen.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="customers", db_index=False
    )
    key = models.CharField(max_length=330)
    name = models.CharField(max_length=200, default="", blank=True)
    email = models.CharField(max_length=320, default="", blank=True)
    country = models.CharField(max_length=2, default="", blank=True)
    latest_live = models.DateTimeField(null=True)
    latest_test = models.DateTimeField(null=True)
    flagged = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="customer_once"),
        ]
        indexes = [
            models.Index(fields=["project", "-latest_live", "-id"], name="cu_by_live"),
            models.Index(fields=["project", "-latest_test", "-id"], name="cu_by_test"),
            models.Index(Upper("email"), "project", name="cu_by_email"),
            models.Index(
                fields=["project", "-id"],
                condition=models.Q(flagged=True),
                name="cu_flagged",
            ),
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

    @property
    def has_id(self) -> bool:
        """Whether the provider calls it by an id or sku; else the key is its name."""
        return not self.key.startswith("name:")


class Transaction(models.Model):
    """One purchase. Every column but `noted` is the fold of its timeline.

    Nothing sets these columns but transactions.ledger; amounts are whole ISO 4217
    minor units of `currency` (lower case), times are UTC. `amount` is null while only
    a part of the story is known. `sequence` is the number of timeline entries, so it
    grows with every change. A `parked` row is an invoice that may still turn out to
    belong to another transaction; nobody sees it.

    `paid_late`: more than transactions.fold.LATE after it was created, so that a list
    by date of payment can walk the dates of creation and miss nothing.
    `accepted` is when a member took an unverified amount on their own word, `to_revoke`
    asks whether what was handed over should be taken back after a chargeback,
    `claimed_until` is how long a member has the handing over to themselves, `noted`
    says that staff wrote notes.
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
    amount_charged_back = models.BigIntegerField(default=0)
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
    paid_late = models.BooleanField(default=False)
    sequence = models.PositiveIntegerField(default=0)

    fulfilment = models.CharField(
        max_length=12, choices=FulfilmentStatus, default=FulfilmentStatus.NOT_NEEDED
    )
    to_revoke = models.BooleanField(default=False)
    claimed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    claimed_until = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    accepted = models.DateTimeField(null=True)
    noted = models.BooleanField(default=False)
    updated = models.DateTimeField(default=timezone.now)

    class Meta:
        # Why each of them is there: docs/indexes.md.
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
            models.Index(
                fields=["customer", "livemode", "-created", "-id"],
                name="tx_by_customer",
            ),
            models.Index(Upper("customer_email"), "project", name="tx_by_email"),
            models.Index(fields=["project", "order_reference"], name="tx_by_order"),
            models.Index(
                fields=["merchant", "livemode", "fulfilment", "-created", "-id"],
                name="tx_by_fulfilment",
            ),
            models.Index(
                fields=["project", "livemode", "created", "id"],
                condition=models.Q(fulfilment="waiting"),
                name="tx_waiting",
            ),
            models.Index(
                "merchant",
                "livemode",
                "currency",
                Coalesce("amount", models.Value(-1)).desc(),
                models.F("id").desc(),
                name="tx_by_size",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                condition=models.Q(paid_late=True),
                name="tx_paid_late",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                condition=models.Q(to_revoke=True),
                name="tx_to_revoke",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                condition=models.Q(verified=False),
                name="tx_unverified",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                condition=models.Q(noted=True),
                name="tx_noted",
            ),
            models.Index(
                fields=["merchant", "livemode", "-created", "-id"],
                condition=models.Q(refund_pending=True),
                name="tx_refund_pending",
            ),
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
    `fulfilment` is folded like everything else (transactions.fold.fulfilment).
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
    fulfilment = models.CharField(
        max_length=12, choices=FulfilmentStatus, default=FulfilmentStatus.NOT_NEEDED
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transaction", "key"], name="item_once"),
        ]
        indexes = [
            models.Index(
                fields=["product", "-created", "-transaction"], name="item_by_product"
            ),
            models.Index(
                fields=["product", "transaction"],
                condition=models.Q(fulfilment="waiting"),
                name="item_waiting",
            ),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name
