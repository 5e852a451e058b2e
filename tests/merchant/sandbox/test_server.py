"""The sandbox over HTTP: real calls to a free port, and faults on purpose."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from merchant.providers import PROVIDERS
from merchant.providers.base import Answer, Keys
from merchant.sandbox import paysuper
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.server import Fault, Server

KEY = "key-of-the-sandbox"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    book = Book(tmp_path / "book")
    stalls = [
        Stall(f"connection-{provider}", provider, Keys(api_key=KEY))
        for provider in PROVIDERS
    ]
    server = Server(Market(book, stalls), 0)
    server.start()
    yield server
    server.stop()
    book.close()


def call(
    method: str, url: str, *, headers: object = None, body: bytes = b"", **_: object
) -> Answer:
    """As merchant.http.send, without its rules."""
    host, _, path = url.removeprefix("http://").partition("/")
    line = http.client.HTTPConnection(host, timeout=5)
    try:
        line.request(method, f"/{path}", body, dict(headers or {}))  # type: ignore[call-overload]
        answer = line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        line.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_poll_finds_what_was_sold(server: Server, provider: str) -> None:
    now = datetime.now(UTC)
    stall = next(s for s in server.market.stalls if s.provider == provider)
    server.market.sell(stall, 1, now, ending="paid", begin="told")
    server.market.due(now)
    keys = Keys(
        api_key=KEY,
        account=paysuper.PROJECT_ID if provider == "paysuper" else "",
        base_url=f"{server.url}/{provider}",
        livemode=False,
    )
    since = now - timedelta(days=2)
    found = [
        fact
        for facts in PROVIDERS[provider].poll(since, now, keys, call)
        for fact in facts
    ]
    assert "paid" in {fact.status for fact in found}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stranger_is_turned_away(server: Server, provider: str) -> None:
    path = {"paynow": "/v1/stores/1/orders", "stripe": "/v1/events"}.get(provider, "/")
    answer = call(
        "GET", f"{server.url}/{provider}{path}", headers={"Authorization": "Bearer no"}
    )
    assert answer.status in {401, 403, 404}


def test_an_unknown_provider_is_not_found(server: Server) -> None:
    assert call("GET", f"{server.url}/nobody/v1").status == 404


def test_the_receiver_acknowledges_and_sometimes_stumbles(server: Server) -> None:
    url = f"{server.url}/receiver/shop"
    answers = [call("POST", url, body=b"{}").status for _ in range(24)]
    assert [answers.index(500), answers.count(500), answers.count(204)] == [11, 2, 22]
    assert call("GET", url).status == 405


def test_it_listens_on_this_machine_only(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_an_error_on_purpose(server: Server) -> None:
    server.faults.append(Fault("/stripe/v1/events", "error", times=1))
    url = f"{server.url}/stripe/v1/events"
    assert [call("GET", url).status == 500 for _ in range(2)] == [True, False]


def test_busy_on_purpose_says_when_to_come_again(server: Server) -> None:
    server.faults.append(Fault("/paynow", "busy", seconds=7))
    answer = call("GET", f"{server.url}/paynow/v1/stores/1/orders")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


def test_slow_on_purpose(server: Server) -> None:
    server.faults.append(Fault("/paysecure", "slow", seconds=1))
    began = time.monotonic()
    call("GET", f"{server.url}/paysecure/purchases/1")
    assert time.monotonic() - began >= 1


def test_a_dropped_call_gets_no_answer(server: Server) -> None:
    server.faults.append(Fault("/paysuper", "drop"))
    with pytest.raises(http.client.RemoteDisconnected):
        call("GET", f"{server.url}/paysuper/order")


def test_other_paths_are_spared(server: Server) -> None:
    server.faults.append(Fault("/stripe", "error"))
    assert call("GET", f"{server.url}/nobody/").status == 404


def test_a_huge_body_is_not_read(server: Server) -> None:
    headers = {"Content-Length": str(10**9)}
    assert (
        call("POST", f"{server.url}/stripe/v1/refunds", headers=headers).status == 413
    )
