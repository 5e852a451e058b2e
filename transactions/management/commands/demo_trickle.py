"""What `serve --demo` runs beside the rest: the sandbox, with a payment at times."""

from __future__ import annotations

from random import Random
from typing import Any

from merchant import processes
from merchant.management import base
from merchant.sandbox.senders import Habits
from transactions.demo import stalls
from transactions.demo.day import Day
from transactions.demo.post import Postman

#: Seconds between two purchases, least and most.
PAUSE = (20, 40)
#: Refunds and disputes come after minutes and not days, so that somebody sees them.
PACE = 1 / 300


class Command(base.Command):
    help = "Keeps a trickle of test payments coming to the connections of the demo."

    def act(self, **_options: Any) -> dict[str, Any]:
        port = stalls.sandbox_port()
        if port is None:
            raise base.Failed("SANDBOX_URL is not set; serve --demo sets it.")
        stop = processes.stop_on_signals()
        rows = list(stalls.of_demo())
        chance = Random()
        with stalls.open_market(rows, port) as (market, _server):
            day = Day(
                market,
                {str(row.pk): row for row in rows},
                Postman().hand_over,
                Habits(),
                chance,
                pace=PACE,
            )
            day.run(stop, lambda: chance.uniform(*PAUSE), None)
        return day.counts()

    def say(self, result: dict[str, Any]) -> None:
        """Nothing: `serve` is being stopped and has the last word."""
