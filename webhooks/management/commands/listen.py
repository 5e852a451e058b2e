"""Forwards a project's events to a local URL for as long as it runs."""

from __future__ import annotations

import threading
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from merchant import processes
from merchant.management import base
from merchant.models import Project
from webhooks import signing_keys
from webhooks.delivery import forwarding
from webhooks.delivery.forwarding import Forwarded
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

#: Seconds between two looks for what has happened.
LOOK = 0.25


class Command(base.Command):
    help = (
        "Forwards events to a local URL as they happen, signed; no public address is"
        " needed. Ctrl-C ends it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="slug or id")
        parser.add_argument(
            "--forward-to",
            required=True,
            metavar="URL",
            help="such as http://localhost:4242/hooks",
        )
        parser.add_argument(
            "--events", default="", help="names by commas; default all of them"
        )
        parser.add_argument(
            "--dialect", choices=Dialect.values, default=Dialect.STANDARD
        )
        parser.add_argument(
            "--secret",
            default="",
            help='what signs, if your program has one already; "-" reads it',
        )
        parser.add_argument(
            "--count", type=int, default=None, help="end after so many events"
        )

    def act(
        self, *, project: str, forward_to: str, count: int | None, **given: Any
    ) -> dict[str, Any]:
        if count is not None and count < 1:
            raise base.WrongUse("--count takes a number from 1 up.")
        shop = base.one(Project, project)
        try:
            endpoint, secret = forwarding.open_line(
                shop,
                forward_to,
                events=given["events"].split(","),
                dialect=given["dialect"],
                secret=base.from_stdin(given["secret"]),
            )
        except ValueError as error:
            raise base.WrongUse(str(error)) from error
        stop = processes.stop_on_signals()
        id = str(endpoint.id)  # it has none any more when the line has ended
        told = {"forwarded": 0, "failed": 0}
        try:
            self._greet(endpoint, secret)
            self._follow(endpoint, stop, count, told)
        finally:
            forwarding.hang_up(endpoint)
        return {"endpoint": id, "secret": secret, **told}

    def _follow(
        self,
        endpoint: Endpoint,
        stop: threading.Event,
        count: int | None,
        told: dict[str, int],
    ) -> None:
        while not stop.is_set():
            for done in forwarding.forward_due(endpoint, stop):
                told["forwarded" if done.is_taken else "failed"] += 1
                self._show(done)
                if stop.is_set() or sum(told.values()) == count:
                    return
            stop.wait(LOOK)

    def _greet(self, endpoint: Endpoint, secret: str) -> None:
        self.stdout.write(
            f"Events of {endpoint.project} go to {endpoint.url} - stop with Ctrl-C."
        )
        if secret:
            self.stdout.write(f"They are signed with the secret {secret}")
        else:
            public = signing_keys.pair_of(endpoint.project).public
            self.stdout.write(f"They are signed with the private half of\n{public}")
        self.stdout.flush()

    def _show(self, done: Forwarded) -> None:
        """ "14:03:31  payment.success  msg_...  200 in 12 ms"."""
        now = timezone.localtime().strftime("%H:%M:%S")
        took = f"{done.seconds * 1000:.0f} ms"
        came = f"{done.status} in {took}" if done.status else f"failed: {done.error}"
        self.stdout.write(f"{now}  {done.name:<24} {done.key}  {came}")
        self.stdout.flush()
