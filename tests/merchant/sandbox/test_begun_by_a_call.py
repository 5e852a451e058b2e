"""A purchase at the imitated Paysecure that a developer begins, with its callbacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from merchant.providers.base import Keys
from merchant.sandbox import paysecure
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.story import Request, Response

STALL = Stall("one", "paysecure", Keys(api_key="key-of-the-sandbox"))
URLS = {
    "success_callback": "https://shop.example.com/paid",
    "failure_callback": "https://shop.example.com/failed",
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "book")
    yield book
    book.close()


def ask(market: Market, method: str, path: str, body: Any = None) -> Response:
    headers = {"authorization": "Bearer key-of-the-sandbox"}
    text = json.dumps(body).encode() if body is not None else b""
    now = datetime.now(UTC)
    request = Request(method, f"/api/v1{path}", {}, headers, text, now)
    return market.answer("paysecure", request)


def begin(market: Market, **body: Any) -> dict[str, Any]:
    answer = ask(market, "POST", "/purchases/", body)
    assert answer.status == 201
    assert isinstance(answer.body, dict)
    return answer.body


def test_it_is_made_and_goes_on(book: Book) -> None:
    market = Market(book, [STALL])
    made = begin(market, **URLS)
    assert made["status"] == "CREATED"
    assert {name: made[name] for name in URLS} == URLS
    later = datetime.now(UTC) + timedelta(hours=1)
    steps = [telling.step.kind for telling in market.due(later)]
    assert steps[:2] == ["created", "paid"]
    told = ask(market, "GET", f"/purchases/{made['purchaseId']}/").body
    assert isinstance(told, dict)
    assert (told["status"], told["success_callback"]) == (
        "PAID",
        URLS["success_callback"],
    )


def test_its_webhooks_say_where_it_reports_to(book: Book) -> None:
    market = Market(book, [STALL])
    begin(market, success_callback=URLS["success_callback"])
    for telling in market.due(datetime.now(UTC) + timedelta(hours=1)):
        for event in paysecure.events(telling.purchase, telling.step):
            message = json.loads(event.body)["message"]
            assert message["success_callback"] == URLS["success_callback"]
            assert message["failure_callback"] == ""


def test_it_is_still_known_after_a_restart(book: Book) -> None:
    made = begin(Market(book, [STALL]), **URLS)
    again = ask(Market(book, [STALL]), "GET", f"/purchases/{made['purchaseId']}")
    assert isinstance(again.body, dict)
    assert {name: again.body[name] for name in URLS} == URLS


def test_how_it_goes_can_be_chosen(book: Book) -> None:
    market = Market(book, [STALL])
    begin(market, sandbox_ending="failed")
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [t.step.kind for t in market.due(later)][-1] == "failed"


@pytest.mark.parametrize("body", [[], "x", {"sandbox_ending": "riches"}])
def test_what_cannot_be_read_begins_nothing(book: Book, body: Any) -> None:
    market = Market(book, [STALL])
    assert ask(market, "POST", "/purchases/", body).status == 400
    assert not market.shop(STALL).purchases
