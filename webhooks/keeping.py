"""One row per letter: the single statement that the intake usually costs.

Written by hand, in autocommit: the ORM's way opens a transaction around it, which is
two more round trips. The fields still say how their values look in each database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import models

from webhooks.models import InboundEvent


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of a letter. `fresh`: it was not there before."""

    id: UUID
    fresh: bool
    fingerprint: str


def keep(event: InboundEvent) -> Kept:
    """Keeps the letter unless its connection has one with this key already.

    Committed on return, unless the caller holds a transaction open. Raises what the
    database raises.
    """
    if _run(_insert(database.vendor), _values(event)):
        return Kept(event.pk, True, event.fingerprint)
    key = [_adapted("connection_id", event), _adapted("event_key", event)]
    rows = _run(_select(database.vendor), key)
    if not rows:  # deleted in between
        return Kept(event.pk, False, event.fingerprint)
    id, fingerprint = rows[0]
    return Kept(id if isinstance(id, UUID) else UUID(id), False, fingerprint)


def _run(sql: str, values: Sequence[Any]) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        # All of them: SQLite commits when a statement has been read to its end.
        return cursor.fetchall()


# -------------------------------------------------------------------- the statements
_FIELDS: tuple[models.Field, ...] = tuple(InboundEvent._meta.concrete_fields)


def _values(event: InboundEvent) -> list[Any]:
    return [
        field.get_db_prep_save(getattr(event, field.attname), database)
        for field in _FIELDS
    ]


def _adapted(name: str, event: InboundEvent) -> Any:
    field = InboundEvent._meta.get_field(name.removesuffix("_id"))
    return field.get_db_prep_save(getattr(event, name), database)  # type: ignore[union-attr]


@cache
def _insert(vendor: str) -> str:
    quote = database.ops.quote_name
    table = quote(InboundEvent._meta.db_table)
    columns = ", ".join(quote(str(field.column)) for field in _FIELDS)
    places = ", ".join(["%s"] * len(_FIELDS))
    return (
        f"INSERT INTO {table} ({columns}) VALUES ({places})"
        " ON CONFLICT (connection_id, event_key) DO NOTHING RETURNING id"
    )


@cache
def _select(vendor: str) -> str:
    table = database.ops.quote_name(InboundEvent._meta.db_table)
    return (
        f"SELECT id, fingerprint FROM {table}"
        " WHERE connection_id = %s AND event_key = %s"
    )
