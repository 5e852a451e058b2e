"""Sets up a webhook endpoint of a project."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from merchant.management import base
from merchant.models import Project
from webhooks import endpoints, signing_keys, words
from webhooks.models.endpoint import Dialect


class Command(base.Command):
    help = "Adds an endpoint and prints its secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="slug or id")
        parser.add_argument("--url", required=True, help="where events are sent")
        parser.add_argument(
            "--events",
            default="",
            help="names or groups by commas, payment.success,refund.*; default all",
        )
        parser.add_argument(
            "--dialect", choices=Dialect.values, default=Dialect.STANDARD
        )
        parser.add_argument(
            "--secret",
            default="",
            help='what signs, if the receiver has one already; "-" reads it',
        )
        parser.add_argument("--description", default="")
        parser.add_argument("--mode", choices=["live", "test", "both"], default="both")

    def act(self, *, project: str, url: str, **given: Any) -> dict[str, Any]:
        shop = base.one(Project, project)
        try:
            endpoint, secret = endpoints.create(
                shop,
                url=url,
                events=words.wanted(given["events"].split(",")),
                dialect=given["dialect"],
                description=given["description"],
                livemode={"live": True, "test": False}.get(given["mode"]),
                secret=base.from_stdin(given["secret"]),
                by="command",
            )
        except ValueError as error:
            raise base.WrongUse(str(error)) from error
        told = {"id": str(endpoint.id), "secret": secret}
        if not secret:
            told["public_key"] = signing_keys.pair_of(shop).public
        return told
