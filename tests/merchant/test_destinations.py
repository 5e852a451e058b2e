"""Which URLs may be called: rows to refuse and rows to allow, one by one."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from merchant import destinations, http
from merchant.destinations import NotAllowed
from merchant.providers.base import Unreachable

IPV4_RANGES = [
    f"https://{address}/"
    for address in (
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1",
        "100.127.255.254", "127.0.0.1", "127.1.2.3", "127.255.255.254",
        "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2",
        "172.16.0.1", "172.31.255.254", "192.0.0.1", "192.0.0.9", "192.0.0.170",
        "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1",
        "192.168.255.254", "192.175.48.1", "198.18.0.1", "198.19.255.254",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255",
    )
]  # fmt: skip

IPV4_SPELLINGS = [
    f"https://{host}/"
    for host in (
        "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
        "127.1", "127.0.1", "0", "0.0", "127.0.0.01", "010.0.0.1", "0x7f.1",
        "127.0.0.1.", "127.0.0.0x1", "08.8.8.8", "8.8.8", "8.8", "134744072",
        "256.1.1.1", "1.1.1.256", "1.1.1.1.1", "1..1.1", ".1.1.1", "1.1.1.",
        "8.8.8.0x8", "0x08080808", "00000010.8.8.8", "4294967297",
        "shop.example.com.0x7f",
        "example.123", "a.b.1",
    )
]  # fmt: skip

IPV6 = [
    f"https://[{host}]/"
    for host in (
        "::", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1",
        "::ffff:8.8.8.8", "::127.0.0.1", "::7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::",
        "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
        "2002:a00:1::", "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1",
        "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fec0::1",
        "ff02::1", "1fff::1",
    )
] + [
    "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1]:443/",
    "https://[::1]:8443/", "https://[]/", "https://[1::2::3]/", "https://[:::1]/",
    "https://[12345::1]/", "https://[::1/", "https://::1/", "https://2606:4700::1/",
    "https://[127.0.0.1]/", "https://[2606:4700::1]x/", "https://x[2606:4700::1]/",
    "https://[v1.fe80::1]/", "https://[2606:4700::1].example.com/",
]  # fmt: skip

SPECIAL_NAMES = [
    f"https://{host}/"
    for host in (
        "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "a.localhost",
        "printer.local", "metadata.google.internal", "db.internal", "router.lan",
        "nas.home.arpa", "1.0.0.127.in-addr.arpa", "site.onion", "x.invalid", "x.test",
        "shop.example", "wiki.intranet", "git.corp", "tv.home", "vault.private",
        "postgres", "redis", "kubernetes", "intranet", "com", "metadata",
        "x.y.LOCAL", "a.b.Internal",
    )
]  # fmt: skip

PARSERS = [
    "https://user@shop.example.com/", "https://user:pass@shop.example.com/",
    "https://@shop.example.com/", "https://:@shop.example.com/",
    "https://127.0.0.1\\@shop.example.com/", "https://shop.example.com\\.evil.net/",
    "https:\\\\shop.example.com/", "https://127.0.0.1:443@shop.example.com/",
    "https://127.0.0.1#@shop.example.com/", "https://127.0.0.1?@shop.example.com/",
    "https://127.0.0.1/@shop.example.com/", "https://%31%32%37.0.0.1/",
    "https://shop.example.com%00.evil.net/", "https://shop.example.com%2f@evil.net/",
    "https://localhost%2eexample.com/", "https://shop.example.com\x00/",
    "https://shop.example.com\n/", "https://shop.example.com/\r\nHost: x",
    "https://shop.exam\tple.com/", " https://shop.example.com/",
    "https://shop.example.com/ ", "https://shop example.com/",
    "https://shop.example.com/a b", "https://shop.example.com/\x7f",
    "https://shop.example.com/\x85", "https://shop.example.com/\u2028",
    "https://shop.example.com/\ud800", "https:///shop.example.com/",
    "https:shop.example.com", "https:/shop.example.com", "//shop.example.com/",
    "https://", "https:///", "https://?", "https://#", "https://:443/",
    "https://shop.example.com:443:443/", "https://shop.example.com,evil.net/",
    "https://shop.example.com;evil.net/", "https://(shop.example.com)/",
    "https://shop.example.com&evil.net/", "https://shop..example.com/",
    "https://.shop.example.com/", "https://shop.example.com./",
    "https://-shop.example.com/", "https://shop-.example.com/",
    "https://sh_op.example.com/", "https://shop.example.com\u00a0/",
    f"https://{'a' * 64}.example.com/", f"https://{'a.' * 130}example.com/",
    f"https://shop.example.com/{'a' * 2048}", "https://ab--cd.example.com/",
]  # fmt: skip

UNICODE = [
    "https://①②⑦.⓪.⓪.①/", "https://１２７.0.0.1/", "https://127。0。0。1/",
    "https://localhost。/", "https://ｌocalhost/", "https://ⓛocalhost.example.com/",
    "https://shop.ex\u00adample.com/", "https://sh\u200bop.example.com/",
    "https://\u202eshop.example.com/", "https://pаypal.example.com/",
    "https://gооgle.com/", "https://раураl.com/", "https://BÜCHER.example.com/",
    "https://☃.example.com/", "https://😀.example.com/", "https://xn--.example.com/",
    "https://xn--a.example.com/", "https://xn--pypal-4ve.example.com/",
    "https://αbc.example.com/", "https://\u0301x.example.com/", "https://ß②.example.com/",
    "https://xn--zzzzzzzzzz99.example.com/", "https://٣.example.com/",
    "https://１.example.com/",
]  # fmt: skip

SCHEMES = [
    f"{scheme}shop.example.com/"
    for scheme in (
        "http://", "HTTP://", "ftp://", "file://", "gopher://", "dict://", "ldap://",
        "ws://", "wss://", "httpss://", "https+unix://", "javascript://", "data:",
        "jar:https://", "tftp://", "smb://", "", "://", "h ttps://", "httрs://",
    )
]  # fmt: skip

PORTS = [
    f"https://shop.example.com:{port}/"
    for port in (
        "80", "8080", "22", "25", "6379", "5432", "9200", "0", "65536", "99999", "",
        "-1", "0443", "00443", "443x", "4 43", "+443", "４４３", "0x1bb", "444", "1",
        "443.0", "8000", "10250",
    )
]  # fmt: skip

GARBAGE = [
    "",
    " ",
    "x",
    "/",
    "?",
    "https",
    "null",
    "https://\\",
    "[]",
    "https://[",
    "🦊",
]

OURSELVES = [
    "https://pay.merchant.example.net/", "https://PAY.merchant.example.net:8443/hooks",
    "https://pay.merchant.example.net/hooks/stripe/1",
]  # fmt: skip

REFUSED = [
    *IPV4_RANGES, *IPV4_SPELLINGS, *IPV6, *SPECIAL_NAMES, *PARSERS, *UNICODE, *SCHEMES,
    *PORTS, *GARBAGE, *OURSELVES,
]  # fmt: skip

ALLOWED = [
    "https://shop.example.com", "https://shop.example.com/", "HTTPS://shop.example.com/",
    "https://shop.example.com:443/hooks", "https://shop.example.com:8443/hooks?a=1&b=2",
    "https://SHOP.Example.COM/Path", "https://a.b.c.d.e.example.org/",
    "https://shop-1.example.com/", "https://1shop.example.com/", "https://3com.com/",
    "https://localhost.example.com/", "https://internal.example.com/",
    "https://test.example.net/", "https://notlocal.com/", "https://shop.example.com#x@y",
    "https://shop.example.com/?next=https://127.0.0.1/", "https://shop.example.com?x=@",
    "https://shop.example.com/a@b", "https://shop.example.com/%00%20", "https://8.8.8.8/",
    "https://1.1.1.1:8443/x", "https://172.15.255.255/", "https://172.32.0.1/",
    "https://100.63.255.255/", "https://192.169.0.1/", "https://223.255.255.255/",
    "https://[2606:4700:4700::1111]/", "https://[2a00:1450:4001:80b::200e]:8443/x",
    "https://[2001:4860:4860::8888]/", "https://bücher.example.com/",
    "https://faß.example.com/", "https://xn--bcher-kva.example.com/",
    "https://例え.example.com/", "https://пример.example.com/",
    "https://日本語テスト.example.com/", "https://παράδειγμα.example.com/",
    "https://shop.example.com/straße?q=ü", f"https://{'a' * 63}.example.com/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _public(settings: Any) -> None:
    settings.PUBLIC_URL = "https://pay.merchant.example.net"
    settings.HOST, settings.PORT = "127.0.0.1", 8000
    settings.ALLOW_PRIVATE_ENDPOINTS, settings.SANDBOX_URL = False, ""


def test_the_lists_are_long_enough() -> None:
    assert len(set(REFUSED)) >= 200
    assert len(set(ALLOWED)) >= 28


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        http.check_url(url)
    words = str(caught.value)
    assert words.endswith(".")
    assert len(words) < 400


@pytest.mark.parametrize("url", ALLOWED)
def test_allowed(url: str) -> None:
    http.check_url(url)


@pytest.mark.parametrize("url", ALLOWED)
def test_what_is_called_is_what_was_checked(url: str) -> None:
    target = destinations.read_url(url)
    again = destinations.read_url(target.url)
    assert again == target
    assert target.url.isascii()


def test_a_name_in_other_letters_is_called_by_its_ascii_form() -> None:
    target = destinations.read_url("https://bücher.example.com/straße?q=ü#x")
    assert target.url == "https://xn--bcher-kva.example.com/stra%C3%9Fe?q=%C3%BC"


# ----------------------------------------------------------------- what names lead to
@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A name server of our own: name -> addresses, or an error to raise."""
    known: dict[str, Any] = {}

    def answer(host: str, port: int, **_: Any) -> list[Any]:
        found = known.get(host, socket.gaierror(socket.EAI_NONAME, "unknown"))
        if isinstance(found, Exception):
            raise found
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, 1, 6, "", (a, port))
            for a in found
        ]

    monkeypatch.setattr(destinations.socket, "getaddrinfo", answer)
    yield known


def resolve(url: str) -> list[Any]:
    return destinations.resolve(destinations.read_url(url), within=2)


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["fd00::1"],
        ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["fe80::1%eth0"], ["0.0.0.0"],
        ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"],
        ["2606:4700::1", "fc00::1"], ["2606:4700::1", "192.168.1.1"],
        ["8.8.8.8", "8.8.4.4", "100.64.0.1"],
    ],
    ids=",".join,
)  # fmt: skip
def test_one_bad_answer_is_enough_to_refuse(
    names: dict[str, Any], answers: list[str]
) -> None:
    names["shop.example.com"] = answers
    with pytest.raises(NotAllowed):
        resolve("https://shop.example.com/")


def test_good_answers_are_taken(names: dict[str, Any]) -> None:
    names["shop.example.com"] = ["8.8.8.8", "2606:4700::1", "8.8.8.8"]
    assert resolve("https://shop.example.com/") == [
        ipaddress.ip_address("8.8.8.8"),
        ipaddress.ip_address("2606:4700::1"),
    ]


@pytest.mark.parametrize("answer", [[], socket.gaierror(), UnicodeError("label")])
def test_a_name_without_an_address_cannot_be_reached(
    names: dict[str, Any], answer: Any
) -> None:
    names["shop.example.com"] = answer
    with pytest.raises(Unreachable):
        resolve("https://shop.example.com/")


def test_a_name_server_that_hangs_ends_by_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    monkeypatch.setattr(
        destinations.socket, "getaddrinfo", lambda *a, **k: release.wait(30) and []
    )
    target = destinations.read_url("https://shop.example.com/")
    with pytest.raises(Unreachable, match="not resolved"):
        destinations.resolve(target, within=0.2)
    release.set()


# -------------------------------------------------------------------- with the flag on
@pytest.fixture
def private(settings: Any) -> Any:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    return settings


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/", "http://localhost:9000/x", "http://10.0.0.5/",
        "https://receiver:8080/", "http://[::1]:9000/", "http://shop.test:81/",
        "http://192.168.1.2:65535/",
    ],
)  # fmt: skip
def test_the_flag_allows_private_places(private: Any, url: str) -> None:
    http.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/", "http://127.0.0.1:8000", "https://127.0.0.1:8000/hooks",
        "http://127.0.0.2:8000/", "http://[::1]:8000/", "http://0.0.0.0:8000/",
        "http://[::]:8000/", "http://[::ffff:127.0.0.1]:8000/",
        "http://localhost:8000/", "https://shop.localhost:8000/hooks",
    ],
)  # fmt: skip
def test_our_own_door_stays_refused_with_the_flag(private: Any, url: str) -> None:
    with pytest.raises(NotAllowed):
        http.check_url(url)


def test_a_name_that_leads_to_our_own_door_is_refused(
    private: Any, names: dict[str, Any]
) -> None:
    names["shop.test"] = ["::1", "127.0.0.1"]
    with pytest.raises(NotAllowed):
        resolve("http://shop.test:8000/")
    assert resolve("http://shop.test:8001/")


@pytest.mark.parametrize(
    "url",
    [
        "http://user@127.0.0.1:9000/", "http://2130706433:9000/", "http://0x7f.1/",
        "ftp://127.0.0.1/", "http://127.0.0.1:9000/a b", "http://127.0.0.1\\@x/",
        "http://127.0.0.1:0/", "http://[fe80::1%eth0]:9000/",
    ],
)  # fmt: skip
def test_the_flag_does_not_allow_trickery(private: Any, url: str) -> None:
    with pytest.raises(NotAllowed):
        http.check_url(url)


# ------------------------------------------------------------------------ the sandbox
def test_exactly_the_sandboxs_origin_is_allowed(settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:8700"
    http.check_url("http://127.0.0.1:8700/stripe/v1/events")
    assert destinations.resolve(
        destinations.read_url("http://127.0.0.1:8700/paynow"), within=1
    )
    for url in (
        "https://127.0.0.1:8700/",
        "http://127.0.0.1:8701/",
        "http://localhost:8700/",
        "http://127.0.0.2:8700/",
        "http://x@127.0.0.1:8700/",
    ):
        with pytest.raises(NotAllowed):
            http.check_url(url)


def test_our_own_door_is_no_sandbox(settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:8000"
    with pytest.raises(NotAllowed):
        http.check_url("http://127.0.0.1:8000/stripe")
