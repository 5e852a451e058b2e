"""Adds a merchant: the business that owns projects and members."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from merchant import audit
from merchant.management import base
from merchant.models import Merchant


class Command(base.Command):
    help = "Adds a merchant and prints its id and slug."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--slug", default="", help="made from the name if not given"
        )

    def act(self, *, name: str, slug: str, **_options: Any) -> dict[str, Any]:
        slug = base.free_slug(Merchant, name, slug)
        merchant = Merchant.objects.create(name=name, slug=slug)
        audit.note("command", "merchant.added", merchant, merchant=merchant)
        return {"id": str(merchant.id), "slug": merchant.slug}
