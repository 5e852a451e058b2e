"""Adds a project: one shop, store or brand of a merchant."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from merchant import audit, projects
from merchant.management import base
from merchant.models import Merchant, Project


class Command(base.Command):
    help = "Adds a project to a merchant and prints its id and slug."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", required=True, help="slug or id")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--slug", default="", help="made from the name if not given"
        )
        parser.add_argument(
            "--time-zone", default="UTC", help="where its days start, as Europe/Berlin"
        )

    def act(
        self, *, merchant: str, name: str, slug: str, time_zone: str, **_options: Any
    ) -> dict[str, Any]:
        owner = base.one(Merchant, merchant)
        slug = base.free_slug(Project, name, slug)
        try:
            project = projects.add(owner, name, time_zone=time_zone, slug=slug)
        except projects.NotUsable as error:
            raise base.WrongUse(str(error)) from error
        audit.note("command", "project.added", project, merchant=owner)
        return {"id": str(project.id), "slug": project.slug}
