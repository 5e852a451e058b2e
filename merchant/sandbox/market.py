"""The sandbox at work: stalls that sell, purchases that go on, an API that answers.

A stall is one connection's corner: its purchases and the keys that open its API.
`sell` begins a purchase, `due` gives the steps whose time has come, `answer` is the
imitated API. Safe to use from several threads.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Literal

from merchant.providers.base import Keys
from merchant.sandbox import shop as shops
from merchant.sandbox.book import REMEMBERED, Book, Slip
from merchant.sandbox.story import (
    CALLBACKS,
    Purchase,
    Request,
    Response,
    Shop,
    Step,
)
from merchant.sandbox.tellers import TELLERS

#: The pace of purchases that were begun by a call: a developer waits for them.
HURRY = 0.01

#: When a purchase begins: now; at some time of the last month, so that its ending is
#: believable; or just so long ago that its whole story has happened.
Begin = Literal["now", "month", "told"]


@dataclass(frozen=True, slots=True)
class Stall:
    """One connection that the sandbox sells for."""

    connection: str
    provider: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Telling:
    """A step to report. `number`: its place in the plan, -1 if unplanned."""

    stall: Stall
    purchase: Purchase
    step: Step
    number: int


@dataclass(order=True, slots=True)
class _Waiting:
    at: datetime
    turn: int
    telling: Telling = field(compare=False)


class Market:
    """All stalls of one sandbox over one notebook."""

    def __init__(self, book: Book, stalls: Iterable[Stall]) -> None:
        self.book = book
        self.stalls: list[Stall] = []
        self._shops: dict[str, Shop] = {}
        self._known: dict[str, int] = {}
        self._waiting: list[_Waiting] = []
        self._asked: list[Telling] = []
        self._turns = count()
        self._lock = threading.RLock()
        for stall in stalls:
            self.add(stall)

    def add(self, stall: Stall) -> None:
        """One more stall, with all that was ever sold there."""
        with self._lock:
            self.stalls.append(stall)
            self._shops[stall.connection] = Shop()
            self._known[stall.connection] = 0
            self._open(stall)

    def shop(self, stall: Stall) -> Shop:
        """What the stall has sold."""
        return self._shops[stall.connection]

    def _open(self, stall: Stall) -> None:
        shop = self._shops[stall.connection]
        shop.api_keys = {stall.keys.api_key} - {""}
        shop.user_tokens = {stall.keys.user_token} - {""}
        shop.happen = lambda purchase, step: self._happen(stall, purchase, step)
        shop.begin = lambda ending: self._begin(stall, ending)
        self._catch_up(stall)
        for number, step in self.book.extras(stall.connection):
            purchase = shop.purchases.get(number)
            if purchase is not None:
                self._expect(stall, purchase, step, tell=False)

    def _catch_up(self, stall: Stall) -> None:
        """Learns of purchases that another process noted for this stall."""
        for slip in self.book.slips(stall.connection, self._known[stall.connection]):
            self._enter(stall, slip)

    def _enter(self, stall: Stall, slip: Slip) -> Purchase:
        purchase = slip.purchase()
        purchases = self._shops[stall.connection].purchases
        purchases[slip.number] = purchase
        self._known[stall.connection] = slip.number
        if len(purchases) > REMEMBERED:
            purchases.pop(next(iter(purchases)))
        purchase.told = purchase.steps[: slip.told]
        ahead = purchase.steps[slip.told : slip.most or None]
        for place, step in enumerate(ahead, slip.told):
            telling = Telling(stall, purchase, step, place)
            entry = _Waiting(step.at, next(self._turns), telling)
            heapq.heappush(self._waiting, entry)
        return purchase

    def sell(
        self,
        stall: Stall,
        seed: int,
        now: datetime,
        *,
        ending: str = "",
        pace: float = 1.0,
        begin: Begin = "now",
    ) -> Purchase:
        """Begins a purchase and plans how it goes on; see Begin for `begin`.

        `ending` and `pace` as in merchant.sandbox.shop.plan.
        """

        def slip(number: int) -> Slip:
            way = shops.ending_of(seed, number, stall.provider, ending)
            at = _beginning(begin, seed, number, stall.provider, way, now)
            return Slip(number, stall.connection, stall.provider, seed, at, way, pace)

        with self._lock:
            self._catch_up(stall)
            return self._enter(stall, self.book.add(slip))

    def due(self, now: datetime) -> list[Telling]:
        """The steps that have happened by now and were not reported, oldest first."""
        with self._lock:
            ready, self._asked = self._asked, []
            while self._waiting and self._waiting[0].at <= now:
                telling = heapq.heappop(self._waiting).telling
                if _possible(telling):
                    telling.purchase.told.append(telling.step)
                    ready.append(telling)
            return ready

    def busy(self, now: datetime) -> bool:
        """Whether there is something to report at once."""
        with self._lock:
            waits = bool(self._waiting) and self._waiting[0].at <= now
            return waits or bool(self._asked)

    def reported(self, tellings: Iterable[Telling]) -> None:
        """Notes that these steps reached the other side."""
        with self._lock:
            planned = [t for t in tellings if t.number >= 0]
            self.book.told((t.purchase.number, t.number + 1) for t in planned)

    def again(self, tellings: Iterable[Telling]) -> None:
        """Puts steps that reached nobody back, for the next `due`."""
        with self._lock:
            self._asked.extend(tellings)

    def answer(self, provider: str, request: Request) -> Response:
        """What that provider's API says; the API key chooses the stall."""
        with self._lock:
            return TELLERS[provider].answer(request, self._shop_for(provider, request))

    def _shop_for(self, provider: str, request: Request) -> Shop:
        shown = _shown_keys(request.headers)
        for stall in self.stalls:
            known = {stall.keys.api_key, stall.keys.user_token}
            if stall.provider == provider and known & shown:
                self._catch_up(stall)
                return self._shops[stall.connection]
        # Nobody's key opens it, so that every call is turned away as a stranger's.
        return Shop(api_keys={secrets.token_urlsafe(32)})

    def _begin(self, stall: Stall, ending: str) -> Purchase:
        """A purchase that somebody asks for. Raises ValueError for an ending that this
        provider has no words for."""
        known, _weights = shops.endings_at(stall.provider)
        if ending not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        seed, now = secrets.randbelow(2**31), datetime.now(UTC)
        return self.sell(stall, seed, now, ending=ending, pace=HURRY)

    def _happen(self, stall: Stall, purchase: Purchase, step: Step) -> None:
        self.book.happened(purchase.number, step)
        self._expect(stall, purchase, step, tell=True)

    def _expect(
        self, stall: Stall, purchase: Purchase, step: Step, *, tell: bool
    ) -> None:
        """Enters an unplanned step, which may lie ahead; then it is told in time."""
        if step.kind == CALLBACKS:
            purchase.callbacks = json.loads(step.asked)
            return
        telling = Telling(stall, purchase, step, -1)
        purchase.steps.append(step)
        if step.at > datetime.now(UTC):
            entry = _Waiting(step.at, next(self._turns), telling)
            heapq.heappush(self._waiting, entry)
            return
        purchase.told.append(step)
        if tell:
            self._asked.append(telling)


def _beginning(
    begin: Begin, seed: int, number: int, provider: str, ending: str, now: datetime
) -> datetime:
    if begin == "month":
        return shops.begin(seed, number, provider, ending, now)
    start = now.replace(microsecond=0)
    if begin == "told":
        steps = shops.plan(seed, number, start, provider, ending=ending).steps
        start -= steps[-1].at - start
    return start


def _possible(telling: Telling) -> bool:
    """Whether a planned step still makes sense after what the API was asked to do."""
    purchase, step = telling.purchase, telling.step
    if step.kind == "refund":
        return purchase.refunded() + step.amount <= purchase.total
    if step.kind == "refund_failed":
        return any(
            told.kind == "refund" and told.number == step.number
            for told in purchase.told
        )
    return True


def _shown_keys(headers: Mapping[str, str]) -> set[str]:
    """What a caller may have meant as its API key, Basic ones opened."""
    scheme, _, rest = (headers.get("authorization") or "").strip().partition(" ")
    shown = {rest.strip()}
    if scheme.lower() == "basic":
        try:
            opened = base64.b64decode(rest, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return set()
        shown |= {opened, *opened.split(":")}
    return shown - {""}
