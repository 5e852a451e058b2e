"""What stands in each column of an exported list: defined once, for every format.

The keys are those of transactions.columns. Amounts are decimal numbers beside their
currency, times ISO 8601 in the zone that the head of the column names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from merchant.money import Money
from transactions import columns
from transactions.models import Transaction

#: A cell: text, a number, or nothing.
Cell = str | Decimal | None


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of the file: its head, and how its cells are read from a row."""

    label: str
    read: Callable[[Transaction], Cell]


def headings(keys: Iterable[str], zone: tzinfo) -> list[Heading]:
    """The columns of a file for these columns of the list.

    The id always stands first, so that two files can be compared, and whatever says an
    amount is followed by its currency, once.
    """
    wanted = [key for key in keys if key in _CELLS and key != "id"]
    found = [Heading(_("Id"), lambda row: str(row.pk))]
    told_currency = False
    for key in wanted:
        found.append(_heading(key, zone))
        if key in _AMOUNTS and not told_currency:
            found.append(Heading(_("Currency"), lambda row: row.currency.upper()))
            told_currency = True
    return found


def needs(keys: Iterable[str]) -> list[str]:
    """What must be fetched along so that no cell asks the database."""
    known = [columns.COLUMNS[key] for key in keys if key in columns.COLUMNS]
    return list(dict.fromkeys(need for column in known for need in column.needs))


def cells(row: Transaction, found: Sequence[Heading]) -> list[Cell]:
    return [heading.read(row) for heading in found]


def _heading(key: str, zone: tzinfo) -> Heading:
    label = str(columns.COLUMNS[key].label)
    read = _CELLS[key]
    if not columns.COLUMNS[key].is_time:
        return Heading(label, read)

    def read_time(row: Transaction) -> Cell:
        when: datetime | None = read(row)
        return when.astimezone(zone).isoformat(timespec="seconds") if when else None

    return Heading(f"{label} ({zone})", read_time)


# ------------------------------------------------------------------------------ cells
def _money(minor: int | None, row: Transaction) -> Decimal | None:
    if minor is None or not row.currency:
        return None
    return Money(minor, row.currency).major


def _products(row: Transaction) -> str:
    items = [
        item.name if item.quantity == 1 else f"{item.quantity} × {item.name}"
        for item in row.items.all()
    ]
    return "; ".join(items) or row.description


def _method(row: Transaction) -> str:
    parts = (row.method_brand or row.method, row.method_last4)
    return " ".join(part for part in parts if part)


def _metadata(row: Transaction) -> str:
    return json.dumps(row.metadata, ensure_ascii=False) if row.metadata else ""


_AMOUNTS = frozenset({"amount", "refunded", "fee", "net"})
_CELLS: dict[str, Callable[[Transaction], Any]] = {
    "customer": lambda row: row.customer_name,
    "product": _products,
    "status": lambda row: str(row.get_status_display()),
    "method": _method,
    "provider": lambda row: row.get_provider_display(),
    "created": lambda row: row.created,
    "amount": lambda row: _money(row.amount, row),
    "paid": lambda row: row.paid,
    "refunded": lambda row: _money(row.amount_refunded, row),
    "fee": lambda row: _money(row.fee, row),
    "net": lambda row: _money(row.net, row),
    "fulfilment": lambda row: str(row.get_fulfilment_display()),
    "email": lambda row: row.customer_email,
    "country": lambda row: row.customer_country,
    "project": lambda row: row.project.name,
    "order_reference": lambda row: row.order_reference,
    "description": lambda row: row.description,
    "id": lambda row: str(row.pk),
    "provider_id": lambda row: row.provider_id,
    "metadata": _metadata,
}
