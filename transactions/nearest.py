"""The first rows of a list, found by a shorter way than walking the list.

Lists stand in the order of time. Under two filters the database, left alone, either
walks past thousands of rows or reads every match and sorts: for products, whose lines
lie in that order in an index of their own (item_by_product), and for what a search has
found, whose times are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import ge, gt, le, lt
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import Exists, F, Lookup, QuerySet
from django.db.models.expressions import Col, RawSQL
from django.db.models.lookups import In
from django.db.models.sql.where import AND, WhereNode

from transactions import side_by_side
from transactions.models import LineItem, Transaction

Rows = TypeVar("Rows", bound="QuerySet[Any]")

NEWEST_FIRST, OLDEST_FIRST = ("-created", "-id"), ("created", "id")

#: How many lines are looked at for each row that is wanted, and some more.
_PER_ROW, _MORE = 2, 50

_COMPARE = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class Sold(Exists):
    """A condition on transactions: these `items`, lines of these `products`, exist."""

    def __init__(
        self, items: QuerySet[LineItem], products: Iterable[UUID], **more: Any
    ) -> None:
        super().__init__(items, **more)
        self.products = list(products)


class Known(In):
    """A condition on transactions: to be one of `places`, id -> time of creation.

    A list with it may afterwards be narrowed by time, but by nothing else.
    """

    def __init__(self, places: Mapping[UUID, datetime]) -> None:
        super().__init__(F("id"), list(places))
        self.places = places


def first(rows: Rows, most: int) -> Rows:
    """The `most` first of the rows, which have an order."""
    if rows.query.order_by in (NEWEST_FIRST, OLDEST_FIRST):
        leaves = list(_leaves(rows.query.where))
        for leaf in leaves:
            if isinstance(leaf, Known):
                ids = _nearest(rows, leaf, leaves, most)
                return _less(rows, _is_known).filter(pk__in=ids)[:most]
        sold = _products(leaves)
        if sold and connection.vendor == "postgresql" and _is_plain(rows):
            try:
                sql, params = _sold_first(rows, sold, leaves, most)
            except EmptyResultSet:
                return rows[:most]
            # These ids meet every condition, so the rows need not be asked again.
            found = rows.all()
            found.query.where = WhereNode()
            return found.filter(pk__in=RawSQL(sql, params))[:most]
    return rows[:most]


def together(parts: Sequence[Rows]) -> Iterable[Any]:
    """The rows of all parts in any order; in one statement where the database can put
    parts together that have an order and an end of their own."""
    if len(parts) < 2 or not connection.features.supports_slicing_ordering_in_compound:
        return chain.from_iterable(parts)
    return parts[0].union(*parts[1:], all=True)


def count(parts: Sequence[QuerySet[Any]], most: int) -> int:
    """How many rows there are in all parts, or no less than `most`, in one statement;
    of none more than `most` are counted."""
    first_of_each = []
    for rows in parts:
        if _products(_leaves(rows.query.where)):
            rows = first(rows.order_by(*NEWEST_FIRST), most)
        first_of_each.append(rows.values("pk")[:most])
    if not parts:
        return 0
    sql = "SELECT COUNT(*) FROM {rows} AS counted"
    return sum(number for (number,) in side_by_side.ask(first_of_each, sql))


def is_any(rows: QuerySet[Any]) -> bool:
    """Whether there is one."""
    if _products(_leaves(rows.query.where)):
        return bool(first(rows.order_by(*NEWEST_FIRST).values("pk"), 1))
    return rows.exists()


# ------------------------------------------------------------- what a list asks
def _leaves(where: WhereNode) -> Iterator[Any]:
    """The conditions that hold for every row."""
    if where.connector == AND and not where.negated:
        for child in where.children:
            if isinstance(child, WhereNode):
                yield from _leaves(child)
            else:
                yield child


def _products(leaves: Iterable[Any]) -> list[UUID]:
    return next((leaf.lhs.products for leaf in leaves if _is_sold(leaf)), [])


def _is_sold(leaf: Any) -> bool:
    return isinstance(leaf, Lookup) and isinstance(leaf.lhs, Sold)


def _is_known(leaf: Any) -> bool:
    return isinstance(leaf, Known)


def _less(rows: Rows, answered: Callable[[Any], bool]) -> Rows:
    """The same rows without a condition that their ids answer already: the database
    multiplies the cost of two lists of ids and gives up its index."""
    rows = rows.all()
    rows.query.where = _without(rows.query.where.clone(), answered)
    return rows


def _is_plain(rows: QuerySet[Any]) -> bool:
    """Whether it asks no other table's columns."""
    return sum(map(bool, rows.query.alias_refcount.values())) <= 1


def _bounds(leaves: Iterable[Any]) -> Iterator[Lookup[Any]]:
    """The comparisons of the time of creation with a given one."""
    for leaf in leaves:
        if (
            isinstance(leaf, Lookup)
            and leaf.lookup_name in _COMPARE
            and isinstance(leaf.lhs, Col)
            and leaf.lhs.target.attname == "created"
            and isinstance(leaf.rhs, datetime)
        ):
            yield leaf


# ------------------------------------------------------------------ known places
def _nearest(
    rows: QuerySet[Any], known: Known, leaves: Iterable[Any], most: int
) -> Sequence[UUID]:
    """The ids of the first rows. One at the very edge may be beyond it, so it comes
    along without being counted."""
    bounds = [(_COMPARE[str(leaf.lookup_name)], leaf.rhs) for leaf in _bounds(leaves)]
    edges = {edge for _, edge in bounds}
    inside = sorted(
        (
            (created, id)
            for id, created in known.places.items()
            if all(compare(created, edge) for compare, edge in bounds)
        ),
        reverse=rows.query.order_by == NEWEST_FIRST,
    )
    chosen: list[UUID] = []
    counted = 0
    for created, id in inside:
        if counted >= most:
            break
        chosen.append(id)
        counted += created not in edges
    return chosen


# ---------------------------------------------------------------------- products
def _sold_first(
    rows: QuerySet[Any], products: list[UUID], leaves: Iterable[Any], most: int
) -> tuple[str, list[Any]]:
    """SQL for the ids of the first rows. Raises EmptyResultSet.

    The first lines of each product are merged by the index alone, and of these the
    purchases that fit are taken. Where too few fit, each product's lines are walked
    until enough of its own do; while enough fit, that half of the statement is idle.
    """
    quote = connection.ops.quote_name
    compiler = rows.query.get_compiler(connection=connection)
    try:
        where, params = compiler.compile(_less(rows, _is_sold).query.where)
    except FullResultSet:  # nothing else is asked
        where, params = "TRUE", ()
    bounds: list[str] = []
    times: list[Any] = []
    for bound in _bounds(leaves):
        sign = _SIGNS[str(bound.lookup_name)]
        bounds.append(f"AND line.created {sign} %s")
        times.append(bound.rhs)
    way = "DESC" if rows.query.order_by == NEWEST_FIRST else "ASC"
    table = quote(Transaction._meta.db_table)
    order = f"ORDER BY created {way}, transaction_id {way}"
    lines = f"{quote(LineItem._meta.db_table)} line"
    purchase = f"INNER JOIN {table} ON ({table}.id = line.transaction_id)"
    of_product = f"line.product_id = sold.product {' '.join(bounds)}"
    # A purchase may have several lines of a product.
    line = "SELECT DISTINCT line.created, line.transaction_id FROM"
    # Purchases are looked up by id alone. The planner need not consider every index
    # that knows a part of the condition: with so many of them, that takes longer.
    where = f"({where}) IS TRUE"

    def of_each(select: str, number: int) -> str:
        each = f"unnest(%s::uuid[]) AS sold (product) CROSS JOIN LATERAL ({select}"
        ordered = f"ORDER BY line.created {way}, line.transaction_id {way}"
        return (
            f"SELECT created, transaction_id FROM {each} {ordered} LIMIT {number:d})"
            f" AS its GROUP BY created, transaction_id {order} LIMIT {number:d}"
        )

    some = _PER_ROW * most + _MORE
    near = of_each(f"{line} {lines} WHERE {of_product}", some)
    far = of_each(f"{line} {lines} {purchase} WHERE {of_product} AND {where}", most)
    sql = (
        "WITH near AS MATERIALIZED (SELECT line.transaction_id"
        f" FROM ({near}) AS line {purchase} WHERE {where}"
        f" ORDER BY line.created {way}, line.transaction_id {way} LIMIT {most:d}),"
        f" enough AS MATERIALIZED (SELECT COUNT(*) = {most:d} AS yes FROM near)"
        " SELECT transaction_id FROM near WHERE (SELECT yes FROM enough)"
        f" UNION ALL SELECT transaction_id FROM ({far}) AS far"
        " WHERE NOT (SELECT yes FROM enough)"
    )
    limits = [products, *times]
    return sql, [*limits, *params, *limits, *params]


def _without(where: WhereNode, answered: Callable[[Any], bool]) -> WhereNode:
    if where.connector == AND and not where.negated:
        children = [
            _without(child, answered) if isinstance(child, WhereNode) else child
            for child in where.children
            if not answered(child)
        ]
        where.children = [
            child
            for child in children
            if not isinstance(child, WhereNode) or child.children
        ]
    return where
