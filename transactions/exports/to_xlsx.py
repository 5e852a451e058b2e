"""Excel files, written row by row: the receipt on the first sheet, then the rows.

A writer of our own: it is as fast as the quickest library (written in Rust) and several
times as fast as openpyxl, holds a thousand rows in memory, and its files are smaller
(bench/export.py). Rows are turned into XML a column at a time, a thousand at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from merchant.money import exponent
from transactions.exports import receipts, workbook
from transactions.exports.kinds import Kind, Manner
from transactions.exports.lists import headings, sums_of
from transactions.exports.paper import Paper, Written
from transactions.exports.source import Picture, Row, Sums
from transactions.exports.spec import Spec
from transactions.exports.table import Column, Sum

#: Rows of a sheet, its head included, and bytes of its XML: a member of a plain zip
#: file may have 2 GiB.
MOST_ROWS, MOST_BYTES = workbook.MOST_ROWS, 1_900_000_000
#: zlib's: 1 is quick, 9 is small.
LEVEL = 4

#: The values of one column and the rows' currencies -> the column's cells.
Cells = Callable[[Sequence[Any], Sequence[str]], list[str]]

_EMPTY = ""
_1970, _SERIAL_OF_1970 = datetime(1970, 1, 1, tzinfo=UTC), 25_569
#: No zone changes its clocks within such a time, in seconds.
_QUARTER = 900
#: What XML cannot hold as it is. Between texts that are looked at together stands NUL.
_STRANGE = re.compile("[\x01-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_EDGES = tuple(f for blank in " \t\n" for f in (f"\0{blank}", f"{blank}\0"))
#: So many characters certainly fit into a cell.
_SHORT = workbook.MOST_CHARACTERS // 2


def write(paper: Paper, spec: Spec, picture: Picture) -> Written:
    with ZipFile(cast(IO[bytes], paper), "w", ZIP_DEFLATED, compresslevel=LEVEL) as zip:
        path, text = workbook.first_part()
        zip.writestr(path, text)
        data = _Data(zip, paper, spec, picture)
        data.write()
        zip.writestr(workbook.sheet_path(1), _receipt(spec, picture, data.sha256))
        names = [
            _("Receipt"),
            *workbook.sheet_names(str(picture.table.label), data.sheets),
        ]
        for path, text in workbook.other_parts(names).items():
            zip.writestr(path, text)
    return Written(
        parts=data.sheets + 1,
        data_sha256=data.sha256,
        data_is="the XML of the sheets after the first, one after the other",
    )


class _Data:
    """The sheets with the rows, as many as are needed; there is always one."""

    def __init__(
        self, zip: ZipFile, paper: Paper, spec: Spec, picture: Picture
    ) -> None:
        self.sheets = 0
        self._zip, self._paper, self._picture = zip, paper, picture
        self._digest = hashlib.sha256()
        self._widths = [column.width for column in picture.columns]
        self._cells = [cells(column, spec.manner) for column in picture.columns]
        self._letters = [workbook.letters(at) for at in range(len(picture.columns))]
        self._head = workbook.row(
            1, [workbook.text_cell(head, workbook.HEADING) for head in headings(spec)]
        )

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self) -> None:
        left: Iterator[list[Row]] = self._picture.rows()
        chunk = next(left, None)
        while chunk or not self.sheets:
            self.sheets += 1
            path = workbook.sheet_path(self.sheets + 1)
            with self._zip.open(path, "w") as sheet:
                chunk = self._fill(sheet, chunk, left)

    def _fill(
        self, sheet: IO[bytes], chunk: list[Row] | None, left: Iterator[list[Row]]
    ) -> list[Row] | None:
        """Fills a sheet, first with the chunk; returns what did not fit."""
        size = self._put(sheet, workbook.sheet_start(self._widths, frozen=True))
        size += self._put(sheet, self._head)
        rows = 1
        while chunk and rows < MOST_ROWS and size < MOST_BYTES:
            now, later = chunk[: MOST_ROWS - rows], chunk[MOST_ROWS - rows :]
            size += self._put(sheet, self._as_xml(now, rows + 1))
            rows += len(now)
            self._paper.done(len(now))
            chunk = later or next(left, None)
        self._put(sheet, workbook.sheet_end(f"A1:{self._letters[-1]}{rows}"))
        return chunk

    def _put(self, sheet: IO[bytes], text: str) -> int:
        data = text.encode()
        self._digest.update(data)
        return sheet.write(data)

    def _as_xml(self, rows: list[Row], number: int) -> str:
        """The rows, of which the first has this number."""
        *values, codes = zip(*rows, strict=True)
        columns = [
            cells(column, codes)
            for cells, column in zip(self._cells, values, strict=True)
        ]
        found = []
        letters = self._letters
        for at, row in enumerate(zip(*columns, strict=True), number):
            placed = [
                f'<c r="{letter}{at}{cell}'
                for letter, cell in zip(letters, row, strict=True)
                if cell
            ]
            found.append(f'<row r="{at}">{"".join(placed)}</row>')
        return "".join(found)


def _receipt(spec: Spec, picture: Picture, sha256: str) -> str:
    """The first sheet: what the file is, and what it adds up to."""
    rows = [[workbook.text_cell(spec.merchant, workbook.TITLE)]]
    told = [
        *receipts.lines(spec, picture),
        (_("SHA-256"), sha256),
        (_("is of"), _("the XML of the sheets after this one, one after the other")),
    ]
    rows += [
        [workbook.text_cell(label, workbook.LABEL), workbook.text_cell(text)]
        for label, text in told
    ]
    found = [each for each in picture.sums if each.currency]
    sums = sums_of(spec) if found else []
    if sums:
        heads = [_("Currency"), _("Rows"), *(str(sum.label) for sum in sums)]
        rows += [[], [workbook.text_cell(head, workbook.HEADING) for head in heads]]
        rows += [_sum_cells(each, sums, spec.in_minor) for each in picture.sums]
    start = workbook.sheet_start([24, 40, *[16] * len(sums)], frozen=False)
    lines = "".join(workbook.row(at, cells) for at, cells in enumerate(rows, 1))
    return f"{start}{lines}{workbook.sheet_end()}"


def _sum_cells(of: Sums, sums: Sequence[Sum], in_minor: bool) -> list[str]:
    return [
        workbook.text_cell(of.currency.upper()),
        workbook.number_cell(str(of.rows), workbook.WHOLE),
        *(_sum_cell(of, sum, in_minor) for sum in sums),
    ]


def _sum_cell(sums: Sums, sum: Sum, in_minor: bool) -> str:
    is_major = sum.is_money and sums.currency and not in_minor
    style = workbook.AMOUNTS[exponent(sums.currency)] if is_major else workbook.WHOLE
    number = receipts.sum_text(sums, sum, in_minor=in_minor)
    return workbook.number_cell(number, style)


# ------------------------------------------------------------------------------ cells
def cells(column: Column, manner: Manner) -> Cells:
    """How the values of a column become cells."""
    kind = column.kind
    if kind in (Kind.TIME, Kind.LOCAL):
        return _Times(manner.zone)
    if kind is Kind.MONEY:
        return _numbers if manner.in_minor else _amounts
    if kind is Kind.NUMBER:
        return _numbers
    if kind is Kind.YES:
        return _yes if manner.for_people else _true
    if kind is Kind.CODE and manner.for_people:
        return lambda values, codes: _texts([v and v.upper() for v in values], codes)
    if kind is Kind.WORD and manner.for_people:
        words = column.spoken()
        return lambda values, codes: _texts([words.get(v, v) for v in values], codes)
    return _ids if kind is Kind.ID else _texts


def _ids(values: Sequence[str | None], _: Sequence[str]) -> list[str]:
    """Nothing in them needs a look."""
    start = f'" s="{workbook.TEXT}" t="inlineStr"><is><t>'
    return [f"{start}{value}</t></is></c>" if value else _EMPTY for value in values]


def _texts(values: Sequence[str | None], _: Sequence[str]) -> list[str]:
    """Texts are looked at together, and one by one only where one of them needs it."""
    texts = [value or "" for value in values]
    together = "\0".join(texts)
    if (
        together.count("\0") != len(texts) - 1
        or _STRANGE.search(together)
        or "_x" in together
        or together.strip(" \t\n") != together
        or any(edge in together for edge in _EDGES)
        or len(max(texts, key=len)) > _SHORT
    ):
        return [workbook.text_cell(text) for text in texts]
    if "&" in together or "<" in together or ">" in together:
        together = together.replace("&", "&amp;")
        texts = together.replace("<", "&lt;").replace(">", "&gt;").split("\0")
    start = f'" s="{workbook.TEXT}" t="inlineStr"><is><t>'
    return [f"{start}{text}</t></is></c>" if text else _EMPTY for text in texts]


def _numbers(values: Sequence[int | None], _: Sequence[str]) -> list[str]:
    start = f'" s="{workbook.WHOLE}"><v>'
    return [_EMPTY if value is None else f"{start}{value}</v></c>" for value in values]


def _amounts(values: Sequence[int | None], codes: Sequence[str]) -> list[str]:
    """Numbers with as many decimals as the currency has."""
    return [
        _EMPTY if minor is None or not code else _amount(minor, exponent(code))
        for minor, code in zip(values, codes, strict=True)
    ]


def _amount(minor: int, places: int) -> str:
    digits = str(minor)
    if places:
        digits = f"{abs(minor):0{places + 1}d}"
        sign = "-" if minor < 0 else ""
        digits = f"{sign}{digits[:-places]}.{digits[-places:]}"
    return f'" s="{workbook.AMOUNTS[places]}"><v>{digits}</v></c>'


def _yes(values: Sequence[bool | None], _codes: Sequence[str]) -> list[str]:
    said = {None: "", True: "Yes", False: "No"}
    return _texts([said[value] for value in values], _codes)


def _true(values: Sequence[bool | None], _codes: Sequence[str]) -> list[str]:
    return [
        _EMPTY if value is None else f'" t="b"><v>{value:d}</v></c>' for value in values
    ]


class _Times:
    """Days since Excel's beginning, as a clock in the zone shows the time."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, int] = {}

    def __call__(
        self, values: Sequence[datetime | None], _: Sequence[str]
    ) -> list[str]:
        start = f'" s="{workbook.TIME}"><v>'
        return [
            _EMPTY if when is None else f"{start}{self._serial(when):.8f}</v></c>"
            for when in values
        ]

    def _serial(self, when: datetime) -> float:
        since = when - _1970
        seconds = since.days * 86_400 + since.seconds
        quarter = seconds // _QUARTER
        offset = self._offsets.get(quarter)
        if offset is None:
            offset = self._offset(when)
            if len(self._offsets) > 10_000:
                self._offsets.clear()
            self._offsets[quarter] = offset
        return (seconds + offset) / 86_400 + _SERIAL_OF_1970

    def _offset(self, when: datetime) -> int:
        found = when.astimezone(self._zone).utcoffset()
        return int(found.total_seconds()) if found else 0
