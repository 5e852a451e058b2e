"""Purchases and their lines: the tables of the list of transactions."""

from __future__ import annotations

from django.db.models import (
    F,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from transactions.exports import purchases
from transactions.exports.kinds import Kind
from transactions.exports.lists.alike import (
    ACCOUNTING,
    AT,
    ON_SCREEN,
    PAID,
    same,
    when,
)
from transactions.exports.table import Column, Part, Sum, Table, as_columns, everything
from transactions.models import LineItem
from transactions.statuses import (
    FulfilmentStatus,
)


def transactions() -> Table:
    columns = as_columns([*purchases.columns([""]), *purchases.for_paysuper()])
    left = Coalesce(F("amount"), 0) - F("amount_refunded") - F("amount_charged_back")
    sums = (
        Sum("amount", _("Amount"), (F("amount"),)),
        Sum("paid", _("Paid"), (when(PAID, Value(1)),), is_money=False),
        Sum("gross", _("Sold"), (when(PAID, F("amount")),)),
        Sum("refunded", _("Refunded"), (when(PAID, F("amount_refunded")),)),
        Sum("charged_back", _("Charged back"), (when(PAID, F("amount_charged_back")),)),
        Sum("fees", _("Fees"), (when(PAID, F("fee")),)),
        Sum("net", _("Net"), (when(PAID, left - Coalesce(F("fee"), 0)),)),
    )
    return Table(
        "transactions",
        _("Transactions"),
        (Part(same, F("currency")),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "customer", "product", "status", "method", "provider",
                 "created", "amount"),
            ),
            "accounting": (
                ACCOUNTING,
                ("paid", "id", "provider", "provider_id", "order_reference", "project",
                 "product", "customer", "country", "status", "amount", "currency",
                 "refunded", "charged_back", "fee", "net"),
            ),
            "paysuper": (
                _("PaySuper-compatible"),
                tuple(key for key in columns if key.startswith("paysuper.")),
            ),
            "all": everything(columns),
        },
        sums,
    )  # fmt: skip


def items() -> Table:
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("pk"),), width=36),
            purchases.of_purchase([AT], "id", "transaction"),
            Column("product", _("Product"), Kind.TEXT, (F("name"),), width=28),
            Column("sku", _("SKU"), Kind.TEXT, (F("sku"),)),
            Column("quantity", _("Quantity"), Kind.NUMBER, (F("quantity"),), width=9),
            Column("amount", _("Amount"), Kind.MONEY, (F("amount"),), width=13),
            *purchases.columns([AT], ["currency"]),
            Column("platform", _("Platform"), Kind.TEXT, (F("platform"),)),
            Column(
                "fulfilment", _("Fulfilment"), Kind.WORD, (F("fulfilment"),),
                dict(FulfilmentStatus.choices), width=12,
            ),
            *purchases.columns(
                [AT],
                ["status", "created", "paid", "customer", "email", "phone", "country",
                 "method", "provider", "provider_id", "order_reference", "project",
                 "live", "metadata"],
            ),
        ]
    )  # fmt: skip
    return Table(
        "items",
        _("Line items"),
        (
            Part(
                lambda rows: LineItem.objects.filter(transaction__in=rows.values("pk")),
                F("transaction__currency"),
                ("-created", "-transaction_id", "position", "key"),
            ),
        ),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "transaction", "customer", "product", "quantity", "amount",
                 "status", "created", "provider"),
            ),
            "accounting": (
                ACCOUNTING,
                ("paid", "transaction", "provider", "provider_id", "order_reference",
                 "project", "product", "sku", "quantity", "amount", "currency",
                 "status", "country"),
            ),
            "all": everything(columns),
        },
        (
            Sum("amount", _("Amount"), (F("amount"),)),
            Sum("quantity", _("Quantity"), (F("quantity"),), is_money=False),
        ),
    )  # fmt: skip
