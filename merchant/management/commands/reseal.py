"""Seals every stored secret again under the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from merchant import audit, vault
from merchant.management import base
from merchant.models import Connection, Secret

_COLUMNS = {"sealed_api_key": "api_keys", "sealed_user_token": "user_tokens"}


class Command(base.Command):
    help = (
        "Seals all secrets under the first of ENCRYPTION_KEYS; then drop the old one."
    )

    def act(self, **_options: Any) -> dict[str, Any]:
        with transaction.atomic():
            for secret in Secret.objects.select_for_update().order_by("id"):
                secret.sealed = vault.reseal(secret.sealed)
                secret.save(update_fields=["sealed"])
            done = {"secrets": Secret.objects.count()}
            for column, told in _COLUMNS.items():
                sealed = Connection.objects.exclude(**{column: ""})
                for connection in sealed.select_for_update().order_by("id"):
                    again = vault.reseal(getattr(connection, column))
                    Connection.objects.filter(pk=connection.pk).update(
                        **{column: again}
                    )
                done[told] = sealed.count()
            audit.note("command", "secrets.resealed", detail=done)
        return done
