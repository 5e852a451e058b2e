"""The imitated providers on a local port: /stripe, /paysuper, /paysecure, /paynow.

And a merchant's own server that events can be sent to: /receiver.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.datastructures import CaseInsensitiveMapping

from merchant.sandbox import receiver
from merchant.sandbox.market import Market
from merchant.sandbox.receiver import Receiver
from merchant.sandbox.story import Request, Response
from merchant.sandbox.tellers import TELLERS

#: More than this no imitated API reads of a body.
_MOST = 1024 * 1024
#: So often, in seconds, the server looks whether it should stop.
_LOOK = 0.05


@dataclass(slots=True)
class Fault:
    """A misbehaviour on purpose, for tests of what we do when a provider fails.

    `path`: how the path of the call begins, with the provider's prefix. `kind`: slow
    (answers after `seconds`), late (the same, but what was asked for has happened
    before), error (500), busy (429 with Retry-After: `seconds`) or
    drop (hangs up without a word; what was asked for has happened all the same).
    `times`: so often, None for always. `method`: only of such calls.
    """

    path: str
    kind: Literal["slow", "late", "error", "busy", "drop"]
    seconds: int = 1
    times: int | None = None
    method: str = ""


class Server(ThreadingHTTPServer):
    """The sandbox over HTTP, on the loopback interface only. Port 0 takes a free one.

    `faults` may be changed while it runs.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, market: Market, port: int, faults: Iterable[Fault] = ()) -> None:
        self.market = market
        self.receiver = Receiver()
        self.faults = list(faults)
        self._fault_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Desk)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serves in a thread of its own until `stop`."""
        threading.Thread(target=self.serve_forever, args=(_LOOK,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who has hung up meanwhile does not hear the answer, and that is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The misbehaviour that this call gets, counted as used."""
        with self._fault_lock:
            for fault in self.faults:
                fits = path.startswith(fault.path) and fault.method in ("", method)
                if fits and fault.times != 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


class _Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 30

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _MOST:
            self.close_connection = True
            return self._say(Response(413, {"message": "The body is too long."}))
        body = self.rfile.read(int(length))
        address = urlsplit(self.path)
        fault = self.server.fault_for(self.command, address.path)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault and fault.kind == "error":
            return self._say(Response(500, {"message": "Fault on purpose."}))
        if fault and fault.kind == "busy":
            return self._say(Response(429, {"message": "Too busy."}), fault.seconds)
        answer = self._answer(address.path, address.query, body)
        late = fault.seconds if fault and fault.kind == "late" else 0
        time.sleep(max(answer.delay, late))
        if answer.drop or (fault and fault.kind == "drop"):
            self.close_connection = True
            return None
        return self._say(answer, answer.retry_after)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _answer(self, path: str, query: str, body: bytes) -> Response:
        _, provider, rest = [*path.split("/", 2), "", ""][:3]
        if provider == receiver.PREFIX:
            return self.server.receiver.answer(self.command)
        if provider not in TELLERS:
            return Response(404, {"message": f"No provider is called {provider!r}."})
        request = Request(
            method=self.command,
            path=unquote(f"/{rest}"),
            query=parse_qs(query, keep_blank_values=True),
            headers=CaseInsensitiveMapping(self.headers.items()),
            body=body,
            now=datetime.now(UTC),
        )
        return self.server.market.answer(provider, request)

    def _say(self, answer: Response, retry_after: int | None = None) -> None:
        body = b"" if answer.status == 204 else encode(answer.body)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the owner watches the product's log, not the imitation's."""


def encode(body: object) -> bytes:
    """The JSON text of an answer; bytes are one already."""
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False).encode()
