"""CSV by RFC 4180: a line of heads, then a line for each row, and nothing else.

PostgreSQL writes the lines itself (COPY), formatting and guarding included, several
times as fast as Python can. Elsewhere Python does. Both give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from transactions.exports import kinds, source
from transactions.exports.kinds import Manner, guarded
from transactions.exports.lists import headings
from transactions.exports.paper import Paper, Written
from transactions.exports.source import Picture
from transactions.exports.spec import Spec
from transactions.exports.table import Column

#: Tells Excel that the file is UTF-8.
MARK = "\ufeff"


def write(paper: Paper, spec: Spec, picture: Picture) -> Written:
    if picture.connection.vendor == "postgresql":
        return copied(paper, spec, picture)
    return written(paper, spec, picture)


def written(paper: Paper, spec: Spec, picture: Picture) -> Written:
    """By Python, on any database."""
    paper.write(head(spec))
    for rows in picture.rows():
        paper.write(lines(rows, picture.columns, spec.manner).encode())
        paper.done(len(rows))
    return Written()


def copied(paper: Paper, spec: Spec, picture: Picture) -> Written:
    """By PostgreSQL."""
    paper.write(head(spec))
    alone = len(picture.columns) == 1
    cells: list[str] = []
    given: list[Any] = []
    for at, column in enumerate(picture.columns):
        text, params = kinds.sql(
            column.kind, spec.manner, column.spoken(), f"c{at}", "code"
        )
        cells.append(f"COALESCE({text}, '')" if alone else text)
        given += params
    statement, params = picture.select(", ".join(cells))
    if statement:
        options = "FORMAT csv, FORCE_QUOTE *" if alone else "FORMAT csv"
        copy = f"COPY ({statement}) TO STDOUT ({options})"
        with picture.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('TimeZone', %s, true)", [spec.zone])
            with cursor.cursor.copy(copy, [*given, *params]) as sent:
                for chunk in _in_chunks(sent):
                    paper.write(b"".join(chunk))
                    paper.done(len(chunk))
    return Written()


def _in_chunks(sent: Iterable[Any]) -> Iterator[list[bytes]]:
    """The server sends a line at a time, with its own end of line."""
    ends = (bytes(line[:-1]) + b"\r\n" for line in sent)
    while chunk := list(islice(ends, source.CHUNK)):
        yield chunk


def head(spec: Spec) -> bytes:
    guard = guarded if spec.for_people else str
    line = _csv([[guard(heading) for heading in headings(spec)]])
    return f"{MARK if spec.bom else ''}{line}".encode()


def lines(
    rows: Iterable[Sequence[Any]], columns: Sequence[Column], manner: Manner
) -> str:
    """Rows as Picture.rows gives them, as lines."""
    writers = [kinds.writer(c.kind, manner, c.spoken()) for c in columns]
    return _csv(
        [
            None if value is None else write(value, row[-1])
            for value, write in zip(row[:-1], writers, strict=True)
        ]
        for row in rows
    )


def _csv(rows: Iterable[list[str | None]]) -> str:
    """A row of one empty cell would be an empty line, so a single column is quoted."""
    text = io.StringIO(newline="")
    few = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    many = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        (many if len(row) > 1 else few).writerow(row)
    return text.getvalue()
