"""A server that takes every post as fast as one process can: nothing is parsed but how
long it is. `python -m bench.receivers PORT [hang|slow]`."""

from __future__ import annotations

import asyncio
import re
import sys

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
THANKS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Taker(asyncio.Protocol):
    """Keeps connections open and answers each post with 200."""

    def __init__(self) -> None:
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        while (end := self.heard.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self.heard, 0, end)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self.heard) < whole:
                return
            self.heard = self.heard[whole:]
            self.answer()

    def answer(self) -> None:
        self.transport.write(THANKS)  # type: ignore[attr-defined]


class Hanger(Taker):
    """Takes everything and never answers."""

    def answer(self) -> None:
        pass


async def serve(port: int, kind: type[Taker]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(kind, "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Hanger if "hang" in sys.argv else Taker))
