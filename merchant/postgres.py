"""What only PostgreSQL can do, as migration steps that do nothing elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from django.db import DatabaseError, transaction
from django.db.migrations.operations import RunSQL


class OnPostgres(RunSQL):
    """SQL that runs on PostgreSQL and is skipped on SQLite."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class TrigramIndex(OnPostgres):
    """An index for searching inside a text: `expression` as it stands in the query.

    Needs the extension pg_trgm. Without the right to create it, the migration says
    what an administrator must run, and search falls back to prefixes.
    """

    def __init__(self, name: str, table: str, expression: str) -> None:
        super().__init__(
            f"CREATE INDEX {name} ON {table} USING gin ({expression} gin_trgm_ops)",
            f"DROP INDEX IF EXISTS {name}",
        )
        self.name = name

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            sys.stderr.write(
                f"The index {self.name} was left out, so search finds only beginnings. "
                "Let an administrator run `CREATE EXTENSION pg_trgm;` and then "
                f"`manage.py migrate {app_label} 0001` and `manage.py migrate`.\n"
            )
            return
        super().database_forwards(app_label, schema_editor, from_state, to_state)
