"""How fast inbound events become transactions, against the smallest ORM drain.

The peer reads the same letters from the same table, commits as safely, and keeps what a
plain webhook handler would: one row and one line a purchase, no history, no event to
tell, one index each. The rest is what the ledger adds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

from django.db import connection, models, transaction  # noqa: E402

from bench import letters  # noqa: E402
from merchant.models import Connection  # noqa: E402
from merchant.providers.base import digest  # noqa: E402
from transactions import jobs  # noqa: E402
from webhooks.models import Endpoint, InboundEvent  # noqa: E402

EVENTS = 8_000
PEER_BATCH = 100


class Reading(NamedTuple):
    """Events a second, and what one costs this process, microseconds of CPU."""

    rate: float
    cpu: float


class Row(models.Model):
    """The peer's transaction: what a plain webhook handler would keep."""

    id = models.CharField(primary_key=True, max_length=80)
    created = models.BigIntegerField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=20)
    email = models.CharField(max_length=320)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    method = models.CharField(max_length=20)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    description = models.CharField(max_length=500)
    metadata = models.JSONField()

    class Meta:
        app_label = "transactions"
        db_table = "bench_row"


class Item(models.Model):
    row = models.ForeignKey(Row, models.CASCADE, db_constraint=False)
    name = models.CharField(max_length=300)
    amount = models.BigIntegerField()

    class Meta:
        app_label = "transactions"
        db_table = "bench_item"


def main() -> None:
    if len(sys.argv) > 1:
        print(jobs.drain_inbox())
        return
    with connection.schema_editor() as editor:
        for model in (Row, Item):
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {model._meta.db_table} CASCADE")
            editor.create_model(model)
    account = letters.open_connection()
    jobs.drain_inbox()
    _fill(account, 200)
    jobs.drain_inbox()  # warm
    peer = _rate(account, _drain_like_a_peer)
    one = _rate(account, lambda: _work(1)).rate
    here = _rate(account, jobs.drain_inbox)
    two = _rate(account, lambda: _work(2)).rate
    _listen(account)
    telling = _rate(account, jobs.drain_inbox)
    Endpoint.objects.filter(project=account.project).delete()  # with what waits for it
    for words, reading in (
        (f"smallest ORM drain, batches of {PEER_BATCH} (peer):", peer),
        ("ledger, in this process:", here),
        ("ledger, telling an endpoint of each:", telling),
    ):
        print(f"{words:41}{reading.rate:6.0f} events/s,{reading.cpu:5.0f} us of CPU")
    print(f"ledger, one worker process:              {one:6.0f} events/s (>= 1,500)")
    print(f"ledger, two worker processes:            {two:6.0f} events/s")
    print(
        f"to the peer:                             {here.rate / peer.rate:6.2f} (0.5)"
    )
    print(f"two workers to one:                      {two / one:6.2f} (>= 1.7)")


def _listen(account: Connection) -> None:
    """An endpoint that is told of everything; nobody sends anything here."""
    Endpoint.objects.create(
        project=account.project,
        url="https://shop.example.com/hooks",
        created=datetime(2020, 1, 1, tzinfo=UTC),
    )


def _fill(account: Connection, count: int) -> None:
    start = time.time_ns() // 1000
    events = []
    for offset in range(count):
        body = letters.charge(start + offset)
        events.append(
            InboundEvent(
                connection=account,
                event_key=f"evt_{start + offset}",
                event_type="charge.succeeded",
                livemode=True,
                body=body,
                fingerprint=digest(body),
            )
        )
    InboundEvent.objects.bulk_create(events, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_inboundevent")


def _rate(account: Connection, drain: Any) -> Reading:
    """A process that has to start first tells its own time."""
    _fill(account, EVENTS)
    start, worked = time.perf_counter(), time.process_time()
    own = drain()
    spent = own if isinstance(own, float) else time.perf_counter() - start
    worked = time.process_time() - worked
    left = InboundEvent.objects.filter(state=InboundEvent.State.PENDING).count()
    assert left == 0, f"{left} events were left"
    return Reading(EVENTS / spent, worked / EVENTS * 1e6)


def _work(workers: int) -> float:
    """Seconds from the first to the last moment at which a worker process drained."""
    code = (
        "import django, time, sys; django.setup(); from transactions import jobs;"
        "from django.db import connection; connection.ensure_connection();"
        "sys.stdin.readline(); start = time.time(); jobs.drain_inbox();"
        "print(start, time.time())"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        for _ in range(workers)
    ]
    time.sleep(3)
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    times = [
        tuple(map(float, child.communicate(timeout=120)[0].split()))
        for child in children
    ]
    return max(end for _, end in times) - min(start for start, _ in times)


def _drain_like_a_peer() -> None:
    while True:
        with transaction.atomic():
            events = list(
                InboundEvent.objects.filter(state=InboundEvent.State.PENDING)
                .order_by("due")
                .select_for_update(skip_locked=True)[:PEER_BATCH]
            )
            if not events:
                return
            rows, items = [], []
            for event in events:
                charge = json.loads(bytes(event.body))["data"]["object"]
                rows.append(_row(charge))
                items.append(
                    Item(
                        row_id=charge["payment_intent"],
                        name=charge["description"],
                        amount=charge["amount"],
                    )
                )
            Row.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["amount", "status", "email", "name", "metadata"],
            )
            Item.objects.bulk_create(items)
            InboundEvent.objects.filter(pk__in=[event.pk for event in events]).update(
                state=InboundEvent.State.DONE
            )


def _row(charge: dict[str, Any]) -> Row:
    person, card = charge["billing_details"], charge["payment_method_details"]["card"]
    return Row(
        id=charge["payment_intent"],
        created=charge["created"],
        amount=charge["amount"],
        currency=charge["currency"],
        status="paid",
        email=person["email"],
        name=person["name"],
        country=person["address"]["country"],
        method="card",
        brand=card["brand"],
        last4=card["last4"],
        description=charge["description"],
        metadata=charge["metadata"],
    )


if __name__ == "__main__":
    main()
