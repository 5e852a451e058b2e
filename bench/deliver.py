"""How fast letters go out, against a bare loop of the same HTTP library."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ["ALLOW_PRIVATE_ENDPOINTS"] = "true"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")

import django  # noqa: E402

django.setup()

import pycurl  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from merchant.models import Merchant, Project  # noqa: E402
from webhooks import dialects, outbox, samples  # noqa: E402
from webhooks.dialects.base import SigningKeys  # noqa: E402
from webhooks.models import Delivery, Endpoint, EndpointSecret  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
DELIVERIES, ENDPOINTS = 12_000, 50
AT_ONCE, BATCH = 100, 100


def main() -> None:
    with receiver() as url:
        project = new_project()
        add_endpoints(project, url, ENDPOINTS)
        floor = max(_floor(project, url) for _ in range(2))
        publish(project, 1000)
        _work()  # warm
        best = max(_rate(project) for _ in range(2))
        print(f"bare loop of pycurl:     {floor:7.0f} deliveries/s (floor)")
        print(f"one worker, kept lines:  {best:7.0f} deliveries/s (goal >= 3,000)")
        print(f"to the floor:            {best / floor:7.2f} (goal >= 0.5)")


# ------------------------------------------------------------------------- the parts
@contextlib.contextmanager
def receiver(*words: str) -> Iterator[str]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.receivers", str(port), *words],
        cwd=ROOT, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield f"http://127.0.0.1:{port}/hooks"
    finally:
        process.kill()
        process.wait()


def new_project() -> Project:
    stamp = time.time_ns()
    merchant = Merchant.objects.create(name="Bench", slug=f"out-{stamp}")
    return Project.objects.create(merchant=merchant, name="B", slug=f"out-{stamp}")


def add_endpoints(project: Project, url: str, count: int) -> list[Endpoint]:
    past = timezone.now() - timedelta(days=365)  # nothing is older than they are
    rows = [
        Endpoint(project=project, url=f"{url}/{number}", rate=100_000, created=past)
        for number in range(count)
    ]
    Endpoint.objects.bulk_create(rows)
    for row in rows:
        EndpointSecret.sealed_for(row, SECRET).save()
    return rows


def publish(project: Project, count: int) -> None:
    """So many deliveries: each event goes to every endpoint."""
    endpoints = project.endpoints.count()
    events = max(1, count // endpoints)
    outbox.publish(
        [
            outbox.Happening(
                project_id=project.pk,
                livemode=True,
                name="payment.success",
                subject_kind="transaction",
                subject=uuid.uuid4(),
                sequence=1,
                payload=samples.sample("payment.success"),
                happened=timezone.now(),
            )
            for _ in range(events)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery")


def _rate(project: Project) -> float:
    publish(project, DELIVERIES)
    waiting = Delivery.objects.filter(state="pending").count()
    seconds = _work()
    left = Delivery.objects.filter(state="pending").count()
    assert left == 0, f"{left} were left"
    return waiting / seconds


def _work() -> float:
    """Seconds that a worker process took for all that is due."""
    code = (
        "import django, time; django.setup(); from webhooks import jobs;"
        "from django.db import connection; connection.ensure_connection();"
        "start = time.perf_counter(); jobs.deliver();"
        "print(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


# ------------------------------------------------------------------------- the floor
def _floor(project: Project, url: str) -> float:
    """Signs, posts and notes results in the deliveries' own rows, a hundred in one
    statement: no claim, no limits, no attempts, no health."""
    publish(project, DELIVERIES)
    rows = Delivery.objects.filter(state="pending").values_list("id", flat=True)
    numbers = iter(ids := list(rows))
    news = samples.sample_news("payment.success", at=timezone.now())
    keys = SigningKeys(secrets=(SECRET,))
    multi, free = pycurl.CurlMulti(), [_handle(url) for _ in range(AT_ONCE)]
    done: list[tuple[int, int]] = []
    finished = 0
    start = time.perf_counter()
    while finished < len(ids):
        while free and (number := next(numbers, None)) is not None:
            handle = free.pop()
            letter = dialects.compose("standard", news, keys, timezone.now())
            assert letter is not None
            handle.setopt(pycurl.POSTFIELDS, letter.body)
            lines = [f"{name}: {value}" for name, value in letter.headers.items()]
            handle.setopt(pycurl.HTTPHEADER, [*lines, "Expect:"])
            handle.number = number
            multi.add_handle(handle)
        multi.perform()
        left = 1
        while left:
            left, good, bad = multi.info_read()
            assert not bad, bad
            for handle in good:
                done.append((handle.number, handle.getinfo(pycurl.RESPONSE_CODE)))
                multi.remove_handle(handle)
                free.append(handle)
        if len(done) >= BATCH or (done and len(free) == AT_ONCE):
            finished += len(done)
            _update(done)
            done = []
        multi.select(0.01)
    return len(ids) / (time.perf_counter() - start)


def _handle(url: str) -> Any:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.POST, 1)
    handle.setopt(pycurl.WRITEFUNCTION, lambda part: None)
    return handle


def _update(done: list[tuple[int, int]]) -> None:
    table = Delivery._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} d SET status = given.status, state = 'delivered',"  # noqa: S608
            " tries = 1, attempts_made = 1, done = now()"
            " FROM unnest(%s::bigint[], %s::int[]) AS given(id, status)"
            " WHERE d.id = given.id",
            [[pk for pk, _ in done], [status for _, status in done]],
        )


if __name__ == "__main__":
    main()
