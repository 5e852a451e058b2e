"""Balance changes: what came and what went, a signed row each, that add up to net."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    F,
    IntegerField,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from transactions.exports import purchases
from transactions.exports.kinds import Kind
from transactions.exports.lists.alike import ACCOUNTING, AT, ON_SCREEN, when
from transactions.exports.table import Column, Part, Sum, Table, as_columns, everything
from transactions.models import BalanceChange

#: Whether a row belongs to the period of an earlier file (transactions.exporting).
_LATE = "is_late"


def _marked(rows: QuerySet[Any]) -> QuerySet[Any]:
    if _LATE in rows.query.annotations:
        return rows
    return rows.alias(**{_LATE: Value(False, output_field=BooleanField())})


def balance() -> Table:
    amount, fee = F("amount"), F("fee")
    net = amount - Coalesce(fee, 0)
    reason = Case(
        When(kind=BalanceChange.Kind.SALE, then=F(f"{AT}description")),
        default=F("reason"),
        output_field=TextField(),
    )
    # What happened to one purchase at one moment stands together, its sale the oldest.
    after = Case(
        When(kind=BalanceChange.Kind.SALE, then=0), default=1,
        output_field=IntegerField(),
    )  # fmt: skip
    order = ("-happened", "-transaction_id", after, "-uuid")
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("uuid"),), width=36),
            Column(
                "kind", _("What happened"), Kind.WORD, (F("kind"),),
                dict(BalanceChange.Kind.choices),
            ),
            Column("happened", _("When"), Kind.TIME, (F("happened"),), width=20),
            Column("amount", _("Amount"), Kind.MONEY, (amount,), width=13),
            Column("currency", _("Currency"), Kind.CODE, (F("currency"),), width=9),
            Column("fee", _("Fee"), Kind.MONEY, (fee,), width=11),
            Column("net", _("Net"), Kind.MONEY, (net,), width=13),
            Column("reason", _("Reason"), Kind.TEXT, (reason,), width=28),
            Column("late", _("Late"), Kind.YES, (F(_LATE),), width=6),
            Column(
                "correction", _("Correction"), Kind.YES,
                (Case(When(part__gt=0, then=True), default=False),), width=10,
            ),
            Column("recorded", _("Known since"), Kind.TIME, (F("recorded"),), width=20),
            purchases.of_purchase([AT], "id", "transaction"),
            *purchases.columns(
                [AT],
                ["provider", "provider_id", "order_reference", "project", "customer",
                 "email", "country", "method", "status", "created", "live"],
            ),
        ]
    )  # fmt: skip
    return Table(
        "balance",
        _("Balance changes"),
        (Part(_marked, F("currency"), order),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "kind", "happened", "amount", "currency", "fee", "net",
                 "transaction", "customer", "provider"),
            ),
            "accounting": (
                ACCOUNTING,
                ("happened", "kind", "amount", "currency", "fee", "net", "transaction",
                 "provider", "provider_id", "order_reference", "project", "reason"),
            ),
            "all": everything(columns),
        },
        (
            Sum("amount", _("Amount"), (amount,)),
            Sum("fees", _("Fees"), (fee,)),
            Sum("net", _("Net"), (net,)),
            Sum(
                "late", _("Of it late"), (when(Q(**{_LATE: True}), net),),
                of_schedules=True,
            ),
        ),
    )  # fmt: skip
