"""Private PostgreSQL and Redis servers for tests and benchmarks, with their own data.

Nothing that runs on the machine is touched. On Debian as root what is missing is
installed first.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent

#: What we need -> (how to find it, the Debian package that brings it).
TOOLS = {
    "PostgreSQL": ("initdb", "postgresql"),
    "Redis": ("redis-server", "redis-server"),
    # The one without windows takes a third less of the processor.
    "Chromium": ("chromium-headless-shell", "chromium-headless-shell"),
}
#: What does as well where it is there already.
INSTEAD = {"chromium-headless-shell": "chromium"}


def find(program: str) -> str | None:
    """Where a program is; Debian keeps PostgreSQL's outside of the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    if versions:
        return str(versions[-1])
    return shutil.which(program) or shutil.which(INSTEAD.get(program, program))


def install_missing() -> None:
    """On Debian as root, installs the tools that are not there."""
    packages = [package for tool, package in TOOLS.values() if not find(tool)]
    if not packages or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {', '.join(packages)} ...", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    with _no_services():
        subprocess.run(["apt-get", "update"], check=False, env=environment, **quiet)
        subprocess.run(command, check=False, env=environment, **quiet)


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Keeps the packages from starting system servers: ours are private."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            policy.unlink()


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A short-lived folder that the postgres user may enter."""
    place = Path(tempfile.mkdtemp(prefix="merchant-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def postgres(place: Path) -> Iterator[str | None]:
    """A PostgreSQL with fsync on; gives its DATABASE_URL, or None if there is none."""
    initdb, server = find("initdb"), find("postgres")
    if not initdb or not server:
        yield None
        return
    data, port = place / "postgres", free_port()
    data.mkdir()
    user = _server_user(data)
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **user}
    subprocess.run(
        [initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8"],
        check=True, cwd=place, **options,
    )  # fmt: skip
    process = subprocess.Popen(
        [
            server, "-D", str(data), "-p", str(port), "-k", str(data),
            "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
        ],
        cwd=place, **options,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        _end(process, quick=True)


def _server_user(data: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root: it gets the user its package made."""
    if os.geteuid() != 0:
        return {}
    who = pwd.getpwnam("postgres")
    os.chown(data, who.pw_uid, who.pw_gid)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def redis(place: Path) -> Iterator[str | None]:
    """A Redis that keeps nothing; gives its REDIS_URL or None."""
    server = find("redis-server")
    if not server:
        yield None
        return
    port = free_port()
    process = subprocess.Popen(
        [
            server, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(place), "--databases", "64",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _end(process)


def migrated(
    place: Path, database: str | None, redis_url: str | None
) -> dict[str, str]:
    """Empty databases in which all migrations have run, to be copied by the tests.

    Migrating takes seconds, copying none. Gives the environment that names them. With
    Redis there is an app more, whose tables do not harm an installation without it.
    """
    given = {"REDIS_URL": redis_url or "", "DATA_DIR": str(place)}
    file = place / "migrated.sqlite3"
    found = {"MIGRATED_SQLITE": str(file)}
    migrating = [_migrate(f"sqlite:///{file}", given)]
    if database:
        server, _, _name = database.rpartition("/")
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute("CREATE DATABASE migrated")
        migrating.append(_migrate(f"{server}/migrated", given))
        found["MIGRATED_POSTGRES"] = "migrated"
    if any(process.wait() for process in migrating):
        raise RuntimeError("The migrations did not run")
    return found


def _migrate(url: str, given: dict[str, str]) -> subprocess.Popen[bytes]:
    own = {"DATABASE_URL": url, "SECRET_KEY": "tests only", **given}
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT, env={**os.environ, **own},
    )  # fmt: skip


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Until somebody answers at the port. PostgreSQL does so once it takes clients."""
    last = time.monotonic() + seconds
    while time.monotonic() < last and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} did not start")  # type: ignore[index]


def _end(process: subprocess.Popen[bytes], quick: bool = False) -> None:
    if process.poll() is None:
        # SIGINT is PostgreSQL's fast stop: it does not wait for clients.
        process.send_signal(2 if quick else 15)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
