"""JSON Lines: an object a row, as programs take values."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from merchant.models import Project
from tests.factories import make_transaction
from tests.transactions.exports.files import (
    LISTS,
    fill,
    made,
    only_row,
    read_jsonl,
    wanted,
)
from tests.transactions.exports.test_csv import TEXT
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_value_is_what_the_database_says(project: Project, tmp_path: Path) -> None:
    fill(project)
    path, receipt = made(tmp_path, wanted("transactions", "jsonl"))
    known = {str(row.pk): row for row in Transaction.objects.all()}
    lines = read_jsonl(path)
    assert receipt.rows == len(lines) == len(known)
    for line in lines:
        row = known[line["id"]]
        assert line["customer"] == row.customer_name
        assert line["amount"] == row.amount and line["fee"] == row.fee
        assert line["currency"] == row.currency and line["status"] == row.status
        assert line["metadata"] == row.metadata
        assert line["live"] is row.livemode
        assert datetime.fromisoformat(line["created"]) == row.created
        assert (line["paid"] is None) == (row.paid is None)


def test_every_list_can_be_written(project: Project, tmp_path: Path) -> None:
    fill(project)
    for name in LISTS:
        path, receipt = made(tmp_path, wanted(name, "jsonl"))
        assert len(read_jsonl(path)) == receipt.rows > 0


def test_decimal_amounts_are_texts(project: Project, tmp_path: Path) -> None:
    make_transaction(project=project, amount=-5)
    spec = wanted("transactions", "jsonl", columns=("amount",), amounts="decimal")
    assert read_jsonl(made(tmp_path, spec)[0]) == [
        {"amount": "-0.05", "currency": "eur"}
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(text=TEXT)
def test_any_text_comes_back(project: Project, tmp_path: Path, text: str) -> None:
    only_row(project, customer_name=text, metadata={"k": text})
    spec = wanted("transactions", "jsonl", columns=("customer", "metadata"))
    (line,) = read_jsonl(made(tmp_path, spec)[0])
    assert line == {"customer": text, "metadata": {"k": text}}
