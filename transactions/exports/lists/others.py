"""Payouts, customers and deliveries."""

from __future__ import annotations

from django.db.models import (
    F,
    Q,
    TextField,
    Value,
)
from django.utils.translation import gettext_lazy as _

from merchant.providers import CHOICES as PROVIDERS
from transactions.exports import values
from transactions.exports.kinds import Kind
from transactions.exports.lists.alike import (
    ACCOUNTING,
    ON_SCREEN,
    same,
    when,
)
from transactions.exports.table import Column, Part, Sum, Table, as_columns, everything
from transactions.statuses import (
    PayoutStatus,
)
from webhooks.models import Delivery


def payouts() -> Table:
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("pk"),), width=36),
            Column(
                "provider", _("Provider"), Kind.WORD, (F("provider"),),
                dict(PROVIDERS), width=11,
            ),
            Column("provider_id", _("Provider's id"), Kind.TEXT, (F("provider_id"),)),
            Column(
                "status", _("Status"), Kind.WORD, (F("status"),),
                dict(PayoutStatus.choices), width=10,
            ),
            Column("amount", _("Amount"), Kind.MONEY, (F("amount"),), width=13),
            Column("currency", _("Currency"), Kind.CODE, (F("currency"),), width=9),
            Column("method", _("Method"), Kind.TEXT, (F("method"),)),
            Column("created", _("Created"), Kind.TIME, (F("created"),), width=20),
            Column("arrives", _("Arrives"), Kind.TIME, (F("arrives"),), width=20),
            Column("reason", _("Reason"), Kind.TEXT, (F("reason"),), width=28),
            Column("project", _("Project"), Kind.TEXT, (F("project__name"),)),
            Column("live", _("Live"), Kind.YES, (F("livemode"),), width=6),
        ]
    )  # fmt: skip
    return Table(
        "payouts",
        _("Payouts"),
        (Part(same, F("currency"), ("-created", "-id")),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "provider", "provider_id", "status", "amount", "created",
                 "arrives"),
            ),
            "accounting": (
                ACCOUNTING,
                ("created", "arrives", "id", "provider", "provider_id", "project",
                 "status", "amount", "currency"),
            ),
            "all": everything(columns),
        },
        (
            Sum("amount", _("Amount"), (F("amount"),)),
            Sum("paid", _("Paid"), (when(Q(status=PayoutStatus.PAID)),)),
        ),
    )  # fmt: skip


def customers() -> Table:
    name, email = F("name"), F("email")
    # In the mode of the list, which goes by it: see CustomerFilter.strands.
    latest = F("created")
    columns = as_columns(
        [
            Column("id", "id", Kind.ID, (F("pk"),), width=36),
            Column(
                "name", _("Name"), Kind.TEXT, (name,),
                masked=(values.masked_name(name),), width=22,
            ),
            Column(
                "email", _("E-mail"), Kind.TEXT, (email,),
                masked=(values.masked_email(email),), width=28,
            ),
            Column("country", _("Country"), Kind.TEXT, (F("country"),), width=8),
            Column("latest", _("Last bought"), Kind.TIME, (latest,)),
            Column("latest_test", _("Last test"), Kind.TIME, (F("latest_test"),)),
            Column("flagged", _("Flagged"), Kind.YES, (F("flagged"),), width=8),
            Column("project", _("Project"), Kind.TEXT, (F("project__name"),)),
        ]
    )  # fmt: skip
    return Table(
        "customers",
        _("Customers"),
        (Part(same, Value("", output_field=TextField()), ("-created", "-id")),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "name", "email", "country", "latest", "project"),
            ),
            "all": everything(columns),
        },
    )


def deliveries() -> Table:
    columns = as_columns(
        [
            Column("id", "id", Kind.NUMBER, (F("pk"),), width=12),
            Column("event", _("Event"), Kind.TEXT, (F("event__key"),), width=28),
            Column("name", _("What happened"), Kind.TEXT, (F("name"),), width=20),
            Column("endpoint", _("Endpoint"), Kind.TEXT, (F("endpoint__url"),),
                   width=36),
            Column(
                "state", _("State"), Kind.WORD, (F("state"),),
                dict(Delivery.State.choices), width=11,
            ),
            Column("tries", _("Tries"), Kind.NUMBER, (F("attempts_made"),), width=6),
            Column("status", _("Answer"), Kind.NUMBER, (F("status"),), width=8),
            Column("error", _("Error"), Kind.TEXT, (F("error"),), width=28),
            Column("subject", _("About"), Kind.ID, (F("subject"),), width=36),
            Column("created", _("Created"), Kind.TIME, (F("created"),), width=20),
            Column("due", _("Due"), Kind.TIME, (F("due"),), width=20),
            Column("done", _("Done"), Kind.TIME, (F("done"),), width=20),
            Column("project", _("Project"), Kind.TEXT, (F("project__name"),)),
            Column("asked_by", _("Sent again by"), Kind.TEXT, (F("asked_by"),)),
        ]
    )  # fmt: skip
    return Table(
        "deliveries",
        _("Deliveries"),
        (Part(same, Value("", output_field=TextField()), ("-id",)),),
        columns,
        {
            "default": (
                ON_SCREEN,
                ("id", "event", "name", "endpoint", "state", "tries", "status",
                 "error", "created", "done"),
            ),
            "all": everything(columns),
        },
    )  # fmt: skip
