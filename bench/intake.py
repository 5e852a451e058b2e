"""How fast deliveries are taken in, against a bare view on the same server."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from django.db import connection  # noqa: E402

from bench import letters  # noqa: E402

SECONDS = 4
ROUNDS = 4
PREPARED = 16_000  # more than one run can send
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Run:
    rate: float
    p50: float  # ms
    p99: float
    errors: int


def main() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_bare")
        cursor.execute(
            "CREATE TABLE bench_bare (id bigserial PRIMARY KEY,"
            " event_id text UNIQUE, body bytea, received timestamptz DEFAULT now())"
        )
    ours = letters.open_connection()
    rounds: dict[str, list[Run]] = {"bare": [], "ours": [], "again": []}
    with (
        Server("bench.bare:application") as bare,
        Server("merchant.wsgi:application") as product,
    ):
        for number in range(ROUNDS):
            prepared = _prepare(number)
            rounds["bare"].append(_load(bare, "/hooks/stripe/bare", prepared))
            rounds["ours"].append(_load(product, ours.intake_path, prepared))
            # The same letters once more: now every one is a duplicate.
            rounds["again"].append(_load(product, ours.intake_path, prepared))
            prepared.unlink()
    _report(rounds)


def _prepare(number: int) -> Path:
    start = time.time_ns() // 1000
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        for offset in range(PREPARED):
            body = letters.charge(start + offset)
            file.write(f"{letters.signature(body)}\n{body.decode()}\n")
    return Path(file.name)


class Server:
    """granian with two workers of four threads, on a free port, ended by its pid."""

    def __init__(self, application: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.application = application

    def __enter__(self) -> Server:
        self.child = subprocess.Popen(
            [
                Path(sys.executable).with_name("granian"),
                *("--interface", "wsgi", "--workers", "2"),
                *("--blocking-threads", "4", "--host", "127.0.0.1"),
                *("--port", str(self.port), "--no-ws", "--log-level", "error"),
                self.application,
            ],
            env={
                **os.environ,
                "BENCH_SECRET": letters.SECRET,
                "MERCHANT_PART": "web",
                "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
            },
            start_new_session=True,
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(1)
                    return self
            time.sleep(0.05)
        raise RuntimeError(f"{self.application} did not start")

    def __exit__(self, *_: object) -> None:
        os.killpg(self.child.pid, signal.SIGTERM)
        self.child.wait(10)


def _load(server: Server, path: str, prepared: Path) -> Run:
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"),
            *("-s", str(Path(__file__).with_name("intake.lua"))),
            f"http://127.0.0.1:{server.port}",
        ],
        env={**os.environ, "BENCH_LETTERS": str(prepared), "BENCH_PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    requests, micros, p50, p99, errors = map(int, line.split()[1:])
    return Run(requests / micros * 1e6, p50 / 1000, p99 / 1000, errors)


def _report(rounds: dict[str, list[Run]]) -> None:
    for name, words in (
        ("bare", "bare view (floor)"),
        ("ours", "intake, first deliveries"),
        ("again", "intake, duplicates"),
    ):
        runs = rounds[name]
        print(
            f"{words:26} {_median(run.rate for run in runs):7.0f}/s"
            f"  p50 {_median(run.p50 for run in runs):5.1f} ms"
            f"  p99 {_median(run.p99 for run in runs):5.1f} ms"
            f"  not 2xx: {sum(run.errors for run in runs)}"
        )
    pairs = list(zip(rounds["ours"], rounds["bare"], rounds["again"], strict=True))
    rate = _median(ours.rate / bare.rate for ours, bare, _ in pairs)
    p99 = _median(ours.p99 / bare.p99 for ours, bare, _ in pairs)
    again = _median(again.rate / ours.rate for ours, _, again in pairs)
    print(f"rate to the bare view:   {rate:.2f}  (goal >= 0.7)")
    print(f"p99 to the bare view:    {p99:.2f}  (goal about 2)")
    print(f"duplicate to a first:    {again:.2f}  (goal about 1)")


def _median(values: object) -> float:
    return statistics.median(values)  # type: ignore[call-overload, no-any-return]


if __name__ == "__main__":
    main()
