"""Seals every stored secret again under the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models, transaction

from merchant import audit, vault
from merchant.management import base

#: Columns of this name, or that begin with it and "_", hold what merchant.vault sealed.
SEALED = "sealed"


class Command(base.Command):
    help = (
        "Seals all secrets under the first of ENCRYPTION_KEYS; then drop the old one."
    )

    def act(self, **_options: Any) -> dict[str, Any]:
        with transaction.atomic():
            done = {
                _told(model, column): _seal(model, column)
                for model, column in _columns()
            }
            audit.note("command", "secrets.resealed", detail=done)
        return done


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every sealed column of every app, whichever floor it is on."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.name == SEALED or field.name.startswith(f"{SEALED}_"):
                yield model, field.name


def _seal(model: type[models.Model], column: str) -> int:
    """Seals the column's texts again; returns how many there are."""
    sealed = model._default_manager.exclude(**{column: ""}).order_by("pk")
    count = 0
    for row in sealed.select_for_update().only("pk", column):
        again = vault.reseal(getattr(row, column))
        model._default_manager.filter(pk=row.pk).update(**{column: again})
        count += 1
    return count


def _told(model: type[models.Model], column: str) -> str:
    """ "endpoint_secrets" for EndpointSecret.sealed, "api_keys" for sealed_api_key."""
    what = column.removeprefix(SEALED).removeprefix("_")
    if not what:
        return str(model._meta.verbose_name_plural).replace(" ", "_")
    return what if what.endswith("s") else f"{what}s"
