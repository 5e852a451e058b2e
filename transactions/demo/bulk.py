"""Transactions in bulk: the shop's stories, read as a provider's, into the books.

What the sandbox would have sent goes through the provider's own reader, what it left
out is asked of the sandbox in the same process, and the facts go through the ledger.
So each row is the fold of its timeline, and a later refold changes nothing.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from random import Random

from django.db import OperationalError
from django.db import connections as databases
from django.utils import timezone

from merchant.models import Connection, Merchant, Project
from merchant.providers import PROVIDERS
from merchant.providers.base import Keys
from merchant.sandbox import shop
from merchant.sandbox.people import REGULARS, person
from merchant.sandbox.story import Purchase
from transactions import ledger
from transactions.demo import reading, stories
from transactions.demo.reading import Told
from transactions.demo.stories import Story
from transactions.ledger import Letter

#: Purchases that one database transaction takes in.
BATCH = 250
#: One of ten is a test.
_TEST_EVERY = 10
#: Over so many days the purchases are spread, the newest at the end.
_DAYS = 365
#: How often a batch is tried that met another one.
_TRIES = 4
#: So many purchases one customer makes, roughly.
_PER_CUSTOMER = 4
#: Batches that are entered at the same time have no customer in common, so that none
#: waits for another: who buys in a batch is every eighth person.
_LANES = 8

#: So many purchases per counter are read; the others are these, told again.
_STORIES = 100
#: Those that this process has read, by load and index.
_stories: dict[tuple[int, int], Story] = {}


@dataclass(frozen=True, slots=True)
class Counter:
    """Where purchases are entered: a connection that nobody can knock at."""

    connection: Connection
    keys: Mapping[bool, Keys]  # by livemode


@dataclass(frozen=True, slots=True)
class Load:
    """What to enter. `first`: the number of the first purchase; `now` in UTC."""

    counters: Sequence[Counter]
    most: int
    seed: int
    first: int
    now: datetime

    def people(self, index: int) -> range:
        """Who may have made that purchase."""
        most = max(len(REGULARS), self.most // _PER_CUSTOMER)
        return range(index // BATCH % _LANES, most, _LANES)

    def batches(self) -> list[range]:
        return [
            range(start, min(start + BATCH, self.most))
            for start in range(0, self.most, BATCH)
        ]


def load(
    projects: Sequence[Project], most: int, seed: int, processes: int = 1
) -> Iterator[int]:
    """Enters `most` purchases; yields how many are entered so far.

    `seed`: the same gives the same people, baskets and endings. Dates end now, and ids
    are new every time, so that a second load adds as many again. Announces nothing.
    """
    now = timezone.now()
    whole = Load(
        [_counter(project, slug) for project in projects for slug in PROVIDERS],
        most,
        seed,
        # Nobody enters ten thousand a second, so no two loads give the same numbers.
        int(now.timestamp() * 10_000),
        now,
    )
    done = 0
    for entered in _spread(whole, processes) if processes > 1 else _in_turn(whole):
        done += entered
        yield done


def _in_turn(whole: Load) -> Iterator[int]:
    for batch in whole.batches():
        yield _enter(whole, batch)


def _spread(whole: Load, processes: int) -> Iterator[int]:
    """The batches in several processes: reading is work for more than one core."""
    databases.close_all()  # a connection must not be shared over a fork
    pool = multiprocessing.get_context("fork").Pool(processes)
    with pool:
        yield from pool.imap_unordered(partial(_enter, whole), whole.batches())


def _enter(whole: Load, batch: range) -> int:
    letters: list[Letter] = []
    for index in batch:
        counter = whole.counters[index % len(whole.counters)]
        letters += [
            Letter(counter.connection, facts, source)
            for source, facts in _told(counter, whole, index)
            if facts
        ]
    for tries_left in reversed(range(_TRIES)):
        try:
            ledger.record_all(letters)
            break
        except OperationalError:  # two processes wanted the same new rows
            if not tries_left:
                raise
    return len(batch)


def _told(counter: Counter, whole: Load, index: int) -> list[Told]:
    """What the books learn of that purchase: read, or an earlier one told again."""
    period = len(whole.counters) * _STORIES
    if index < period:
        return _read(counter, whole, index)[1]
    provider, first = counter.connection.provider, index % period
    story = _stories.get((whole.first, first))
    if story is None:
        story = stories.keep(*_read(counter, whole, first))
        _stories[whole.first, first] = story
    ending = shop.ending_of(whole.seed, first, provider, once=True)
    begun = shop.begin(whole.seed, index, provider, ending, whole.now, days=_DAYS)
    who = Random(f"{whole.seed} {index} buyer")
    buyer = person(who.choice(_neighbours(story.country, whole.people(index))))[0]
    return story.again(whole.first + index, buyer, begun)


def _neighbours(country: str, among: range) -> list[int]:
    """The numbers of those of the people who live there, or of any who do."""
    return _by_country(among).get(country) or _by_country(REGULARS)[country]


@cache
def _by_country(among: range) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number in among:
        found.setdefault(person(number)[0].country, []).append(number)
    return found


def some_projects() -> list[Project]:
    """The projects that exist, or a demo one made for the purpose."""
    found = list(Project.objects.select_related("merchant").order_by("created", "id"))
    if found:
        return found
    merchant = Merchant.objects.create(name="Pixel Harbor", slug="pixel-harbor")
    return [
        Project.objects.create(
            merchant=merchant, name="Harbor Store", slug="harbor-store"
        )
    ]


def _counter(project: Project, provider: str) -> Counter:
    """The project's counter at the provider: a connection that was closed at once."""
    rows = Connection.objects.filter(project=project, provider=provider, demo=True)
    row = rows.exclude(closed=None).first() or Connection.objects.create(
        project=project, provider=provider, demo=True, closed=timezone.now()
    )
    row.project = project
    modes = (True, False)
    keys = {live: reading.keys_for(provider, livemode=live) for live in modes}
    return Counter(row, keys)


def _read(counter: Counter, whole: Load, index: int) -> tuple[Purchase, list[Told]]:
    """The purchase, and what its provider says of it."""
    provider = counter.connection.provider
    purchase = _purchase(provider, whole, index)
    keys = counter.keys[purchase.livemode]
    return purchase, reading.read(provider, purchase, keys, whole.now)


def _purchase(provider: str, whole: Load, index: int) -> Purchase:
    ending = shop.ending_of(whole.seed, index, provider, once=True)
    purchase = shop.plan(
        whole.seed,
        index,
        shop.begin(whole.seed, index, provider, ending, whole.now, days=_DAYS),
        provider,
        ending=ending,
        livemode=index % _TEST_EVERY != _TEST_EVERY - 1,
        among=whole.people(index),
    )
    purchase.number = whole.first + index
    return purchase
