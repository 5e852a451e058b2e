"""Transactions in bulk: invented purchases into the books, in several processes.

A few go through the ledger like any others, many are copied: transactions.demo.copying.
Either way each row is the fold of its timeline, and a later refold changes nothing.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial

from django.db import OperationalError, connection
from django.db import connections as databases
from django.utils import timezone

from merchant.models import Merchant, Project
from merchant.providers import PROVIDERS
from transactions import ledger, totals
from transactions.demo import copying, telling
from transactions.demo.telling import Load
from transactions.ledger import Letter

#: More than this are copied.
MOST_RECORDED = 50_000
#: Purchases that one database transaction takes in: through the ledger, and copied.
RECORDED, COPIED = 250, 2_000
#: Batches of the ledger that may be at work at the same time.
_LANES = 8
#: How often a batch is tried that met another one.
_TRIES = 4


def load(
    projects: Sequence[Project], most: int, seed: int, processes: int = 1
) -> Iterator[int]:
    """Enters `most` purchases; yields how many are entered so far.

    `seed`: the same gives the same people, baskets and endings. Dates end now, and ids
    are new every time, so that a second load adds as many again. Announces nothing.
    When it fails, whole batches are entered and nothing of the others.
    """
    whole = _plan(projects, most, seed)
    done = 0
    for entered in _spread(whole, processes) if processes > 1 else _in_turn(whole):
        done += entered
        yield done
    if _is_copied(whole):
        totals.merge_all()
        look_anew()


def _plan(projects: Sequence[Project], most: int, seed: int) -> Load:
    now = timezone.now()
    copied = most > MOST_RECORDED
    batch = COPIED if copied else RECORDED
    return Load(
        counters=[
            telling.counter(project, slug) for project in projects for slug in PROVIDERS
        ],
        most=most,
        seed=seed,
        # Nobody enters ten thousand a second, so no two loads give the same numbers.
        first=int(now.timestamp() * 10_000),
        now=now,
        batch=batch,
        # What is copied knows all purchases of its customers: no batch shares one.
        lanes=-(-most // batch) if copied else _LANES,
    )


def _is_copied(whole: Load) -> bool:
    return whole.most > MOST_RECORDED


def _in_turn(whole: Load) -> Iterator[int]:
    for batch in whole.batches():
        yield _enter(whole, batch)


def _spread(whole: Load, processes: int) -> Iterator[int]:
    """The batches in several processes: reading is work for more than one core."""
    databases.close_all()  # a connection must not be shared over a fork
    pool = multiprocessing.get_context("fork").Pool(processes)
    with pool:
        yield from pool.imap_unordered(partial(_enter, whole), whole.batches())


def _enter(whole: Load, batch: range) -> int:
    enter = copying.enter if _is_copied(whole) else _record
    for tries_left in reversed(range(_TRIES)):
        try:
            enter(whole, batch)
            break
        except OperationalError:  # two processes wanted the same new rows
            if not tries_left:
                raise
    return len(batch)


def _record(whole: Load, batch: range) -> None:
    """Through the ledger, as what a provider tells."""
    ledger.record_all(
        [
            Letter(whole.counter(index).connection, facts, source)
            for index in batch
            for source, facts in telling.told(whole, index)
            if facts
        ],
        announce=False,
    )


def look_anew() -> None:
    """Lets the database count what it holds now: by what it remembers of the empty
    tables it would read them from end to end."""
    fully = connection.vendor == "postgresql" and not connection.in_atomic_block
    word = "VACUUM (ANALYZE)" if fully else "ANALYZE"
    with connection.cursor() as cursor:
        for model in copying.TABLES:
            cursor.execute(f"{word} {connection.ops.quote_name(model._meta.db_table)}")


def some_projects() -> list[Project]:
    """The projects that exist, or a demo one made for the purpose."""
    found = list(Project.objects.select_related("merchant").order_by("created", "id"))
    if found:
        return found
    merchant = Merchant.objects.create(name="Pixel Harbor", slug="pixel-harbor")
    return [
        Project.objects.create(
            merchant=merchant, name="Harbor Store", slug="harbor-store"
        )
    ]
