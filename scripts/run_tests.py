"""Runs the whole suite: on PostgreSQL and Redis, then on SQLite and embedded.

Exit status 0 only if both are green; with CI=true also nothing may have been skipped.
Further words go to pytest: run_tests.py -k refund.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI") == "true"
#: The second run proves the other database and queue: what asks no database would tell
#: the same again, and some need more than it has.
EMBEDDED = "(database or server) and not browser and not postgres and not redis"
#: Who may see what is the same on every database, and asking for every page as
#: everybody takes long. The others start an installation on SQLite without Redis in
#: the first run already.
ONCE = ("tests/test_tenants.py", "tests/merchant/test_serve.py")
NO_TESTS = 5


def main(words: list[str]) -> int:
    # A kill must end the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers.install_missing()
    chromium = os.environ.get("UI_CHROMIUM") or servers.find("chromium-headless-shell")
    clean = {name: value for name, value in os.environ.items() if name not in OURS}
    if chromium:
        clean["UI_CHROMIUM"] = chromium
    with (
        servers.folder() as place,
        servers.postgres(place) as database,
        servers.redis(place) as redis,
    ):
        missing = _missing(database, redis, chromium)
        for line in missing:
            print(f"Skipped: {line}", flush=True)
        if missing and CI:
            print("CI=true: nothing may be skipped.")
            return 1
        clean |= servers.migrated(place, database, redis)
        first = {"DATABASE_URL": database or "", "REDIS_URL": redis or ""}
        results = []
        if database or redis:
            given = {name: value for name, value in first.items() if value}
            results.append(_run("PostgreSQL and Redis", [], {**clean, **given}, words))
        once = [f"--ignore={path}" for path in ONCE]
        marks = ["-m", EMBEDDED, *once] if results else []
        results.append(_run("SQLite and embedded", marks, clean, words))
    return max(results)


#: What a developer's shell may have set for the program and must not reach the tests.
OURS = {
    "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SECRET_KEY", "ENCRYPTION_KEYS",
    "DATA_DIR", "EMAIL_URL", "ALLOWED_HOSTS", "SANDBOX_URL", "PROXY_HOPS", "HOST",
    "PORT", "DEBUG", "ALLOW_PRIVATE_ENDPOINTS", "DJANGO_SETTINGS_MODULE",
    "MIGRATED_SQLITE", "MIGRATED_POSTGRES",
}  # fmt: skip


def _missing(*found: str | None) -> list[str]:
    """One line for each tool that is not there: what, and how to get it."""
    return [
        f"what needs {name}; install the package {package} (apt-get install {package})"
        for (name, (_tool, package)), there in zip(
            servers.TOOLS.items(), found, strict=True
        )
        if not there
    ]


def _run(title: str, marks: list[str], env: dict[str, str], words: list[str]) -> int:
    print(f"\n== {title}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # One more than cores: a test that waits for a browser or a process leaves one free.
    workers = str(1 + min(4, os.cpu_count() or 1))
    command += ["-n", workers, "--dist", "loadgroup", *marks, *words]
    status = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    print(f"== {title}: {time.monotonic() - began:.0f} s, exit {status}", flush=True)
    return 0 if status == NO_TESTS and words else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
