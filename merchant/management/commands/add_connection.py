"""Connects a project with an account at a provider."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from merchant import audit, connections
from merchant.management import base
from merchant.models import Project
from merchant.providers import PROVIDERS


class Command(base.Command):
    help = "Adds a connection and prints the address to paste at the provider."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="slug or id")
        parser.add_argument("--provider", required=True, choices=PROVIDERS)
        parser.add_argument(
            "--secret", default="", help='what signs its webhooks; "-" reads it'
        )
        parser.add_argument(
            "--public-key", default="", metavar="FILE", help="Paysecure's public key"
        )
        parser.add_argument(
            "--api-key", default="", help='for questions to the provider; "-" reads it'
        )
        parser.add_argument(
            "--user-token",
            default="",
            help='a person\'s token for refunds by PaySuper; "-" reads it',
        )
        parser.add_argument(
            "--base-url", default="", help="the provider's API if it is not the usual"
        )
        parser.add_argument(
            "--brand-id", action="append", default=[], help="may be repeated"
        )
        parser.add_argument(
            "--account", default="", help="take only this connected account's events"
        )
        parser.add_argument("--mode", choices=["live", "test"], default="live")

    def act(self, *, project: str, provider: str, **given: Any) -> dict[str, Any]:
        shop = base.one(Project, project)
        try:
            connection = connections.open_connection(
                shop,
                provider,
                secret=base.from_stdin(given["secret"]),
                public_key=base.from_file(given["public_key"]),
                api_key=base.from_stdin(given["api_key"]),
                user_token=base.from_stdin(given["user_token"]),
                base_url=given["base_url"],
                brand_ids=_each(given["brand_id"]),
                account=given["account"],
                livemode=given["mode"] == "live",
            )
        except ValueError as error:
            raise base.WrongUse(str(error)) from error
        detail = {"provider": provider, "mode": given["mode"]}
        audit.note(
            "command",
            "connection.opened",
            connection,
            merchant=shop.merchant,
            detail=detail,
        )
        return {
            "id": str(connection.id),
            "provider": provider,
            "intake_url": f"{settings.PUBLIC_URL}{connection.intake_path}",
        }


def _each(given: list[str]) -> tuple[str, ...]:
    """Brand ids, whether the option was repeated or they came separated by commas."""
    return tuple(part for text in given for part in text.replace(",", " ").split())
