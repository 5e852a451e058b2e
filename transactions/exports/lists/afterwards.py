"""Refunds and disputes, with the purchases that they are about."""

from __future__ import annotations

from django.db.models import (
    F,
    Q,
)
from django.utils.translation import gettext_lazy as _

from transactions.exports import purchases
from transactions.exports.kinds import Kind
from transactions.exports.lists.alike import (
    ACCOUNTING,
    AT,
    ON_SCREEN,
    same,
    when,
)
from transactions.exports.table import Column, Part, Sum, Table, as_columns, everything
from transactions.statuses import (
    DisputeStatus,
    RefundReason,
    RefundStatus,
)


def refunds() -> Table:
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("pk"),), width=36),
            purchases.of_purchase([AT], "id", "transaction"),
            Column(
                "status", _("Status"), Kind.WORD, (F("status"),),
                dict(RefundStatus.choices),
            ),
            Column("amount", _("Amount"), Kind.MONEY, (F("amount"),), width=13),
            Column("currency", _("Currency"), Kind.CODE, (F("currency"),), width=9),
            Column(
                "reason", _("Reason"), Kind.WORD, (F("reason"),),
                dict(RefundReason.choices), width=28,
            ),
            Column("failure", _("Why it failed"), Kind.TEXT, (F("failure_reason"),)),
            Column("created", _("Created"), Kind.TIME, (F("created"),), width=20),
            Column("asked", _("Asked"), Kind.TIME, (F("asked"),), width=20),
            Column("asker", _("Asked by"), Kind.TEXT, (F("asker"),), width=20),
            Column("decided", _("Decided"), Kind.TIME, (F("decided"),), width=20),
            Column("provider_id", _("Provider's id"), Kind.TEXT, (F("provider_id"),)),
            Column("note", _("Note"), Kind.TEXT, (F("note"),), width=28),
            Column("live", _("Live"), Kind.YES, (F("livemode"),), width=6),
            *purchases.columns(
                [AT],
                ["provider", "project", "customer", "email", "country", "product",
                 "order_reference"],
            ),
        ]
    )  # fmt: skip
    return Table(
        "refunds",
        _("Refunds"),
        (Part(same, F("currency"), ("-created", "-id")),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "transaction", "customer", "status", "amount", "reason",
                 "provider", "created"),
            ),
            "accounting": (
                ACCOUNTING,
                ("created", "id", "transaction", "provider", "provider_id", "project",
                 "status", "amount", "currency", "reason", "order_reference"),
            ),
            "all": everything(columns),
        },
        (
            Sum("amount", _("Amount"), (F("amount"),)),
            Sum("refunded", _("Succeeded"), (when(Q(status=RefundStatus.SUCCEEDED)),)),
        ),
    )  # fmt: skip


def disputes() -> Table:
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("pk"),), width=36),
            purchases.of_purchase([AT], "id", "transaction"),
            Column(
                "status", _("Status"), Kind.WORD, (F("status"),),
                dict(DisputeStatus.choices), width=9,
            ),
            Column("amount", _("Amount"), Kind.MONEY, (F("amount"),), width=13),
            Column("currency", _("Currency"), Kind.CODE, (F("currency"),), width=9),
            Column("reason", _("Reason"), Kind.TEXT, (F("reason"),), width=28),
            Column(
                "in_review", _("Under review"), Kind.YES, (F("in_review"),), width=8
            ),
            Column("created", _("Opened"), Kind.TIME, (F("created"),), width=20),
            Column("due_by", _("Answer by"), Kind.TIME, (F("due_by"),), width=20),
            Column("closed", _("Closed"), Kind.TIME, (F("closed"),), width=20),
            Column("provider_id", _("Provider's id"), Kind.TEXT, (F("provider_id"),)),
            *purchases.columns(
                [AT],
                ["provider", "project", "customer", "email", "country", "product",
                 "order_reference", "live"],
            ),
        ]
    )  # fmt: skip
    return Table(
        "disputes",
        _("Disputes"),
        (Part(same, F("currency"), ("-created", "-id")),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "transaction", "customer", "status", "amount", "reason",
                 "created", "due_by", "provider"),
            ),
            "accounting": (
                ACCOUNTING,
                ("created", "closed", "id", "transaction", "provider", "provider_id",
                 "project", "status", "amount", "currency", "reason"),
            ),
            "all": everything(columns),
        },
        (
            Sum("amount", _("Amount"), (F("amount"),)),
            Sum("lost", _("Lost"), (when(Q(status=DisputeStatus.LOST)),)),
        ),
    )  # fmt: skip
