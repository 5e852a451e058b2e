"""Computes rows again from their timelines."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from merchant.management import base
from merchant.models import Project
from transactions import refold


class Command(base.Command):
    help = (
        "Computes rows again from their timelines; a healthy database stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", default="", help="slug or id; default all")

    def act(self, *, project: str, **_options: Any) -> dict[str, Any]:
        return refold.refold(base.one(Project, project) if project else None)
