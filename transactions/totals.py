"""Running totals: what Home says of millions of purchases, kept up as they change.

The ledger counts what a batch added and what it took away, and adds lines; nothing is
locked, so workers never wait for each other. `merge` joins lines of one key now and
then, `recount` makes them anew from the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from operator import getitem
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Sum

from merchant import bulk
from merchant.models import Project
from transactions.models import HourTotal, ProductTotal, Transaction
from transactions.statuses import ENDED, MONEY_CAME

#: What is summed; the other columns but the id make the key.
HOUR_SUMS = (
    "count", "paid", "failed", "gross", "refunded", "charged_back", "fees",
    "fees_known",
)  # fmt: skip
PRODUCT_SUMS = ("lines", "quantity", "gross")
HOUR_KEY = ("project_id", "livemode", "hour", "provider", "currency")
PRODUCT_KEY = ("project_id", "livemode", "day", "product_id", "currency")

#: Fresh lines that one round of `merge` looks at.
MOST_MERGED = 2_000
#: Rows that one round of `recount` reads at a time.
CHUNK = 2_000

Key = tuple[Any, ...]
Sums = dict[Key, list[int]]
#: A row as a model object or as columns, and its items in the same way.
Sold = tuple[Any, Iterable[Any]]


#: How a value of a row is read: of a model object, or of columns.
_Reader = Callable[[Any, str], Any]


def count(*, added: Iterable[Sold], taken: Iterable[Sold]) -> None:
    """Adds the lines that turn the totals of the `taken` rows into the `added` ones'.

    `taken` are model objects as they were, `added` columns as they are. To be called
    in the database transaction that writes the rows.
    """
    hours: Sums = {}
    products: Sums = {}
    for row, items in added:
        _add(hours, products, row, items, getitem, 1)
    for row, items in taken:
        _add(hours, products, row, items, getattr, -1)
    _insert(HourTotal, HOUR_KEY, HOUR_SUMS, hours)
    _insert(ProductTotal, PRODUCT_KEY, PRODUCT_SUMS, products)


def merge() -> int:
    """Joins lines of one key into one; returns how many lines that saved.

    Rows that another process is just merging are left to it.
    """
    return _merge(HourTotal, HOUR_KEY, HOUR_SUMS) + _merge(
        ProductTotal, PRODUCT_KEY, PRODUCT_SUMS
    )


@transaction.atomic
def merge_all() -> None:
    """Joins all fresh lines, of each key into one: after so many that `merge` would
    have to go round thousands of times."""
    for model, key, names in (
        (HourTotal, HOUR_KEY, HOUR_SUMS),
        (ProductTotal, PRODUCT_KEY, PRODUCT_SUMS),
    ):
        quote = connection.ops.quote_name
        table, keys = quote(model._meta.db_table), ", ".join(map(quote, key))
        columns = f"{keys}, {', '.join(map(quote, names))}"
        sums = ", ".join(f"SUM({quote(name)})" for name in names)
        add = f"INSERT INTO {table} ({columns}, merged) SELECT {keys}, {sums}, TRUE"
        take = f"DELETE FROM {table} WHERE NOT merged"
        # A period is read in one go, so its lines shall lie together.
        group = f"GROUP BY {keys} ORDER BY {quote(key[2])}"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # In one statement: others go on adding lines meanwhile.
                gone = f"WITH gone AS ({take} RETURNING {columns})"
                cursor.execute(f"{gone} {add} FROM gone {group}")
            else:
                cursor.execute(f"{add} FROM {table} WHERE NOT merged {group}")
                cursor.execute(take)


def recount(project: Project) -> int:
    """Compares the totals of a project with its rows and adds what is missing.

    Rows and lines are read in one picture of the database, and what differs becomes
    lines of its own: so nobody has to stop meanwhile. Returns how many keys were wrong.
    """
    with _one_picture():
        hours: Sums = {}
        products: Sums = {}
        rows = Transaction.objects.filter(project=project).prefetch_related("items")
        for row in rows.iterator(chunk_size=CHUNK):
            _add(hours, products, row, row.items.all(), getattr, 1)
        return _correct(project, HourTotal, HOUR_KEY, HOUR_SUMS, hours) + _correct(
            project, ProductTotal, PRODUCT_KEY, PRODUCT_SUMS, products
        )


@contextmanager
def _one_picture() -> Iterator[None]:
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


# ------------------------------------------------------------------- what a row adds
def _add(
    hours: Sums,
    products: Sums,
    row: Any,
    items: Iterable[Any],
    read: _Reader,
    sign: int,
) -> None:
    if read(row, "parked"):
        return
    project, live = read(row, "project_id"), read(row, "livemode")
    created: datetime = read(row, "created")
    currency = read(row, "currency")
    hour = created.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    key: Key = (project, live, hour, read(row, "provider"), currency)
    _sum(hours, key, _hour_sums(row, read), sign)
    if read(row, "status") in MONEY_CAME:
        for item in items:
            key = (project, live, hour.date(), read(item, "product_id"), currency)
            sums = (1, read(item, "quantity"), read(item, "amount") or 0)
            _sum(products, key, sums, sign)


def _hour_sums(row: Any, read: _Reader) -> tuple[int, ...]:
    status = read(row, "status")
    if status not in MONEY_CAME:
        return (1, 0, int(status in ENDED), 0, 0, 0, 0, 0)
    fee = read(row, "fee")
    return (
        1, 1, 0,
        read(row, "amount") or 0,
        read(row, "amount_refunded"),
        read(row, "amount_charged_back"),
        fee or 0,
        int(fee is not None),
    )  # fmt: skip


def _sum(sums: Sums, key: Key, values: Sequence[int], sign: int) -> None:
    known = sums.setdefault(key, [0] * len(values))
    for place, value in enumerate(values):
        known[place] += sign * value


# ------------------------------------------------------------------------- the lines
def _insert(
    model: type[models.Model],
    key: Sequence[str],
    names: Sequence[str],
    sums: Sums,
    *,
    merged: bool = False,
) -> None:
    rows = [
        dict(zip(key, place, strict=True))
        | dict(zip(names, values, strict=True))
        | {"merged": merged}
        for place, values in sums.items()
        if any(values)
    ]
    bulk.insert(model, rows)


@transaction.atomic
def _merge(model: type[models.Model], key: Sequence[str], names: Sequence[str]) -> int:
    rows = model._default_manager
    fresh = rows.filter(merged=False).order_by("pk").values(*key)[:MOST_MERGED]
    wanted = {tuple(line[name] for name in key) for line in fresh}
    if not wanted:
        return 0
    # A little more than is wanted, in a form that one index answers.
    around = {
        f"{name}__in": {place[at] for place in wanted} for at, name in enumerate(key)
    }
    locked = rows.select_for_update(skip_locked=True).filter(**around)
    sums: Sums = {}
    gone: list[int] = []
    for line in locked.values("pk", *key, *names):
        place = tuple(line[name] for name in key)
        if place in wanted:
            gone.append(line["pk"])
            _sum(sums, place, [line[name] for name in names], 1)
    rows.filter(pk__in=gone).delete()
    _insert(model, key, names, sums, merged=True)
    return len(gone) - sum(any(values) for values in sums.values())


def _correct(
    project: Project,
    model: type[models.Model],
    key: Sequence[str],
    names: Sequence[str],
    sums: Sums,
) -> int:
    """Adds what makes the lines equal to `sums`; returns of how many keys."""
    found = model._default_manager.filter(project=project).values_list(*key)
    lines = found.annotate(**{f"sum_of_{name}": Sum(name) for name in names})
    for line in lines.order_by():
        _sum(sums, tuple(line[: len(key)]), line[len(key) :], -1)
    _insert(model, key, names, sums)
    return sum(any(values) for values in sums.values())
