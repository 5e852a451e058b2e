"""CSV: what stands in the database stands in the file, for people and for programs."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.money import Money
from tests.factories import make_transaction
from tests.transactions.exports.files import (
    LISTS,
    NOON,
    fill,
    made,
    only_row,
    read_csv,
    rows_of,
    wanted,
)
from transactions.exports import to_csv
from transactions.exports.kinds import DANGEROUS, guarded
from transactions.exports.paper import Paper
from transactions.exports.source import Source, picture
from transactions.exports.spec import Spec
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60
)


def test_each_cell_is_what_the_database_says(project: Project, tmp_path: Path) -> None:
    fill(project)
    path, receipt = made(tmp_path, wanted("transactions", "csv"))
    lines = read_csv(path)
    assert receipt.rows == len(lines) == Transaction.objects.count()
    known = Transaction.objects.in_bulk()
    order = Transaction.objects.order_by("-created", "-id").values_list("pk", flat=True)
    assert [line["id"] for line in lines] == [str(id) for id in order]
    for line in lines:
        row = next(row for id, row in known.items() if str(id) == line["id"])
        assert line["Customer"] == guarded(row.customer_name)
        assert line["Order reference"] == guarded(row.order_reference)
        assert line["Status"] == row.get_status_display()
        assert line["Provider"] == "Stripe"
        assert line["Currency"] == row.currency.upper()
        assert line["Live"] == ("Yes" if row.livemode else "No")
        when = datetime.fromisoformat(line["Created (Europe/Berlin)"])
        assert when == row.created.replace(microsecond=0)
        assert when.utcoffset() == ZoneInfo("Europe/Berlin").utcoffset(
            row.created.replace(tzinfo=None)
        )
        if row.amount is None:
            assert line["Amount"] == ""
        else:
            assert Decimal(line["Amount"]) == Money(row.amount, row.currency).major
        assert (line["Fee"] == "") == (row.fee is None)


def test_programs_get_it_raw(project: Project, tmp_path: Path) -> None:
    fill(project)
    path, _ = made(tmp_path, wanted("transactions", "csv", style="programs"))
    known = {str(row.pk): row for row in Transaction.objects.all()}
    for line in read_csv(path):
        row = known[line["id"]]
        assert line["customer"] == row.customer_name
        assert line["amount"] == ("" if row.amount is None else str(row.amount))
        assert (line["currency"], line["status"]) == (row.currency, row.status)
        assert datetime.fromisoformat(line["created"]) == row.created
        assert line["created"].endswith("Z")
        assert line["live"] == str(row.livemode).lower()


def test_metadata_reads_alike_from_every_database(
    project: Project, tmp_path: Path
) -> None:
    """Short names first, as PostgreSQL keeps them, whatever came first."""
    kept = {"zebra": 1, "b": {"yy": None, "x": [{"ä": 1.5, "z": "é"}]}, "aa": True}
    make_transaction(project=project, metadata=kept)
    spec = wanted("transactions", "csv", columns=("metadata",))
    (line,) = read_csv(made(tmp_path, spec)[0])
    assert line["Metadata"] == (
        '{"b": {"x": [{"z": "é", "ä": 1.5}], "yy": null}, "aa": true, "zebra": 1}'
    )


def test_it_is_rfc_4180(project: Project, tmp_path: Path) -> None:
    make_transaction(project=project, customer_name='a "b"\r\nc, d')
    spec = wanted("transactions", "csv", columns=("customer", "amount"), bom=True)
    data = made(tmp_path, spec)[0].read_bytes()
    assert data.decode() == (
        "\ufeffCustomer,Amount,Currency\r\n"
        '"a ""b""\r\nc, d",19.99,EUR\r\n'
    )  # fmt: skip


def test_a_file_without_rows_has_its_heads(project: Project, tmp_path: Path) -> None:
    nothing = Transaction.objects.none()
    for rows in (rows_of("transactions"), Source([nothing]), Source([])):
        path, receipt = made(tmp_path, wanted("transactions", "csv", "default"), rows)
        assert path.read_bytes().startswith(b"id,Customer,Product,Status")
        assert (receipt.rows, receipt.sums) == (0, [])


def _both(spec: Spec) -> list[bytes]:
    """The same file by PostgreSQL and by Python."""
    found = []
    for write in (to_csv.copied, to_csv.written):
        file = io.BytesIO()
        with picture(spec, rows_of(spec.table)) as seen:
            write(Paper(file, lambda rows: None, lambda: False), spec, seen)
        found.append(file.getvalue())
    return found


@pytest.mark.postgres
def test_postgresql_and_python_write_the_same_bytes(project: Project) -> None:
    fill(project)
    for table in LISTS:
        for style in ("people", "programs"):
            for more in ({}, {"masked": True}, {"minor": style == "people"}):
                spec = wanted(table, "csv", style=style, **more)
                copied, written = _both(spec)
                assert copied == written, (table, style)
                assert copied.count(b"\r\n") > 1
    for column in ("customer", "fee", "paysuper.status"):
        copied, written = _both(wanted("transactions", "csv", columns=(column,)))
        assert copied == written
    copied, written = _both(wanted("transactions", "csv", "paysuper"))
    assert copied == written


@settings(max_examples=40, deadline=None, suppress_health_check=[*HealthCheck])
@given(text=TEXT, minor=st.integers(-(10**13), 10**13))
def test_any_text_comes_back(
    project: Project, tmp_path: Path, text: str, minor: int
) -> None:
    only_row(project, customer_name=text, description=text, net=minor)
    columns = ("customer", "product", "net", "currency")
    for style in ("people", "programs"):
        spec = wanted("transactions", "csv", columns=columns, style=style)
        (line,) = read_csv(made(tmp_path, spec)[0])
        name, product, net, _currency = line.values()
        if style == "programs":
            assert (name, product, net) == (text, text, str(minor))
            continue
        assert name.removeprefix("'" if name != text else "") == text
        assert name.lstrip(" \u00a0\ufeff")[:1] not in DANGEROUS
        assert (product, Decimal(net)) == (name, Decimal(minor) / 100)


def test_paysupers_own_columns(project: Project, tmp_path: Path) -> None:
    make_transaction(
        project=project, created=NOON, status="charged_back", currency="jpy"
    )
    (line,) = read_csv(made(tmp_path, wanted("transactions", "csv", "paysuper"))[0])
    assert line == {
        "project_name": "Dragon Shop",
        "product_name": "",
        "datetime": "2026-07-01T14:30:15",
        "country": "GB",
        "payment_method": "card",
        "transaction_id": line["transaction_id"],
        "net_amount": "1999",
        "status": "chargeback",
        "currency": "JPY",
    }


def test_a_role_that_may_not_see_customers_sees_them_masked(
    project: Project, tmp_path: Path
) -> None:
    make_transaction(
        project=project, customer_name="Ada Byron", customer_email="ada@example.com",
        customer_phone="+44 20 12",
    )  # fmt: skip
    columns = ("customer", "email", "phone")
    spec = wanted("transactions", "csv", columns=columns, masked=True)
    (line,) = read_csv(made(tmp_path, spec)[0])
    assert list(line.values()) == ["A•••", "a•••@example.com", "•••12"]
