"""The sandbox's notebook: which purchases exist, and how much of each was told.

A purchase is not written down, only what it is planned from, so that a sandbox
started again still answers for everything that any of its processes ever sold. It is
one SQLite file in the data folder, apart from the product's own database: the
imitated providers know nothing of us.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from merchant.sandbox import shop
from merchant.sandbox.story import Purchase, Step

#: A sandbox answers for so many of a connection's purchases, the newest.
REMEMBERED = 5_000

_TABLES = """
CREATE TABLE IF NOT EXISTS slip (
    number INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    provider TEXT NOT NULL,
    seed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    ending TEXT NOT NULL,
    pace REAL NOT NULL,
    most INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS slip_by_connection ON slip (connection, number);
CREATE TABLE IF NOT EXISTS extra (
    number INTEGER NOT NULL REFERENCES slip,
    step TEXT NOT NULL
) STRICT;
"""
_COLUMNS = "number, connection, provider, seed, at, ending, pace, most, told"


@dataclass(frozen=True, slots=True)
class Slip:
    """What a purchase is planned from.

    `at` in UTC; `most`: so many of its steps are ever reported, 0 for all; `told`: so
    many were.
    """

    number: int
    connection: str
    provider: str
    seed: int
    at: datetime
    ending: str
    pace: float = 1.0
    most: int = 0
    told: int = 0

    def purchase(self) -> Purchase:
        """The whole plan; nothing of it told yet."""
        return shop.plan(
            self.seed,
            self.number,
            self.at,
            self.provider,
            ending=self.ending,
            pace=self.pace,
        )


def _slip(row: tuple[Any, ...]) -> Slip:
    slip = Slip(*row)  # its time still in seconds
    return replace(slip, at=datetime.fromtimestamp(row[4], UTC))


class Book:
    """An open notebook. One per thread that writes; several processes may share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(
            path, timeout=10, isolation_level=None, check_same_thread=False
        )
        self._file.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_TABLES}"
        )

    def close(self) -> None:
        self._file.close()

    def add(self, make: Callable[[int], Slip]) -> Slip:
        """Notes the slip that `make` gives for the next free number.

        A new book starts at a number of its own, so that a lost one does not hand out
        the ids of old purchases again.
        """
        self._file.execute("BEGIN IMMEDIATE")
        try:
            (last,) = self._file.execute("SELECT max(number) FROM slip").fetchone()
            slip = make(last + 1 if last else secrets.randbelow(9_000) * 100_000 + 1)
            self._file.execute(
                "INSERT INTO slip VALUES"
                " (:number, :connection, :provider, :seed, :at, :ending, :pace, :most,"
                " :told)",
                {**asdict(slip), "at": int(slip.at.timestamp())},
            )
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")
        return slip

    def told(self, counts: Iterable[tuple[int, int]]) -> None:
        """Notes (number, how many planned steps of it were reported)."""
        self._file.execute("BEGIN IMMEDIATE")
        self._file.executemany(
            "UPDATE slip SET told = max(told, ?2) WHERE number = ?1", list(counts)
        )
        self._file.execute("COMMIT")

    def happened(self, number: int, step: Step) -> None:
        """Notes a step that was not planned: somebody asked the API for it."""
        row = json.dumps({**asdict(step), "at": step.at.isoformat()})
        self._file.execute("INSERT INTO extra VALUES (?, ?)", (number, row))

    def slips(self, connection: str, after: int = 0) -> list[Slip]:
        """The newest purchases of a connection with a greater number, oldest first."""
        rows = self._file.execute(
            f"SELECT {_COLUMNS} FROM slip"
            " WHERE connection = ? AND number > ? ORDER BY number DESC LIMIT ?",
            (connection, after, REMEMBERED),
        ).fetchall()
        return [_slip(row) for row in reversed(rows)]

    def extras(self, connection: str) -> list[tuple[int, Step]]:
        """The unplanned steps of a connection's purchases, in the order they came."""
        rows = self._file.execute(
            "SELECT number, step FROM extra JOIN slip USING (number)"
            " WHERE connection = ? ORDER BY extra.rowid",
            (connection,),
        )
        return [(number, _step(json.loads(text))) for number, text in rows]


def _step(row: dict[str, object]) -> Step:
    return Step(**{**row, "at": datetime.fromisoformat(str(row["at"]))})  # type: ignore[arg-type]
