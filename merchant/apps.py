"""Wires the business together when Django starts."""

from __future__ import annotations

from django.apps import AppConfig


class MerchantConfig(AppConfig):
    name = "merchant"

    def ready(self) -> None:
        # Imported for their receivers and checks.
        from merchant import audit, checks  # noqa: F401
