"""Whatever stands at the other end: the try ends, and what was wrong is said."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from merchant import destinations
from merchant.http import many
from merchant.models import Project
from tests.merchant.canary import (
    canary,
    drips,
    floods,
    hangs,
    hangs_up,
    page,
    resets,
    says,
)
from tests.merchant.test_http import answers, certificate
from tests.webhooks.delivery.parts import make_endpoint, publish
from webhooks import jobs
from webhooks.delivery import rounds
from webhooks.models import Attempt

pytestmark = pytest.mark.django_db

OK = b"HTTP/1.1 200 OK\r\n"
PACKED = page(b"\x1f\x8b" + b"\0" * 3000, more="Content-Encoding: gzip\r\n")

#: What it does -> (the outcome, a part of the words, the answer's status).
BEHAVIOURS: dict[str, tuple[Any, str, str, int | None]] = {
    "hangs": (hangs, "timeout", "did not answer", None),
    "drips headers": (
        drips(OK, b"X-Drip: 1\r\n"), "timeout", "begun to answer 200", 200,
    ),
    "drips its body": (
        drips(OK + b"Content-Length: 10000\r\n\r\n", b"x"),
        "timeout",
        "begun to answer 200",
        200,
    ),
    "says 100 for ever": (
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout", "did not answer", 100,
    ),
    "endless body": (floods(OK + b"\r\n"), "ok", "", 200),
    "endless error": (
        floods(b"HTTP/1.1 500 No\r\n\r\n"), "refused", "answered 500", 500,
    ),
    "endless headers": (
        floods(OK, b"X-More: " + b"y" * 4000 + b"\r\n"), "too_large", "larger", 200,
    ),
    "compressed": (PACKED, "ok", "", 200),
    "hangs up": (hangs_up, "connection", "without an answer", None),
    "ends early": (
        says(OK + b"Content-Length: 50\r\n\r\nshort"), "answer", "too early", 200,
    ),
    "resets in its head": (
        resets(OK + b"X-Half: "), "connection", "broke while reading", 200,
    ),
    "resets in its body": (
        resets(OK + b"Content-Length: 50\r\n\r\n", b"short"),
        "connection",
        "broke while reading",
        200,
    ),
    "is no web server": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "answer", "no HTTP", None),
    "is busy": (page(b"", "429 Slow down"), "refused", "429", 429),
}  # fmt: skip


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    real = many.Post

    def post(*given: Any) -> many.Post:
        return real(*given, timeout=0.8)

    monkeypatch.setattr(rounds, "Post", post)


def test_every_try_ends_and_says_why(project: Project) -> None:
    with ExitStack() as stack:
        rows = {}
        for name, (behave, *_expected) in BEHAVIOURS.items():
            bird = stack.enter_context(canary(behave))
            rows[name] = make_endpoint(project, bird.url())
        publish(project)
        assert jobs.deliver() == len(BEHAVIOURS)
    for name, (_behave, outcome, words, status) in BEHAVIOURS.items():
        attempt = Attempt.objects.get(delivery__endpoint=rows[name])
        assert (attempt.outcome, attempt.status) == (outcome, status), name
        assert words in attempt.error, name
        assert len(attempt.answer) <= 16 * 1024
        assert len(attempt.answer_headers) <= 40


def one_try(project: Project, url: str) -> Attempt:
    make_endpoint(project, url)
    publish(project)
    assert jobs.deliver() == 1
    return Attempt.objects.get()


def test_a_redirect_into_the_house_is_not_followed(project: Project) -> None:
    with canary(page()) as inside:
        more = f"Location: {inside.url()}\r\n"
        with canary(page(b"", "307 Temporary Redirect", more)) as bird:
            attempt = one_try(project, bird.url())
    assert inside.hits == 0
    assert (attempt.outcome, attempt.status) == ("redirect", 307)
    assert attempt.answer_headers["location"] == inside.url()


@pytest.mark.parametrize("name", ["bank.example.com", "shop.example.com"])
def test_a_bad_certificate_gets_no_letter(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One for another name, and one that nobody vouches for."""
    proof, key = certificate(tmp_path, "shop.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proof, key)
    answers(monkeypatch, "127.0.0.1")
    if name != "shop.example.com":
        monkeypatch.setenv("SSL_CERT_FILE", str(proof))
    with canary(page(), tls=context) as bird:
        attempt = one_try(project, bird.url(scheme="https", host=name))
        assert not any(bird.heard)
    assert attempt.outcome == "certificate"


def test_an_endpoint_that_moved_into_the_house_is_not_called(
    project: Project, private: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with canary(page()) as bird:
        private.ALLOW_PRIVATE_ENDPOINTS = False
        monkeypatch.setattr(destinations, "PORTS", frozenset({bird.port}))
        answers(monkeypatch, "127.0.0.1")
        attempt = one_try(project, f"https://shop.example.com:{bird.port}/")
        assert bird.hits == 0
    assert attempt.outcome == "blocked_address"
    assert "not public" in attempt.error


def test_an_answer_with_nul_and_broken_text_is_kept(project: Project) -> None:
    more = "X-Odd: a\x00b\xff\r\n"
    head = f"HTTP/1.1 400 Bad\r\nContent-Length: 4\r\n{more}\r\n".encode("latin-1")
    with canary(says(head + b"\x00\xff\xed\xa0")) as bird:
        attempt = one_try(project, bird.url())
    assert bytes(attempt.answer) in {b"\x00\xff\xed\xa0", b""}
    assert "\x00" not in str(attempt.answer_headers.values())


def test_one_that_resets_in_the_middle_of_the_request(project: Project) -> None:
    """It hangs up hard after the first bytes, with the rest of the letter unread."""
    with canary(resets(), reads=False) as bird:
        endpoint = make_endpoint(project, bird.url())
        publish(project, payload={"object": {"note": "x" * 50_000}})
        assert jobs.deliver() == 1
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.status) == ("connection", None)
    assert "broke while" in attempt.error
    assert endpoint.deliveries.get().state == "pending"
