"""The books: facts become timeline entries, and rows are folded from those.

`record` is the only writer of what providers say. A batch finds the rows that its
facts name, locks them, joins those that turned out to be one, adds the entries that
are new, folds and writes. Any order, any duplicates and any batching of the same
facts end in the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.db.models import prefetch_related_objects
from django.utils import timezone

from merchant import bulk
from merchant.models import Connection
from merchant.providers.base import Fact
from transactions import binding, outgoing, questions, reporting, standing, writing
from transactions.fold.hearing import BY_STAFF
from transactions.models import TimelineEntry, Transaction
from webhooks.models import InboundEvent


@dataclass(frozen=True, slots=True)
class Letter:
    """Facts on their way into the books, and how we learned them."""

    connection: Connection
    facts: Sequence[Fact]
    source: str
    inbound: InboundEvent | None = None

    @property
    def received(self) -> datetime:
        """When it reached us: a letter may lie for a while before it is read."""
        if self.source == TimelineEntry.Source.WEBHOOK and self.inbound:
            return self.inbound.received
        return timezone.now()


@dataclass(slots=True)
class Outcome:
    """What a batch did: its new entries, and the transactions that changed."""

    fresh: list[TimelineEntry] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)

    @property
    def told(self) -> set[UUID]:
        """The inbound events that told something new."""
        return {entry.inbound_id for entry in self.fresh if entry.inbound_id}


#: Given a transaction and its timeline: what staff do to it, as entries for that.
Decision = Callable[[Transaction, Sequence[TimelineEntry]], Iterable[TimelineEntry]]


def record(
    connection: Connection,
    facts: Sequence[Fact],
    *,
    source: str,
    inbound: InboundEvent | None = None,
) -> Outcome:
    """Enters the facts of one connection; see `record_all`."""
    return record_all([Letter(connection, facts, source, inbound)])


@database.atomic
def record_all(letters: Sequence[Letter], *, announce: bool = True) -> Outcome:
    """Enters a batch of facts in one database transaction.

    Facts that are known already change nothing. What changed is announced in the same
    commit unless `announce` is false (made-up history). Raises what the database
    raises, or binding.Unsettled; then nothing of the batch is entered.
    """
    outcome = Outcome()
    named = [(letter, fact) for letter in letters for fact in letter.facts]
    beside = [
        TimelineEntry(
            connection=letter.connection, inbound=letter.inbound, **told(letter, fact)
        )
        for letter, fact in named
        if fact.topic in standing.HOMES
    ]
    purchases = [
        pair
        for pair in named
        if pair[1].topic not in standing.HOMES and pair[1].references
    ]
    if purchases:
        _record_purchases(purchases, outcome, announce)
    if beside:
        outcome.fresh += standing.record(beside, announce=announce)
    questions.ask(_questions(named, outcome))
    reporting.note(named)
    return outcome


@database.atomic
def refold(ids: Sequence[UUID]) -> set[UUID]:
    """Folds these transactions again from their timelines; returns what changed."""
    rows = binding.lock(ids)
    timelines = _timelines(rows)
    return writing.write(
        [
            writing.Folder(id, row, row.project, row.provider, timelines[id])
            for id, row in rows.items()
            if timelines[id]
        ]
    ).touched


@database.atomic
def act(ids: Iterable[UUID], decide: Decision, *, announce: bool = True) -> set[UUID]:
    """Enters what staff do to these transactions, each looked at under its lock.

    `decide` gets the transaction, its items prefetched, and gives the entries to add
    to its timeline; none where nothing is to be done. What it raises undoes all of it.
    Returns the rows that changed.
    """
    rows = binding.lock(ids)
    prefetch_related_objects(list(rows.values()), "project", "items", "claimed_by")
    children = writing.children_of(rows)
    seen = outgoing.look(rows, children) if announce else None
    timelines = _timelines(rows)
    fresh = {
        id: _after(timelines[id], decide(row, timelines[id]))
        for id, row in rows.items()
    }
    written = writing.write(
        [
            writing.Folder(
                id, row, row.project, row.provider, timelines[id] + fresh[id]
            )
            for id, row in rows.items()
            if fresh[id]
        ],
        known=children,
    )
    added = [entry for entries in fresh.values() for entry in entries]
    bulk.insert(TimelineEntry, [bulk.row_of(entry) for entry in added])
    if seen is not None:
        outgoing.announce(seen, written, added)
    return written.touched


def _after(
    timeline: Sequence[TimelineEntry], acts: Iterable[TimelineEntry]
) -> list[TimelineEntry]:
    """The acts in a place behind every earlier one, whatever this clock says.

    Steps of a refund are numbered by themselves (transactions.refunds.steps).
    """
    by_staff = (e.order for e in timeline if e.topic in BY_STAFF)
    last, placed = max(by_staff, default=0), []
    for entry in acts:
        if entry.topic in BY_STAFF:
            entry.order = last = max(entry.order, last + 1)
        placed.append(entry)
    return placed


def _record_purchases(
    pairs: Sequence[tuple[Letter, Fact]], outcome: Outcome, announce: bool
) -> None:
    bound = binding.bind(
        [binding.keys_of(letter.connection, fact) for letter, fact in pairs]
    )
    timelines = _timelines(bound.rows)
    gone = [(row, bound.heirs[row.pk]) for row, _items in bound.gone]
    children = writing.children_of(bound.rows)
    seen = outgoing.look(bound.rows, children, gone) if announce else None
    folders: dict[UUID, writing.Folder] = {}
    moved: dict[int, TimelineEntry] = {}
    fresh: list[Any] = []
    for (letter, fact), id in zip(pairs, bound.ids, strict=True):
        folder = folders.get(id)
        if folder is None:
            connection = letter.connection
            folder = folders[id] = writing.Folder(
                id,
                bound.rows.get(id),
                connection.project,
                connection.provider,
                timelines.get(id, []),
                sorted(bound.names.get(id, [])),
            )
        entry = _entry(letter, fact, id)
        known = folder.find(entry)
        if known is None:
            folder.timeline.append(entry)
            fresh.append(entry)
        elif TimelineEntry.absorb(known, entry) and isinstance(known, TimelineEntry):
            moved[known.pk] = known
    touched = {entry.transaction_id for entry in [*fresh, *moved.values()]}
    touched |= bound.joined
    written = writing.write(
        [folder for id, folder in folders.items() if id in touched],
        bound.gone,
        children,
    )
    bulk.insert(TimelineEntry, [vars(entry) for entry in fresh])
    if moved:
        TimelineEntry.objects.bulk_update(moved.values(), ["at", "order", "rank"])
    outcome.changed |= written.touched
    outcome.fresh += fresh
    if seen is not None:
        outgoing.announce(seen, written, fresh)


def _timelines(rows: dict[UUID, Transaction]) -> dict[UUID, list[TimelineEntry]]:
    """The entries of the rows, in one query."""
    found: dict[UUID, list[TimelineEntry]] = {id: [] for id in rows}
    if rows:
        for entry in TimelineEntry.objects.filter(transaction__in=found).order_by("id"):
            found[entry.transaction_id].append(entry)  # type: ignore[index]
    return found


def _entry(letter: Letter, fact: Fact, id: UUID) -> Any:
    """The entry as plain columns: making model objects costs as much as folding."""
    return SimpleNamespace(
        connection_id=letter.connection.pk,
        transaction_id=id,
        inbound_id=letter.inbound.pk if letter.inbound else None,
        actor_id=None,
        **told(letter, fact),
    )


def told(letter: Letter, fact: Fact) -> bulk.Row:
    """The columns of the entry that are the fact's own."""
    return {
        "identity": fact.identity,
        "source": letter.source,
        "topic": fact.topic,
        "object_kind": fact.object_kind[:40],
        "object_id": fact.object_id[:200],
        "status": fact.status[:20],
        "order": fact.order,
        "rank": fact.rank,
        "at": fact.at,
        "says": {name: [said.weight, said.value] for name, said in fact.says.items()},
        "summary": fact.summary[:300],
        "received": letter.received,
    }


def _questions(
    named: Sequence[tuple[Letter, Fact]], outcome: Outcome
) -> list[questions.Question]:
    """What the facts leave open. One that told nothing new asks nothing again, but a
    fact without ids (an event that only points at its object) always asks."""
    rows = {
        (entry.connection_id, entry.identity): entry.transaction_id
        for entry in outcome.fresh
    }
    asked = []
    for letter, fact in named:
        if not fact.wants:
            continue
        place = (letter.connection.pk, fact.identity)
        if place in rows or not fact.references:
            asked += [
                questions.Question(
                    letter.connection, want, rows.get(place), letter.inbound
                )
                for want in fact.wants
            ]
    return asked
