"""CSV for people: UTF-8 with a mark, RFC 4180, and no cell that a program would run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from transactions.exports.table import Cell, Heading, cells
from transactions.models import Transaction

#: What makes a spreadsheet take a text for a formula, also after blanks and in the wide
#: forms that some of them fold.
DANGEROUS = frozenset("=+-@\t\r\n＝＋－＠")
#: Tells Excel that the file is UTF-8.
MARK = "\ufeff"


def lines(rows: Iterable[Transaction], headings: Sequence[Heading]) -> Iterator[str]:
    """The file, a line at a time."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield MARK + writer.writerow([guarded(heading.label) for heading in headings])
    for row in rows:
        yield writer.writerow([_written(cell) for cell in cells(row, headings)])


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if text.lstrip(" \u00a0\ufeff")[:1] in DANGEROUS else text


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    return format(cell, "f") if isinstance(cell, Decimal) else guarded(cell)


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, line: str) -> str:
        return line
