"""Endpoints and events for the sender's tests, and a receiver that remembers."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils import timezone
from standardwebhooks import Webhook

from merchant.models import Project
from webhooks import outbox
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event

SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
_numbers = itertools.count(1)


def make_endpoint(project: Project, url: str, **over: Any) -> Endpoint:
    """An enabled endpoint that is told everything and may take it as fast as it can."""
    given: dict[str, Any] = {"rate": 10_000, "description": f"Shop {next(_numbers)}"}
    endpoint = Endpoint.objects.create(project=project, url=url, **given | over)
    EndpointSecret.sealed_for(endpoint, SECRET).save()
    return endpoint


def happening(project: Project, **over: Any) -> outbox.Happening:
    number = next(_numbers)
    given: dict[str, Any] = {
        "project_id": project.pk,
        "livemode": True,
        "name": "payment.success",
        "subject_kind": "transaction",
        "subject": uuid.uuid4(),
        "sequence": number,
        "payload": {"object": {"object": "transaction", "sequence": number}},
        "happened": timezone.now(),
    }
    return outbox.Happening(**given | over)


def publish(project: Project, count: int = 1, **over: Any) -> list[Delivery]:
    """So many events, announced; their deliveries, in order."""
    last = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    outbox.publish([happening(project, **over) for _ in range(count)])
    return list(Delivery.objects.filter(event__gt=last).order_by("id"))


def make_due(**which: Any) -> None:
    """Lets the time pass until the next try."""
    Delivery.objects.filter(state="pending", **which).update(due=timezone.now())
    Endpoint.objects.update(slow_until=None, paced=None)


@dataclass(slots=True)
class Heard:
    """One post that arrived."""

    at: datetime
    headers: Mapping[str, str]
    body: bytes
    line: tuple[str, int]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        """The envelope, once the signature was found right by the official library."""
        Webhook(SECRET).verify(self.body, dict(self.headers))
        return dict(json.loads(self.body))


Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(slots=True)
class Receiver:
    """`answer` says what each post is told; `heard` is what came, in order."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[Heard], Answer] = lambda heard: (200, {}, b"thanks")
    most_at_once: int = 0
    at_once: int = 0


@contextmanager
def receiver(status: int = 200, **headers: str) -> Iterator[Receiver]:
    """An endpoint's server on this machine that keeps connections open."""
    found, lock = Receiver(), threading.Lock()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found.answer = lambda heard: (status, named, b"thanks")

    class Visit(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            heard = Heard(timezone.now(), sent, body, self.client_address)
            with lock:
                found.heard.append(heard)
                found.at_once += 1
                found.most_at_once = max(found.most_at_once, found.at_once)
            try:
                code, more, answer = found.answer(heard)
                self.send_response_only(code)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            finally:
                with lock:
                    found.at_once -= 1

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Visit)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
