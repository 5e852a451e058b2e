"""Purchases that nobody has heard of yet, straight into the tables.

The ledger looks up, locks and compares, because any fact may belong to a row that
exists. Invented purchases are new, each whole, and share no customer with those that
are entered at the same time: so their timelines are folded by the same fold, and what
the ledger would have written is copied into the tables. A refold changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from django.db import models, transaction

from merchant import bulk, ids
from merchant.providers.base import Fact
from transactions import binding, customers, fold, journal, ledger, totals, writing
from transactions.demo.telling import Load, told
from transactions.ledger import Letter
from transactions.models import (
    BalanceChange,
    Customer,
    DeliveryItem,
    Dispute,
    HourTotal,
    LineItem,
    Product,
    ProductTotal,
    ProviderReference,
    Refund,
    TimelineEntry,
    Transaction,
)
from transactions.standing import HOMES
from transactions.statuses import DisputeStatus

#: What a copy fills, and what is worth looking at anew afterwards.
TABLES: tuple[type[models.Model], ...] = (
    Customer, Product, Transaction, ProviderReference, LineItem, Refund, Dispute,
    DeliveryItem, BalanceChange, TimelineEntry, HourTotal, ProductTotal,
)  # fmt: skip


@dataclass(slots=True)
class _Heard:
    """What a batch tells: purchases, their entries, and what stands beside them."""

    folders: list[writing.Folder]
    references: list[bulk.Row]
    entries: list[Any]
    beside: list[Letter]


@transaction.atomic
def enter(whole: Load, batch: Iterable[int]) -> None:
    """Copies these purchases in one database transaction: all of them or none."""
    heard = _Heard([], [], [], [])
    for index in batch:
        _hear(heard, whole, index)
    folded = writing.fold_all(heard.folders)
    keys = _customer_keys(heard.folders, folded)
    known = writing.ids_of(Customer, ("project_id", "key"), keys.values())
    theirs = known | {key: ids.new() for key in set(keys.values()) - known.keys()}
    rows = [
        writing.row_of(folder, folded[folder.id], theirs.get(keys.get(folder.id, ())))
        for folder in heard.folders
    ]
    lost = _flagged(folded, {row["id"]: row["customer_id"] for row in rows})
    fresh = {key: id for key, id in theirs.items() if key not in known}
    bulk.copy(Customer, list(_customers(fresh, rows, lost)))
    bulk.copy(Transaction, rows)
    bulk.copy(ProviderReference, heard.references)
    for model, name, wanted in writing.children(heard.folders, folded):
        bulk.copy(model, [_child(name, place, wanted[place]) for place in wanted])
    journal.enter()
    bulk.copy(BalanceChange, journal.rows_of(writing.changes(heard.folders, folded)))
    bulk.copy(TimelineEntry, [vars(entry) for entry in heard.entries])
    totals.count(added=[(row, folded[row["id"]].items) for row in rows], taken=())
    customers.refresh(known.values())
    if heard.beside:
        ledger.record_all(heard.beside, announce=False)


# ------------------------------------------------------------------------- hearing
def _hear(heard: _Heard, whole: Load, index: int) -> None:
    """Adds the rows that the facts of one purchase speak of: one, nearly always."""
    connection = whole.counter(index).connection
    pairs: list[tuple[Letter, Fact]] = []
    for source, facts in told(whole, index):
        letter = Letter(connection, facts, source)
        pairs += [(letter, fact) for fact in facts if fact.references]
        if beside := [fact for fact in facts if fact.topic in HOMES]:
            heard.beside.append(Letter(connection, beside, source))
    claims = [binding.keys_of(connection, fact) for _, fact in pairs]
    for cluster in binding.clustered(claims, {}):
        mine = [
            pair
            for pair, keys in zip(pairs, claims, strict=True)
            if keys[0] in cluster.keys
        ]
        _add(heard, cluster.keys, mine)


def _add(
    heard: _Heard, keys: Iterable[binding.Key], pairs: Sequence[tuple[Letter, Fact]]
) -> None:
    id, connection = ids.new(), pairs[0][0].connection
    timeline: dict[str, Any] = {}
    for letter, fact in pairs:
        entry = _entry(letter, fact, id)
        known = timeline.setdefault(entry.identity, entry)
        if known is not entry:
            TimelineEntry.absorb(known, entry)
    folder = writing.Folder(
        id,
        None,
        connection.project,
        connection.provider,
        cast("list[TimelineEntry]", list(timeline.values())),
        [key[1:] for key in keys],
    )
    heard.folders.append(folder)
    heard.entries += timeline.values()
    heard.references += [
        {
            "project_id": project,
            "kind": kind,
            "reference": reference,
            "transaction_id": id,
        }
        for project, kind, reference in sorted(keys)
    ]


def _entry(letter: Letter, fact: Fact, id: UUID) -> Any:
    """The entry as plain columns: making model objects costs as much as folding."""
    return SimpleNamespace(
        connection_id=letter.connection.pk,
        transaction_id=id,
        actor_id=None,
        **ledger.told(letter, fact),
    )


# --------------------------------------------------------------------------- rows
def _child(name: str, place: tuple[UUID, str], columns: dict[str, Any]) -> bulk.Row:
    return {"id": ids.new(), "transaction_id": place[0], name: place[1]} | columns


def _customer_keys(
    folders: Iterable[writing.Folder], folded: dict[UUID, fold.Folded]
) -> dict[UUID, tuple[Any, ...]]:
    """transaction -> what its customer is told apart by."""
    return {
        folder.id: (folder.project.id, folded[folder.id].customer_key)
        for folder in folders
        if folded[folder.id].customer_key
    }


def _flagged(
    folded: dict[UUID, fold.Folded], bought: dict[UUID, UUID | None]
) -> set[UUID | None]:
    """The customers that a lost dispute flags."""
    return {
        bought[id]
        for id, row in folded.items()
        for dispute in row.disputes.values()
        if dispute["status"] == DisputeStatus.LOST and dispute["cleared"] is None
    }


def _customers(
    fresh: dict[tuple[Any, ...], UUID],
    rows: Iterable[bulk.Row],
    lost: set[UUID | None],
) -> Iterator[bulk.Row]:
    """New customers, all of whose purchases are among these rows."""
    newest: dict[tuple[UUID, bool], bulk.Row] = {}
    for row in sorted(rows, key=lambda row: (row["created"], row["id"])):
        if not row["parked"]:
            newest[row["customer_id"], row["livemode"]] = row
    for (project, key), id in fresh.items():
        live, test = (_seen(newest.get((id, mode))) for mode in (True, False))
        columns = customers.columns(live, test, flagged=id in lost)
        yield {"id": id, "project_id": project, "key": key} | columns


def _seen(row: bulk.Row | None) -> Any:
    """The columns as transactions.customers reads them."""
    return SimpleNamespace(pk=row["id"], **row) if row else None
