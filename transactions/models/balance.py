"""The journal: what came and what went, a signed row each."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from merchant.models import Merchant, Project
from transactions.models.purchase import Transaction


class BalanceChange(models.Model):
    """Money that came or went with a purchase, in minor units of `currency`.

    Folded from the timeline like its transaction (transactions.fold.changes); written
    by transactions.journal alone. A purchase's rows add up to what is left of it.

    id          the order in which the books learned of it: see journal.mark
    uuid        the same however often it is folded anew
    key, part   what it is among the purchase's changes. Part 0 is the change as the
                fold has it. Once a file of a schedule has told it, it stays as it is,
                and what turns out later is a further part: a correction
    happened    the provider's time of it
    fee         of a sale, where known in this currency; it lessens the amount
    recorded    when we learned of it
    """

    class Kind(models.TextChoices):
        SALE = "sale", _("Sale")
        REFUND = "refund", _("Refund")
        REFUND_BACK = "refund_back", _("Refund that failed after all")
        OTHER_REFUND = "other_refund", _("Refund that its provider did not itemise")
        CHARGEBACK = "chargeback", _("Lost dispute")
        CHARGEBACK_BACK = "chargeback_back", _("Lost dispute that was won after all")

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField()
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="changes", db_index=False
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, db_index=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    livemode = models.BooleanField(default=True)
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=300)
    part = models.PositiveSmallIntegerField(default=0)
    happened = models.DateTimeField()
    amount = models.BigIntegerField()
    fee = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    reason = models.CharField(max_length=300, default="", blank=True)
    recorded = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "key", "part"], name="change_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "livemode", "-happened"], name="change_by_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"
