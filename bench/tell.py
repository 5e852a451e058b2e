"""How soon an endpoint hears of a payment; and what one dead endpoint among a hundred
does to the others."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import django

os.environ["ALLOW_PRIVATE_ENDPOINTS"] = "true"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from django.db import connection  # noqa: E402

from bench import letters  # noqa: E402
from bench.deliver import (  # noqa: E402
    ROOT,
    add_endpoints,
    new_project,
    publish,
    receiver,
)
from bench.intake import Server  # noqa: E402
from webhooks.models import Attempt, Delivery  # noqa: E402

LETTERS = 40
HEALTHY, EVENTS = 99, 50


def main() -> None:
    redis = os.environ.get("REDIS_URL", "")
    for words, url in (("embedded", ""), ("with Redis", redis)):
        if words == "with Redis" and not redis:
            print("with Redis: left out, REDIS_URL is not set")
            continue
        waits = sorted(_waits(url))
        print(
            f"intake to first byte, {words:11} p50 {_share(waits, 0.5):.3f} s"
            f"  p95 {_share(waits, 0.95):.3f} s  (goal p95 < 1 s)"
        )
    os.environ["REDIS_URL"] = ""
    waits = sorted(_beside_a_dead_one())
    print(
        f"{HEALTHY} healthy and 1 dead:   p50 {_share(waits, 0.5):.3f} s"
        f"  p95 {_share(waits, 0.95):.3f} s  (goal p95 < 5 s)"
    )


def _share(sorted_waits: list[float], share: float) -> float:
    return sorted_waits[min(len(sorted_waits) - 1, int(len(sorted_waits) * share))]


# ----------------------------------------------------------------- intake to first byte
@contextmanager
def listener() -> Iterator[tuple[str, list[float]]]:
    """A server that notes when each post begins to arrive."""
    heard: list[float] = []

    class Visit(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            heard.append(time.perf_counter())
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response_only(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
    finally:
        server.shutdown()


@contextmanager
def worker(redis: str) -> Iterator[None]:
    os.environ["REDIS_URL"] = redis
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, start_new_session=True
    )
    try:
        time.sleep(4)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)


def _waits(redis: str) -> list[float]:
    account = letters.open_connection()
    with listener() as (url, heard), worker(redis):
        add_endpoints(account.project, url, 1)
        with Server("merchant.wsgi:application") as server:
            hook = f"http://127.0.0.1:{server.port}{account.intake_path}"
            _wait(hook, heard)  # warm
            return [_wait(hook, heard) for _ in range(LETTERS)]


def _wait(hook: str, heard: list[float]) -> float:
    time.sleep(random.uniform(0.3, 0.7))
    body = letters.charge(time.time_ns() // 1000)
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": letters.signature(body),
    }
    known = len(heard)
    request = urllib.request.Request(hook, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=10):
        start = time.perf_counter()
    while len(heard) == known:
        if time.perf_counter() - start > 20:
            raise RuntimeError("the endpoint heard nothing within 20 s")
        time.sleep(0.001)
    return heard[known] - start


# ------------------------------------------------------------------------ one is dead
def _beside_a_dead_one() -> list[float]:
    """Seconds from the commit to the answer of each delivery to a healthy endpoint."""
    project = new_project()
    with receiver() as good, receiver("hang") as dead, worker(""):
        healthy = add_endpoints(project, good, HEALTHY)
        add_endpoints(project, dead, 1)
        for _ in range(EVENTS):
            publish(project, HEALTHY + 1)
            time.sleep(0.2)
        rows = Delivery.objects.filter(endpoint__in=healthy)
        while rows.filter(state="pending").exists():
            time.sleep(0.1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM a.at - d.created)::float8"
            f" FROM {Attempt._meta.db_table} a"
            f" JOIN {Delivery._meta.db_table} d ON d.id = a.delivery_id"
            " WHERE d.endpoint_id = ANY(%s)",
            [[endpoint.pk for endpoint in healthy]],
        )
        return [row[0] for row in cursor.fetchall()]


if __name__ == "__main__":
    main()
