"""Balance changes: what came and what went, a signed row each, that add up to net."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BigIntegerField,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models import Sum as Added
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from transactions.exports import purchases
from transactions.exports.kinds import Kind
from transactions.exports.lists.alike import (
    ACCOUNTING,
    AT,
    ON_SCREEN,
    PAID,
)
from transactions.exports.table import Column, Part, Sum, Table, as_columns, everything
from transactions.models import Dispute, Refund, Transaction
from transactions.statuses import (
    DisputeStatus,
    RefundStatus,
)

SALE, REFUND, OTHER_REFUND, CHARGEBACK = "sale", "refund", "other_refund", "chargeback"
CHANGES = {
    SALE: _("Sale"),
    REFUND: _("Refund"),
    OTHER_REFUND: _("Refund that its provider did not itemise"),
    CHARGEBACK: _("Lost dispute"),
}


def _itemised(of: str) -> QuerySet[Refund]:
    """The refunds that the purchase's `amount_refunded` counts one by one."""
    return Refund.objects.filter(
        transaction=OuterRef(of),
        status=RefundStatus.SUCCEEDED,
        currency=OuterRef("currency"),
    )


def _rest() -> Combinable:
    """What was given back without a refund that tells of it."""
    added = _itemised("pk").order_by().values("transaction")
    known = Subquery(added.annotate(sum=Added("amount")).values("sum"))
    # PostgreSQL's sums are no whole numbers, and would make the column's rows none.
    return F("amount_refunded") - Coalesce(Cast(known, BigIntegerField()), 0)


def _paid(rows: QuerySet[Transaction]) -> QuerySet[Any]:
    return rows.filter(PAID)


def _sales(rows: QuerySet[Transaction]) -> QuerySet[Any]:
    return _paid(rows).filter(amount__isnull=False)


def _refunds_of(rows: QuerySet[Transaction]) -> QuerySet[Any]:
    return Refund.objects.filter(
        transaction__in=_paid(rows).values("pk"),
        status=RefundStatus.SUCCEEDED,
        currency=F("transaction__currency"),
        amount__gt=0,
    )


def _others_of(rows: QuerySet[Transaction]) -> QuerySet[Any]:
    return _paid(rows).filter(amount_refunded__gt=0).alias(rest=_rest()).exclude(rest=0)


def _lost_of(rows: QuerySet[Transaction]) -> QuerySet[Any]:
    return _paid(rows).filter(amount_charged_back__gt=0)


def _when_lost() -> Combinable:
    lost = Dispute.objects.filter(
        transaction=OuterRef("pk"), status=DisputeStatus.LOST
    ).annotate(when=Coalesce("closed", "created"))
    return Coalesce(Subquery(lost.order_by("-when").values("when")[:1]), "created")


def balance() -> Table:
    ats = ["", AT, "", ""]
    bought = Coalesce("paid", "created")
    lost = _when_lost()
    times = (bought, F("created"), bought, lost)
    amounts = (
        F("amount"), -F("amount"), -_rest(), -F("amount_charged_back"),
    )  # fmt: skip
    nothing = Value(None, output_field=BigIntegerField())
    fee = F("fee")
    nets = (F("amount") - Coalesce(fee, 0), *amounts[1:])
    reasons = (
        F("description"), F("reason"), Value(""), F("status_reason"),
    )  # fmt: skip
    columns = as_columns(
        [
            Column(
                "id", "id", Kind.ID, (F("pk"), F("pk"), F("pk"), F("pk")), width=36
            ),
            Column(
                "kind", _("What happened"), Kind.WORD,
                tuple(Value(kind, output_field=TextField()) for kind in CHANGES),
                CHANGES,
            ),
            Column("happened", _("When"), Kind.TIME, times, width=20),
            Column("amount", _("Amount"), Kind.MONEY, amounts, width=13),
            *purchases.columns(ats, ["currency"]),
            Column(
                "fee", _("Fee"), Kind.MONEY, (fee, nothing, nothing, nothing), width=11
            ),
            Column("net", _("Net"), Kind.MONEY, nets, width=13),
            Column("reason", _("Reason"), Kind.TEXT, reasons, width=28),
            purchases.of_purchase(ats, "id", "transaction"),
            *purchases.columns(
                ats,
                ["provider", "provider_id", "order_reference", "project", "customer",
                 "email", "country", "method", "status", "created", "live"],
            ),
        ]
    )  # fmt: skip
    return Table(
        "balance",
        _("Balance changes"),
        (
            Part(_sales, F("currency"), (bought, "-id")),
            Part(_refunds_of, F("transaction__currency"), ("-created", "-id")),
            Part(_others_of, F("currency"), (bought, "-id")),
            Part(_lost_of, F("currency"), (lost, "-id")),
        ),
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
            Sum("amount", _("Amount"), amounts),
            Sum("fees", _("Fees"), (fee, nothing, nothing, nothing)),
            Sum("net", _("Net"), nets),
        ),
    )  # fmt: skip
