"""Runs the benchmarks on private servers; words choose: run_bench.py intake wake."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parent.parent
ALL = ["intake", "drain", "wake", "browse", "deliver", "tell", "export"]


def main(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers.TOOLS["wrk"] = ("wrk", "wrk")  # the load
    servers.install_missing()
    with (
        servers.folder() as place,
        servers.postgres(place) as database,
        servers.redis(place) as redis,
    ):
        if not (database and redis and servers.find("wrk")):
            print(
                "Needed: apt-get install postgresql redis-server wrk", file=sys.stderr
            )
            return 1
        environment = {
            **os.environ,
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "DATA_DIR": str(place / "data"),
            "SECRET_KEY": secrets.token_urlsafe(32),
            "ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "DJANGO_SETTINGS_MODULE": "merchant.settings",
        }
        (place / "data").mkdir()
        commands = [["manage.py", "migrate", "--verbosity", "0"]]
        commands += [["manage.py", "collect"]]  # pages name their static files
        commands += [["-m", f"bench.{name}"] for name in words or ALL]
        for command in commands:
            print(f"\n== {command[-1]}" if command[0] == "-m" else "", flush=True)
            status = subprocess.run(
                [sys.executable, *command], cwd=ROOT, env=environment, check=False
            ).returncode
            if status:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
