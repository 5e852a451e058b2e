"""PDF: what it says of itself, every cell, every page; no character stops it."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from pypdf import PdfReader

from merchant.models import Project
from tests.factories import make_connection, make_transaction
from tests.transactions.exports.files import (
    LISTS,
    NOON,
    fill,
    made,
    only_row,
    wanted,
)
from tests.transactions.exports.test_csv import TEXT
from transactions.exports import fonts, reading_order
from transactions.exports.lists import TABLES
from transactions.exports.pages import MARGIN
from transactions.exports.to_pdf import PAGE, grouped, placed, wrapped
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = (
    "Ada Byron",
    "Zoë Müller-Ångström",
    "Владимир Ильич",
    "Ελένη Παπα",
    "A & B <c>",
)


def lines_of(path: Path) -> list[str]:
    pages = PdfReader(path).pages
    return [line.strip() for page in pages for line in page.extract_text().split("\n")]


def _spaced(*cells: str) -> str:
    return " ".join(cell for cell in cells if cell)


def test_each_cell_is_what_the_database_says(project: Project, tmp_path: Path) -> None:
    connection = make_connection(project=project)
    for number in range(120):
        make_transaction(
            connection=connection, customer_name=NAMES[number % len(NAMES)],
            amount=number * 100_003 - 5, currency=("eur", "jpy", "kwd")[number % 3],
            created=NOON - timedelta(minutes=number), method="", method_brand="",
            method_last4="",
        )  # fmt: skip
    columns = ("id", "customer", "status", "created", "amount", "currency")
    path, receipt = made(tmp_path, wanted("transactions", "pdf", columns=columns))
    lines = lines_of(path)
    expected = []
    for row in Transaction.objects.order_by("-created", "-id"):
        local = row.created.astimezone(ZoneInfo("Europe/Berlin"))
        cells = (
            str(row.pk), row.customer_name, "Paid", f"{local:%Y-%m-%d %H:%M:%S}",
            grouped(row.amount or 0, row.currency), row.currency.upper(),
        )  # fmt: skip
        expected.append(cells)
    shown = [line for line in lines if re.match("[0-9a-f]{8}-", line)]
    assert shown == [_spaced(*cells) for cells in expected]
    text = "".join("\t".join(cells) + "\n" for cells in expected)
    assert receipt.data_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert receipt.data_sha256 in lines
    assert any("−0.05 EUR" in line for line in shown)
    # On each page its number, how many there are, and the heads.
    pages = [page.extract_text() for page in PdfReader(path).pages]
    assert len(pages) == receipt.parts > 2
    for number, page in enumerate(pages, 1):
        assert re.search(rf"Page {number} of\s+{len(pages)}", page)
        assert "Created (Europe/Berlin)" in page


def test_the_first_page_says_what_it_is(project: Project, tmp_path: Path) -> None:
    fill(project)
    spec = wanted("balance", "pdf", "accounting", period="July 2026")
    path, receipt = made(tmp_path, spec)
    lines = lines_of(path)
    assert lines[:2] == ["Dragon Games", "Balance changes · July 2026"]
    for line in (
        "Filters Status: Paid",
        "Time zone Europe/Berlin",
        "Made by Ada Byron",
        f"Rows {receipt.rows}",
        "Made at 2026-07-01 14:30:15 CEST",
    ):
        assert line in lines  # fmt: skip
    assert "Currency Rows Amount Fees Net" in lines
    for sums in receipt.sums:
        values = [grouped(value, sums.currency) for value in sums.values.values()]
        line = _spaced(sums.currency.upper(), str(sums.rows), *values)
        assert not sums.currency or line in lines


def test_every_list_fits_with_all_its_columns(project: Project, tmp_path: Path) -> None:
    fill(project)
    for name in LISTS:
        path, receipt = made(tmp_path, wanted(name, "pdf"))
        assert len(PdfReader(path).pages) == receipt.parts
        places = placed(list(TABLES[name].columns.values()), PAGE[0] - 2 * MARGIN)
        assert {place.at for place in places} == set(range(len(TABLES[name].columns)))
        for place in places:
            assert place.x >= MARGIN and place.x + place.width <= PAGE[0] - MARGIN + 1


def test_what_is_too_long_ends_with_dots(project: Project, tmp_path: Path) -> None:
    only_row(project, customer_name="W" * 200, description="м" * 300)
    columns = ("id", "customer", "product", "amount")
    path, _ = made(tmp_path, wanted("transactions", "pdf", columns=columns))
    (row,) = (line for line in lines_of(path) if "WW" in line)
    assert re.fullmatch(r"[0-9a-f-]{36} W+… м+… 19\.99 EUR", row), row


@pytest.mark.parametrize("word", ["W" * 400, "日" * 300, "i" * 900, "two words"])
def test_a_line_of_the_title_is_never_wider_than_the_page(word: str) -> None:
    lines = list(wrapped(f"Search: {word}", 8, 300))
    assert "".join(lines).replace(" ", "") == f"Search:{word}".replace(" ", "")
    known = fonts.main().widths
    for line in lines:
        assert sum(known.get(character, 1000) for character in line) * 8 <= 300_000


def test_an_empty_list_says_so(project: Project, tmp_path: Path) -> None:
    path, receipt = made(tmp_path, wanted("refunds", "pdf"))
    assert "There are no rows." in lines_of(path) and receipt.parts == 1


def test_a_character_that_no_font_has_is_a_box_and_counted(
    project: Project, tmp_path: Path
) -> None:
    only_row(project, customer_name="a 🎉 ไทย □ b")
    spec = wanted("transactions", "pdf", columns=("customer",))
    path, receipt = made(tmp_path, spec)
    assert receipt.missing_glyphs == 4
    assert "a □ □□□ □ b" in lines_of(path)
    assert "Missing characters" in lines_of(path)


def test_hebrew_and_arabic_are_drawn_from_the_right() -> None:
    assert reading_order.drawn("דוד (VIP) 12") == f"12 (VIP) {'דוד'[::-1]}"
    assert reading_order.drawn("(א) ב (ג)") == "(ג) ב (א)"
    assert reading_order.drawn("abc (אב) def") == "abc (בא) def"
    joined = reading_order.drawn("محمد")
    assert [ord(letter) >= 0xFE70 for letter in joined] == [True] * 4
    assert fonts.drawn("محمد 1")[0][0] == fonts.MAIN  # the number comes first
    assert {name for name, _ in fonts.drawn("محمد")} == {fonts.ARABIC}


def test_asian_text_asks_for_the_readers_font_where_none_is_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "installed", lambda: ())
    assert fonts.drawn("葵の") == [("HeiseiKakuGo-W5", "葵の")]
    assert fonts.drawn("김") == [("HYGothic-Medium", "김")]
    assert fonts.drawn("a 王") == [(fonts.MAIN, "a "), ("STSong-Light", "王")]


def test_asian_text_is_embedded_where_a_font_is_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Installed:
        name, widths = "Here", {"王": 1000.0}

    monkeypatch.setattr(fonts, "installed", lambda: (Installed,))
    assert fonts.drawn("王小")[0] == ("Here", "王")


@settings(max_examples=20, deadline=None, suppress_health_check=[*HealthCheck])
@given(text=TEXT)
def test_no_text_stops_it(project: Project, tmp_path: Path, text: str) -> None:
    only_row(project, customer_name=text, description=text * 3, order_reference=text)
    path, receipt = made(tmp_path, wanted("transactions", "pdf"))
    assert receipt.rows == 1 and len(PdfReader(path).pages) == receipt.parts
