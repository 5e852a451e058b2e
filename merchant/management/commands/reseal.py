"""Seals every stored secret again under the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from merchant import audit, vault
from merchant.management import base
from merchant.models import Connection, Secret


class Command(base.Command):
    help = (
        "Seals all secrets under the first of ENCRYPTION_KEYS; then drop the old one."
    )

    def act(self, **_options: Any) -> dict[str, Any]:
        with transaction.atomic():
            for secret in Secret.objects.select_for_update().order_by("id"):
                secret.sealed = vault.reseal(secret.sealed)
                secret.save(update_fields=["sealed"])
            connections = Connection.objects.exclude(sealed_api_key="")
            for connection in connections.select_for_update().order_by("id"):
                connection.sealed_api_key = vault.reseal(connection.sealed_api_key)
                connection.save(update_fields=["sealed_api_key"])
            done = {"secrets": Secret.objects.count(), "api_keys": connections.count()}
            audit.note("command", "secrets.resealed", detail=done)
        return done
