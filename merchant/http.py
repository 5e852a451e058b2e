"""The only way out: checked addresses, a total deadline, size caps, no redirects."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pycurl

from merchant import destinations
from merchant.destinations import Address, NotAllowed, Target, check_url
from merchant.providers.base import Answer, Call, Unreachable

__all__ = ["Exchange", "NotAllowed", "check_url", "discreet", "send"]

USER_AGENT = "Merchant/1"
MOST = 1024 * 1024
MOST_HEADERS = 64 * 1024
TIMEOUT = 15.0
#: A word as short as this is no secret ("Bearer").
SHORTEST_KEY = 8
CONNECT_TIMEOUT = 5.0
NAME_TIMEOUT = 5.0

#: curl's code -> what to tell; {host} and {seconds} are filled in.
_CAUSES = {
    pycurl.E_COULDNT_CONNECT: "{host} refuses connections",
    pycurl.E_SSL_CONNECT_ERROR: "{host} does not speak TLS as it should",
    pycurl.E_PEER_FAILED_VERIFICATION: "the certificate of {host} is not valid",
    pycurl.E_GOT_NOTHING: "{host} closed the connection without an answer",
    pycurl.E_RECV_ERROR: "the connection to {host} broke while reading",
    pycurl.E_SEND_ERROR: "the connection to {host} broke while sending",
    pycurl.E_PARTIAL_FILE: "the answer of {host} ended too early",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the answer of {host} is no HTTP",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "the answer of {host} is no HTTP",
    pycurl.E_OPERATION_TIMEDOUT: "{host} did not answer within {seconds:.0f} s",
}


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = TIMEOUT,
    most: int = MOST,
) -> Answer:
    """One call. `timeout`: seconds for everything, names included; `most`: bytes of
    the answer's body. A redirect is an answer like any other.

    Raises NotAllowed (a URL or address that must not be called), Unreachable (no
    whole answer; says why).
    """
    started = time.monotonic()
    target = destinations.read_url(url)
    allowed = destinations.resolve(target, within=min(NAME_TIMEOUT, timeout))
    left = timeout - (time.monotonic() - started)
    if left <= 0:
        words = f"{target.host} did not answer within {timeout:.0f} s"
        raise Unreachable(words, unsent=True)
    exchange = Exchange(
        method, target, allowed, headers=headers, body=body, timeout=left, most=most
    )
    try:
        exchange.handle.perform()
    except pycurl.error as error:
        raise exchange.cause(int(error.args[0]), timeout) from None
    finally:
        answer = exchange.close()
    return answer


def discreet(api_key: str) -> Call:
    """`send` for a provider that may repeat what it was sent: its answers are kept and
    shown, so the key and the headers that carry it are blotted out of them.
    """

    def call(
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        answer = send(method, url, headers=headers, **more)
        sent = [value for name, value in (headers or {}).items() if _carries(name)]
        words = {word for value in (api_key, *sent) for word in value.split()}
        return replace(answer, body=_blotted(answer.body, words))

    return call


def _carries(header: str) -> bool:
    """Whether a header of ours proves who we are."""
    return any(part in header.lower() for part in ("authorization", "key", "token"))


def _blotted(body: bytes, words: Iterable[str]) -> bytes:
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= SHORTEST_KEY:
            body = body.replace(word.encode(), b"(hidden)")
    return body


class Exchange:
    """One request and its answer on a curl handle of its own.

    Only `allowed` addresses can be connected to; nothing is kept for a next call: no
    connection, no cookie, no name.
    """

    def __init__(
        self,
        method: str,
        target: Target,
        allowed: list[Address],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = TIMEOUT,
        most: int = MOST,
    ) -> None:
        self.target, self.most = target, most
        self.allowed = frozenset(allowed)
        self.not_allowed = self.too_large = False
        self._body = bytearray()
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self.handle = pycurl.Curl()
        self._say_what(method, headers or {}, body)
        self._say_where(allowed)
        self._say_how_long(timeout)

    def _say_what(self, method: str, headers: Mapping[str, str], body: bytes) -> None:
        handle = self.handle
        handle.setopt(pycurl.URL, self.target.url)
        if method == "HEAD":
            handle.setopt(pycurl.NOBODY, 1)
        elif body or method in {"POST", "PUT", "PATCH"}:
            handle.setopt(pycurl.POST, 1)
            handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(pycurl.CUSTOMREQUEST, _token(method))
        handle.setopt(pycurl.USERAGENT, USER_AGENT)
        handle.setopt(pycurl.HTTPHEADER, _header_lines(headers))
        handle.setopt(pycurl.WRITEFUNCTION, self._take_body)
        handle.setopt(pycurl.HEADERFUNCTION, self._take_header)

    def _say_where(self, allowed: list[Address]) -> None:
        handle, target = self.handle, self.target
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.PROXY, "")  # also overrules the environment
        handle.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
        handle.setopt(pycurl.PREREQFUNCTION, self._connected)
        if target.address is None:
            known = ",".join(f"[{a}]" if a.version == 6 else str(a) for a in allowed)
            handle.setopt(pycurl.RESOLVE, [f"{target.host}:{target.port}:{known}"])
        if authorities := _authorities():
            handle.setopt(pycurl.CAINFO, authorities)

    def _say_how_long(self, timeout: float) -> None:
        connect = min(CONNECT_TIMEOUT, timeout)
        self.handle.setopt(pycurl.NOSIGNAL, 1)
        self.handle.setopt(pycurl.TIMEOUT_MS, max(1, int(timeout * 1000)))
        self.handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(connect * 1000)))

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
        real = ipaddress.ip_address(text.partition("%")[0])
        fits = real in self.allowed and port == self.target.port
        self.not_allowed = self.not_allowed or not fits
        return fits

    def _take_body(self, part: bytes) -> int:
        if len(self._body) + len(part) > self.most:
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
    def close(self) -> Answer:
        """Lets go of the handle; what came until now."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        self.handle.close()
        return Answer(status, dict(self._headers), bytes(self._body))

    def cause(self, code: int, seconds: float) -> Exception:
        """Why it failed, as the exception to raise. `code` is curl's."""
        host = self.target.host
        if self.not_allowed:
            return NotAllowed(f"{host} leads to an address that was not checked.")
        if self.too_large:
            most = f"{self.most // 1024} KiB" if self.most >= 1024 else f"{self.most} B"
            return Unreachable(f"the answer of {host} is larger than {most}")
        words = _CAUSES.get(code, "the call to {host} failed ({code})")
        # A part of the request may be enough for the other side to act.
        unsent = not self.handle.getinfo(pycurl.REQUEST_SIZE)
        return Unreachable(
            words.format(host=host, seconds=seconds, code=code), unsent=unsent
        )


def _token(method: str) -> str:
    if not (method.isascii() and method.isalpha() and method.isupper()):
        raise ValueError("an HTTP method is written in capital letters")
    return method


def _header_lines(headers: Mapping[str, str]) -> list[str]:
    """Header lines as curl wants them; what curl would add by itself is left out.

    Raises ValueError for a line break or a letter outside ASCII.
    """
    lines = ["Expect:", "Accept-Encoding: identity"]
    named = {name.lower() for name in headers}
    for name in ("Accept", "Content-Type"):
        if name.lower() not in named:
            lines.append(f"{name}:" if name == "Content-Type" else f"{name}: */*")
    for name, value in headers.items():
        text = f"{name}{value}"
        if not text.isascii() or any(letter in text for letter in "\r\n\0"):
            raise ValueError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}" if value else f"{name};")
    return lines


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
