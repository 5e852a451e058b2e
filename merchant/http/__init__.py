"""The only way out: checked addresses, a total deadline, size caps, no redirects.

`send` makes one call, `Many` (merchant.http.many) many at once, `Courier`
(merchant.http.courier) many at once beside what its caller does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pycurl

from merchant import destinations
from merchant.destinations import NotAllowed, check_url
from merchant.http.courier import Courier
from merchant.http.exchange import (
    MOST,
    NAME_TIMEOUT,
    TIMEOUT,
    Exchange,
    header_lines,
)
from merchant.http.many import Ended, Many, Post
from merchant.providers.base import Answer, Call, Unreachable

__all__ = [
    "Courier",
    "Ended",
    "Exchange",
    "Many",
    "NotAllowed",
    "Post",
    "check_url",
    "discreet",
    "send",
]

#: A word as short as this is no secret ("Bearer").
SHORTEST_KEY = 8


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = TIMEOUT,
    most: int = MOST,
    private: bool = False,
) -> Answer:
    """One call. `timeout`: seconds for everything, names included; `most`: bytes of
    the answer's body. A redirect is an answer like any other. `private`: see
    merchant.destinations.read_url.

    Raises NotAllowed (a URL or address that must not be called), Unreachable (no
    whole answer; says why).
    """
    started = time.monotonic()
    target = destinations.read_url(url, private=private)
    allowed = destinations.resolve(target, within=min(NAME_TIMEOUT, timeout))
    left = timeout - (time.monotonic() - started)
    if left <= 0:
        words = f"{target.host} did not answer within {timeout:.0f} s"
        raise Unreachable(words, unsent=True)
    exchange = Exchange()
    try:
        exchange.ask(
            method, target, allowed, lines=header_lines(headers or {}), body=body,
            timeout=left, most=most,
        )  # fmt: skip
        exchange.handle.perform()
        return exchange.answer()
    except pycurl.error as error:
        raise exchange.cause(int(error.args[0]), timeout) from None
    finally:
        exchange.handle.close()


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
