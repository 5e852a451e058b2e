"""Web, worker and scheduler together, in the foreground."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from merchant import assets, health, processes
from merchant.management import base

logger = logging.getLogger("merchant.serve")

MANAGE = [sys.executable, str(settings.ROOT / "manage.py")]
#: The container or init system kills after ten seconds; eight are promised.
SECONDS_TO_END = 6.5
SECONDS_TO_START = 30


class Command(base.Command):
    help = "Serves web, worker and scheduler on HOST:PORT until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="demo data and a trickle of test payments",
        )

    def act(self, *, demo: bool, **_options: Any) -> dict[str, Any]:
        self._check()
        stop = processes.stop_on_signals()
        sandbox = {"SANDBOX_URL": _sandbox_url()} if demo else {}
        if demo:
            self._start_demo(sandbox)
        threading.Thread(target=self._greet, args=(stop,), daemon=True).start()
        processes.keep_running(_children(sandbox), stop, seconds_to_end=SECONDS_TO_END)
        return {"stopped": True}

    def say(self, result: dict[str, Any]) -> None:
        self.stdout.write("Stopped.")

    def _check(self) -> None:
        if not health.migrated():
            raise base.Failed(
                "The database is not up to date. Run: manage.py migrate "
                "(make run and make setup do it)."
            )
        if not _is_free(settings.PORT):
            raise base.Failed(
                f"Port {settings.PORT} of {settings.HOST} is in use; set PORT."
            )
        connection.close()  # the supervisor needs none
        assets.collect_if_stale()
        if not settings.HTTPS:
            logger.info("PUBLIC_URL is http: no Secure cookies, no HSTS, no redirect.")

    def _start_demo(self, sandbox: dict[str, str]) -> None:
        done = subprocess.run(
            [*MANAGE, "demo_start"],
            env={**os.environ, **sandbox},
            cwd=settings.ROOT,
            check=False,
        )
        if done.returncode:
            raise base.Failed("The demo could not be prepared; see the lines above.")

    def _greet(self, stop: threading.Event) -> None:
        """Prints the address once somebody answers there."""
        for _ in range(SECONDS_TO_START * 5):
            if stop.wait(0.2):
                return
            if _answers(settings.PORT):
                break
        self.stdout.write(f"Merchant is at {settings.PUBLIC_URL} - stop with Ctrl-C.")
        self.stdout.flush()


def _children(sandbox: dict[str, str]) -> list[processes.Child]:
    folder = str(settings.ROOT)
    web = {"MERCHANT_PART": "web", **sandbox}
    children = [
        processes.Child("web", _web(), folder, web),
        processes.Child("worker", [*MANAGE, "work"], folder, sandbox),
    ]
    if sandbox:
        trickle = [*MANAGE, "demo_trickle"]
        children.append(processes.Child("demo", trickle, folder, sandbox))
    return children


def _web() -> list[str]:
    """Granian passes headers with underscores, which Paysecure's signature needs."""
    options = {
        "--interface": "wsgi",
        "--host": settings.HOST,
        "--port": settings.PORT,
        "--http": "1",
        "--workers": settings.WEB_WORKERS,
        "--blocking-threads": settings.WEB_THREADS,
        "--http1-header-read-timeout": 5000,  # ms
        "--workers-kill-timeout": 5,
        "--respawn-interval": 0.5,
        "--log-level": "warning",
    }
    listed = [str(part) for pair in options.items() for part in pair]
    flags = ["--no-ws", "--respawn-failed-workers"]
    return [
        sys.executable,
        "-m",
        "granian",
        *listed,
        *flags,
        "merchant.wsgi:application",
    ]


def _is_free(port: int) -> bool:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.HOST, port))
        except OSError:
            return False
    return True


def _answers(port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _sandbox_url() -> str:
    """Where the demo's imitated providers listen: next to us, never on the network."""
    if settings.SANDBOX_URL:
        return settings.SANDBOX_URL
    ports = range(settings.PORT + 1, settings.PORT + 20)
    return f"http://127.0.0.1:{next(filter(_is_free, ports), settings.PORT + 1)}"
