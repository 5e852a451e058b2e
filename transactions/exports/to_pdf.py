"""PDF that one would hand to an accountant: what it is, the totals, then the rows.

Drawn on reportlab's canvas with a layout of our own, so that time grows with the rows
and with nothing else: its own LongTable takes with its square. Where the columns are
wider than the page, a row takes several lines, in a head of as many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, cast

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from merchant.money import exponent
from transactions.exports import fonts, kinds, receipts
from transactions.exports.kinds import Kind, Manner
from transactions.exports.lists import headings
from transactions.exports.paper import Paper, Written
from transactions.exports.source import Picture, Row
from transactions.exports.spec import Spec
from transactions.exports.table import Column

WIDTH, HEIGHT = landscape(A4)
MARGIN, GAP = 28.0, 6.0
SIZE, LINE = 7.0, 10.5
#: About as wide as a character is, to turn a column's width into points.
CHARACTER = 3.9
FOOT = MARGIN + 14
INK, GREY, RULE, RED = (
    (0.1, 0.1, 0.12),
    (0.42, 0.42, 0.46),
    (0.84, 0.84, 0.87),
    (0.7, 0.1, 0.1),
)
MINUS = "\u2212"
#: Forms that are drawn on pages before anybody knows what stands in them.
PAGES, DIGEST = "pages", "digest"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: its number, left edge, width, and line of a row."""

    at: int
    x: float
    width: float
    line: int
    right: bool


def write(paper: Paper, spec: Spec, picture: Picture) -> Written:
    report = _Report(paper, spec, picture)
    report.title()
    for rows in picture.rows():
        report.rows(rows)
        paper.done(len(rows))
    report.end()
    report.canvas.save()
    return Written(
        parts=report.page,
        data_sha256=report.sha256,
        data_is="the text of the cells, with tabs between them and LF after each row",
        missing_glyphs=report.type.missing,
    )


class _Report:
    """The pages of one report, drawn from the top of the first to the last row."""

    def __init__(self, paper: Paper, spec: Spec, picture: Picture) -> None:
        self.spec, self.picture = spec, picture
        self.canvas = Canvas(
            cast(IO[bytes], paper),
            pagesize=(WIDTH, HEIGHT),
            pageCompression=1,
            invariant=1,
        )
        self.canvas.setTitle(f"{spec.merchant}: {picture.table.label}".strip(": "))
        self.canvas.setAuthor(spec.made_by)
        self.canvas.setCreator("Merchant")
        self.type = fonts.Type(SIZE)
        self.page = 1
        self._digest = hashlib.sha256()
        self._places = placed(picture.columns)
        self._lines = max(place.line for place in self._places) + 1
        self._texts = [cell_text(column, spec.manner) for column in picture.columns]
        self._y = HEIGHT - MARGIN
        self._font = ""
        self._rules: list[tuple[float, float, float, float]] = []
        self._start_text()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    # --------------------------------------------------------------------- the title
    def title(self) -> None:
        """Whose report it is, of what, and what it adds up to."""
        self._y -= 14
        self._put(self.spec.merchant, MARGIN, size=16, bold=True)
        self._y -= 18
        told = f"{self.picture.table.label} · {self.spec.period}".rstrip(" ·")
        self._put(told, MARGIN, size=11)
        self._y -= 8
        for label, text in receipts.lines(self.spec, self.picture):
            for line in _wrapped(text, self.type, WIDTH - 2 * MARGIN - 110):
                self._down(12)
                self._put(label, MARGIN, size=8, colour=GREY)
                self._put(line, MARGIN + 110, size=8)
                label = ""
        # Known when the last row is drawn: a form that is filled in then.
        self._down(24)
        self._end_text()
        self.canvas.saveState()
        self.canvas.translate(MARGIN, self._y)
        self.canvas.doForm(DIGEST)
        self.canvas.restoreState()
        self._start_text()
        self._sums()
        self._head()

    def _sums(self) -> None:
        sums = receipts.sums_of(self.spec.table)
        found = [each for each in self.picture.sums if each.currency]
        if not (sums and found):
            return
        self._down(26)
        self._put(_("Totals"), MARGIN, size=11, bold=True)
        edges = [MARGIN + 130 + 84 * at for at in range(len(sums) + 1)]
        self._down(16)
        self._put(_("Currency"), MARGIN, bold=True)
        for edge, label in zip(
            edges, [_("Rows"), *(s.label for s in sums)], strict=True
        ):
            self._put(str(label), edge, bold=True, right=True)
        for each in found:
            self._down(12)
            self._put(each.currency.upper(), MARGIN)
            self._put(f"{each.rows:,}", edges[0], right=True)
            for edge, sum in zip(edges[1:], sums, strict=True):
                value = each.values[sum.key]
                is_money = sum.is_money and not self.spec.in_minor
                text = _grouped(value, each.currency if is_money else "")
                self._put(text, edge, right=True, colour=RED if value < 0 else INK)

    # ---------------------------------------------------------------------- the rows
    def rows(self, rows: list[Row]) -> None:
        for row in rows:
            self._down(self._lines * LINE, repeat=True)
            texts = [
                "" if value is None else text(value, row[-1])
                for value, text in zip(row[:-1], self._texts, strict=True)
            ]
            self._digest.update("\t".join(texts).encode("utf-8", "replace") + b"\n")
            self._row(texts)

    def _row(self, texts: Sequence[str]) -> None:
        text = self._text
        top = self._y + (self._lines - 1) * LINE
        for place in self._places:
            content = texts[place.at]
            if not content:
                continue
            runs, wide = self.type.fitted(content, place.width)
            x = place.x + place.width - wide if place.right else place.x
            text.setTextOrigin(x, top - place.line * LINE)
            below_zero = place.right and content[0] == MINUS
            if below_zero:
                text.setFillColorRGB(*RED)
            for name, piece in runs:
                if name != self._font:
                    self._font = name
                    text.setFont(name, SIZE, LINE)
                text.textOut(piece)
            if below_zero:
                text.setFillColorRGB(*INK)
        rule = self._y - 3
        self._rules.append((MARGIN, rule, WIDTH - MARGIN, rule))

    def _head(self) -> None:
        """The heads of the columns, on every page that has rows."""
        self._y -= self._lines * LINE + 10
        top = self._y + (self._lines - 1) * LINE
        for place, heading in zip(self._places, headings(self.spec), strict=True):
            at = place.x + (place.width if place.right else 0)
            y, self._y = self._y, top - place.line * LINE
            self._put(heading, at, bold=True, right=place.right, width=place.width)
            self._y = y
        rule = self._y - 3
        self._rules.append((MARGIN, rule, WIDTH - MARGIN, rule))

    # --------------------------------------------------------------------- the pages
    def end(self) -> None:
        if not self.picture.total:
            self._down(20)
            self._put(_("There are no rows."), MARGIN, colour=GREY)
        self._close()
        canvas = self.canvas
        canvas.beginForm(PAGES, 0, 0, 60, 20)
        canvas.setFont(fonts.MAIN, SIZE)
        canvas.setFillColorRGB(*GREY)
        canvas.drawString(0, 4, f"{self.page:,}")
        canvas.endForm()
        canvas.beginForm(DIGEST, 0, -4, WIDTH, 24)
        canvas.setFont(fonts.MAIN, 8)
        canvas.setFillColorRGB(*GREY)
        canvas.drawString(0, 12, _("SHA-256 of the rows' text"))
        canvas.drawString(0, 0, _("Missing characters"))
        canvas.setFillColorRGB(*INK)
        canvas.drawString(110, 12, self.sha256)
        canvas.drawString(110, 0, f"{self.type.missing:,}")
        canvas.endForm()

    def _down(self, height: float, *, repeat: bool = False) -> None:
        """Goes down by so much, to the next page where this one is full; `repeat`: it
        has the heads again."""
        self._y -= height
        if self._y >= FOOT + 4:
            return
        self._close()
        self.page += 1
        self._y = HEIGHT - MARGIN
        self._start_text()
        if repeat:
            self._head()
        self._y -= height

    def _close(self) -> None:
        """Ends a page: its rules and its foot."""
        self._end_text()
        canvas = self.canvas
        canvas.setStrokeColorRGB(*RULE)
        canvas.setLineWidth(0.4)
        if self._rules:
            canvas.lines(self._rules)
            self._rules = []
        canvas.setFont(fonts.MAIN, SIZE)
        canvas.setFillColorRGB(*GREY)
        runs, _wide = fonts.Type(SIZE).fitted(
            f"{self.spec.merchant} · {self.picture.table.label}", WIDTH / 2
        )
        text = canvas.beginText(MARGIN, MARGIN)
        for name, piece in runs:
            text.setFont(name, SIZE)
            text.textOut(piece)
        canvas.drawText(text)
        edge = WIDTH - MARGIN - 24
        canvas.drawRightString(
            edge, MARGIN, _("Page %(page)s of") % {"page": self.page}
        )
        canvas.saveState()
        canvas.translate(edge + 2, MARGIN - 4)
        canvas.doForm(PAGES)
        canvas.restoreState()
        canvas.showPage()

    def _start_text(self) -> None:
        self._text: PDFTextObject = self.canvas.beginText()
        self._text.setFillColorRGB(*INK)
        self._font = ""

    def _end_text(self) -> None:
        self.canvas.drawText(self._text)

    def _put(
        self,
        content: str,
        x: float,
        *,
        size: float = SIZE,
        bold: bool = False,
        right: bool = False,
        width: float = WIDTH - 2 * MARGIN,
        colour: tuple[float, float, float] = INK,
    ) -> None:
        """One text on the line where we are; `x` is its right edge where it ends there.

        Bold is drawn: the font comes in one weight.
        """
        type = fonts.Type(size)
        runs, wide = type.fitted(content, width)
        self.type.missing += type.missing
        text = self._text
        text.setTextOrigin(x - wide if right else x, self._y)
        text.setFillColorRGB(*colour)
        if bold:
            text.setStrokeColorRGB(*colour)
            text.setTextRenderMode(2)
            self.canvas.setLineWidth(size / 45)
        for name, piece in runs:
            text.setFont(name, size)
            text.textOut(piece)
        if bold:
            text.setTextRenderMode(0)
        text.setFillColorRGB(*INK)
        self._font = ""


# ----------------------------------------------------------------------------- layout
def placed(columns: Sequence[Column]) -> list[Place]:
    """Where the columns stand: side by side, on as many lines as they need, each line
    as wide as the page."""
    room = WIDTH - 2 * MARGIN
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
        # The last of several lines may be short: it is not drawn out.
        used = sum(width for _, width in line)
        stretch = room / used if number == 0 or used > room / 2 else 1.0
        x = MARGIN
        for at, width in line:
            right = columns[at].kind in (Kind.MONEY, Kind.NUMBER)
            found.append(Place(at, x, width * stretch - GAP, number, right))
            x += width * stretch
    return found


def _wrapped(text: str, type: fonts.Type, width: float) -> list[str]:
    """The text on lines that are about so wide, broken between words."""
    most = int(width / (type.size * 0.55))
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


# ------------------------------------------------------------------------------ cells
def cell_text(column: Column, manner: Manner) -> Callable[[Any, str], str]:
    """How a value of the column reads on paper."""
    if column.kind is Kind.MONEY:
        if manner.in_minor:
            return lambda minor, _code: _grouped(minor, "")
        return lambda minor, code: _grouped(minor, code) if code else ""
    if column.kind is Kind.NUMBER:
        return lambda number, _code: _grouped(number, "")
    if column.kind is Kind.TIME:
        zone = manner.zone

        def at(when: datetime, _code: str) -> str:
            return when.astimezone(zone).isoformat(" ", "seconds")[:19]

        return at
    if column.kind in (Kind.TEXT, Kind.JSON):
        return lambda text, _code: text
    words = column.spoken()
    if column.kind is Kind.WORD and manner.for_people:
        return lambda word, _code: words.get(word, word)
    written = kinds.writer(column.kind, manner, words)
    return lambda value, code: written(value, code) or ""


def _grouped(number: int, currency: str) -> str:
    """-123456 eur -> −1,234.56; without a currency a whole number."""
    places = exponent(currency) if currency else 0
    whole, part = divmod(abs(number), 10**places)
    digits = f"{whole:,}.{part:0{places}d}" if places else f"{whole:,}"
    return f"{MINUS}{digits}" if number < 0 else digits
