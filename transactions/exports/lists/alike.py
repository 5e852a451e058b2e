"""What the tables share."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from transactions.statuses import MONEY_CAME

#: From a refund, a dispute or a line to its purchase.
AT = "transaction__"
ON_SCREEN = _("As on screen")
ACCOUNTING = _("Accounting")
#: Of a purchase: its money came.
PAID = Q(status__in=sorted(MONEY_CAME))


def same(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows


def when(condition: Q, value: str | Combinable = "amount") -> Combinable:
    """The value where the condition holds, else 0: for sums."""
    found = F(value) if isinstance(value, str) else value
    return Case(When(condition, then=found), default=0, output_field=BigIntegerField())
