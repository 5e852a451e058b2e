"""Excel: texts are texts, numbers numbers, dates dates, and nothing is a formula."""

from __future__ import annotations

import hashlib
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.money import Money
from tests.transactions.exports.files import (
    LISTS,
    fill,
    made,
    only_row,
    read_xlsx,
    wanted,
)
from tests.transactions.exports.test_csv import TEXT
from transactions import columns
from transactions.exports import to_xlsx, workbook
from transactions.exports.lists import TABLES
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
BERLIN = ZoneInfo("Europe/Berlin")


def table(sheet: list[list[Any]]) -> list[dict[str, Any]]:
    heads, *rows = sheet
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_each_cell_is_what_the_database_says(project: Project, tmp_path: Path) -> None:
    fill(project)
    path, receipt = made(tmp_path, wanted("transactions", "xlsx"))
    _first, data = read_xlsx(path)
    lines = table(data)
    known = {str(row.pk): row for row in Transaction.objects.all()}
    assert receipt.rows == len(lines) == len(known)
    for line in lines:
        row = known[line["id"]]
        assert line["Customer"] == row.customer_name
        assert line["Order reference"] == row.order_reference
        assert line["Status"] == row.get_status_display()
        assert line["Currency"] == (row.currency.upper() or None)
        for head, minor in (("Amount", row.amount), ("Fee", row.fee)):
            if minor is None or not row.currency:
                assert line[head] is None
            else:
                assert line[head] == float(Money(minor, row.currency).major)
        for head, when in (("Created", row.created), ("Paid", row.paid)):
            shown = line[f"{head} (Europe/Berlin)"]
            if when is None:
                assert shown is None
            else:
                local = when.astimezone(BERLIN).replace(tzinfo=None, microsecond=0)
                assert isinstance(shown, datetime)
                assert abs(shown - local) < timedelta(milliseconds=100)


def test_nothing_is_a_formula_in_any_list(project: Project, tmp_path: Path) -> None:
    fill(project)
    for name in LISTS:
        path, _receipt = made(tmp_path, wanted(name, "xlsx"))
        for sheet in openpyxl.load_workbook(path).worksheets:
            assert sheet.title[0].isalpha()
            kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
            assert "f" not in kinds and "e" not in kinds
        with zipfile.ZipFile(path) as parts:
            for part in parts.namelist():
                assert b"<f>" not in parts.read(part)


def test_the_first_sheet_is_the_receipt(project: Project, tmp_path: Path) -> None:
    fill(project)
    path, receipt = made(tmp_path, wanted("transactions", "xlsx", project="=Shop"))
    first, _data = read_xlsx(path)
    told = {row[0]: row[1] for row in first if len(row) > 1}
    assert first[0][0] == "Dragon Games"
    assert told["Filters"] == "Status: Paid" and told["Project"] == "=Shop"
    assert told["Rows"] == str(receipt.rows)
    assert told["Time zone"] == "Europe/Berlin"
    assert told["Made by"] == "Ada Byron"
    with zipfile.ZipFile(path) as parts:
        digest = hashlib.sha256(parts.read(workbook.sheet_path(2))).hexdigest()
    assert told["SHA-256"] == digest == receipt.data_sha256
    assert receipt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    at = next(place for place, row in enumerate(first) if row[0] == "Currency")
    sums = {row[0]: dict(zip(first[at], row, strict=True)) for row in first[at + 1 :]}
    for found in receipt.sums:
        if found.currency:
            line = sums[found.currency.upper()]
            amount = Money(found.values["amount"], found.currency).major
            assert (line["Rows"], line["Amount"]) == (found.rows, float(amount))


def test_too_many_rows_for_a_sheet_go_on_in_the_next(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(project)
    monkeypatch.setattr(to_xlsx, "MOST_ROWS", 11)
    path, receipt = made(tmp_path, wanted("transactions", "xlsx", "default"))
    _first, *sheets = read_xlsx(path)
    assert [len(sheet) for sheet in sheets] == [11, 11, 11, 2]
    assert receipt.parts == 5 and receipt.rows == 31
    assert len({sheet[0][0] for sheet in sheets}) == 1
    ids = [row["id"] for sheet in sheets for row in table(sheet)]
    order = Transaction.objects.order_by("-created", "-id").values_list("pk", flat=True)
    assert ids == [str(id) for id in order]
    names = [sheet.title for sheet in openpyxl.load_workbook(path).worksheets]
    assert names[1:3] == ["Transactions", "Transactions 2"]


@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck])
@given(text=TEXT, minor=st.integers(-(10**13), 10**13))
def test_any_text_comes_back(
    project: Project, tmp_path: Path, text: str, minor: int
) -> None:
    only_row(project, customer_name=text, net=minor)
    spec = wanted("transactions", "xlsx", columns=("id", "customer", "net"))
    _first, data = read_xlsx(made(tmp_path, spec)[0])
    (line,) = table(data)
    assert line["Customer"] == (text or None)
    assert line["Net"] == minor / 100


def test_names_of_sheets_are_ones_that_excel_takes() -> None:
    for label in ("=1+1", "a/b:c*d?[e]", "'x'", "", "x" * 60):
        names = workbook.sheet_names(label, 120)
        assert len(set(names)) == 120
        for name in names:
            assert 1 <= len(name) <= 31
            assert not set(name) & set("[]:*?/\\") and name[0] not in "='+-@ "


def test_a_text_longer_than_a_cell_is_cut_with_a_mark() -> None:
    cut = workbook.cut("🎉" * 40_000)
    assert cut.endswith("…") and len(cut.encode("utf-16-le")) // 2 <= 32_767


def test_what_is_on_the_screen_can_be_in_a_file() -> None:
    assert set(columns.COLUMNS) <= set(TABLES["transactions"].columns)


def test_every_table_has_presets_of_its_own_columns() -> None:
    for table in TABLES.values():
        for _label, keys in table.presets.values():
            assert table.chosen(keys)
        assert "id" in table.preset("default")
