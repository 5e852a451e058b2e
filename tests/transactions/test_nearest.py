"""The first rows by a shorter way: the same ones as by walking the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection as database
from django.db.models import OuterRef, Q, QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Project
from tests.factories import make_connection, make_item, make_transaction
from transactions import nearest
from transactions.models import LineItem, Product, Transaction
from transactions.nearest import NEWEST_FIRST, OLDEST_FIRST, Known, Sold
from transactions.paging import Position, newer_than, older_than

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ["Sword", "Shield", "Potion"]

#: second of creation, paid or not, the products of the lines
Purchases = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.lists(st.sampled_from(NAMES))),
    max_size=10,
)
some_examples = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection(project=project)


def _sell(connection: Connection, purchases: Any) -> list[Transaction]:
    Transaction.objects.all().delete()
    rows = []
    for second, paid, names in purchases:
        row = make_transaction(
            connection=connection,
            created=NOON + timedelta(seconds=second),
            status="paid" if paid else "failed",
        )
        for name in names:
            make_item(row, name, created=row.created)
        rows.append(row)
    return rows


def _sold(names: list[str]) -> Q:
    products = list(Product.objects.filter(name__in=names).values_list("pk", flat=True))
    items = LineItem.objects.filter(transaction=OuterRef("pk"), product__in=products)
    return Q(Sold(items, products))


def _ids(rows: QuerySet[Transaction]) -> list[UUID]:
    return [row.pk for row in rows]


@some_examples
@given(
    purchases=Purchases,
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
    most=st.integers(1, 6),
    newest_first=st.booleans(),
    at=st.integers(0, 9),
    more=st.sampled_from([0, 50]),
)
def test_products_are_met_in_order(
    connection: Connection,
    purchases: Any,
    names: list[str],
    most: int,
    newest_first: bool,
    at: int,
    more: int,
) -> None:
    sold = _sell(connection, purchases)
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    rows = Transaction.objects.filter(_sold(names), status="paid").order_by(*order)
    if at < len(sold):
        place = Position(sold[at].created, sold[at].pk)
        rows = rows.filter((older_than if newest_first else newer_than)(place))
    expected = _ids(rows)[:most]
    with pytest.MonkeyPatch.context() as patch:
        # Few lines are looked at first, or plenty.
        patch.setattr(nearest, "_PER_ROW", 1)
        patch.setattr(nearest, "_MORE", more)
        assert _ids(nearest.first(rows, most)) == expected
    assert nearest.is_any(rows.order_by()) == bool(expected)
    assert nearest.count([rows.all()], most) == len(expected)


@some_examples
@given(
    purchases=Purchases,
    most=st.integers(1, 4),
    newest_first=st.booleans(),
    at=st.integers(0, 9),
)
def test_known_places_are_met_in_order(
    connection: Connection, purchases: Any, most: int, newest_first: bool, at: int
) -> None:
    sold = _sell(connection, purchases)
    known = {row.pk: row.created for row in sold[::2]}
    order = NEWEST_FIRST if newest_first else OLDEST_FIRST
    rows = Transaction.objects.filter(Q(Known(known))).order_by(*order)
    if at < len(sold):
        place = Position(sold[at].created, sold[at].pk)
        rows = rows.filter((older_than if newest_first else newer_than)(place))
    assert _ids(nearest.first(rows, most)) == _ids(rows)[:most]


@pytest.mark.django_db
def test_another_order_is_left_to_the_database(connection: Connection) -> None:
    rows = _sell(connection, [(0, True, ["Sword"]), (1, False, ["Sword"])])
    by_status = Transaction.objects.filter(_sold(["Sword"])).order_by("status", "id")
    assert _ids(nearest.first(by_status, 5)) == [rows[1].pk, rows[0].pk]


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    "setting, value", [("jit", "off"), ("max_parallel_workers_per_gather", "0")]
)
def test_short_questions_are_neither_compiled_nor_shared_out(
    setting: str, value: str
) -> None:
    with database.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        assert cursor.fetchone() == (value,)


@pytest.mark.postgres
@pytest.mark.django_db
def test_lines_are_walked_in_their_index(connection: Connection) -> None:
    """Small tables are read from end to end, so that is forbidden here."""
    _sell(connection, [(n % 5, True, ["Sword"]) for n in range(10)])
    rows = Transaction.objects.filter(_sold(["Sword"])).order_by(*NEWEST_FIRST)
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert "item_by_product" in nearest.first(rows, 3).explain()


@pytest.mark.django_db
def test_several_lists_are_met_together(connection: Connection) -> None:
    rows = _sell(connection, [(n, n % 2 == 0, ["Sword"]) for n in range(6)])
    apart = [
        Transaction.objects.filter(status=status).order_by(*NEWEST_FIRST)
        for status in ("paid", "failed")
    ]
    met = nearest.together([nearest.first(part, 2) for part in apart])
    assert {row.pk for row in met} == {row.pk for row in rows[2:]}
    assert nearest.count(apart, 2) == 4
    assert nearest.count(apart, 9) == 6
