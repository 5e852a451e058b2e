"""Public ids: uuids that carry their time first, so that new rows lie together."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new() -> UUID:
    """A fresh, time-ordered, unguessable enough id for a row (UUIDv7)."""
    return uuid7()
