"""The product's own processes, started for one test in a folder of their own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def until(true: Callable[[], Any], seconds: float = 20, what: str = "it") -> Any:
    """What `true` gives once it is true; an AssertionError when it never becomes so."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        with contextlib.suppress(OSError):
            if found := true():
                return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@contextlib.contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """What names a database of its own on the server that the tests use.

    Nothing on SQLite: there a house makes its own file.
    """
    here = connection.settings_dict
    if connection.vendor == "sqlite":
        yield {}
        return
    name = f"house_{secrets.token_hex(6)}"
    model = settings.MIGRATED_POSTGRES or "template1"
    server = (
        f"{here['USER']}:{here['PASSWORD'] or ''}@{here['HOST']}:{here['PORT'] or 5432}"
    )
    with psycopg.connect(f"postgres://{server}/postgres", autocommit=True) as admin:
        create = SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(create.format(Identifier(name), Identifier(model)))
        try:
            yield {"DATABASE_URL": f"postgres://{server}/{name}"}
        finally:
            drop = SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name))
            admin.execute(drop)


class House:
    """An installation of its own: data folder, keys and port; SQLite unless told."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.log = folder / "log.txt"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name in PASSED_ON},
            "DATA_DIR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(32),
            "ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        if not self._is_migrated(folder):
            self.manage("migrate", "--verbosity", "0")

    def _is_migrated(self, folder: Path) -> bool:
        """Whether its database is a copy of one in which all migrations have run."""
        if "DATABASE_URL" in self.environment:
            return bool(settings.MIGRATED_POSTGRES)
        if settings.MIGRATED_SQLITE:
            shutil.copyfile(settings.MIGRATED_SQLITE, folder / "merchant.sqlite3")
        return bool(settings.MIGRATED_SQLITE)

    def manage(self, *words: str) -> str:
        """Runs a command to its end; what it printed."""
        done = subprocess.run(
            [*MANAGE, *words], env=self.environment, cwd=ROOT, check=False, text=True,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def made(self, *words: str) -> dict[str, Any]:
        """The JSON object of one of our commands."""
        return json.loads(self.manage(*words, "--json").splitlines()[-1])

    def all_made(self, *commands: Sequence[str]) -> list[dict[str, Any]]:
        """The JSON objects of several of our commands, which one process runs."""
        code = f"""
from django.core.management import call_command
for words in {[[*words, "--json"] for words in commands]!r}:
    call_command(*words)
"""
        printed = self.manage("shell", "--verbosity", "0", "--no-imports", "-c", code)
        return [json.loads(line) for line in printed.splitlines() if line[:1] == "{"]

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command in the background; ended with everything it started."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*MANAGE, *words], env=self.environment, cwd=ROOT,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextlib.contextmanager
    def serving(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """`serve`, once it answers."""
        with self.running("serve", *words) as process:
            until(self.is_up, 30, f"an answer on port {self.port}; see {self.log}")
            yield process

    def is_up(self) -> bool:
        return self.ask("GET", "/healthz").status == 200

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> HTTPResponse:
        """One request; the answer's body is read and stands in `.text`."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=20)
        line.request(method, path, body, headers or {}, **more)
        answer = line.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        line.close()
        return answer

    def get_json(self, path: str, key: str) -> Any:
        answer = self.ask("GET", path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status == 200, answer.text  # type: ignore[attr-defined]
        return json.loads(answer.text)  # type: ignore[attr-defined]


#: What of the tests' environment a started process needs.
PASSED_ON = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}


def children_of(pid: int) -> dict[int, str]:
    """The processes that `pid` started: pid -> command line (from /proc)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid:
                words = folder.joinpath("cmdline").read_bytes().split(b"\0")
                found[int(folder.name)] = b" ".join(words).decode()
    return found


class OwnRedis:
    """A Redis that a test may stop, freeze and empty."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start(folder)

    def start(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no", "--dir", str(folder),
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: socket.create_connection(("127.0.0.1", self.port)).close() or 1)

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        if self.process.poll() is None:
            self.thaw()
        self.process.kill()
        self.process.wait()
