"""Many calls at once from one thread: posts, with the same checks as a single call.

A connection is kept for a minute and used again for the same scheme, host and port, and
only if the address at its other end is among those checked for the new call.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pycurl

from merchant import destinations
from merchant.destinations import Address, NotAllowed, Target
from merchant.http.exchange import (
    NAME_TIMEOUT,
    TIMEOUT,
    Exchange,
    Trouble,
    header_lines,
)
from merchant.providers.base import Answer, Unreachable

#: Of an answer so much is read, bytes; then the connection is closed.
MOST = 16 * 1024
#: A name that was looked up just now is not looked up again, seconds. What it led to is
#: checked for every call all the same.
SECONDS_KNOWN = 5.0
#: Connections that are kept open, at most.
MOST_KEPT = 256

_Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Post:
    """A call to make. `tag` is the caller's and comes back with what became of it.
    `lane`: see merchant.http.courier."""

    tag: Any
    url: str
    headers: Mapping[str, str]
    body: bytes
    lane: Hashable = None
    timeout: float = TIMEOUT
    most: int = MOST


@dataclass(slots=True)
class Ended:
    """What became of a call.

    `answer` is what came (status 0: nothing), whole unless there is a `trouble`; its
    body is cut at `Post.most`. `address`: whom it was connected to. Times in
    milliseconds; None where it did not come to that, or a kept connection was used.
    `begun`: false where nobody was called, see merchant.http.courier.
    """

    tag: Any
    answer: Answer
    trouble: Trouble | None = None
    address: str | None = None
    name_ms: int | None = None
    connect_ms: int | None = None
    tls_ms: int | None = None
    wait_ms: int | None = None
    total_ms: int = 0
    lane: Hashable = None
    begun: bool = True

    @property
    def is_well(self) -> bool:
        """Whether the whole answer came, and says that all is well."""
        return self.trouble is None and 200 <= self.answer.status < 300


@dataclass(slots=True)
class _Call:
    """One post under way."""

    post: Post
    began: float
    target: Target
    lines: Sequence[str]
    allowed: list[Address] = field(default_factory=list)
    named: float | None = None
    fresh: bool = False


NOTHING = Answer(0, {}, b"")


class Many:
    """Calls under way and the connections that they leave behind; for one thread.

    `begin` starts one and does not wait; `ended` waits until some have come to an end.
    `len()`: how many are under way.
    """

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, MOST_KEPT)
        self._selector = selectors.DefaultSelector()
        self._wake, self._bell = socket.socketpair()
        for end in (self._wake, self._bell):
            end.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._timer: float | None = None
        self._exchanges: dict[pycurl.Curl, tuple[_Call, Exchange]] = {}
        self._spare: list[Exchange] = []
        self._asking: dict[_Place, list[_Call]] = {}
        self._known: dict[_Place, tuple[float, list[Address]]] = {}
        self._named: deque[tuple[_Place, list[Address] | Exception]] = deque()
        self._over: list[Ended] = []
        self._woken = False

    def __len__(self) -> int:
        waiting = sum(map(len, self._asking.values()))
        return len(self._exchanges) + waiting + len(self._over)

    # ------------------------------------------------------------------ the beginning
    def begin(self, post: Post, lines: Sequence[str] | None = None) -> None:
        """Starts the call. Where it cannot go is told by `ended`; raises ValueError for
        a header that cannot be sent. `lines`: the headers as curl wants them."""
        if lines is None:
            lines = header_lines(post.headers)
        began = time.monotonic()
        try:
            target = destinations.read_url(post.url)
            call = _Call(post, began, target, lines)
            if target.address is not None:
                destinations.check(target.address, target)
                self._start(call, [target.address])
            elif (known := self._addresses(target)) is not None:
                self._start(call, known)
            else:
                self._look_up(call)
        except NotAllowed as error:
            self._refuse(post, began, error)

    def _addresses(self, target: Target) -> list[Address] | None:
        known = self._known.get((target.host, target.port))
        if known is None or known[0] < time.monotonic():
            return None
        for address in known[1]:
            destinations.check(address, target)
        return known[1]

    def _look_up(self, call: _Call) -> None:
        """In a thread of its own; calls to the same place wait for the same answer."""
        place = (call.target.host, call.target.port)
        call.named = time.monotonic()
        if place in self._asking:
            self._asking[place].append(call)
            return
        self._asking[place] = [call]
        threading.Thread(
            target=self._ask, args=(place, call.target), name="name", daemon=True
        ).start()

    def _ask(self, place: _Place, target: Target) -> None:
        try:
            self._named.append(
                (place, destinations.resolve(target, within=NAME_TIMEOUT))
            )
        except Exception as error:
            self._named.append((place, error))
        self._ring()

    def _ring(self) -> None:
        with suppress(OSError):  # full is rung enough; closed has nobody to wake
            self._bell.send(b"!")

    def _take_names(self) -> None:
        with suppress(BlockingIOError):
            while self._wake.recv(1024):
                pass
        while self._named:
            place, found = self._named.popleft()
            calls = self._asking.pop(place)
            if isinstance(found, list):
                self._remember(place, found)
            for call in calls:
                if isinstance(found, list):
                    self._start(call, found)
                else:
                    self._refuse(call.post, call.began, found)

    def _remember(self, place: _Place, found: list[Address]) -> None:
        now = time.monotonic()
        if len(self._known) > 1000:
            self._known = {p: k for p, k in self._known.items() if k[0] >= now}
        self._known[place] = (now + SECONDS_KNOWN, found)

    def _start(self, call: _Call, allowed: list[Address]) -> None:
        post, now = call.post, time.monotonic()
        if call.named is not None:
            call.named = now - call.named
        left = post.timeout - (now - call.began)
        if left <= 0:
            words = f"{call.target.host} did not answer within {post.timeout:.0f} s"
            self._fail(post, call.began, Trouble("timeout", words, unsent=True))
            return
        call.allowed = allowed
        exchange = self._spare.pop() if self._spare else Exchange(keeps=True)
        exchange.ask(
            "POST", call.target, allowed, lines=call.lines, body=post.body,
            timeout=left, most=post.most, cuts=True, fresh=call.fresh,
        )  # fmt: skip
        self._exchanges[exchange.handle] = (call, exchange)
        self._multi.add_handle(exchange.handle)

    def _refuse(self, post: Post, began: float, error: Exception) -> None:
        if isinstance(error, NotAllowed):
            kind = "blocked_address"
        elif isinstance(error, Unreachable):
            kind = "name"
        else:
            raise error
        words = str(error).removesuffix(".")
        self._fail(post, began, Trouble(kind, words, unsent=True))

    def _fail(self, post: Post, began: float, trouble: Trouble) -> None:
        spent = int((time.monotonic() - began) * 1000)
        self._over.append(
            Ended(post.tag, NOTHING, trouble, total_ms=spent, lane=post.lane)
        )

    # ----------------------------------------------------------------------- the wait
    def ended(self, within: float) -> list[Ended]:
        """What has come to an end; waits for it at most so many seconds, or until
        `wake`."""
        last = time.monotonic() + within
        while True:
            self._turn(0.0 if self._over else max(0.0, last - time.monotonic()))
            self._over.extend(self._collect())
            if self._over or self._woken or time.monotonic() >= last:
                self._woken = False
                over, self._over = self._over, []
                return over

    def wake(self) -> None:
        """Ends a wait in `ended`; may be called by any thread."""
        self._woken = True
        self._ring()

    def _turn(self, within: float) -> None:
        if self._timer is not None:
            within = min(within, max(0.0, self._timer - time.monotonic()))
        for key, mask in self._selector.select(within):
            if key.fileobj is self._wake:
                self._take_names()
                continue
            what = pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0
            what |= pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
            self._multi.socket_action(key.fd, what)
        if self._timer is not None and time.monotonic() >= self._timer:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _watch(self, event: int, fd: int, _multi: Any, _more: Any) -> None:
        """curl says which sockets it waits for."""
        if event == pycurl.POLL_REMOVE:
            with suppress(KeyError, ValueError):
                self._selector.unregister(fd)
            return
        mask = selectors.EVENT_READ if event & pycurl.POLL_IN else 0
        mask |= selectors.EVENT_WRITE if event & pycurl.POLL_OUT else 0
        try:
            self._selector.modify(fd, mask)
        except KeyError:
            self._selector.register(fd, mask)

    def _set_timer(self, milliseconds: int) -> None:
        if milliseconds < 0:
            self._timer = None
        else:
            self._timer = time.monotonic() + milliseconds / 1000

    # ------------------------------------------------------------------------ the end
    def _collect(self) -> Iterator[Ended]:
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            for handle in good:
                yield from self._end(handle, 0)
            for handle, code, _words in bad:
                yield from self._end(handle, code)

    def _end(self, handle: pycurl.Curl, code: int) -> Iterator[Ended]:
        call, exchange = self._exchanges.pop(handle)
        self._multi.remove_handle(handle)
        if exchange.not_allowed and not call.fresh and not _connects(handle):
            # A kept connection whose other end is no longer where the name leads.
            call.fresh, call.named = True, None
            self._spare.append(exchange)
            self._start(call, call.allowed)
            return
        ended = Ended(call.post.tag, exchange.answer(), lane=call.post.lane)
        if code and not exchange.is_cut:
            ended.trouble = exchange.trouble(code, call.post.timeout)
        ended.address = handle.getinfo(pycurl.PRIMARY_IP) or None
        _measure(ended, call, handle)
        self._spare.append(exchange)
        yield ended

    def close(self) -> None:
        """Ends everything under way and every connection."""
        for handle, (_call, exchange) in self._exchanges.items():
            self._multi.remove_handle(handle)
            self._spare.append(exchange)
        self._exchanges.clear()
        self._multi.close()
        for exchange in self._spare:
            exchange.handle.close()
        self._selector.close()
        self._wake.close()
        self._bell.close()


def _connects(handle: pycurl.Curl) -> int:
    """How many connections were opened for the call; 0: a kept one was used."""
    return int(handle.getinfo(pycurl.NUM_CONNECTS))


def _measure(ended: Ended, call: _Call, handle: pycurl.Curl) -> None:
    """Splits the time. curl counts each moment in seconds from its own start."""
    connected = handle.getinfo(pycurl.CONNECT_TIME)
    secured = handle.getinfo(pycurl.APPCONNECT_TIME)
    sent = handle.getinfo(pycurl.PRETRANSFER_TIME)
    first = handle.getinfo(pycurl.STARTTRANSFER_TIME)
    if _connects(handle):
        ended.connect_ms = _ms(connected) if connected else None
        ended.tls_ms = _ms(secured - connected) if secured else None
    ended.wait_ms = _ms(first - sent) if first and sent else None
    ended.name_ms = _ms(call.named) if call.named is not None else None
    ended.total_ms = _ms(time.monotonic() - call.began)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
