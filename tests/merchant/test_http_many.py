"""Many calls at once: the same rules as for one, and connections that are kept."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from merchant import destinations, http
from merchant.http import Ended, Many, Post, exchange
from tests.merchant.canary import (
    Canary,
    canary,
    drips,
    floods,
    hangs,
    hangs_up,
    page,
    says,
)
from tests.merchant.test_http import answers, certificate, private  # noqa: F401

LONG_HEADER = b"X-More: " + b"y" * 4000 + b"\r\n"
KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def many() -> Iterator[Many]:
    found = Many()
    yield found
    found.close()


def post(url: str, tag: Any = None, **more: Any) -> Post:
    return Post(tag, url, {"Content-Type": "application/json"}, b"{}", **more)


def sent(many: Many, *posts: Post) -> dict[Any, Ended]:
    """All of them at once; what became of each by its tag."""
    for one in posts:
        many.begin(one)
    over: dict[Any, Ended] = {}
    while len(many):
        over.update({ended.tag: ended for ended in many.ended(1)})
    return over


def keeps(link: socket.socket) -> None:
    """Answers one post after the other on the same connection."""
    with suppress(OSError):
        link.sendall(KEPT)
        while link.recv(65536):
            link.sendall(KEPT)


# ------------------------------------------------------------------ what comes of them
def test_a_slow_one_does_not_hold_up_the_others(many: Many) -> None:
    with canary(page()) as bird, canary(hangs) as slow:
        many.begin(post(slow.url(), "slow", timeout=0.8))
        for number in range(5):
            many.begin(post(bird.url(), number))
        order = []
        while len(many):
            order.extend(ended.tag for ended in many.ended(2))
    assert sorted(order[:5]) == [0, 1, 2, 3, 4]
    assert order[5:] == ["slow"]


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (hangs, "timeout"),
        (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"), "timeout"),
        (drips(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"), "timeout"),
        (floods(b"HTTP/1.1 200 OK\r\n", LONG_HEADER), "too_large"),
        (hangs_up, "connection"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"), "answer"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "answer"),
    ],
    ids=["hangs", "drips-body", "drips-headers", "endless-headers", "hangs-up", "short",
         "ssh"],
)  # fmt: skip
def test_each_kind_of_trouble_has_its_word(many: Many, behave: Any, kind: str) -> None:
    with canary(behave) as bird:
        started = time.monotonic()
        [ended] = sent(many, post(bird.url(), timeout=0.5)).values()
        assert time.monotonic() - started < 2
    assert ended.trouble is not None
    assert ended.trouble.kind == kind


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"],
)
def test_an_endless_answer_is_cut_and_no_failure(many: Many, head: bytes) -> None:
    with canary(floods(head)) as bird:
        [ended] = sent(many, post(bird.url())).values()
    assert ended.trouble is None
    assert ended.answer.status == 200
    assert len(ended.answer.body) == 16 * 1024


def test_a_redirect_is_an_answer(many: Many) -> None:
    with canary(page()) as away:
        more = f"Location: {away.url()}\r\n"
        with canary(page(b"", "302 Found", more)) as bird:
            [ended] = sent(many, post(bird.url())).values()
    assert (ended.answer.status, ended.trouble, away.hits) == (302, None, 0)


def test_a_closed_port_and_an_unknown_name_are_told_apart(many: Many) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    over = sent(
        many,
        post(f"http://127.0.0.1:{port}/", "port"),
        post("http://no-such-name.invalid/", "name"),
        post("ftp://127.0.0.1/", "scheme"),
    )
    kinds = {tag: ended.trouble and ended.trouble.kind for tag, ended in over.items()}
    assert kinds == {"port": "connection", "name": "name", "scheme": "blocked_address"}
    assert all(ended.trouble and ended.trouble.unsent for ended in over.values())


def test_the_time_is_split(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "127.0.0.1")
    with canary(keeps) as bird:
        url = bird.url(host="shop.example.com")
        [first] = sent(many, post(url)).values()
        [second] = sent(many, post(url)).values()
    assert None not in (first.name_ms, first.connect_ms, first.wait_ms)
    assert first.tls_ms is None
    assert first.address == second.address == "127.0.0.1"
    assert (second.name_ms, second.connect_ms) == (None, None)
    assert second.wait_ms is not None


# ------------------------------------------------------------------- kept connections
def test_a_connection_is_used_again_for_the_same_place(many: Many) -> None:
    with canary(keeps) as bird:
        for _ in range(3):
            assert sent(many, post(bird.url()))[None].answer.body == b"ok"
        assert bird.hits == 1


def test_no_connection_is_shared_between_places(many: Many) -> None:
    with canary(keeps) as one, canary(keeps) as other:
        for _ in range(2):
            sent(many, post(one.url(), 1), post(other.url(), 2))
        sent(many, post(one.url(host="localhost")))
        assert one.hits == 2  # another name is another place
        assert other.hits == 1


def test_a_connection_is_left_when_the_name_leads_elsewhere(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.many, "SECONDS_KNOWN", 0)
    with socket.create_server(("127.0.0.2", 0)) as old:
        port = old.getsockname()[1]
        hits = {"127.0.0.2": 0, "127.0.0.3": 0}
        with socket.create_server(("127.0.0.3", port)) as new:
            for door in (old, new):
                threading.Thread(target=_serve, args=(door, hits), daemon=True).start()
            url = f"http://shop.example.com:{port}/"
            addresses = []
            for address in ("127.0.0.2", "127.0.0.2", "127.0.0.3"):
                answers(monkeypatch, address)
                addresses.append(sent(many, post(url))[None].address)
    assert addresses == ["127.0.0.2", "127.0.0.2", "127.0.0.3"]
    assert hits == {"127.0.0.2": 1, "127.0.0.3": 1}


def _serve(door: socket.socket, hits: dict[str, int]) -> None:
    with suppress(OSError):
        while True:
            link, _ = door.accept()
            hits[link.getsockname()[0]] += 1
            link.recv(65536)
            threading.Thread(target=keeps, args=(link,), daemon=True).start()


def test_an_old_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SECONDS_KEPT", 1)
    many = Many()
    with canary(keeps) as bird:
        sent(many, post(bird.url()))
        time.sleep(2.1)
        sent(many, post(bird.url()))
        assert bird.hits == 2
    many.close()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(many: Many) -> None:
    with canary(says(KEPT)) as bird:  # closes after each answer, and does not say so
        for _ in range(3):
            assert sent(many, post(bird.url()))[None].trouble is None
            time.sleep(0.02)


# ----------------------------------------------------------------- checked each time
def test_a_private_address_is_not_called(
    many: Many,
    private: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private.ALLOW_PRIVATE_ENDPOINTS = False
    answers(monkeypatch, "127.0.0.1")
    with canary(page()) as bird:
        monkeypatch.setattr(destinations, "PORTS", frozenset({bird.port}))
        url = f"https://shop.example.com:{bird.port}/"
        over = sent(many, post(url, 1), post(bird.url(), 2), post(bird.url(), 3))
        assert bird.hits == 0
    assert {ended.trouble and ended.trouble.kind for ended in over.values()} == {
        "blocked_address"
    }


def test_what_was_allowed_a_moment_ago_is_checked_again(
    many: Many,
    private: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, "127.0.0.1")
    with canary(keeps) as bird:
        url = bird.url(host="shop.example.com")
        assert sent(many, post(url))[None].answer.status == 200
        private.PORT = bird.port  # now it is our own door
        ended = sent(many, post(url))[None]
    assert ended.trouble is not None
    assert ended.trouble.kind == "blocked_address"


def test_calls_to_one_place_wait_for_the_same_look_up(
    many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slowly(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        time.sleep(0.2)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", slowly)
    with canary(page()) as bird, canary(page()) as near:
        url = bird.url(host="shop.example.com")
        for number in range(3):
            many.begin(post(url, number))
        many.begin(post(near.url(), "near"))
        first = many.ended(2)
        assert [ended.tag for ended in first] == ["near"]
        while len(many):
            many.ended(2)
    assert asked == ["shop.example.com"]


def test_the_names_time_counts(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(host: str, port: int, **_: Any) -> list[Any]:
        time.sleep(0.3)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", slowly)
    with canary(page()) as bird:
        url = bird.url(host="shop.example.com")
        ended = sent(many, post(url, timeout=0.1))[None]
        assert bird.hits == 0
    assert ended.trouble is not None
    assert ended.trouble.kind == "timeout"


def test_a_bad_certificate_is_refused(many: Many, tmp_path: Any) -> None:

    proof, key = certificate(tmp_path, "shop.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proof, key)
    with canary(page(), tls=context) as bird:
        ended = sent(many, post(bird.url(scheme="https")))[None]
        assert not any(bird.heard)
    assert ended.trouble is not None
    assert ended.trouble.kind == "certificate"


def test_a_header_that_cannot_be_sent_is_the_callers_error(many: Many) -> None:
    with canary(page()) as bird:
        with pytest.raises(ValueError, match="header"):
            many.begin(Post(1, bird.url(), {"X": "a\r\nHost: evil"}, b""))
        with pytest.raises(ValueError, match="header"):
            many.begin(Post(1, "http://no-name.invalid/", {"X": "é"}, b""))
        assert len(many) == 0
        assert sent(many, post(bird.url()))[None].answer.status == 200


def test_closing_ends_what_is_under_way() -> None:
    many = Many()
    with canary(hangs) as bird:
        many.begin(post(bird.url()))
        many.ended(0.05)
        many.close()
    assert isinstance(bird, Canary)
