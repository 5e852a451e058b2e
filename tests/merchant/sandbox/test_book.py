"""The sandbox's notebook: numbers, plans and steps survive a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from merchant.sandbox.book import Book, Slip
from merchant.sandbox.story import Step

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def slip(number: int, connection: str = "one") -> Slip:
    return Slip(number, connection, "stripe", 3, NOW, "refunded")


def test_numbers_go_up_and_are_never_given_twice(tmp_path: Path) -> None:
    first, second = Book(tmp_path / "book"), Book(tmp_path / "book")
    numbers = [book.add(slip).number for book in (first, second, first)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_a_purchase_is_planned_alike_after_a_restart(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    planned = book.add(slip).purchase()
    book.close()
    (kept,) = Book(tmp_path / "book").slips("one")
    assert kept.purchase() == planned


def test_each_connection_has_its_own_pages(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    book.add(slip)
    book.add(lambda number: slip(number, "two"))
    assert [row.connection for row in book.slips("two")] == ["two"]


def test_what_was_told_never_becomes_less(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    number = book.add(slip).number
    book.told([(number, 2)])
    book.told([(number, 1)])
    assert book.slips("one")[0].told == 2


def test_unplanned_steps_are_kept_in_order(tmp_path: Path) -> None:
    book = Book(tmp_path / "book")
    number = book.add(slip).number
    steps = [Step("refund", NOW, 500, 1), Step("refund", NOW, 300, 2)]
    for step in steps:
        book.happened(number, step)
    assert Book(tmp_path / "book").extras("one") == [(number, step) for step in steps]
