"""The rows of a file, read as one picture of the database while payments go on.

A picture has its own connection and its own transaction that sees what was there when
it began: how many rows, their sums, and the rows themselves are of one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F, OrderBy, QuerySet, Value
from django.db.models.expressions import Combinable

from transactions.exports.kinds import Kind
from transactions.exports.lists import TABLES, shown, sums_of
from transactions.exports.spec import Spec
from transactions.exports.table import Table
from transactions.exports.values import rewritten
from transactions.paging import NEWEST, OLDEST, Order

#: Rows that are fetched at a time: what a file holds in memory.
CHUNK = 1_000

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Which rows a file has: those of a list, in the list's order.

    `strands`: the rows in parts that do not meet, as TransactionFilter.strands and
    those of the other lists give them. `order` matters to transactions; other tables
    go by their own time, oldest first where the list does.
    """

    strands: Sequence[QuerySet[Any]]
    order: Order = NEWEST


@dataclass(slots=True)
class Sums:
    """What a currency's rows add up to: key -> sum, of money in minor units."""

    currency: str
    rows: int
    values: dict[str, int] = field(default_factory=dict)


@contextmanager
def picture(spec: Spec, source: Source) -> Iterator[Picture]:
    """One consistent picture of the database, until the block ends."""
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with own.cursor() as cursor:
            if own.vendor == "postgresql":
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            else:
                cursor.execute("BEGIN DEFERRED")
        yield Picture(own, spec, source)
    finally:
        own.close()


class Picture:
    """The rows of a file as they were at one moment.

    `columns`: what the file shows.
    """

    def __init__(self, connection: Any, spec: Spec, source: Source) -> None:
        self.connection = connection
        self.spec = spec
        self.table: Table = TABLES[spec.table]
        self.columns = shown(spec)
        self._sums = sums_of(spec)
        self._source = source

    @cached_property
    def sums(self) -> list[Sums]:
        """What the rows add up to, by currency ("" for rows that have none)."""
        return self._added_up()

    @property
    def total(self) -> int:
        return sum(found.rows for found in self.sums)

    def rows(self) -> Iterator[list[Row]]:
        """The rows, some at a time: of each column its value (text, bool, int, a
        datetime in UTC, or None), and the currency last."""
        names = ", ".join(self._read(at) for at in range(len(self.columns)))
        statement, params = self.select(f"{names}, code")
        if not statement:
            return
        reads = [_SQLITE.get(column.kind) for column in self.columns]
        for chunk in self._fetched(statement, params):
            yield chunk if self._is_postgresql else _converted(chunk, reads)

    def _read(self, at: int) -> str:
        # The driver would make an object of each id.
        is_id = self.columns[at].kind is Kind.ID
        return f"c{at}{'::text' * (is_id and self._is_postgresql)}"

    @property
    def _is_postgresql(self) -> bool:
        return bool(self.connection.vendor == "postgresql")

    def select(self, what: str) -> tuple[str, list[Any]]:
        """SQL for `what` of each row in the file's order: of c0, c1, ... for the
        columns' values, and of code, the currency. "" where there can be no rows."""
        orders = [self._sort(at) for at in range(len(self.table.parts))]
        parts, params = self._parts(self._values, orders)
        if not parts:
            return "", []
        ways = ", ".join(
            f"s{at} {'DESC' if down else 'ASC'}"
            for at, (_, down) in enumerate(orders[0])
        )
        rows = f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS part ORDER BY {ways}"
        if self._is_postgresql:
            # A fence: else a value that is a query of its own is asked again for each
            # time that its text is looked at.
            rows += " OFFSET 0"
        return f"SELECT {what} FROM ({rows}) AS shown", params

    # ------------------------------------------------------------------------ queries
    def _parts(
        self,
        values: Callable[[int], dict[str, Any]],
        orders: Sequence[Sequence[tuple[Any, bool]]] = (),
    ) -> tuple[list[str], list[Any]]:
        """SQL for each part of each strand, and the parameters of all."""
        texts: list[str] = []
        given: list[Any] = []
        for strand in self._source.strands:
            for at, part in enumerate(self.table.parts):
                wanted = values(at) | {"code": part.currency}
                if orders:
                    sort = orders[at]
                    wanted |= {f"s{place}": key for place, (key, _) in enumerate(sort)}
                rows = part.rows(strand.order_by()).order_by()
                rows = rows.annotate(**wanted).values_list(*wanted)
                compiler = rows.query.get_compiler(connection=self.connection)
                try:
                    text, params = compiler.as_sql()
                except EmptyResultSet:
                    continue  # what it asks for cannot be
                texts.append(text)
                given += params
        return texts, given

    def _values(self, part: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for at, column in enumerate(self.columns):
            masked = self.spec.masked and column.masked
            found[f"c{at}"] = (masked or column.values)[part]
        return found

    def _sort(self, part: int) -> list[tuple[Combinable, bool]]:
        """(what rows go by, whether downwards)"""
        keys: Sequence[Any] = self.table.parts[part].sort or self._source.order.forwards
        sort = [_way(key) for key in keys]
        if len(self.table.parts) > 1:
            # What happened to one purchase at one moment: its sale is the oldest.
            sort.append((Value(part), True))
        if self.table.parts[part].sort and self._source.order is OLDEST:
            return [(key, not down) for key, down in sort]
        return sort

    def _added_up(self) -> list[Sums]:
        def values(part: int) -> dict[str, Any]:
            return {f"c{at}": s.values[part] for at, s in enumerate(self._sums)}

        parts, params = self._parts(values)
        if not parts:
            return []
        names = "".join(f", SUM(c{at})" for at in range(len(self._sums)))
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT code, COUNT(*){names} FROM ({' UNION ALL '.join(parts)})"
                " AS part GROUP BY code ORDER BY 2 DESC, code",
                params,
            )
            return [
                Sums(
                    currency or "",
                    count,
                    {
                        s.key: int(value or 0)
                        for s, value in zip(self._sums, sums, strict=True)
                    },
                )
                for currency, count, *sums in cursor.fetchall()
            ]

    def _fetched(self, statement: str, params: list[Any]) -> Iterator[list[Row]]:
        with self.connection.cursor() as cursor:
            if self._is_postgresql:
                # A cursor of the server's: the client would hold all rows.
                declare = "DECLARE export NO SCROLL CURSOR FOR"
                cursor.execute(f"{declare} {statement}", params)
                cursor.execute(f"FETCH {CHUNK} FROM export")
                while chunk := cursor.fetchall():
                    yield chunk
                    cursor.execute(f"FETCH {CHUNK} FROM export")
                cursor.execute("CLOSE export")
            else:
                cursor.execute(statement, params)
                while chunk := cursor.fetchmany(CHUNK):
                    yield chunk


def _way(key: str | Combinable) -> tuple[Combinable, bool]:
    if isinstance(key, str):
        return F(key.removeprefix("-")), key.startswith("-")
    if isinstance(key, OrderBy):
        return key.expression, key.descending
    return key, True


# ------------------------------------------------------------------- values as they are
#: How SQLite's values become those; None: they are. PostgreSQL's driver gives them.
_Reader = Callable[[Any], Any] | None


def _converted(chunk: Iterable[Row], reads: Sequence[_Reader]) -> list[Row]:
    return [
        (
            *(
                value if read is None or value is None else read(value)
                for value, read in zip(row[:-1], reads, strict=True)
            ),
            row[-1],
        )
        for row in chunk
    ]


def _id(text: str) -> str:
    return str(UUID(text))


def _time(when: datetime | str) -> datetime:
    """It knows of times only where they come straight from a table."""
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return found.replace(tzinfo=UTC)


_SQLITE: dict[Kind, _Reader] = {
    Kind.ID: _id,
    Kind.TIME: _time,
    Kind.LOCAL: _time,
    Kind.YES: bool,
    Kind.JSON: rewritten,
}
