"""Amounts, decimal or in minor units: the same ones, whichever way they are written."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from merchant.models import Project
from merchant.money import ISO_EXPONENTS, exponent
from tests.factories import make_transaction
from tests.transactions.exports.files import (
    NOON,
    fill,
    made,
    only_row,
    read_csv,
    read_jsonl,
    wanted,
)
from transactions.exports.to_pdf import grouped
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = list(itertools.product(("csv", "jsonl"), ("people", "programs")))
COLUMNS = ("id", "amount", "fee", "currency")


def as_minor(text: Any, currency: str) -> int:
    """A decimal amount in minor units, exactly or not at all."""
    minor = Decimal(text).scaleb(exponent(currency))
    assert minor == int(minor)
    return int(minor)


@settings(max_examples=40, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    amount=st.integers(-(10**15), 10**15),
    fee=st.none() | st.integers(-(10**6), 10**6),
    currency=st.sampled_from(["eur", "xxx", *ISO_EXPONENTS]),
)
def test_both_tell_the_same(
    project: Project, tmp_path: Path, amount: int, fee: int | None, currency: str
) -> None:
    only_row(project, amount=amount, fee=fee, currency=currency)
    for format, style in WAYS:
        told = {}
        for amounts in ("decimal", "minor"):
            spec = wanted(
                "transactions", format, columns=COLUMNS, style=style, amounts=amounts
            )
            path, receipt = made(tmp_path, spec)
            assert receipt.as_json()["amounts"] == amounts
            assert receipt.sums[0].values["amount"] == amount
            (line,) = (read_csv if format == "csv" else read_jsonl)(path)
            told[amounts] = list(line.values())[1:3]
        assert [int(x) if x not in ("", None) else None for x in told["minor"]] == [
            amount, fee,
        ]  # fmt: skip
        for decimal, minor in zip(told["decimal"], (amount, fee), strict=True):
            if minor is None:
                assert decimal in ("", None)
                continue
            assert as_minor(decimal, currency) == minor
            places = exponent(currency)
            part = rf"\.\d{{{places}}}" if places else ""
            assert re.fullmatch(rf"-?\d+{part}", decimal)


def test_heads_of_people_say_it_and_those_of_programs_stay(
    project: Project, tmp_path: Path
) -> None:
    make_transaction(project=project, created=NOON)
    for style, amounts, heads in (
        ("people", "", ["Amount", "Fee"]),
        ("people", "decimal", ["Amount", "Fee"]),
        ("people", "minor", ["Amount (minor units)", "Fee (minor units)"]),
        ("programs", "decimal", ["amount", "fee"]),
        ("programs", "minor", ["amount", "fee"]),
    ):
        spec = wanted(
            "transactions", "csv", columns=COLUMNS, style=style, amounts=amounts
        )
        (line,) = read_csv(made(tmp_path, spec)[0])
        assert list(line)[1:3] == heads
    spec = wanted("transactions", "csv", "paysuper", amounts="minor")
    assert "net_amount" in read_csv(made(tmp_path, spec)[0])[0]


def test_excel_has_numbers_of_the_right_form(project: Project, tmp_path: Path) -> None:
    fill(project)
    known = {str(row.pk): row for row in Transaction.objects.all()}
    for amounts in ("decimal", "minor"):
        spec = wanted("transactions", "xlsx", columns=COLUMNS, amounts=amounts)
        book = openpyxl.load_workbook(made(tmp_path, spec)[0])
        first, data = book.worksheets
        said = {row[0].value: row[1].value for row in first.iter_rows() if len(row) > 1}
        head, *rows = data.iter_rows()
        assert ("minor units" in head[1].value) == (amounts == "minor")
        assert ("minor units" in said["Amounts"]) == (amounts == "minor")
        for id, cell, *_others in rows:
            row = known[id.value]
            if row.amount is None or (not row.currency and amounts == "decimal"):
                assert cell.value is None
            elif amounts == "minor":
                assert (cell.value, cell.data_type) == (row.amount, "n")
                assert "." not in cell.number_format
            else:
                assert as_minor(str(cell.value), row.currency) == row.amount
                places = cell.number_format.split(";")[0].partition(".")[2]
                assert places.count("0") == exponent(row.currency)


def test_paper_says_it_over_the_columns_and_the_totals(
    project: Project, tmp_path: Path
) -> None:
    fill(project)
    for amounts in ("decimal", "minor"):
        spec = wanted("transactions", "pdf", columns=COLUMNS, amounts=amounts)
        reader = PdfReader(made(tmp_path, spec)[0])
        text = "\n".join(page.extract_text() for page in reader.pages)
        in_minor = amounts == "minor"
        assert ("Amount (minor units)" in text) == in_minor
        assert ("Totals in minor units" in text) == in_minor
        assert ("whole minor units, such as cents" in text) == in_minor
        for row in Transaction.objects.exclude(currency=""):
            shown = grouped(row.amount or 0, "" if in_minor else row.currency)
            assert re.search(rf"{row.pk} {re.escape(shown)} ", text)
