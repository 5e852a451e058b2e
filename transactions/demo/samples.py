"""One event of the sandbox on demand: which there are, and sending one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.utils import timezone

from merchant.models import Connection
from merchant.providers.base import Keys
from merchant.sandbox import shop
from merchant.sandbox.book import Book, Slip
from merchant.sandbox.story import Event
from merchant.sandbox.tellers import TELLERS
from transactions.demo.post import Answer, Postman

#: Plans looked through for the events that a provider can send.
_PLANS_PER_ENDING = 3
_SEEDS = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """Where an event comes up: in which ending, at which of its steps."""

    ending: str
    place: int


@cache
def known(provider: str) -> dict[str, Sample]:
    """Event type -> where a story has it, for all that the provider sends."""
    found: dict[str, Sample] = {}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for ending in shop.endings_at(provider)[0]:
        for number in range(1, _PLANS_PER_ENDING + 1):
            purchase = shop.plan(0, number, start, provider, ending=ending)
            for place, step in enumerate(purchase.steps):
                purchase.told.append(step)
                for event in TELLERS[provider].events(purchase, step):
                    found.setdefault(event.type, Sample(ending, place))
    return dict(sorted(found.items()))


def spelled(provider: str, wanted: str) -> str | None:
    """The event as the provider spells it; None when it sends no such thing."""
    folded = {name.casefold(): name for name in known(provider)}
    return folded.get(wanted.strip().casefold())


def send(book: Book, row: Connection, keys: Keys, event_type: str) -> Answer:
    """Sends the event, of a new purchase that has just come so far."""
    slip = book.add(lambda number: _slip(row, number, event_type))
    event = _event(slip, event_type)
    assert event is not None  # _slip looked
    return Postman().hand_over(row, keys, event.body)


def _slip(row: Connection, number: int, event_type: str) -> Slip:
    """A purchase that has come to the step which sends it, and goes no further."""
    sample = known(row.provider)[event_type]
    now = timezone.now().replace(microsecond=0)
    # Another seed may take another turn, as paying with a wallet that is no card.
    for seed in range(_SEEDS):
        steps = shop.plan(seed, number, now, row.provider, ending=sample.ending).steps
        at = now - (steps[sample.place].at - steps[0].at)
        slip = Slip(
            number,
            str(row.pk),
            row.provider,
            seed,
            at,
            sample.ending,
            most=sample.place + 1,
            told=sample.place + 1,
        )
        if _event(slip, event_type):
            return slip
    raise LookupError(f"no purchase of the sandbox sends {event_type}")


def _event(slip: Slip, event_type: str) -> Event | None:
    purchase = slip.purchase()
    purchase.told = purchase.steps[: slip.told]
    events = TELLERS[slip.provider].events(purchase, purchase.told[-1])
    return next((event for event in events if event.type == event_type), None)
