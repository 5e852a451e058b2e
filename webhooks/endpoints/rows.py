"""An endpoint's row while a verb is at it: locked, read anew, and noted in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from merchant import audit
from merchant.audit import Actor
from merchant.models import Member, User
from webhooks.endpoints.terms import NotUsable
from webhooks.models import Endpoint


@contextmanager
def changing(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The row as it stands, one change at a time. Raises NotUsable if it is gone."""
    with transaction.atomic():
        rows = Endpoint.objects.select_for_update(of=("self",))
        row = rows.select_related("project__merchant").filter(pk=endpoint.pk).first()
        if row is None:
            raise NotUsable("The endpoint was deleted in the meantime.")
        yield row


def as_read(endpoint: Endpoint, row: Endpoint) -> Endpoint:
    """The caller's own object, as the row stands now."""
    for field in Endpoint._meta.concrete_fields:
        setattr(endpoint, field.attname, getattr(row, field.attname))
    return endpoint


def person(by: Actor | None) -> User | None:
    if isinstance(by, Member):
        return by.user
    return by if isinstance(by, User) else None


def note(
    by: Actor | None,
    verb: str,
    endpoint: Endpoint,
    request: HttpRequest | None,
    **detail: Any,
) -> None:
    audit.note(
        by or "command",
        f"endpoint.{verb}",
        endpoint,
        merchant=endpoint.project.merchant,
        detail={"project": endpoint.project.slug, **detail},
        request=request,
    )
