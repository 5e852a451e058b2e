"""Running totals, so that no page has to add up millions of rows.

The ledger adds lines as it writes (transactions.totals); several lines of one key are
summed when read and joined by the sweep. Amounts are minor units of `currency`.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from merchant.models import Project
from merchant.providers import CHOICES as PROVIDERS
from transactions.models.purchase import Product


class HourTotal(models.Model):
    """The purchases that were created in one hour (UTC), by provider and currency.

    `count` is all of them, `paid` those for which money came (statuses.MONEY_CAME),
    `failed` those that ended without; sums are over the paid ones. `fees_known` says
    of how many of these the fee is known.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    livemode = models.BooleanField()
    hour = models.DateTimeField()
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    currency = models.CharField(max_length=3, blank=True)
    count = models.BigIntegerField(default=0)
    paid = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    gross = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    charged_back = models.BigIntegerField(default=0)
    fees = models.BigIntegerField(default=0)
    fees_known = models.BigIntegerField(default=0)
    merged = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=Q(merged=False), name="hour_total_fresh"
            ),
            models.Index(
                fields=["project", "livemode", "hour", "provider", "currency"],
                name="hour_total",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.provider} {self.currency}"


class ProductTotal(models.Model):
    """What was sold of a product on one day (UTC), of purchases that money came for."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    livemode = models.BooleanField()
    day = models.DateField()
    product = models.ForeignKey(Product, models.CASCADE, db_index=False)
    currency = models.CharField(max_length=3, blank=True)
    lines = models.BigIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    gross = models.BigIntegerField(default=0)
    merged = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=Q(merged=False), name="product_total_fresh"
            ),
            models.Index(
                fields=["project", "livemode", "day", "product", "currency"],
                name="product_total",
            ),
            models.Index(
                fields=["product", "livemode", "day"], name="total_of_product"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.product_id} {self.currency}"
