"""Several short queries as one: the first rows of each, put under another.

"The newest thousand of each of these 25" is 25 walks of an index. Asked one by one it
is 25 round trips, and a window function would read all rows of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

#: A sliced `values(...)` query.
Part = QuerySet[Any, Any]


def ask(
    parts: Sequence[Part], sql: str, params: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """What `sql` finds in the rows of all parts, which have the same columns.

    `sql` is ours; in it "{rows}" stands for the rows, and `params` are for what comes
    after that.
    """
    texts: list[str] = []
    given: list[Any] = []
    for part in parts:
        try:
            text, own = part.query.sql_with_params()
        except EmptyResultSet:
            continue  # it asks for something that cannot be
        # SQLite takes a LIMIT inside a UNION only one floor further down.
        texts.append(f"SELECT * FROM ({text}) AS part")
        given += own
    if not texts:
        return []
    return _run(sql, f"({' UNION ALL '.join(texts)})", [*given, *params])


def of_each(
    ids: Sequence[UUID],
    part: Callable[[Any], Part],
    sql: str,
    params: Sequence[Any] = (),
) -> list[tuple[Any, ...]]:
    """The same, where the parts differ in nothing but an id: `part(id)`.

    PostgreSQL plans such a part once for all of them, which is most of its work.
    """
    if not ids or connection.vendor != "postgresql":
        return ask([part(id) for id in ids], sql, params)
    try:
        text, own = part(RawSQL("own.id", [])).query.sql_with_params()
    except EmptyResultSet:
        return []
    rows = (
        f"(SELECT part.* FROM unnest(%s::uuid[]) AS own(id)"
        f" CROSS JOIN LATERAL ({text}) AS part)"
    )
    return _run(sql, rows, [list(ids), *own, *params])


def _run(sql: str, rows: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{rows}", rows), params)
        return list(cursor.fetchall())
