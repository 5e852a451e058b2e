"""A day in the sandbox: purchases begin, go on, and are reported as they do."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from django.db import close_old_connections, connection
from django.utils import timezone

from merchant.models import Connection
from merchant.providers.base import Keys
from merchant.sandbox.market import Begin, Market
from merchant.sandbox.senders import Delivery, Habits, deliveries
from transactions.demo.post import Answer

#: Signs a body for a connection and delivers it.
HandOver = Callable[[Connection, Keys, bytes], Answer]

#: Seconds between two looks at what has come due.
_LOOK = 0.5
#: Seconds of sales that a slow machine may catch up on.
_BEHIND = 5.0


@dataclass(slots=True)
class Day:
    """One sandbox at work."""

    market: Market
    rows: dict[str, Connection]
    hand_over: HandOver
    habits: Habits
    chance: Random
    begin: Begin = "now"
    pace: float = 1.0
    tally: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """What was done so far."""
        names = ("purchases", "deliveries", "duplicates", "refused")
        return {name: self.tally[name] for name in names}

    def run(
        self, stop: threading.Event, pause: Callable[[], float], most: int | None
    ) -> None:
        """Sells and reports until `stop`, or until `most` purchases are told.

        `pause`: seconds from one purchase to the next.
        """
        next_sale = time.monotonic()
        while not stop.is_set():
            left = bool(self.market.stalls)
            left &= most is None or self.tally["purchases"] < most
            if left and time.monotonic() >= next_sale:
                self.sell()
                next_sale = max(next_sale + pause(), time.monotonic() - _BEHIND)
            self.report()
            if most is not None and not left and not self.market.busy(timezone.now()):
                return
            wait = next_sale - time.monotonic() if left else _LOOK
            stop.wait(min(max(wait, 0.0), _LOOK))

    def sell(self) -> None:
        """One purchase at one of the stalls."""
        stall = self.chance.choice(self.market.stalls)
        self.market.sell(
            stall,
            self.chance.getrandbits(31),
            timezone.now(),
            begin=self.begin,
            pace=self.pace,
        )
        self.tally["purchases"] += 1

    def report(self) -> None:
        """Delivers what has happened by now; what nobody takes is kept for later."""
        tellings = self.market.due(timezone.now())
        if not tellings:
            return
        if not connection.in_atomic_block:
            close_old_connections()  # a server may have gone and come back meanwhile
        untaken = self._deliver(deliveries(tellings, self.habits, self.chance))
        self.market.again(t for t in tellings if id(t) in untaken)
        self.market.reported(t for t in tellings if id(t) not in untaken)

    def _deliver(self, letters: Iterable[Delivery]) -> set[int]:
        untaken: set[int] = set()
        for letter in letters:
            stall = letter.telling.stall
            row = self.rows[stall.connection]
            answer = self.hand_over(row, stall.keys, letter.body)
            self.tally["deliveries"] += 1
            self.tally["duplicates"] += letter.repeated
            self.tally["refused"] += not answer.taken
            if answer.worth_another_try:
                untaken.add(id(letter.telling))
        return untaken
