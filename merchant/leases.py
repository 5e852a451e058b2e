"""A row that one worker at a time works on, for as long as its lease lasts.

Such a row has `lease` (whose it is) and `leased_until` (when others may take it). A
worker that comes back too late finds that its lease is another's, and touches nothing.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone


@transaction.atomic
def claim(
    due: QuerySet[Any], length: timedelta, **columns: Any
) -> tuple[UUID, UUID] | None:
    """(the key of the first of the rows, our lease of it), None when all are taken.

    `due`: those that nobody has, in the order in which they are to be done. `columns`
    are set with the lease.
    """
    found = due.select_for_update(skip_locked=True, of=("self",)).first()
    if found is None:
        return None
    lease = uuid4()
    due.model._default_manager.filter(pk=found.pk).update(
        lease=lease, leased_until=timezone.now() + length, **columns
    )
    return found.pk, lease


def give_back(mine: QuerySet[Any]) -> None:
    """What is left over is free at once, for whoever looks next; where the database is
    away, when the lease is up."""
    with suppress(DatabaseError):
        mine.update(lease=None, leased_until=None)
