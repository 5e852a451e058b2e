"""The sandbox at work: what is due, what was reported, who may ask."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from merchant.providers.base import Keys
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.story import Event, Purchase, Request, Response, Shop, Step
from merchant.sandbox.tellers import TELLERS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
STALL = Stall("one", "stripe", Keys(api_key="sk_one"))
OTHER = Stall("two", "stripe", Keys(api_key="sk_two"))


class Clerk:
    """A stand-in for a provider: its answers show which shop was opened to it."""

    STEPS = TELLERS["stripe"].STEPS

    def events(self, purchase: Purchase, step: Step) -> list[Event]:
        return [Event(step.kind, b"{}")]

    def answer(self, request: Request, shop: Shop) -> Response:
        if request.method == "POST":
            (purchase,) = shop.purchases.values()
            assert shop.happen
            shop.happen(purchase, Step("refund", request.now, purchase.total, 1))
        return Response(200, [shop.api_keys, sorted(shop.purchases)])


@pytest.fixture(autouse=True)
def clerk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TELLERS, "stripe", Clerk())


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "book")
    yield book
    book.close()


def ask(market: Market, authorization: str, method: str = "GET") -> Response:
    headers = {"authorization": authorization}
    return market.answer("stripe", Request(method, "/", {}, headers, b"", NOW))


def kinds(market: Market, now: datetime) -> list[str]:
    return [telling.step.kind for telling in market.due(now)]


def test_a_step_is_due_when_its_time_has_come(book: Book) -> None:
    market = Market(book, [STALL])
    purchase = market.sell(STALL, 1, NOW, ending="expired")
    assert kinds(market, NOW) == ["created"]
    assert kinds(market, NOW) == []
    assert [step.kind for step in purchase.told] == ["created"]
    assert kinds(market, NOW + timedelta(days=2)) == ["expired"]


def test_a_told_beginning_has_everything_behind_it(book: Book) -> None:
    market = Market(book, [STALL])
    purchase = market.sell(STALL, 1, NOW, ending="dispute_lost", begin="told")
    assert purchase.steps[-1].at == NOW
    assert kinds(market, NOW)[-1] == "dispute_lost"


def test_a_restart_tells_what_was_not_reported(book: Book) -> None:
    market = Market(book, [STALL])
    market.sell(STALL, 1, NOW, ending="captured", begin="told")
    market.reported(market.due(NOW)[:1])
    assert kinds(Market(book, [STALL]), NOW) == ["authorized", "paid"]


def test_what_nobody_took_is_due_again(book: Book) -> None:
    market = Market(book, [STALL])
    market.sell(STALL, 1, NOW, ending="created")
    market.again(market.due(NOW))
    assert market.busy(NOW)
    assert kinds(market, NOW) == ["created"]


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer sk_one",
        "APIKey sk_one",
        "Basic " + base64.b64encode(b"sk_one:").decode(),
        "Basic " + base64.b64encode(b"project:sk_one").decode(),
    ],
)
def test_the_api_key_opens_its_own_stall(book: Book, authorization: str) -> None:
    market = Market(book, [STALL, OTHER])
    mine = market.sell(STALL, 1, NOW)
    market.sell(OTHER, 1, NOW)
    assert ask(market, authorization).body == [{"sk_one"}, [mine.number]]


@pytest.mark.parametrize("authorization", ["", "Bearer sk_on", "Basic %%%"])
def test_a_strange_key_opens_nothing(book: Book, authorization: str) -> None:
    market = Market(book, [STALL])
    market.sell(STALL, 1, NOW)
    keys, numbers = ask(market, authorization).body
    assert numbers == []
    assert "sk_one" not in keys


def test_a_purchase_of_another_process_is_known_when_it_is_asked_for(
    book: Book,
) -> None:
    market = Market(book, [STALL])
    purchase = Market(book, [STALL]).sell(STALL, 1, NOW)
    assert ask(market, "Bearer sk_one").body[1] == [purchase.number]


def test_what_the_api_is_asked_for_is_reported_and_survives(book: Book) -> None:
    market = Market(book, [STALL])
    market.sell(STALL, 1, NOW, ending="paid", begin="told")
    market.reported(market.due(NOW))
    ask(market, "Bearer sk_one", "POST")
    assert kinds(market, NOW) == ["refund"]
    again = Market(book, [STALL])
    assert again.due(NOW) == []
    assert again.sell(STALL, 1, NOW).number
    numbers = ask(again, "Bearer sk_one").body[1]
    assert len(numbers) == 2


def test_no_planned_refund_follows_one_that_took_everything(book: Book) -> None:
    market = Market(book, [STALL])
    market.sell(STALL, 1, NOW, ending="refund_failed")
    market.due(NOW + timedelta(minutes=10))
    ask(market, "Bearer sk_one", "POST")
    later = kinds(market, NOW + timedelta(days=30))
    assert later == ["refund", "refund_failed"]  # the asked one, and its failure
