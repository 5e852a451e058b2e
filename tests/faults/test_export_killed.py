"""kill -9 in the middle of an export: another worker begins again; one file results."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from tests.live import House, own_database, until

pytestmark = [pytest.mark.server, pytest.mark.postgres]

ROWS = 6_000

ASK = """
from merchant.models import Member, Project
from tests.transactions.sales import sell
from transactions import exporting
from transactions.exports.lists import TABLES
for _ in range(%d // 200):
    sell(Project.objects.get(), 200)
columns = tuple(TABLES["transactions"].columns)
exporting.start(
    Member.objects.get(),
    exporting.Wish(format="pdf", livemode=True, columns=columns),
)
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with own_database() as database:
        house = House(tmp_path, **database)
        house.all_made(
            ["add_merchant", "--name", "Dragon", "--slug", "dragon"],
            ["add_project", "--merchant=dragon", "--name=Shop", "--slug=shop"],
            ["add_member", "--merchant=dragon", "--email=ana@example.com",
             "--role=finance", "--password", "correct horse battery 9"],
        )  # fmt: skip
        house.manage("shell", "-v", "0", "-c", ASK % ROWS)
        yield house


def standing(house: House) -> dict[str, Any]:
    with psycopg.connect(house.environment["DATABASE_URL"]) as database:
        row = database.execute(
            "SELECT json_build_object('state', state, 'done', rows_done, 'total',"
            " rows_total, 'file', file, 'sha256', sha256, 'receipt', receipt)"
            " FROM transactions_export"
        ).fetchone()
    assert row is not None
    return row[0]


def test_another_worker_begins_again_and_there_is_one_file(house: House) -> None:
    total = standing(house)
    assert (total["state"], total["file"]) == ("pending", "")
    folder = Path(house.environment["DATA_DIR"]) / "exports"
    with house.running("work") as worker:
        until(lambda: standing(house)["done"] > 0, 60, "the first rows")
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    killed = standing(house)
    assert killed["state"] == "running"
    assert 0 < killed["done"] < killed["total"]
    with house.running("work"):
        until(lambda: standing(house)["state"] == "ready", 120, "the file")
    ready = standing(house)
    assert [path.name for path in folder.iterdir()] == [ready["file"]]
    content = (folder / ready["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == ready["sha256"]
    assert ready["receipt"]["rows"] == ready["done"] == ready["total"]
    assert len(PdfReader(folder / ready["file"]).pages) == ready["receipt"]["parts"]
    assert "ana@example.com" in json.dumps(ready["receipt"])
