"""The pages of a PDF: text on lines from top to bottom, a foot that counts them.

Drawn on reportlab's canvas, in one piece of text a page: that takes half of the time
of a call for every word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from django.utils.translation import gettext as _
from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from transactions.exports import fonts
from transactions.exports.fonts import Run

# Pages as bytes, not as letters for telegraphs: smaller, and quicker by a tenth.
rl_config.useA85 = 0

MARGIN = 28.0
#: The lowest line above the foot.
FLOOR = MARGIN + 18
#: Size of type, and from line to line.
SIZE, LINE = 7.0, 10.5

Colour = tuple[float, float, float]
INK: Colour = (0.1, 0.1, 0.12)
GREY: Colour = (0.42, 0.42, 0.46)
RULE: Colour = (0.84, 0.84, 0.87)
RED: Colour = (0.7, 0.1, 0.1)

#: How many pages there are is known at the end: a form that is filled in then.
_PAGES = "pages"


class Pages:
    """The pages, and where on them we are: `y` is the line that is written on."""

    def __init__(
        self, file: object, size: tuple[float, float], *, title: str, author: str
    ) -> None:
        self.canvas = Canvas(
            cast(IO[bytes], file), pagesize=size, pageCompression=1, invariant=1
        )
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self.canvas.setCreator("Merchant")
        self.width, self.height = size
        self.number = 1
        self.y = self.height - MARGIN
        #: Characters that no font could draw.
        self.missing = 0
        self._foot = title
        self._font: tuple[str, float] | None = None
        self._rules: list[tuple[float, float, float, float]] = []
        self._start()

    @property
    def edge(self) -> float:
        """Where text on the right ends."""
        return self.width - MARGIN

    def put(
        self,
        content: str,
        x: float,
        *,
        size: float = SIZE,
        bold: bool = False,
        right: bool = False,
        width: float | None = None,
        colour: Colour = INK,
    ) -> None:
        """One text on our line, cut to the width; `x` is its right edge where it is
        `right`. Bold is drawn: the font comes in one weight."""
        type = fonts.Type(size)
        room = self.width - 2 * MARGIN if width is None else width
        runs, wide = type.fitted(content, room)
        self.missing += type.missing
        if bold:
            self._text.setStrokeColorRGB(*colour)
            self._text.setTextRenderMode(2)
            self.canvas.setLineWidth(size / 45)
        self.draw(runs, x - wide if right else x, self.y, size=size, colour=colour)
        if bold:
            self._text.setTextRenderMode(0)

    def draw(
        self,
        runs: list[Run],
        x: float,
        y: float,
        *,
        size: float = SIZE,
        colour: Colour = INK,
    ) -> None:
        """Runs of text, side by side from `x` on."""
        text = self._text
        text.setTextOrigin(x, y)
        if colour is not INK:
            text.setFillColorRGB(*colour)
        last = len(runs) - 1
        for at, (name, piece) in enumerate(runs):
            font = name, size
            if font != self._font:
                self._font = font
                text.setFont(name, size, 0)
            # The first measures what it writes, for what comes beside it.
            if at < last:
                text.textOut(piece)
            else:
                text.textLine(piece)
        if colour is not INK:
            text.setFillColorRGB(*INK)

    def rule(self) -> None:
        """A fine line under our line, from margin to margin."""
        y = self.y - 3
        self._rules.append((MARGIN, y, self.edge, y))

    def down(self, height: float, head: Callable[[], None] | None = None) -> None:
        """Goes down by so much, to the next page where this one is full; `head` is
        then drawn on top of it."""
        self.y -= height
        if self.y >= FLOOR:
            return
        self._close()
        self.number += 1
        self.y = self.height - MARGIN
        self._start()
        if head:
            head()
        self.y -= height

    @contextmanager
    def later(self, name: str, height: float) -> Iterator[None]:
        """What was left room for by `leave_room`, drawn now from (0, 0) up. After the
        last page."""
        self.canvas.beginForm(name, 0, -4, self.width, height)
        yield
        self.canvas.endForm()

    def leave_room(self, name: str) -> None:
        """Here comes what `later` draws."""
        self._pause(lambda: self._form(name, MARGIN, self.y))

    def end(self) -> None:
        """Ends the last page."""
        self._close()
        with self.later(_PAGES, 20):
            self.canvas.setFont(fonts.MAIN, SIZE)
            self.canvas.setFillColorRGB(*GREY)
            self.canvas.drawString(0, 0, f"{self.number:,}")

    def _pause(self, draw: Callable[[], None]) -> None:
        self.canvas.drawText(self._text)
        draw()
        self._start()

    def _form(self, name: str, x: float, y: float) -> None:
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.doForm(name)
        self.canvas.restoreState()

    def _start(self) -> None:
        self._text: PDFTextObject = self.canvas.beginText()
        self._text.setFillColorRGB(*INK)
        self._font = None

    def _close(self) -> None:
        self.y = MARGIN
        place = self.edge - 24
        self.put(self._foot, MARGIN, colour=GREY, width=self.width / 2)
        page = _("Page %(page)s of") % {"page": f"{self.number:,}"}
        self.put(page, place, right=True, colour=GREY)
        canvas = self.canvas
        canvas.drawText(self._text)
        canvas.setStrokeColorRGB(*RULE)
        canvas.setLineWidth(0.4)
        if self._rules:
            canvas.lines(self._rules)
            self._rules = []
        self._form(_PAGES, place + 2, MARGIN)
        canvas.showPage()
