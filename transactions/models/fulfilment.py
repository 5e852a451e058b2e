"""By which rule a product is handed over, and since when."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from merchant.models import Project, User
from transactions.models.purchase import Product


class FulfilmentRule(models.Model):
    """How what is bought gets to the customer: a product's rule, or the project's own.

    Holds for what was paid from `since` on (null = always), so a new rule changes
    nothing about older purchases unless it says so. `product` null: for every product
    of the project that has no rule of its own. Of several that hold for a purchase, the
    one that was set last does.

    It is `applied` to the purchases it concerns and that were there before it by the
    worker (transactions.reach), which remembers how far it `reached` in the list of
    them (transactions.paging.Position), how many it `checked` and how many `changed`.

    manual      staff hand it over: it waits in the queue
    external    the shop's own systems or the provider do: done as soon as it is paid
    none        there is nothing to hand over
    project     of a product: as the project's rule says, again
    """

    class Rule(models.TextChoices):
        MANUAL = "manual", _("By hand")
        EXTERNAL = "external", _("Done elsewhere")
        NONE = "none", _("Not needed")
        PROJECT = "project", _("As the project says")

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="fulfilment_rules", db_index=False
    )
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, related_name="rules", db_index=False
    )
    rule = models.CharField(max_length=8, choices=Rule)
    since = models.DateTimeField(null=True)
    set_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(default=timezone.now)
    applied = models.BooleanField(default=True)
    reached = models.CharField(max_length=64, default="", blank=True)
    checked = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["project", "product"], name="rule_of_product"),
            models.Index(
                fields=["id"], condition=models.Q(applied=False), name="rule_to_apply"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product or self.project}: {self.rule}"
