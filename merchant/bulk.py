"""Many rows in one statement, by the quickest way that the database knows.

PostgreSQL takes rows that cannot clash by COPY, and enters the first while the last
are still being written; others as one JSON text, a third of the cost of bulk_create's
arrays. SQLite goes the ordinary way. All end in the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import connection, models

#: Column -> value; every column that the database does not make up itself. Rows are
#: plain dicts because making model objects took a tenth of a batch's time.
Row = dict[str, Any]

#: So few rows go in one statement: a COPY is one more trip to the database.
FEW = 8


def insert(
    model: type[models.Model], rows: Sequence[Row], *, ignore: bool = False
) -> bool:
    """Adds the rows, all with the same columns; whether it added all of them.

    `ignore`: a row that another worker has entered meanwhile is left out quietly. On
    SQLite there is no other worker inside this transaction.
    """
    if not rows:
        return True
    if connection.vendor == "postgresql":
        if not ignore and len(rows) > FEW:
            _copy(model, rows)
            return True
        conflict = "ON CONFLICT DO NOTHING" if ignore else ""
        return _from_json(model, rows, conflict) == len(rows)
    objects = [model(**row) for row in rows]
    model._default_manager.bulk_create(objects, ignore_conflicts=ignore)
    return True


def copy(model: type[models.Model], rows: Sequence[Row]) -> None:
    """Adds the rows, all with the same columns: the quickest way for thousands."""
    if rows and connection.vendor == "postgresql":
        _copy(model, rows)
    else:
        insert(model, rows)


def _copy(model: type[models.Model], rows: Sequence[Row]) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(_quoted(list(rows[0])))
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as door,
    ):
        for row in rows:
            door.write_row(
                [
                    _text_of(value) if isinstance(value, dict) else value
                    for value in row.values()
                ]
            )


def _text_of(value: dict[str, Any]) -> str:
    return value.text if isinstance(value, Written) else _write_json(value)


def upsert(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    unique: Sequence[str],
    update: Sequence[str],
) -> None:
    """Adds the rows; where the `unique` ones exist, sets the `update` columns."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        keys = ", ".join(_quoted(unique))
        sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in _quoted(update))
        _from_json(model, rows, f"ON CONFLICT ({keys}) DO UPDATE SET {sets}")
        return
    fields = {field.attname: field.name for field in model._meta.concrete_fields}
    model._default_manager.bulk_create(
        [model(**row) for row in rows],
        update_conflicts=True,
        unique_fields=[fields[name] for name in unique],
        update_fields=[fields[name] for name in update],
    )


#: Made once: json.dumps would make an encoder for every value.
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Written(dict[str, Any]):
    """A JSON object with its text: who had to measure it need not write it twice."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        super().__init__(value)
        self.text = _write_json(self)


def row_of(record: models.Model) -> Row:
    """A model object as a row; without the number that the database gives."""
    return {name: getattr(record, name) for name in _names(type(record))}


def plain(row: Row) -> Any:
    """The row as an object to read from; a model object takes twenty times as long."""
    return SimpleNamespace(pk=row.get("id"), **row)


@cache
def _names(model: type[models.Model]) -> list[str]:
    fields = model._meta.concrete_fields
    return [f.attname for f in fields if not isinstance(f, models.AutoField)]


def _from_json(model: type[models.Model], rows: Sequence[Row], conflict: str) -> int:
    """How many rows were added or changed. Attribute and column names are the same."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(_quoted(list(rows[0])))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names}"  # noqa: S608 - own names
            f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) {conflict}",
            [json.dumps(rows, default=str, ensure_ascii=False)],
        )
        return int(cursor.rowcount)


def _quoted(names: Sequence[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]
