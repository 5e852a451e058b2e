"""The parts of an .xlsx file but its rows: ECMA-376, as much of it as a table needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from xml.sax.saxutils import quoteattr

#: What the format and Excel allow.
MOST_ROWS, MOST_CHARACTERS, LONGEST_NAME = 1_048_576, 32_767, 31

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

#: Numbers of the styles below. TEXT is Excel's own format for text: whatever somebody
#: types over such a cell stays a text as well.
PLAIN, HEADING, TEXT, TIME, WHOLE, TITLE, LABEL = range(7)
#: Decimals -> the style of an amount. A negative one has a minus, and is red besides.
AMOUNTS = {0: 7, 2: 8, 3: 9, 4: 10}

_FORMATS = {
    164: "yyyy\\-mm\\-dd\\ hh:mm:ss",
    165: "#,##0;[Red]\\-#,##0",
    166: "#,##0.00;[Red]\\-#,##0.00",
    167: "#,##0.000;[Red]\\-#,##0.000",
    168: "#,##0.0000;[Red]\\-#,##0.0000",
}
#: (number format, font, fill, alignment) of each style, in the order of their numbers.
_STYLES = (
    (0, 0, 0, ""),
    (49, 1, 2, '<alignment vertical="top" wrapText="1"/>'),
    (49, 0, 0, ""),
    (164, 0, 0, ""),
    (1, 0, 0, ""),
    (49, 2, 0, ""),
    (49, 1, 0, '<alignment vertical="top"/>'),
    (165, 0, 0, ""),
    (166, 0, 0, ""),
    (167, 0, 0, ""),
    (168, 0, 0, ""),
)

# ------------------------------------------------------------------------------ texts
#: What XML cannot hold, and an end of line that a reader of XML would change.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
#: A text that looks like our way of writing those.
_LOOKS_SO = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def escaped(text: str) -> str:
    """The text as XML. Excel reads _x000D_ as the character of that number."""
    text = _LOOKS_SO.sub("_x005F_", text)
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str) -> str:
    """No longer than a cell can hold."""
    while len(text.encode("utf-16-le", "surrogatepass")) // 2 > MOST_CHARACTERS:
        text = f"{text[: MOST_CHARACTERS // 2 - 1]}…"
    return text


# A cell is what stands after its place in `<c r="A1`; "" is an empty one.
def text_cell(text: str, style: int = TEXT) -> str:
    """A cell with a text: never a formula, whatever it begins with."""
    if not text:
        return ""
    return (
        f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
        f"{escaped(cut(text))}</t></is></c>"
    )


def number_cell(number: str, style: int) -> str:
    return f'" s="{style}"><v>{number}</v></c>'


def row(number: int, cells: Iterable[str]) -> str:
    """The row of this number, from 1 on."""
    placed = zip(_letters(), cells, strict=False)
    found = [f'<c r="{letter}{number}{cell}' for letter, cell in placed if cell]
    return f'<row r="{number}">{"".join(found)}</row>'


def sheet_names(label: str, number: int) -> list[str]:
    """Names for so many sheets: of what Excel allows in one, and no two the same."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", label).strip(" '=+-@") or "Data"
    names = [plain[:LONGEST_NAME]]
    for place in count(2):
        if len(names) >= number:
            return names[:number]
        names.append(f"{plain[: LONGEST_NAME - 6]} {place}")
    return names


# ----------------------------------------------------------------------------- sheets
def sheet_start(widths: Sequence[int], *, frozen: bool) -> str:
    pane = (
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        if frozen
        else ""
    )
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, 1)
    )
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews>'
        f'<sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>"
    )


def sheet_end(filtered: str = "") -> str:
    """`filtered`: the cells that get Excel's filter, A1:T100."""
    found = f'<autoFilter ref="{filtered}"/>' if filtered else ""
    return f"</sheetData>{found}</worksheet>"


def _letters() -> Iterator[str]:
    return map(letters, count())


def letters(column: int) -> str:
    """What a column is called: 0 -> A, 26 -> AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def sheet_path(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


# --------------------------------------------------------------------- the other parts
def first_part() -> tuple[str, str]:
    """(path, text): what programs that guess a file's kind look at."""
    return "_rels/.rels", _relations(
        [("officeDocument", "xl/workbook.xml")],
    )


def other_parts(names: Sequence[str]) -> dict[str, str]:
    """path -> text of what holds sheets of these names together."""
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{at}" r:id="rId{at}"/>'
        for at, name in enumerate(names, 1)
    )
    numbers = range(1, len(names) + 1)
    kinds = "".join(
        f'<Override PartName="/{path}" ContentType="{_KIND}.{kind}+xml"/>'
        for path, kind in [
            ("xl/workbook.xml", "sheet.main"),
            ("xl/styles.xml", "styles"),
            *((sheet_path(number), "worksheet") for number in numbers),
        ]
    )
    return {
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{kinds}</Types>'
        ),
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
            f"<bookViews><workbookView/></bookViews><sheets>{sheets}</sheets></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": _relations(
            [
                *(
                    ("worksheet", sheet_path(number).removeprefix("xl/"))
                    for number in numbers
                ),
                ("styles", "styles.xml"),
            ]
        ),
        "xl/styles.xml": _styles(),
    }


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{at}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{found}'
        "</Relationships>"
    )


def _styles() -> str:
    formats = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(code)}/>'
        for number, code in _FORMATS.items()
    )
    name = '<name val="Calibri"/><family val="2"/>'
    styles = "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"'
        f' applyNumberFormat="1" applyFont="1" applyFill="1"'
        + (f' applyAlignment="1">{align}</xf>' if align else "/>")
        for number, font, fill, align in _STYLES
    )
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
        f'<numFmts count="{len(_FORMATS)}">{formats}</numFmts>'
        f'<fonts count="3"><font><sz val="11"/>{name}</font>'
        f'<font><b/><sz val="11"/>{name}</font>'
        f'<font><b/><sz val="16"/>{name}</font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EAF0"/>'
        "</patternFill></fill></fills>"
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border>'
        "</borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        f'<cellXfs count="{len(_STYLES)}">{styles}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
        "</cellStyles></styleSheet>"
    )
