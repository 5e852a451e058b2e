"""A file is of one moment, whole or not there, and says what is in it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from merchant.models import Project
from tests.factories import make_changes, make_project, make_transaction
from tests.transactions.exports.files import (
    NOON,
    fill,
    made,
    read_csv,
    rows_of,
    wanted,
)
from transactions.exports import source, writing
from transactions.exports.lists import TABLES
from transactions.exports.source import Source, picture
from transactions.exports.spec import Spec, masks
from transactions.exports.table import UnknownColumn
from transactions.models import BalanceChange, Transaction
from transactions.paging import BY_STATUS, LARGEST, OLDEST

pytestmark = pytest.mark.django_db(transaction=True)
FORMATS = ("csv", "xlsx", "pdf", "jsonl")


def test_what_happens_meanwhile_is_not_in_the_file(project: Project) -> None:
    fill(project)
    before = Transaction.objects.count()
    spec = wanted("transactions", "csv", columns=("id", "amount"))
    with picture(spec, rows_of("transactions")) as seen:
        sums = seen.sums
        make_transaction(project=project, created=NOON + timedelta(days=1))
        Transaction.objects.update(amount=1)
        rows = [row for chunk in seen.rows() for row in chunk]
    assert len(rows) == seen.total == before
    added = {found.currency: found.values["amount"] for found in sums}
    for currency in filter(None, added):
        mine = [row[1] for row in rows if row[-1] == currency]
        assert sum(mine) == added[currency] > len(mine)


def test_one_that_is_stopped_leaves_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(project)
    monkeypatch.setattr(source, "CHUNK", 5)
    for format in FORMATS:
        path = tmp_path / f"x.{format}"
        done: list[int] = []
        with pytest.raises(writing.Stopped):
            writing.write(
                wanted("transactions", format), rows_of("transactions"), path,
                done.append, lambda done=done: len(done) > 1,
            )  # fmt: skip
        assert list(tmp_path.iterdir()) == []
    assert done == [5, 10]


def test_one_that_breaks_leaves_what_was_there(
    project: Project, tmp_path: Path
) -> None:
    make_transaction(project=project)
    path, _ = made(tmp_path, wanted("transactions", "csv"))
    before = path.read_bytes()

    def breaks(rows: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        writing.write(
            wanted("transactions", "csv"), rows_of("transactions"), path, breaks
        )
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2  # and its receipt


def test_what_a_killed_worker_left_goes_with_the_next_try(
    project: Project, tmp_path: Path
) -> None:
    make_transaction(project=project)
    left = tmp_path / ".transactions.csv.0123.part"
    left.write_bytes(b"half")
    path, _ = made(tmp_path, wanted("transactions", "csv"))
    assert not left.exists()
    left.write_bytes(b"half")
    writing.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_true(project: Project, tmp_path: Path) -> None:
    rows = fill(project)
    for format in FORMATS:
        told: list[int] = []
        begun: list[int] = []
        receipt = writing.write(
            wanted("transactions", format), rows_of("transactions"),
            tmp_path / "x", told.append, begun=begun.append,
        )  # fmt: skip
        assert begun == [len(rows)] and told[-1] == receipt.rows == len(rows)
        assert told == sorted(told)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_the_receipt_lies_beside_it(
    project: Project, tmp_path: Path, format: str
) -> None:
    fill(project)
    spec = wanted("transactions", format, project="Dragon Shop", period="July 2026")
    path, receipt = made(tmp_path, spec)
    told = json.loads(writing.receipt_path(path).read_text())
    data = path.read_bytes()
    assert told["sha256"] == hashlib.sha256(data).hexdigest() == receipt.sha256
    assert told["size"] == len(data) == receipt.size
    assert told["rows"] == Transaction.objects.count()
    assert told["made_at"] == "2026-07-01T12:30:15Z"
    for name in ("merchant", "project", "filters", "period", "made_by"):
        assert told[name] == getattr(spec, name)
    for sums in told["sums"]:
        rows = Transaction.objects.filter(currency=sums["currency"])
        amounts = [row.amount or 0 for row in rows]
        assert (sums["rows"], sums["amount"]) == (len(amounts), sum(amounts))


def test_the_rows_stand_in_the_lists_order(project: Project, tmp_path: Path) -> None:
    fill(project)
    strands = [Transaction.objects.filter(livemode=live) for live in (True, False)]
    for order in (OLDEST, LARGEST, BY_STATUS):
        path, _ = made(tmp_path, wanted("transactions", "csv"), Source(strands, order))
        wanted_ids = Transaction.objects.order_by(*order.forwards)
        ids = [line["id"] for line in read_csv(path)]
        assert ids == [str(row.pk) for row in wanted_ids]


def test_only_the_rows_that_were_given(project: Project, tmp_path: Path) -> None:
    make_changes(make_transaction(project=project))
    make_changes(make_transaction(project=make_project()))
    for table, model in (("transactions", Transaction), ("balance", BalanceChange)):
        mine = Source([model.objects.filter(project=project)])
        path, _ = made(tmp_path, wanted(table, "csv"), mine)
        (line,) = read_csv(path)
        assert line["Project"] == "Dragon Shop"


def test_a_column_that_is_none_is_named() -> None:
    with pytest.raises(UnknownColumn, match="'nonsense' is no column"):
        TABLES["transactions"].chosen(["id", "nonsense"])
    with pytest.raises(UnknownColumn, match="accounting"):
        TABLES["transactions"].preset("nonsense")


def test_amounts_follow_the_style_unless_told() -> None:
    def minor(**over: object) -> bool:
        given = {"table": "transactions", "format": "csv", "made_at": NOON}
        return Spec(**given | over).in_minor  # type: ignore[arg-type]

    assert not minor()
    assert minor(style="programs") and minor(format="jsonl") and minor(minor=True)
    assert not minor(style="programs", minor=False)


def test_every_role_that_may_see_customers_sees_them_plainly() -> None:
    assert not any(masks(role) for role in ("owner", "finance", "support"))
