"""PDF that one would hand to an accountant: what it is, the totals, then the rows.

Drawn on reportlab's canvas with a layout of our own, so that time grows with the rows
and with nothing else: its own LongTable takes with its square. Where the columns are
wider than the page, a row takes several lines, in a head of as many.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4, landscape

from merchant.money import exponent
from transactions.exports import fonts, kinds, receipts
from transactions.exports.kinds import Kind, Manner
from transactions.exports.lists import headings, sums_of
from transactions.exports.pages import GREY, INK, LINE, MARGIN, RED, SIZE, Pages
from transactions.exports.paper import Paper, Written
from transactions.exports.source import Picture, Row
from transactions.exports.spec import Spec
from transactions.exports.table import Column

PAGE = landscape(A4)
GAP = 6.0
#: About as wide as a character is, to turn a column's width into points.
CHARACTER = 3.9
MINUS = "\u2212"
#: Where the texts beside their labels begin.
BESIDE = 110
#: The room for what is known only when all rows are drawn.
DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: its number, left edge, width, and line of a row."""

    at: int
    x: float
    width: float
    line: int
    right: bool


def write(paper: Paper, spec: Spec, picture: Picture) -> Written:
    title = f"{spec.merchant} · {picture.table.label}".strip(" ·")
    pages = Pages(paper, PAGE, title=title, author=spec.made_by)
    _title(pages, spec, picture)
    rows = _Rows(pages, spec, picture)
    for chunk in picture.rows():
        rows.put(chunk)
        paper.done(len(chunk))
    if not paper.rows:
        pages.down(20)
        pages.put(_("There are no rows."), MARGIN, colour=GREY)
    pages.end()
    missing = pages.missing + rows.type.missing
    _fill_in(pages, rows.sha256, missing)
    pages.canvas.save()
    return Written(
        parts=pages.number,
        data_sha256=rows.sha256,
        data_is="the text of the cells, with tabs between them and LF after each row",
        missing_glyphs=missing,
    )


# ---------------------------------------------------------------------------- the title
def _title(pages: Pages, spec: Spec, picture: Picture) -> None:
    """Whose report it is, of what, and what it adds up to."""
    pages.down(14)
    pages.put(spec.merchant, MARGIN, size=16, bold=True)
    pages.down(18)
    told = f"{picture.table.label} · {spec.period}".rstrip(" ·")
    pages.put(told, MARGIN, size=11)
    pages.down(8)
    for label, text in receipts.lines(spec, picture):
        for line in wrapped(text, 8, pages.edge - MARGIN - BESIDE):
            pages.down(12)
            pages.put(label, MARGIN, size=8, colour=GREY)
            pages.put(line, MARGIN + BESIDE, size=8)
            label = ""
    pages.down(24)
    pages.leave_room(DIGEST)
    _sums(pages, spec, picture)


def _sums(pages: Pages, spec: Spec, picture: Picture) -> None:
    sums = sums_of(spec)
    found = [each for each in picture.sums if each.currency]
    if not (sums and found):
        return
    pages.down(26)
    pages.put(_("Totals"), MARGIN, size=11, bold=True)
    edges = [MARGIN + 130 + 84 * at for at in range(len(sums) + 1)]
    heads = [_("Rows"), *(str(sum.label) for sum in sums)]
    pages.down(16)
    pages.put(_("Currency"), MARGIN, bold=True)
    for edge, label in zip(edges, heads, strict=True):
        pages.put(label, edge, bold=True, right=True)
    for each in found:
        pages.down(12)
        pages.put(each.currency.upper(), MARGIN)
        pages.put(grouped(each.rows), edges[0], right=True)
        for edge, sum in zip(edges[1:], sums, strict=True):
            value = each.values[sum.key]
            is_major = sum.is_money and not spec.in_minor
            text = grouped(value, each.currency if is_major else "")
            pages.put(text, edge, right=True, colour=RED if value < 0 else INK)


def _fill_in(pages: Pages, sha256: str, missing: int) -> None:
    told = (
        (_("SHA-256 of the rows' text"), sha256),
        (_("Missing characters"), f"{missing:,}"),
    )
    canvas = pages.canvas
    with pages.later(DIGEST, 24):
        canvas.setFont(fonts.MAIN, 8)
        for y, (label, text) in zip((12, 0), told, strict=True):
            canvas.setFillColorRGB(*GREY)
            canvas.drawString(0, y, label)
            canvas.setFillColorRGB(*INK)
            canvas.drawString(BESIDE, y, text)


# ----------------------------------------------------------------------------- the rows
class _Rows:
    """The table, with its heads on every page."""

    def __init__(self, pages: Pages, spec: Spec, picture: Picture) -> None:
        self.type = fonts.Type(SIZE)
        self._pages = pages
        self._digest = hashlib.sha256()
        self._places = placed(picture.columns, pages.edge - MARGIN)
        self._lines = max(place.line for place in self._places) + 1
        self._headings = headings(spec)
        self._texts = [cell_text(column, spec.manner) for column in picture.columns]
        # Not the heads alone at the bottom of a page.
        needed = (self._lines + 1) * LINE
        pages.down(10 + needed)
        pages.y += needed
        self._head()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def put(self, rows: list[Row]) -> None:
        for row in rows:
            texts = [
                "" if value is None else text(value, row[-1])
                for value, text in zip(row[:-1], self._texts, strict=True)
            ]
            self._digest.update("\t".join(texts).encode("utf-8", "replace") + b"\n")
            self._pages.down(self._lines * LINE, self._head)
            self._row(texts)
            self._pages.rule()

    def _row(self, texts: Sequence[str]) -> None:
        pages = self._pages
        top = pages.y + (self._lines - 1) * LINE
        for place in self._places:
            content = texts[place.at]
            if not content:
                continue
            runs, wide = self.type.fitted(content, place.width)
            x, colour = place.x, INK
            if place.right:
                x += place.width - wide
                colour = RED if content[0] == MINUS else INK
            pages.draw(runs, x, top - place.line * LINE, colour=colour)

    def _head(self) -> None:
        pages = self._pages
        for line in range(self._lines):
            pages.y -= LINE
            for place in self._places:
                if place.line == line:
                    edge = place.x + (place.width if place.right else 0)
                    pages.put(
                        self._headings[place.at], edge,
                        bold=True, right=place.right, width=place.width,
                    )  # fmt: skip
        pages.rule()


# ----------------------------------------------------------------------------- layout
def placed(columns: Sequence[Column], room: float) -> list[Place]:
    """Where the columns stand: side by side, on as many lines as they need, each line
    as wide as the page."""
    lines: list[list[tuple[int, float]]] = [[]]
    left = room
    for at, column in enumerate(columns):
        width = min(column.width * CHARACTER + GAP, room)
        if width > left and lines[-1]:
            lines.append([])
            left = room
        lines[-1].append((at, width))
        left -= width
    found: list[Place] = []
    for number, line in enumerate(lines):
        used = sum(width for _, width in line)
        # The last of several lines may be short: it is not drawn out.
        stretch = room / used if number == 0 or used > room / 2 else 1.0
        x = MARGIN
        for at, width in line:
            right = columns[at].kind in (Kind.MONEY, Kind.NUMBER)
            found.append(Place(at, x, width * stretch - GAP, number, right))
            x += width * stretch
    return found


def wrapped(text: str, size: float, width: float) -> Iterator[str]:
    """The text on lines no wider than that, broken between words, or within a word
    that is wider than a line."""
    most = width * 1000 / size
    line = ""
    for word in text.split():
        if line and _edges(f"{line} {word}")[-1] > most:
            yield line
            line = ""
        line = f"{line} {word}".strip()
        while len(line) > 1 and (edges := _edges(line))[-1] > most:
            fits = max(1, bisect_right(edges, most))
            yield line[:fits]
            line = line[fits:]
    yield line


def _edges(text: str) -> list[int]:
    """Where each character ends, in thousandths of the size of type; one that the
    first font does not draw is taken for a square."""
    widths = fonts.main().widths
    return list(accumulate(widths.get(character, 1000) for character in text))


# ------------------------------------------------------------------------------ cells
def cell_text(column: Column, manner: Manner) -> Callable[[Any, str], str]:
    """How a value of the column reads on paper."""
    kind = column.kind
    if kind is Kind.NUMBER or (kind is Kind.MONEY and manner.in_minor):
        return lambda number, _code: grouped(number)
    if kind is Kind.MONEY:
        return lambda minor, code: grouped(minor, code) if code else ""
    if kind is Kind.TIME:
        return lambda when, _code: _clock(when, manner)
    if kind in (Kind.TEXT, Kind.JSON):
        return lambda text, _code: text
    words = column.spoken()
    if kind is Kind.WORD and manner.for_people:
        return lambda word, _code: words.get(word, word)
    written = kinds.writer(kind, manner, words)
    return lambda value, code: written(value, code) or ""


def _clock(when: datetime, manner: Manner) -> str:
    return when.astimezone(manner.zone).isoformat(" ", "seconds")[:19]


def grouped(number: int, currency: str = "") -> str:
    """-123456 eur -> −1,234.56; without a currency a whole number."""
    places = exponent(currency) if currency else 0
    whole, part = divmod(abs(number), 10**places)
    digits = f"{whole:,}.{part:0{places}d}" if places else f"{whole:,}"
    return f"{MINUS}{digits}" if number < 0 else digits
