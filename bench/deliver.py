"""How fast letters go out, against a bare loop of the same HTTP library."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Spent:
    """What so many deliveries took: seconds by the clock, and of the processor in our
    process and in the database's (nan where that runs on another machine)."""

    deliveries: int
    seconds: float
    ours: float
    database: float

    @property
    def rate(self) -> float:
        return self.deliveries / self.seconds

    def __str__(self) -> str:
        ours, database = (
            seconds / self.deliveries * 1e6 for seconds in (self.ours, self.database)
        )
        return (
            f"{self.rate:7.0f} deliveries/s; processor time of each:"
            f" {ours:4.0f} us here, {database:4.0f} us in PostgreSQL"
        )


def main() -> None:
    with receiver() as url:
        project = new_project()
        add_endpoints(project, url, ENDPOINTS)
        publish(project, 1000)
        _work(project)  # warm
        floors, ours = [], []
        for _ in range(ROUNDS):
            floors.append(_floor(project, url))
            ours.append(_work(project, DELIVERIES))
        floor, best = (max(some, key=lambda one: one.rate) for some in (floors, ours))
        print(f"bare loop of pycurl:     {floor} (floor)")
        print(f"one worker, kept lines:  {best} (goal >= 3,000)")
        print(f"to the floor:            {best.rate / floor.rate:7.2f} (goal >= 0.5)")


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


def _work(project: Project, count: int = 0) -> Spent:
    """What a worker process spent on all that is due, and `count` more."""
    if count:
        publish(project, count)
    waiting = Delivery.objects.filter(state="pending").count()
    code = (
        "import json; from bench import deliver; from webhooks import jobs;"
        "print(json.dumps(deliver.spent_on(jobs.deliver)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    left = Delivery.objects.filter(state="pending").count()
    assert left == 0, f"{left} were left"
    return Spent(waiting, *json.loads(done.stdout))


def spent_on(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds by the clock, of this process and of its database backend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    before = time.perf_counter(), time.process_time(), _processor(backend)
    work()
    after = time.perf_counter(), time.process_time(), _processor(backend)
    seconds, ours, database = (b - a for a, b in zip(before, after, strict=True))
    return seconds, ours, database


def _processor(pid: int) -> float:
    """Seconds of the processor that a process of this machine has used."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return math.nan
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# ------------------------------------------------------------------------- the floor
def _floor(project: Project, url: str) -> Spent:
    """Signs, posts and notes results in the deliveries' own rows, a hundred in one
    statement: no claim, no limits, no attempts, no health."""
    publish(project, DELIVERIES)
    rows = Delivery.objects.filter(state="pending").values_list("id", flat=True)
    numbers = iter(ids := list(rows))
    news = samples.sample_news("payment.success", at=timezone.now())
    keys = SigningKeys(secrets=(SECRET,))
    multi: Any = pycurl.CurlMulti()
    free = [_handle(url) for _ in range(AT_ONCE)]
    done: list[tuple[int, int]] = []

    def loop() -> None:
        finished = 0
        while finished < len(ids):
            while free and (number := next(numbers, None)) is not None:
                handle: Any = free.pop()
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
                for sent in good:
                    done.append((sent.number, sent.getinfo(pycurl.RESPONSE_CODE)))
                    multi.remove_handle(sent)
                    free.append(sent)
            if len(done) >= BATCH or (done and len(free) == AT_ONCE):
                finished += len(done)
                _update(done)
                done.clear()
            multi.select(0.01)

    return Spent(len(ids), *spent_on(loop))


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
