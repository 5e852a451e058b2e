"""The four providers, imitated on a local port."""

from __future__ import annotations

import threading
import time
from random import Random
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from merchant import processes
from merchant.management import base
from merchant.models import Connection
from merchant.sandbox.market import Market
from merchant.sandbox.senders import Habits
from transactions.demo import stalls
from transactions.demo.day import Day
from transactions.demo.post import Postman
from transactions.models import LookUp
from webhooks.models import InboundEvent

DEFAULT_PORT = 8090
#: After the last purchase the API stays up so long for what is still being looked up.
SECONDS_FOR_LOOK_UPS = 30


class Command(base.Command):
    help = "Imitates the four providers: their APIs, and their webhooks to us."

    def add_arguments(self, parser: CommandParser) -> None:
        here = stalls.sandbox_port() or DEFAULT_PORT
        parser.add_argument("--port", type=int, default=here, help=f"default {here}")
        parser.add_argument(
            "--rate", type=float, default=12.0, help="purchases a minute, 0: API only"
        )
        parser.add_argument(
            "--count", type=int, default=None, help="end after so many purchases"
        )
        parser.add_argument(
            "--seed", type=int, default=None, help="same seed, same shop"
        )
        parser.add_argument(
            "--stay", action="store_true", help="keep answering after --count purchases"
        )

    def act(
        self,
        *,
        port: int,
        rate: float,
        count: int | None,
        seed: int | None,
        stay: bool,
        **_options: Any,
    ) -> dict[str, Any]:
        _check(port, rate, count)
        stop = processes.stop_on_signals()
        rows = stalls.at_port(port)
        for row in stalls.stalls(rows)[1]:
            self.stderr.write(stalls.why_unsigned(row))
        with stalls.open_market(rows, port) as (market, server):
            self._greet(server.url, len(market.stalls))
            day = _day(market, rows, Random(seed))
            if rate:
                day.run(stop, lambda: 60 / rate, count)
            if not rate or stay:
                stop.wait()
            else:
                _wait_for_look_ups(rows, stop)
        return {"url": server.url, **day.counts()}

    def _greet(self, url: str, stalls_found: int) -> None:
        self.stdout.write(f"The sandbox is at {url} - stop with Ctrl-C.")
        if not stalls_found:
            self.stdout.write(
                "It sends nothing: no test connection's base URL points here, such as "
                f"--base-url {url}/stripe"
            )
        if not settings.ALLOW_PRIVATE_ENDPOINTS and url != settings.SANDBOX_URL:
            self.stdout.write(
                "Nobody will ask it back: the server calls private addresses only with "
                "ALLOW_PRIVATE_ENDPOINTS=on."
            )
        self.stdout.flush()


def _check(port: int, rate: float, count: int | None) -> None:
    if not 0 < port < 65536:
        raise base.WrongUse("--port takes a number from 1 to 65535.")
    if not 0 <= rate <= 60_000:
        raise base.WrongUse("--rate takes purchases per minute, from 0 to 60000.")
    if count is not None and count < 1:
        raise base.WrongUse("--count takes a number from 1 up.")


def _day(market: Market, rows: list[Connection], chance: Random) -> Day:
    return Day(
        market,
        {str(row.pk): row for row in rows},
        Postman().hand_over,
        Habits(),
        chance,
        begin="told",
    )


def _wait_for_look_ups(rows: list[Connection], stop: threading.Event) -> None:
    """Whoever reads what was sent asks back at once; then the sandbox may go."""
    end = time.monotonic() + SECONDS_FOR_LOOK_UPS
    while _asked(rows) and time.monotonic() < end and not stop.wait(0.5):
        pass


def _asked(rows: list[Connection]) -> bool:
    """Whether something that was sent is not read, or looked up, yet."""
    now = timezone.now()
    unread = InboundEvent.objects.filter(connection__in=rows, state="pending")
    waiting = LookUp.objects.filter(connection__in=rows, state="waiting", due__lte=now)
    return unread.exists() or waiting.exists()
