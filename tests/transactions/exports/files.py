"""Rows for files, and files of them, as the tests read them back."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from django.db.models import F, QuerySet

from merchant.models import Project
from tests.factories import (
    make_changes,
    make_connection,
    make_dispute,
    make_item,
    make_refund,
    make_transaction,
)
from transactions.exports import writing
from transactions.exports.lists import TABLES
from transactions.exports.source import Source
from transactions.exports.spec import Spec
from transactions.exports.writing import Receipt
from transactions.models import (
    BalanceChange,
    Customer,
    Dispute,
    Payout,
    Refund,
    Transaction,
)
from webhooks.models import Delivery, Endpoint, Event

#: Summer in Berlin, so that a zone that is forgotten is seen.
NOON = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=UTC)
#: What has broken other people's files.
HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "\u00a0=1",
    '=HYPERLINK("http://evil")', "'=1", "a,b", 'say "hi"', "two\nlines", "cr\rhere",
    "crlf\r\nhere", "\\.", "NULL", "_x0041_", "\x01\x1f", "<b>&amp;", "日本語", "🎉",
    "דוד (VIP)", " space ", "a;b|c", "%s %% {}", "1E5", "00123", "•••",
)  # fmt: skip

LISTS: dict[str, type] = {
    "transactions": Transaction,
    "items": Transaction,
    "balance": BalanceChange,
    "refunds": Refund,
    "disputes": Dispute,
    "payouts": Payout,
    "customers": Customer,
    "deliveries": Delivery,
}


def fill(project: Project) -> list[Transaction]:
    """A purchase for each hostile text, and what happened to some of them."""
    connection = make_connection(project=project)
    customer = Customer.objects.create(
        project=project, key="k", name="=1+1", email="ada@example.com",
        latest_live=NOON,
    )  # fmt: skip
    rows = []
    for number, text in enumerate(HOSTILE):
        currency = ("eur", "jpy", "kwd", "clf")[number % 4]
        row = make_transaction(
            connection=connection,
            customer=customer if number % 2 else None,
            customer_name=text,
            customer_email=f"{text}@example.com",
            customer_phone=text[:60],
            description=text,
            order_reference=text,
            metadata={"note": text, "é": [1, None, {"b": True}]} if number % 3 else {},
            status=("paid", "failed", "partially_refunded", "pending")[number % 4 // 1]
            if number % 5
            else "paid",
            amount=None if number == 7 else 123456 + number,
            currency="" if number == 7 else currency,
            fee=None if number % 3 else 45,
            net=None if number % 3 else 123456 + number - 45,
            livemode=bool(number % 6),
            paid=None if number % 7 == 1 else NOON + timedelta(minutes=number),
            created=NOON - timedelta(hours=number),
            verified=number != 3,
        )
        rows.append(row)
        if number % 2:
            make_item(row, text or "thing", quantity=number)
            make_item(row, "Shield", position=1, sku=text[:20], amount=5)
    _afterwards(rows, connection)
    make_changes(*rows)
    return rows


def _afterwards(rows: list[Transaction], connection: Any) -> None:
    """Refunds that are itemised, that are not, in another currency, failed; disputes
    that took less than they said."""
    paid = [row for row in rows if row.status in ("paid", "partially_refunded")]
    refunded, rest, both, lost = paid[:4]
    make_refund(refunded, amount=500, reason="requested_by_customer", asked=NOON)
    make_refund(refunded, amount=250, reason="=1+1")
    make_refund(refunded, amount=9_000, status="failed")
    _set(refunded, amount_refunded=750)
    _set(rest, amount_refunded=333)
    make_refund(both, amount=100)
    make_refund(both, amount=77, currency="gbp")
    _set(both, amount_refunded=180)
    for status, amount in (("lost", 10**9), ("won", 5), ("open", None)):
        make_dispute(
            transaction=lost, provider_id=f"dp_{status}", status=status, amount=amount,
            currency=lost.currency, reason="=fraud", created=NOON,
            closed=NOON if status == "lost" else None,
        )  # fmt: skip
    _set(lost, amount_charged_back=lost.amount, status="charged_back")
    project = connection.project
    Payout.objects.create(
        project=project, connection=connection, provider="stripe", provider_id="po_1",
        status="paid", amount=-5_000, currency="eur", created=NOON, reason="=1",
    )  # fmt: skip
    endpoint = Endpoint.objects.create(project=project, url="https://shop.example/=1")
    event = Event.objects.create(project=project, key="msg_1", name="payment.success")
    Delivery.objects.create(
        event=event, endpoint=endpoint, project=project, name=event.name, error="=1",
        subject=rows[0].pk, created=NOON, due=NOON,
    )  # fmt: skip


def _set(row: Transaction, **values: Any) -> None:
    Transaction.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


def only_row(project: Project, **values: Any) -> None:
    """The one purchase that there is; it is made once and then changed."""
    if not Transaction.objects.exists():
        make_transaction(project=project, created=NOON)
    Transaction.objects.update(**values)


# ------------------------------------------------------------------------- the files
def wanted(table: str, format: str, preset: str = "all", **over: Any) -> Spec:
    given: dict[str, Any] = {
        "table": table,
        "format": format,
        "columns": TABLES[table].preset(preset),
        "zone": "Europe/Berlin",
        "merchant": "Dragon Games",
        "filters": "Status: Paid",
        "made_by": "Ada Byron",
        "made_at": NOON,
    }
    return Spec(**given | over)


def rows_of(table: str) -> Source:
    every: QuerySet[Any] = LISTS[table].objects.all()
    if table == "customers":
        every = every.annotate(created=F("latest_live"))
    return Source([every])


def made(folder: Path, spec: Spec, rows: Source | None = None) -> tuple[Path, Receipt]:
    path = folder / f"{spec.table}.{spec.format}"
    return path, writing.write(spec, rows or rows_of(spec.table), path)


def read_csv(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def read_xlsx(path: Path) -> list[list[list[Any]]]:
    """Sheet by sheet, row by row, as a spreadsheet shows the cells."""
    book = openpyxl.load_workbook(path)
    return [
        [[_seen(cell) for cell in row] for row in sheet.iter_rows()]
        for sheet in book.worksheets
    ]


def _seen(cell: Any) -> Any:
    assert cell.data_type != "f"
    if not isinstance(cell.value, str):
        return cell.value
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell.value)
