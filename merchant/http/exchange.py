"""One request and its answer on a curl handle, with everything that is not allowed."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pycurl

from merchant.destinations import Address, NotAllowed, Target
from merchant.providers.base import Answer, Unreachable

USER_AGENT = "Merchant/1"
MOST = 1024 * 1024
MOST_HEADERS = 64 * 1024
TIMEOUT = 15.0
CONNECT_TIMEOUT = 5.0
NAME_TIMEOUT = 5.0
#: A connection is not used again when it was opened longer ago, seconds.
SECONDS_KEPT = 60

#: curl's code -> (what kind of trouble, what to tell); {host} and {seconds} are filled
#: in. The kinds are for tables of those who call; people read the words.
_CAUSES = {
    pycurl.E_COULDNT_CONNECT: ("connection", "{host} refuses connections"),
    pycurl.E_SSL_CONNECT_ERROR: (
        "certificate",
        "{host} does not speak TLS as it should",
    ),
    pycurl.E_PEER_FAILED_VERIFICATION: (
        "certificate",
        "the certificate of {host} is not valid",
    ),
    pycurl.E_GOT_NOTHING: (
        "connection",
        "{host} closed the connection without an answer",
    ),
    pycurl.E_RECV_ERROR: ("connection", "the connection to {host} broke while reading"),
    pycurl.E_SEND_ERROR: ("connection", "the connection to {host} broke while sending"),
    pycurl.E_PARTIAL_FILE: ("answer", "the answer of {host} ended too early"),
    pycurl.E_UNSUPPORTED_PROTOCOL: ("answer", "the answer of {host} is no HTTP"),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: ("answer", "the answer of {host} is no HTTP"),
    pycurl.E_OPERATION_TIMEDOUT: (
        "timeout",
        "{host} did not answer within {seconds:.0f} s",
    ),
}
_OTHERWISE = ("connection", "the call to {host} failed ({code})")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no whole answer came: `kind` is one word ("timeout", "name", "connection",
    "certificate", "blocked_address", "too_large", "answer"), `words` a sentence without
    its full stop. `unsent`: nothing of the request left.
    """

    kind: str
    words: str
    unsent: bool = False


class Exchange:
    """A curl handle, and the request and answer that it is at; one at a time.

    Only `allowed` addresses can be connected to; no cookie and no name is kept.
    `keeps`: the connection may be used again by an exchange of the same CurlMulti, with
    the same scheme, host and port, and only if its other end is allowed then.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        self.handle = handle = pycurl.Curl()
        self._keeps = keeps
        handle.setopt(pycurl.USERAGENT, USER_AGENT)
        handle.setopt(pycurl.WRITEFUNCTION, self._take_body)
        handle.setopt(pycurl.HEADERFUNCTION, self._take_header)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.PROXY, "")  # also overrules the environment
        handle.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.FORBID_REUSE, 0 if keeps else 1)
        handle.setopt(pycurl.MAXAGE_CONN, SECONDS_KEPT)
        handle.setopt(pycurl.MAXLIFETIME_CONN, SECONDS_KEPT)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
        handle.setopt(pycurl.PREREQFUNCTION, self._connected)
        handle.setopt(pycurl.NOSIGNAL, 1)
        if authorities := _authorities():
            handle.setopt(pycurl.CAINFO, authorities)

    def ask(
        self,
        method: str,
        target: Target,
        allowed: Iterable[Address],
        *,
        lines: Sequence[str] = (),
        body: bytes = b"",
        timeout: float = TIMEOUT,
        most: int = MOST,
        cuts: bool = False,
        fresh: bool = False,
    ) -> None:
        """Makes the handle ready. `lines`: see header_lines. `timeout`: seconds for
        everything; `most`: bytes of the answer's body; one that is longer is a failure,
        or is cut there (`cuts`). `fresh`: by a new connection even if there is one.
        """
        self.target, self.most, self.cuts = target, most, cuts
        self.allowed = frozenset(allowed)
        self.not_allowed = self.too_large = self.is_cut = False
        self._body = bytearray()
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._say_what(method, lines, body)
        self._say_where()
        self.handle.setopt(pycurl.FRESH_CONNECT, 0 if self._keeps and not fresh else 1)
        connect = min(CONNECT_TIMEOUT, timeout)
        self.handle.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout * 1000)))
        self.handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))

    def _say_what(self, method: str, lines: Sequence[str], body: bytes) -> None:
        handle = self.handle
        handle.setopt(pycurl.URL, self.target.url)
        if method == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        elif body or method in {"POST", "PUT", "PATCH"}:
            handle.setopt(pycurl.POST, 1)
            handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(pycurl.CUSTOMREQUEST, _token(method))
        handle.setopt(pycurl.HTTPHEADER, lines)

    def _say_where(self) -> None:
        target = self.target
        if target.address is None:
            known = ",".join(
                f"[{one}]" if one.version == 6 else str(one) for one in self.allowed
            )
            self.handle.setopt(pycurl.RESOLVE, [f"{target.host}:{target.port}:{known}"])

    # ------------------------------------------------------------- what curl calls
    def _open(self, purpose: int, address: tuple) -> socket.socket | int:  # type: ignore[type-arg]
        """The socket, if the address that curl is about to use is a checked one."""
        family, kind, protocol, place = address
        if not self._is_checked(place[0], place[1]):
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    def _connected(self, address: str, _own: str, port: int, _own_port: int) -> int:
        """The last look, at the address that answered, before anything is sent."""
        if not self._is_checked(address, port):
            return pycurl.PREREQFUNC_ABORT
        return pycurl.PREREQFUNC_OK

    def _is_checked(self, address: str | bytes, port: int) -> bool:
        text = address.decode() if isinstance(address, bytes) else address
        real = _address(text.partition("%")[0])
        fits = real in self.allowed and port == self.target.port
        self.not_allowed = self.not_allowed or not fits
        return fits

    def _take_body(self, part: bytes) -> int:
        if len(self._body) + len(part) > self.most:
            if self.cuts:
                self._body += part[: self.most - len(self._body)]
                self.is_cut = True
            else:
                self.too_large = True
            return 0  # less than it gave: curl stops here
        self._body += part
        return len(part)

    def _take_header(self, line: bytes) -> int:
        self._header_bytes += len(line)
        if self._header_bytes > MOST_HEADERS:
            self.too_large = True
            return 0
        name, colon, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):
            self._headers.clear()  # the answer proper, after a "100 Continue"
        elif colon:
            name, value = name.strip().lower(), value.strip()
            before = self._headers.get(name)
            self._headers[name] = f"{before}, {value}" if before else value
        return len(line)

    # -------------------------------------------------------------------- the end
    def answer(self) -> Answer:
        """What came until now; status 0 where none came."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        return Answer(status, dict(self._headers), bytes(self._body))

    def trouble(self, code: int, seconds: float) -> Trouble:
        """Why it failed. `code` is curl's, `seconds` what it was given."""
        host = self.target.host
        if self.not_allowed:
            words = f"{host} leads to an address that was not checked"
            return Trouble("blocked_address", words, unsent=True)
        if self.too_large:
            most = f"{self.most // 1024} KiB" if self.most >= 1024 else f"{self.most} B"
            return Trouble("too_large", f"the answer of {host} is larger than {most}")
        kind, words = _CAUSES.get(code, _OTHERWISE)
        # A part of the request may be enough for the other side to act.
        unsent = not self.handle.getinfo(pycurl.REQUEST_SIZE)
        words = words.format(host=host, seconds=seconds, code=code)
        return Trouble(kind, words, unsent)

    def cause(self, code: int, seconds: float) -> Exception:
        """Why it failed, as the exception to raise."""
        trouble = self.trouble(code, seconds)
        if self.not_allowed:
            return NotAllowed(f"{trouble.words}.")
        return Unreachable(trouble.words, unsent=trouble.unsent)


@lru_cache(maxsize=1000)
def _address(text: str) -> Address:
    return ipaddress.ip_address(text)


def _token(method: str) -> str:
    if not (method.isascii() and method.isalpha() and method.isupper()):
        raise ValueError("an HTTP method is written in capital letters")
    return method


def header_lines(headers: Mapping[str, str]) -> list[str]:
    """Header lines as curl wants them; what curl would add by itself is left out.

    Raises ValueError for a line break or a letter outside ASCII.
    """
    lines = [
        f"{name}: {value}" if value else f"{name};" for name, value in headers.items()
    ]
    whole = "".join(lines)
    if not _is_plain(whole):
        name = next(n for n, v in headers.items() if not _is_plain(f"{n}{v}"))
        raise ValueError(f"the header {name!r} cannot be sent")
    named = {name.lower() for name in headers}
    lines += _CURLS_OWN
    if "accept" not in named:
        lines.append("Accept: */*")
    if "content-type" not in named:
        lines.append("Content-Type:")
    return lines


#: Left to itself curl would wait for a "100 Continue" before a long body.
_CURLS_OWN = ("Expect:", "Accept-Encoding: identity")
_BREAK = re.compile("[\r\n\0]")


def _is_plain(text: str) -> bool:
    return text.isascii() and not _BREAK.search(text)


def _authorities() -> str:
    """The system's certificate authorities; the curl that is shipped with pycurl
    does not know where this system keeps them."""
    paths = ssl.get_default_verify_paths()
    places = (paths.cafile, paths.openssl_cafile, *_AUTHORITIES)
    return next((place for place in places if place and Path(place).exists()), "")


_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
