"""What the books learn of invented purchases: the shop's stories, read as a provider's.

What the sandbox would have sent goes through the provider's own reader, and what it
left out is asked of the sandbox in the same process. So many stories are read; the
others are these, told again about other people at other times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random

from django.utils import timezone

from merchant.models import Connection, Project
from merchant.providers.base import Keys
from merchant.sandbox import shop
from merchant.sandbox.endings import ENDINGS
from merchant.sandbox.people import REGULARS, person
from merchant.sandbox.story import Purchase
from transactions.demo import afterwards, reading, stories
from transactions.demo.reading import Told
from transactions.demo.stories import Story

#: One of ten is a test.
_TEST_EVERY = 10
#: Over so many days the purchases are spread, the newest at the end.
_DAYS = 365
#: An ending that is believable after so many days is so for ever.
_LASTING = 30
#: So many purchases one customer makes, roughly.
_PER_CUSTOMER = 4
#: So many purchases per counter are read; the others are these, told again.
_STORIES = 100
#: Those that this process has read, by load and index, each with its ending.
_stories: dict[tuple[int, int], tuple[Story, str]] = {}


@dataclass(frozen=True, slots=True)
class Counter:
    """Where purchases are entered: a connection that nobody can knock at."""

    connection: Connection
    keys: Mapping[bool, Keys]  # by livemode


@dataclass(frozen=True, slots=True)
class Load:
    """What to enter. `first`: the number of the first purchase; `now` in UTC.

    A batch of purchases is entered at once, and who buys in it is every so manyeth
    person (`lanes`): batches whose lanes differ have no customer in common.
    """

    counters: Sequence[Counter]
    most: int
    seed: int
    first: int
    now: datetime
    batch: int
    lanes: int

    def people(self, index: int) -> range:
        """Who may have made that purchase."""
        most = max(len(REGULARS), self.most // _PER_CUSTOMER)
        return range(index // self.batch % self.lanes, most, self.lanes)

    def batches(self) -> list[range]:
        return [
            range(start, min(start + self.batch, self.most))
            for start in range(0, self.most, self.batch)
        ]

    def counter(self, index: int) -> Counter:
        return self.counters[index % len(self.counters)]


def counter(project: Project, provider: str) -> Counter:
    """The project's counter at the provider: a connection that was closed at once."""
    rows = Connection.objects.filter(project=project, provider=provider, demo=True)
    row = rows.exclude(closed=None).first() or Connection.objects.create(
        project=project, provider=provider, demo=True, closed=timezone.now()
    )
    row.project = project
    modes = (True, False)
    keys = {live: reading.keys_for(provider, livemode=live) for live in modes}
    return Counter(row, keys)


def told(whole: Load, index: int) -> list[Told]:
    """All that the books learn of that purchase, from the provider and from staff."""
    facts = _told(whole, index)
    return afterwards.go_on(facts, whole.seed, index, whole.now)


def _told(whole: Load, index: int) -> list[Told]:
    """What the provider says of it: read, or an earlier purchase told again."""
    counter = whole.counter(index)
    period = len(whole.counters) * _STORIES
    if index < period:
        return _read(counter, whole, index)[1]
    provider, first = counter.connection.provider, index % period
    if (whole.first, first) not in _stories:
        story = stories.keep(*_read(counter, whole, first))
        _stories[whole.first, first] = story, _ending(whole, first, provider)
    story, ending = _stories[whole.first, first]
    begun = shop.begin(whole.seed, index, provider, ending, whole.now, days=_DAYS)
    who = Random(f"{whole.seed} {index} buyer").random()
    near = _neighbours(story.country, whole.people(index))
    # Squared, so that some come often.
    buyer = person(near[int(who**2 * len(near))])[0]
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


def _read(counter: Counter, whole: Load, index: int) -> tuple[Purchase, list[Told]]:
    """The purchase, and what its provider says of it."""
    provider = counter.connection.provider
    purchase = _purchase(provider, whole, index)
    keys = counter.keys[purchase.livemode]
    return purchase, reading.read(provider, purchase, keys, whole.now)


def _ending(whole: Load, index: int, provider: str) -> str:
    """How that purchase went. What does not last is as rare in a year as it is short:
    only today's may be unpaid still, only this month's dispute open."""
    ending = shop.ending_of(whole.seed, index, provider, once=True)
    most = ENDINGS[ending].age[1]
    lasts = Random(f"{whole.seed} {index} lasts").random() < most / _DAYS
    return ending if most >= _LASTING or lasts else "paid"


def _purchase(provider: str, whole: Load, index: int) -> Purchase:
    ending = _ending(whole, index, provider)
    purchase = shop.plan(
        whole.seed,
        index,
        shop.begin(whole.seed, index, provider, ending, whole.now, days=_DAYS),
        provider,
        ending=ending,
        livemode=index // len(whole.counters) % _TEST_EVERY != _TEST_EVERY - 1,
        among=whole.people(index),
    )
    purchase.number = whole.first + index
    return purchase
