"""The timeline on a card: the latest first, what each line added, the letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactions.models import Payout, TimelineEntry, Transaction
from transactions.views.learned import learned
from webhooks.models import InboundEvent

#: Lines of the timeline, and letters, that are shown until somebody asks for all.
SHOWN = 60
#: Letters that are listed when somebody does.
MOST_LETTERS = 500

#: Of what happened in one second, the money's way back comes after its way here.
TOLD_LAST = {"refund": 1, "dispute": 2}


@dataclass(frozen=True, slots=True)
class Story:
    """`entries` are those to show, `hidden` how many more there are.

    `of_refunds`: every line about money on its way back.
    `learned`: entry id -> what the line added, see views.learned.
    """

    entries: list[TimelineEntry]
    hidden: int
    learned: dict[int, str]
    of_refunds: list[TimelineEntry]
    letters: list[InboundEvent]
    hidden_letters: int

    @property
    def number(self) -> int:
        return len(self.entries) + self.hidden


def of(row: Transaction | Payout, *, whole: bool, letters: bool) -> Story:
    """`whole`: every line; `letters`: the events behind the lines as well."""
    entries = timeline(row)
    shown = entries if whole else entries[:SHOWN]
    found = _letters(entries, MOST_LETTERS if whole else SHOWN) if letters else []
    behind = len({entry.inbound_id for entry in entries if entry.inbound_id})
    return Story(
        entries=shown,
        hidden=len(entries) - len(shown),
        learned=learned(reversed(entries)),
        of_refunds=[entry for entry in entries if entry.topic == "refund"],
        letters=found,
        hidden_letters=behind - len(found) if letters else 0,
    )


def timeline(row: Transaction | Payout) -> list[TimelineEntry]:
    """What happened, latest first by the provider's clock."""
    entries = row.timeline.select_related("inbound", "actor").defer(
        "inbound__body", "inbound__headers", "inbound__error"
    )
    return sorted(
        entries,
        key=lambda entry: (
            entry.at or entry.received,
            TOLD_LAST.get(entry.topic, 0),
            entry.rank,
            entry.pk,
        ),
        reverse=True,
    )


def _letters(entries: Sequence[TimelineEntry], most: int) -> list[InboundEvent]:
    """The letters behind the timeline, newest first, without what is in them."""
    ids = {entry.inbound_id for entry in entries if entry.inbound_id}
    rows = InboundEvent.objects.filter(pk__in=ids).defer("body", "headers", "error")
    return list(rows.order_by("-id")[:most])
