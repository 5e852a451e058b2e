"""Small servers on this machine that count their visitors and behave as told."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket], None]


@dataclass(slots=True)
class Canary:
    """`hits`: connections taken; `heard`: the request of each."""

    port: int = 0
    hits: int = 0
    heard: list[bytes] = field(default_factory=list)

    def url(
        self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1"
    ) -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def canary(
    behave: Behaviour, tls: ssl.SSLContext | None = None, *, reads: bool = True
) -> Iterator[Canary]:
    """A server on 127.0.0.1 that does `behave` with every connection, once it has heard
    the request (`reads`) or at its first bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    bird, ending = Canary(port=listener.getsockname()[1]), threading.Event()

    def serve(raw: socket.socket) -> None:
        with suppress(OSError), raw:
            link = tls.wrap_socket(raw, server_side=True) if tls else raw
            link.settimeout(5)
            bird.heard.append(_request(link) if reads else link.recv(10))
            behave(link)
            link.close()

    def listen() -> None:
        while not ending.is_set():
            try:
                link, _ = listener.accept()
            except OSError:
                return
            bird.hits += 1
            threading.Thread(target=serve, args=(link,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield bird
    finally:
        ending.set()
        listener.close()


def _request(link: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        part = link.recv(65536)
        if not part:
            return heard
        heard += part
    head, _, body = heard.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            while len(body) < int(value):
                body += link.recv(65536)
    return head + b"\r\n\r\n" + body


def says(answer: bytes) -> Behaviour:
    return lambda link: link.sendall(answer)


def page(body: bytes = b"hello", status: str = "200 OK", more: str = "") -> Behaviour:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return says(head.encode() + body)


def drips(start: bytes, drop: bytes, pause: float = 0.05) -> Behaviour:
    """Sends `start`, then drop by drop without an end."""

    def behave(link: socket.socket) -> None:
        link.sendall(start)
        for _ in range(400):
            link.sendall(drop)
            time.sleep(pause)

    return behave


def floods(start: bytes, part: bytes = b"x" * 65536) -> Behaviour:
    """Sends `start`, then as much as it can."""
    return drips(start, part, pause=0)


def hangs(link: socket.socket) -> None:
    time.sleep(20)


def hangs_up(link: socket.socket) -> None:
    link.close()


def resets(*parts: bytes) -> Behaviour:
    """Sends the parts and breaks the connection off hard: the other side gets a RST."""

    def behave(link: socket.socket) -> None:
        for part in parts:
            link.sendall(part)
            time.sleep(0.05)  # a RST would throw away what has not been read
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()

    return behave
