"""The way out, tried against real servers on this machine."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from merchant import destinations, http
from merchant.http import NotAllowed
from merchant.providers.base import Answer, Unreachable
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

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"


@pytest.fixture(autouse=True)
def private(settings: Any) -> Any:
    """Private places are allowed; our own door is elsewhere."""
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    settings.PUBLIC_URL, settings.HOST = "http://127.0.0.1:1", "127.0.0.1"
    settings.PORT, settings.SANDBOX_URL = 1, ""
    return settings


@pytest.fixture
def bird() -> Iterator[Canary]:
    with canary(page()) as found:
        yield found


def test_an_answer_comes_back_whole() -> None:
    more = "X-One: a\r\nX-One: b\r\nRetry-After: 7\r\n"
    with canary(page(b'{"a": 1}', "429 Too Many Requests", more)) as bird:
        answer = http.send("GET", bird.url("/v1/things?limit=1"))
    assert (answer.status, answer.json()) == (429, {"a": 1})
    assert answer.headers["x-one"] == "a, b"
    assert answer.headers["retry-after"] == "7"
    assert bird.heard[0].startswith(b"GET /v1/things?limit=1 HTTP/1.1\r\n")


def test_a_provider_that_repeats_our_key_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def echo(method: str, url: str, **more: Any) -> Answer:
        return Answer(401, {}, f"No: {more['headers']} and {more['body']}".encode())

    monkeypatch.setattr(http, "send", echo)
    sent = {"authorization": "Basic c2tfbGl2ZV8xMjM0Og==", "accept": "text/plain-words"}
    call = http.discreet("sk_live_1234")
    told = call("GET", "https://x.example", headers=sent, body="sk_live_1234").body
    assert b"sk_live_1234" not in told
    assert b"c2tfbGl2ZV8xMjM0Og" not in told
    assert b"Basic" in told
    assert b"text/plain-words" in told


def test_the_request_says_no_more_than_it_must(bird: Canary) -> None:
    http.send("GET", bird.url())
    lines = bird.heard[0].decode().strip().split("\r\n")[1:]
    assert sorted(lines) == sorted(
        [
            f"Host: 127.0.0.1:{bird.port}",
            "User-Agent: Merchant/1",
            "Accept-Encoding: identity",
            "Accept: */*",
        ]
    )


def test_a_body_is_sent_as_it_is(bird: Canary) -> None:
    body = bytes(range(256)) * 300
    headers = {"Content-Type": "application/json", "X-Empty": ""}
    http.send("POST", bird.url(), headers=headers, body=body)
    head, _, sent = bird.heard[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"Content-Type: application/json" in head
    assert b"X-Empty:" in head
    assert b"Expect" not in head


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET", "POST"])
def test_every_method_is_sent_by_its_name(bird: Canary, method: str) -> None:
    http.send(method, bird.url())
    assert bird.heard[0].startswith(method.encode() + b" / ")


def test_a_head_has_no_body(bird: Canary) -> None:
    assert http.send("HEAD", bird.url()).body == b""


def test_the_answer_after_a_100_is_the_answer() -> None:
    first = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
    last = b"HTTP/1.1 204 No Content\r\nX-Late: 1\r\n\r\n"
    with canary(says(first + last)) as bird:
        answer = http.send("POST", bird.url(), body=b"x")
    assert (answer.status, answer.headers) == (204, {"x-late": "1"})


# ------------------------------------------------------------------------ deadlines
def ends_within(seconds: float, url: str, timeout: float) -> str:
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        http.send("GET", url, timeout=timeout)
    assert time.monotonic() - started < seconds
    return str(caught.value)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        drips(HEAD, b"x"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
        drips(b"H", b""),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        hangs,
    ],
    ids=["body", "headers", "first-line", "interim-answers", "silence"],
)
def test_a_slow_answer_ends_by_the_deadline(behave: Any) -> None:
    with canary(behave) as bird:
        words = ends_within(2, bird.url(), timeout=0.6)
    assert "did not answer within 1 s" in words


def test_a_server_that_never_says_hello_in_tls_ends_by_the_deadline() -> None:
    with canary(hangs) as bird:
        ends_within(2, bird.url(scheme="https"), timeout=0.6)


def test_a_server_that_does_not_accept_ends_by_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        ends_within(3, f"http://127.0.0.1:{port}/", timeout=0.6)
        for one in waiting:
            one.close()


def test_the_names_time_counts(monkeypatch: pytest.MonkeyPatch, bird: Canary) -> None:
    def slowly(*_: Any, **__: Any) -> list[Any]:
        time.sleep(0.3)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", bird.port))]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", slowly)
    url = f"http://shop.example.com:{bird.port}/"
    with pytest.raises(Unreachable):
        http.send("GET", url, timeout=0.2)
    assert bird.hits == 0
    assert http.send("GET", url, timeout=3).status == 200


# ------------------------------------------------------------------------------ caps
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\n\r\n",
    ],
)
def test_an_endless_body_is_cut(head: bytes) -> None:
    with canary(floods(head)) as bird, pytest.raises(Unreachable, match="larger"):
        http.send("GET", bird.url(), most=200_000)


def test_the_largest_body_is_taken_and_one_byte_more_is_not() -> None:
    with canary(page(b"x" * 5000)) as bird:
        assert len(http.send("GET", bird.url(), most=5000).body) == 5000
        with pytest.raises(Unreachable, match="larger than 4 KiB"):
            http.send("GET", bird.url(), most=4999)


def test_endless_headers_are_cut() -> None:
    line = b"X-More: " + b"y" * 4000 + b"\r\n"
    with canary(floods(b"HTTP/1.1 200 OK\r\n", line)) as bird:
        assert "larger" in ends_within(5, bird.url(), timeout=5)


def test_a_packed_answer_is_not_unpacked() -> None:
    packed = bytes.fromhex("1f8b0800000000000003cb48cdc9c90700865cdbbf05000000"[:40])
    with canary(page(packed, more="Content-Encoding: gzip\r\n")) as bird:
        assert http.send("GET", bird.url()).body == packed


# ------------------------------------------------------------------------- causes
@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (hangs_up, "without an answer"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"), "too early"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP"),
    ],
    ids=["hangs-up", "short", "ssh"],
)
def test_a_failure_is_told_in_words(behave: Any, words: str) -> None:
    with canary(behave) as bird, pytest.raises(Unreachable, match=words):
        http.send("GET", bird.url())


@pytest.mark.parametrize("behave", [hangs_up, says(SHORT), hangs])
def test_what_was_sent_may_have_had_its_effect(behave: Any) -> None:
    with canary(behave) as bird, pytest.raises(Unreachable) as gone:
        http.send("POST", bird.url(), body=b"refund=1", timeout=0.5)
    assert not gone.value.unsent


def test_what_was_not_sent_surely_had_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "https://no-such-name.example.com/"):
        with pytest.raises(Unreachable) as gone:
            http.send("POST", url, body=b"refund=1")
        assert gone.value.unsent


def test_a_closed_port_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match="refuses connections"):
        http.send("GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nHost: evil"}, {"X\n": "a"}, {"X": "é"}, {"X": "\0"}]
)
def test_a_header_cannot_smuggle_a_line(bird: Canary, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        http.send("GET", bird.url(), headers=headers)
    assert bird.hits == 0


@pytest.mark.parametrize("method", ["get", "GE T", "", "GET\r\n", "GÉT"])
def test_a_method_is_a_word(bird: Canary, method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        http.send(method, bird.url())
    assert bird.hits == 0


# --------------------------------------------------------------------- no detours
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 P"])
def test_a_redirect_is_not_followed(bird: Canary, status: str) -> None:
    more = f"Location: {bird.url()}\r\n"
    with canary(page(b"", status, more)) as first:
        answer = http.send("GET", first.url())
    assert answer.status == int(status[:3])
    assert (first.hits, bird.hits) == (1, 0)


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch, bird: Canary) -> None:
    with canary(page(b"proxy")) as proxy:
        for name in (
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "all_proxy",
            "ALL_PROXY",
        ):
            monkeypatch.setenv(name, proxy.url())
        assert http.send("GET", bird.url()).body == b"hello"
    assert proxy.hits == 0


def test_no_cookie_is_kept() -> None:
    with canary(page(more="Set-Cookie: a=b\r\nConnection: keep-alive\r\n")) as bird:
        for _ in range(2):
            http.send("GET", bird.url())
    assert bird.hits == 2, "a connection was used again"
    assert all(b"cookie" not in heard.lower() for heard in bird.heard)


def test_a_netrc_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bird: Canary
) -> None:
    (tmp_path / ".netrc").write_text("default login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    http.send("GET", bird.url())
    assert b"authorization" not in bird.heard[0].lower()


# ------------------------------------------------------------------------- canaries
def test_nothing_reaches_a_canary_that_must_not(private: Any, bird: Canary) -> None:
    private.ALLOW_PRIVATE_ENDPOINTS = False
    hosts = (
        "127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "0x7f.1",
        "[::ffff:127.0.0.1]", "127.0.0.1.", "%31%32%37.0.0.1",
    )  # fmt: skip
    for host in hosts:
        for scheme in ("http", "https"):
            with pytest.raises((NotAllowed, Unreachable)):
                http.send("GET", f"{scheme}://{host}:{bird.port}/", timeout=2)
    assert bird.hits == 0


def test_a_public_name_that_leads_to_a_canary_is_refused(
    private: Any, bird: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    private.ALLOW_PRIVATE_ENDPOINTS = False
    monkeypatch.setattr(destinations, "PORTS", frozenset({bird.port}))
    answers(monkeypatch, "127.0.0.1")
    with pytest.raises(NotAllowed, match="not public"):
        http.send("GET", f"https://shop.example.com:{bird.port}/")
    assert bird.hits == 0


def test_an_address_that_was_not_checked_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, bird: Canary
) -> None:
    """As if the name had changed between the check and the call."""
    good = destinations.ipaddress.ip_address("192.0.2.1")
    monkeypatch.setattr(destinations, "resolve", lambda target, within: [good])
    with pytest.raises(NotAllowed, match="not checked"):
        http.send("GET", bird.url())
    assert bird.hits == 0


def test_the_canary_can_be_hit(bird: Canary) -> None:
    """The positive row: without it the others would prove nothing."""
    assert http.send("GET", bird.url()).status == 200
    assert bird.hits == 1


def test_the_sandbox_is_reached_with_the_flag_off(private: Any, bird: Canary) -> None:
    private.ALLOW_PRIVATE_ENDPOINTS = False
    private.SANDBOX_URL = bird.url("")
    assert http.send("GET", bird.url("/paynow/v1/stores")).status == 200


# ------------------------------------------------------------------------------ TLS
def answers(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Lets every name lead to that address."""

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port))]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", look_up)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Canary, Path, list[str | None]]]:
    """A server with a certificate for shop.example.com; the names it was asked by."""
    proof, key = certificate(tmp_path, "shop.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proof, key)
    asked: list[str | None] = []
    context.sni_callback = lambda link, name, context: asked.append(name)
    with canary(page(), tls=context) as bird:
        yield bird, proof, asked


def test_the_certificate_is_checked_by_name_at_the_checked_address(
    tls: tuple[Canary, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bird, proof, asked = tls
    answers(monkeypatch, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(proof))
    answer = http.send("GET", bird.url(scheme="https", host="shop.example.com"))
    assert answer.status == 200
    assert asked == ["shop.example.com"]
    assert f"Host: shop.example.com:{bird.port}".encode() in bird.heard[0]


def test_a_certificate_for_another_name_is_refused(
    tls: tuple[Canary, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bird, proof, _ = tls
    answers(monkeypatch, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(proof))
    with pytest.raises(Unreachable, match="certificate of bank.example.com"):
        http.send("GET", bird.url(scheme="https", host="bank.example.com"))
    assert not any(bird.heard)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls: tuple[Canary, Path, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bird, _, _ = tls
    answers(monkeypatch, "127.0.0.1")
    with pytest.raises(Unreachable, match="certificate"):
        http.send("GET", bird.url(scheme="https", host="shop.example.com"))
    assert not any(bird.heard)
