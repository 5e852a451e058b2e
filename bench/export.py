"""How long files of the list take and how much memory, against floors and peers.

EXPORT_ROWS says of how many rows CSV and Excel are made, 50000 unless told; EXPORT_PDF
of how many the two PDFs, 2000,20000 unless told. The goals are set for EXPORT_ROWS
100000 and 1000000 and EXPORT_PDF=10000,100000: a quarter of an hour, most of it for the
peers. Each file is written in a process of its own, in turns, three times.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.db.models import AutoField  # noqa: E402

from merchant.models import Merchant, Project  # noqa: E402
from transactions.demo import bulk  # noqa: E402
from transactions.models import BalanceChange, LineItem, Transaction  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SEED = 2026
#: Rows that are invented; of these the others are copies.
INVENTED = 60_000
#: Peers that are far slower are asked for fewer rows; what counts is rows a second.
FEWER = {"import-export": 10_000, "openpyxl": 100_000}
ROUNDS = int(os.environ.get("EXPORT_ROUNDS", "3"))


class Goal(NamedTuple):
    """`ours` takes at most `most` times as long as `other`, a row."""

    ours: str
    other: str
    most: float


GOALS = (
    Goal("csv", "psql", 2.0),
    Goal("csv", "import-export", 1 / 15),
    Goal("xlsx", "rustpy", 1.5),
    Goal("xlsx", "openpyxl", 1 / 3),
    Goal("pdf", "canvas", 1.5),
)
#: MiB above an idle worker.
MEMORY = {"csv": 30, "csv-python": 30, "xlsx": 30, "jsonl": 30, "pdf": 150}


def main() -> None:
    rows = int(os.environ.get("EXPORT_ROWS", "50000"))
    few, many = map(int, os.environ.get("EXPORT_PDF", "2000,20000").split(","))
    _fill(max(rows, many))
    words = sys.argv[1:] or ["csv", "xlsx", "pdf"]
    if "csv" in words:
        names = ("psql", "csv", "csv-python", "iterator", "import-export", "jsonl")
        _compare(names, rows)
    if "xlsx" in words:
        _compare(("rustpy", "xlsx", "openpyxl"), rows)
    if "pdf" in words:
        _compare(("canvas", "pdf"), few)
        slow = _compare(("canvas", "pdf"), many)["pdf"]
        quick = _compare(("pdf",), few)["pdf"]
        print(f"{many / few:.0f} times the rows take {slow / quick:.1f} times as long")


def _compare(names: Sequence[str], rows: int) -> dict[str, float]:
    """Seconds of each way, the median, printed beside its goal."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            found[name].append(_written(name, min(rows, FEWER.get(name, rows))))
    print(f"\n{rows:,} rows{'':12} {'seconds':>9} {'us a row':>9} {'MB':>8} {'MiB':>6}")
    each: dict[str, float] = {}
    for name, readings in found.items():
        asked = min(rows, FEWER.get(name, rows))
        seconds = statistics.median(reading["seconds"] for reading in readings)
        grown = max(reading["above_idle"] for reading in readings)
        each[name] = seconds / asked
        over = name in MEMORY and grown > MEMORY[name]
        print(
            f"  {name:20} {seconds:9.2f} {seconds / asked * 1e6:9.1f}"
            f" {readings[0]['bytes'] / 1e6:8.1f} {grown:6.0f}"
            f"{'  <- over ' + str(MEMORY[name]) if over else ''}"
            f"{'' if asked == rows else f'  ({asked:,} rows)'}"
        )
    for goal in GOALS:
        if goal.ours in each and goal.other in each:
            ratio = each[goal.ours] / each[goal.other]
            print(
                f"  {goal.ours} / {goal.other}: {ratio:.2f}, at most {goal.most:.2f}"
                f"{'' if ratio <= goal.most else '  <- missed'}"
            )
    return {name: each[name] * min(rows, FEWER.get(name, rows)) for name in each}


def _written(name: str, rows: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.write_once", name, str(rows)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


# ---------------------------------------------------------------------------- the rows
def _fill(size: int) -> None:
    merchant, made = Merchant.objects.get_or_create(
        slug="bench-export", defaults={"name": "Pixel Harbor"}
    )
    if made:
        Project.objects.create(merchant=merchant, name="Shop", slug="bench-export")
    start = time.perf_counter()
    shops = list(Project.objects.filter(merchant=merchant).select_related("merchant"))
    missing = min(size, INVENTED) - Transaction.objects.count()
    if missing > 0:
        for _ in bulk.load(shops, missing, SEED, os.cpu_count() or 1):
            pass
    for _ in _copies(size):
        pass
    bulk.look_anew()
    count = Transaction.objects.count()
    print(f"{count:,} rows, made in {time.perf_counter() - start:.0f} s")


def _copies(size: int) -> Iterator[int]:
    """More of the same a few minutes earlier: here nobody asks the books."""
    while (there := Transaction.objects.count()) < size:
        wanted = min(there, size - there)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE twin AS SELECT id AS old, gen_random_uuid() AS id"
                f" FROM transactions_transaction LIMIT {wanted:d}"
            )
            _copy(cursor, Transaction, "id", {"id": "twin.id"})
            _copy(
                cursor, LineItem, "transaction_id",
                {"id": "gen_random_uuid()", "transaction_id": "twin.id"},
            )  # fmt: skip
            _copy(
                cursor, BalanceChange, "transaction_id",
                {"uuid": "gen_random_uuid()", "transaction_id": "twin.id"},
            )  # fmt: skip
            cursor.execute("DROP TABLE twin")
        yield wanted


def _copy(cursor: object, model: type, key: str, other: dict[str, str]) -> None:
    times = ("created", "happened")
    earlier = {name: f"row.{name} - interval '7 minutes'" for name in times}
    other = {**other, **earlier}
    columns = model._meta.concrete_fields  # type: ignore[attr-defined]
    names = [field.column for field in columns if not isinstance(field, AutoField)]
    values = ", ".join(other.get(name, f"row.{name}") for name in names)
    table = model._meta.db_table  # type: ignore[attr-defined]
    cursor.execute(  # type: ignore[attr-defined]
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values}"
        f" FROM {table} row INNER JOIN twin ON (twin.old = row.{key})"
    )


if __name__ == "__main__":
    main()
