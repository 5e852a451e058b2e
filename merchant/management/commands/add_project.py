"""Adds a project: one shop, store or brand of a merchant."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import CommandParser

from merchant import audit
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
        if time_zone not in available_timezones():
            raise base.WrongUse(f"No time zone is called {time_zone!r}.")
        owner = base.one(Merchant, merchant)
        project = Project.objects.create(
            merchant=owner,
            name=name,
            slug=base.free_slug(Project, name, slug),
            time_zone=time_zone,
        )
        audit.note("command", "project.added", project, merchant=owner)
        return {"id": str(project.id), "slug": project.slug}
