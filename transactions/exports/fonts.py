"""The fonts of a PDF: which of them draws which character, in what order, how wide.

Latin, Cyrillic, Greek and Hebrew come from Arimo, Arabic from Noto Sans Arabic; both
are installed with us and what a file needs of them is embedded. Chinese, Japanese and
Korean are embedded where this machine has such a TrueType font; else the reader's own
font is asked for (a CID font). What no font has becomes a box and is counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

import fontpkg
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from transactions.exports import reading_order

MAIN, ARABIC = "Arimo", "Noto Sans Arabic"
BOX, DOTS = "□", "…"

#: Where systems keep their fonts, and files of fonts with outlines that can be embedded
#: (those of Noto CJK have others), the best first.
FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
CJK_FILES = (
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "NotoSansSC*.ttf",
    "NotoSansJP*.ttf",
    "NotoSansKR*.ttf",
    "NanumGothic.ttf",
    "ipag*.ttf",
    "msyh.ttc",
    "simsun.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "ARIALUNI.TTF",
    "Arial Unicode.ttf",
)
#: One of each script says whether a font knows it.
SAMPLES = "中あ한"

_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0002fa1f]"
)
#: What has no picture: marks of direction, joiners, variants.
_UNSEEN = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: A font's name, and the text that it draws.
Run = tuple[str, str]


class Face:
    """A font that is embedded: its characters and their widths, in thousandths."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        widths = font.face.charWidths
        self.widths = {
            chr(code): widths[code] for code in font.face.charToGlyph if code in widths
        }


@cache
def main() -> Face:
    return Face(MAIN, fontpkg.path(MAIN))


@cache
def arabic() -> Face:
    return Face(ARABIC, fontpkg.path(ARABIC))


@cache
def plain() -> frozenset[str]:
    """The characters that the first font draws as they come."""
    return frozenset(
        character
        for character in main().widths
        if not reading_order.RTL.match(character)
        and not _CONTROL.match(character)
        and not _UNSEEN.match(character)
    )


@cache
def installed() -> tuple[Face, ...]:
    """Faces of this machine for Chinese, Japanese and Korean."""
    found: list[Face] = []
    missing = set(SAMPLES)
    for path in _files():
        if not missing:
            break
        try:
            face = Face(f"CJK {len(found)}", path)
        except (TTFError, OSError):
            continue
        if missing & face.widths.keys():
            missing -= face.widths.keys()
            found.append(face)
    return tuple(found)


def _files() -> Iterator[Path]:
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    there = [
        path for folder in folders if folder.is_dir() for path in folder.rglob("*")
    ]
    for pattern in CJK_FILES:
        yield from sorted(path for path in there if path.match(pattern))


@cache
def _readers_own(name: str) -> UnicodeCIDFont:
    font = UnicodeCIDFont(name)
    pdfmetrics.registerFont(font)
    return font


# ------------------------------------------------------------------------------- text
class Type:
    """Text of a document in one size of type; counts what no font can draw."""

    def __init__(self, size: float) -> None:
        self.size = size
        self.missing = 0
        self._plain = plain()
        self._widths = main().widths
        self._dots = self._widths[DOTS] * size / 1000

    def fitted(self, text: str, width: float) -> tuple[list[Run], float]:
        """What to draw of the text in so much room, and how wide it is; what is too
        long ends with three dots."""
        if self._plain.issuperset(text):
            wide = self._wide(text)
            if wide <= width:
                return [(MAIN, text)], wide
            return self._cut(text, width)
        runs = drawn(text)
        wide = sum(self._width(run) for run in runs)
        while wide > width and len(text) > 1:
            # Letters take other shapes and places when one of them goes.
            text = text[: max(1, min(len(text) - 1, int(len(text) * width / wide)))]
            runs = drawn(text.rstrip(DOTS) + DOTS)
            wide = sum(self._width(run) for run in runs)
        self.missing += sum(run.count(BOX) for _, run in runs) - text.count(BOX)
        return runs, wide

    def _wide(self, text: str) -> float:
        return sum(map(self._widths.__getitem__, text)) * self.size / 1000

    def _cut(self, text: str, width: float) -> tuple[list[Run], float]:
        wide, kept = self._dots, 0
        for kept, character in enumerate(text):  # noqa: B007
            more = self._widths[character] * self.size / 1000
            if wide + more > width:
                break
            wide += more
        return [(MAIN, text[:kept] + DOTS)], wide

    def _width(self, run: Run) -> float:
        return pdfmetrics.stringWidth(run[1], run[0], self.size)


def drawn(text: str) -> list[Run]:
    """The text as it is drawn, from left to right, in pieces of one font each."""
    text = _CONTROL.sub(" ", unicodedata.normalize("NFC", text))
    text = _UNSEEN.sub("", reading_order.drawn(text))
    asian = _readers(text)
    named = (_drawn_by(character, asian) for character in text)
    return [
        (name, "".join(character for _, character in pieces))
        for name, pieces in groupby(named, key=lambda pair: pair[0])
    ]


def _drawn_by(character: str, asian: str) -> tuple[str, str]:
    """The font of a character, and what it draws."""
    if character in main().widths:
        return MAIN, character
    if character in arabic().widths:
        return ARABIC, character
    if _CJK.match(character):
        for face in installed():
            if character in face.widths:
                return face.name, character
        if ord(character) < 0x10000:
            return _readers_own(asian).fontName, character
    return MAIN, BOX


def _readers(text: str) -> str:
    """The CID font for the language that the text is likely in."""
    if _KANA.search(text):
        return "HeiseiKakuGo-W5"
    if _HANGUL.search(text):
        return "HYGothic-Medium"
    return "STSong-Light"
