"""From the 200 to the row: how long an idle installation takes to show a payment."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from bench import letters  # noqa: E402
from bench.intake import Server  # noqa: E402
from merchant.models import Connection  # noqa: E402
from transactions.models import ProviderReference  # noqa: E402

LETTERS = 40
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    account = letters.open_connection()
    redis = os.environ.get("REDIS_URL", "")
    for words, url, goal in (
        ("embedded", "", "<= 0.3 s"),
        ("with Redis", redis, "<= 0.1 s"),
    ):
        if words == "with Redis" and not redis:
            print("with Redis: left out, REDIS_URL is not set")
            continue
        waits = sorted(_waits(account, url))
        print(
            f"{words:11} p50 {statistics.median(waits):.3f} s"
            f"  p90 {waits[int(len(waits) * 0.9)]:.3f} s  (goal p50 {goal})"
        )


def _waits(account: Connection, redis: str) -> list[float]:
    os.environ["REDIS_URL"] = redis
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, start_new_session=True
    )
    try:
        with Server("merchant.wsgi:application") as server:
            time.sleep(4)
            url = f"http://127.0.0.1:{server.port}{account.intake_path}"
            _wait(url)  # warm
            return [_wait(url) for _ in range(LETTERS)]
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(15)


def _wait(url: str) -> float:
    number = time.time_ns() // 1000
    time.sleep(random.uniform(0.3, 0.7))
    body = letters.charge(number)
    request = urllib.request.Request(
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "Stripe-Signature": letters.signature(body),
        },
    )
    with urllib.request.urlopen(request, timeout=10):
        start = time.perf_counter()
    while not ProviderReference.objects.filter(reference=f"ch_{number}").exists():
        if time.perf_counter() - start > 20:
            raise RuntimeError("the payment did not appear within 20 s")
        time.sleep(0.004)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
