"""The columns that tell of a purchase, in every table whose rows belong to one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from merchant.providers import CHOICES as PROVIDERS
from transactions.exports import values
from transactions.exports.kinds import Kind
from transactions.exports.table import Column, Value
from transactions.statuses import FulfilmentStatus, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Told:
    """A column before it is known where the purchase stands from a row."""

    key: str
    label: StrOrPromise
    kind: Kind
    value: Value
    words: Mapping[str, StrOrPromise] = field(default_factory=dict)
    mask: Callable[[Combinable], Combinable] | None = None
    width: int = 16


def _field(name: str) -> Value:
    return lambda at: F(f"{at}{name}")


def _json(name: str) -> Value:
    return lambda at: values.JsonText(F(f"{at}{name}"))


#: PaySuper's statuses of an order.
PAYSUPER_STATUS = {
    Status.CREATED: "created",
    Status.PENDING: "pending",
    Status.AUTHORIZED: "pending",
    Status.OVERDUE: "pending",
    Status.PARTIALLY_PAID: "pending",
    Status.PAID: "processed",
    Status.PARTIALLY_REFUNDED: "processed",
    Status.REFUNDED: "refunded",
    Status.DISPUTED: "processed",
    Status.CHARGED_BACK: "chargeback",
    Status.FAILED: "rejected",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "canceled",
}

#: Keys as in the list (transactions.columns), and what else a file can show.
PURCHASE = {
    told.key: told
    for told in (
        Told("id", "id", Kind.ID, _field("pk"), width=36),
        Told("customer", _("Customer"), Kind.TEXT, _field("customer_name"),
             mask=values.masked_name, width=22),
        Told("product", _("Product"), Kind.TEXT, values.products, width=28),
        Told("status", _("Status"), Kind.WORD, _field("status"), dict(Status.choices)),
        Told("method", _("Method"), Kind.TEXT, values.method),
        Told("provider", _("Provider"), Kind.WORD, _field("provider"), dict(PROVIDERS),
             width=11),
        Told("created", _("Created"), Kind.TIME, _field("created"), width=20),
        Told("amount", _("Amount"), Kind.MONEY, _field("amount"), width=13),
        Told("currency", _("Currency"), Kind.CODE, _field("currency"), width=9),
        Told("paid", _("Paid"), Kind.TIME, _field("paid"), width=20),
        Told("refunded", _("Refunded"), Kind.MONEY, _field("amount_refunded"),
             width=13),
        Told("charged_back", _("Charged back"), Kind.MONEY,
             _field("amount_charged_back"), width=13),
        Told("fee", _("Fee"), Kind.MONEY, _field("fee"), width=11),
        Told("net", _("Net"), Kind.MONEY, _field("net"), width=13),
        Told("fulfilment", _("Fulfilment"), Kind.WORD, _field("fulfilment"),
             dict(FulfilmentStatus.choices), width=12),
        Told("email", _("E-mail"), Kind.TEXT, _field("customer_email"),
             mask=values.masked_email, width=28),
        Told("phone", _("Phone"), Kind.TEXT, _field("customer_phone"),
             mask=values.masked_phone),
        Told("country", _("Country"), Kind.TEXT, _field("customer_country"), width=8),
        Told("project", _("Project"), Kind.TEXT, _field("project__name"), width=18),
        Told("order_reference", _("Order reference"), Kind.TEXT,
             _field("order_reference"), width=18),
        Told("description", _("Description"), Kind.TEXT, _field("description"),
             width=28),
        Told("provider_id", _("Provider's id"), Kind.TEXT, _field("provider_id"),
             width=37),
        Told("metadata", _("Metadata"), Kind.JSON, _json("metadata"), width=30),
        Told("status_reason", _("Reason of the status"), Kind.TEXT,
             _field("status_reason"), width=28),
        Told("sku", _("SKU"), Kind.TEXT, values.skus),
        Told("verified", _("Amount verified"), Kind.YES, _field("verified")),
        Told("refund_pending", _("Refund under way"), Kind.YES,
             _field("refund_pending")),
        Told("live", _("Live"), Kind.YES, _field("livemode"), width=6),
        Told("customer_id", _("Customer's id"), Kind.ID, _field("customer_id"),
             width=36),
        Told("updated", _("Updated"), Kind.TIME, _field("updated"), width=20),
    )
}  # fmt: skip


def columns(
    ats: Iterable[str], keys: Iterable[str] | None = None, **renamed: StrOrPromise
) -> list[Column]:
    """Columns of a table, whose rows have their purchases at these paths, a path for
    each part of the table; all, or those of the keys. `renamed`: key -> label."""
    ats = list(ats)
    return [
        _placed(PURCHASE[key], ats, renamed.get(key, ""))
        for key in (PURCHASE if keys is None else keys)
    ]


def _placed(told: Told, ats: list[str], label: StrOrPromise) -> Column:
    found = tuple(told.value(at) for at in ats)
    masked = tuple(map(told.mask, found)) if told.mask else ()
    return Column(
        told.key, label or told.label, told.kind, found, told.words, masked,
        width=told.width,
    )  # fmt: skip


def of_purchase(ats: Iterable[str], key: str, name: str) -> Column:
    """The purchase's column `key` in a table of something else, there called `name`."""
    column = columns(ats, [key])[0]
    label = {"transaction": _("Transaction")}.get(name, column.label)
    return Column(
        name, label, column.kind, column.values, column.words, column.masked,
        width=column.width,
    )  # fmt: skip


def for_paysuper() -> list[Column]:
    """The columns of PaySuper's own report of transactions, under its own heads."""

    def column(head: str, kind: Kind, value: Combinable, **more: object) -> Column:
        key = f"paysuper.{head}"
        return Column(key, head, kind, (value,), head=head, **more)  # type: ignore[arg-type]

    return [
        column("project_name", Kind.TEXT, F("project__name")),
        column("product_name", Kind.TEXT, values.products("")),
        column("datetime", Kind.LOCAL, F("created")),
        column("country", Kind.TEXT, F("customer_country")),
        column("payment_method", Kind.TEXT, F("method")),
        column("transaction_id", Kind.TEXT, F("provider_id")),
        column("net_amount", Kind.MONEY, F("amount")),
        column("status", Kind.WORD, values.translated("status", PAYSUPER_STATUS)),
        column("currency", Kind.CODE, Upper("currency")),
    ]
