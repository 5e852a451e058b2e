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

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

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
    # This thread's own, looked up once: the usual proxy looks it up at every touch.
    database = connections[DEFAULT_DB_ALIAS]
    values = [_adapted(field, event, database) for field in _FIELDS]
    if _run(database, _insert(database.vendor), values):
        return Kept(event.pk, True, event.fingerprint)
    key = [_adapted(field, event, database) for field in _KEY]
    rows = _run(database, _select(database.vendor), key)
    if not rows:  # deleted in between
        return Kept(event.pk, False, event.fingerprint)
    id, fingerprint = rows[0]
    return Kept(id if isinstance(id, UUID) else UUID(id), False, fingerprint)


def _run(database: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        # All of them: SQLite commits when a statement has been read to its end.
        return cursor.fetchall()


# -------------------------------------------------------------------- the statements
_FIELDS: tuple[models.Field, ...] = tuple(InboundEvent._meta.concrete_fields)
_KEY = tuple(f for f in _FIELDS if f.column in {"connection_id", "event_key"})


def _adapted(
    field: models.Field, event: InboundEvent, database: BaseDatabaseWrapper
) -> Any:
    """The field's value as this database takes it.

    PostgreSQL's driver knows times, uuids and bytes by itself; asking each field costs
    a tenth of an intake.
    """
    value = getattr(event, field.attname)
    if database.vendor == "postgresql" and not isinstance(field, models.JSONField):
        return value
    return field.get_db_prep_save(value, database)


@cache
def _insert(vendor: str) -> str:
    """The statement in the words of this kind of database."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    table = quote(InboundEvent._meta.db_table)
    columns = ", ".join(quote(str(field.column)) for field in _FIELDS)
    places = ", ".join(["%s"] * len(_FIELDS))
    return (
        f"INSERT INTO {table} ({columns}) VALUES ({places})"
        " ON CONFLICT (connection_id, event_key) DO NOTHING RETURNING id"
    )


@cache
def _select(vendor: str) -> str:
    table = connections[DEFAULT_DB_ALIAS].ops.quote_name(InboundEvent._meta.db_table)
    return (
        f"SELECT id, fingerprint FROM {table}"
        " WHERE connection_id = %s AND event_key = %s"
    )
