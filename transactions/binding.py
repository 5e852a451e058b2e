"""Which row a fact belongs to: provider ids to transactions, locked, joined when one.

Two facts that share an id belong together; a fact that names two ids ties their rows.
The row whose reference is older keeps its id; the other id stays as an alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Min

from merchant import bulk, ids
from merchant.models import Connection
from merchant.providers.base import Fact
from transactions import journal
from transactions.models import (
    BulkItem,
    Callback,
    DeliveryItem,
    Dispute,
    HeldNews,
    LineItem,
    LookUp,
    Note,
    ProviderReference,
    Refund,
    TimelineEntry,
    Transaction,
    TransactionAlias,
)

#: (project, "stripe.charge", "ch_1")
Key = tuple[UUID, str, str]

#: Rows may be joined by another worker between finding and locking them.
MOST_ATTEMPTS = 5


class Unsettled(Exception):
    """Other workers kept joining the same rows; the batch is tried again later."""


@dataclass(slots=True)
class Bound:
    """Where the facts went.

    ids      one per fact, in the facts' order
    rows     those of them that existed, locked
    joined   rows that took in another one
    gone     the rows that were taken in, each with its items, as they were
    heirs    row that was taken in -> the one that took it in
    names    new row -> its references, (kind, id)
    """

    ids: list[UUID]
    rows: dict[UUID, Transaction]
    joined: set[UUID] = field(default_factory=set)
    gone: list[tuple[Transaction, list[LineItem]]] = field(default_factory=list)
    heirs: dict[UUID, UUID] = field(default_factory=dict)
    names: dict[UUID, list[tuple[str, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Cluster:
    """Keys that name one purchase, and the rows that they name so far."""

    keys: set[Key]
    rows: set[UUID]


def key(connection: Connection, kind: str, reference: str) -> Key:
    return connection.project_id, f"{connection.provider}.{kind}", reference[:200]


def keys_of(connection: Connection, fact: Fact) -> list[Key]:
    return [key(connection, kind, reference) for kind, reference in fact.references]


def bind(claims: Sequence[Sequence[Key]]) -> Bound:
    """Finds, makes, locks and joins the rows that each claim's keys name.

    New ids have no row yet when this returns; their references keep others out until
    the caller's database transaction ends. Raises Unsettled.
    """
    wanted = {key for keys in claims for key in keys}
    made: set[UUID] = set()
    for _ in range(MOST_ATTEMPTS):
        found = _find(wanted)
        clusters = clustered(claims, found)
        if not _add_references(clusters, found, made):
            found = _find(wanted)
            clusters = clustered(claims, found)
        existing = {id for cluster in clusters for id in cluster.rows} - made
        rows = lock(existing)
        if rows.keys() == existing:
            return _settle(claims, clusters, rows, made)
    raise Unsettled("The rows of this batch kept changing; it is tried again.")


def lock(wanted: Iterable[UUID]) -> dict[UUID, Transaction]:
    """The rows that exist, locked in ascending id so that two workers never cross."""
    wanted = list(wanted)
    if not wanted:
        return {}
    rows = Transaction.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    return {row.pk: row for row in rows}


# ------------------------------------------------------------------------- finding
def _find(wanted: set[Key]) -> dict[Key, UUID]:
    """The row of each key that is known. Asks for a little more than it needs, in the
    form that is one index scan."""
    projects, kinds, references = (set(part) for part in zip(*wanted, strict=True))
    found = ProviderReference.objects.filter(
        project__in=projects, kind__in=kinds, reference__in=references
    ).values_list("project_id", "kind", "reference", "transaction_id")
    return {
        (project, kind, reference): row
        for project, kind, reference, row in found
        if (project, kind, reference) in wanted
    }


def clustered(claims: Sequence[Sequence[Key]], found: dict[Key, UUID]) -> list[Cluster]:
    """Keys and rows that hang together, directly or through another claim."""
    of: dict[Key | UUID, Cluster] = {}
    for keys in claims:
        rows = {found[key] for key in keys if key in found}
        parts: list[Key | UUID] = [*keys, *rows]
        touched = {id(of[part]): of[part] for part in parts if part in of}
        cluster = Cluster(set(keys), rows)
        for other in touched.values():
            cluster.keys |= other.keys
            cluster.rows |= other.rows
        of.update(dict.fromkeys([*cluster.keys, *cluster.rows], cluster))
    return list({id(cluster): cluster for cluster in of.values()}.values())


def _add_references(
    clusters: list[Cluster], found: dict[Key, UUID], made: set[UUID]
) -> bool:
    """Enters the keys that nobody knew. False when another worker entered one first.

    Sorted, so that two workers that enter the same ones wait for each other and never
    for themselves; who comes second finds the first one's row afterwards.
    """
    missing: list[tuple[Key, UUID]] = []
    for cluster in clusters:
        if not cluster.rows:
            row = ids.new()
            made.add(row)
            cluster.rows.add(row)
        row = min(cluster.rows)
        missing += [(key, row) for key in cluster.keys if key not in found]
    rows = [
        {
            "project_id": project,
            "kind": kind,
            "reference": reference,
            "transaction_id": row,
        }
        for (project, kind, reference), row in sorted(missing)
    ]
    return bulk.insert(ProviderReference, rows, ignore=True)


# ------------------------------------------------------------------------- joining
def _settle(
    claims: Sequence[Sequence[Key]],
    clusters: list[Cluster],
    rows: dict[UUID, Transaction],
    made: set[UUID],
) -> Bound:
    survivor: dict[Key, UUID] = {}
    joined: set[UUID] = set()
    left: list[tuple[Transaction, list[LineItem]]] = []
    heirs: dict[UUID, UUID] = {}
    for cluster in clusters:
        kept = min(cluster.rows)
        if len(cluster.rows) > 1:
            kept = _oldest(cluster.rows & rows.keys() or cluster.rows)
            for other in sorted(cluster.rows - {kept}):
                if gone := rows.pop(other, None):
                    left.append((gone, list(gone.items.all())))
                    heirs[gone.pk] = kept
                _join(other, kept)
            joined.add(kept)
        survivor.update(dict.fromkeys(cluster.keys, kept))
    bound = Bound([survivor[keys[0]] for keys in claims], rows, joined, left, heirs)
    for key, row in survivor.items():
        if row not in rows:
            bound.names.setdefault(row, []).append(key[1:])
    return bound


def _oldest(rows: set[UUID]) -> UUID:
    """The row whose reference was entered first."""
    entered = (
        ProviderReference.objects.filter(transaction_id__in=rows)
        .values("transaction_id")
        .annotate(first=Min("id"))
        .order_by("first")
        .first()
    )
    return entered["transaction_id"] if entered else min(rows)


def _join(other: UUID, kept: UUID) -> None:
    """Moves everything that hangs on `other` to `kept`; both are locked or new.

    Items are left behind: the fold makes those that belong to the whole story.
    """
    for child in (TimelineEntry, ProviderReference, LookUp, TransactionAlias):
        child._default_manager.filter(transaction_id=other).update(transaction_id=kept)
    if Note.objects.filter(transaction_id=other).update(transaction_id=kept):
        Transaction.objects.filter(pk=kept).update(noted=True)
    for due in HeldNews.objects.filter(pk=other).values_list("due", flat=True):
        HeldNews.objects.get_or_create(pk=kept, defaults={"due": due})
    for own, name in (
        (Refund, "key"),
        (Dispute, "provider_id"),
        (DeliveryItem, "provider_id"),
        (BulkItem, "bulk_id"),
        (Callback, "outcome"),
    ):
        manager = own._default_manager
        twice = manager.filter(transaction_id=kept).values(name)
        rows = manager.filter(transaction_id=other)
        rows.filter(
            **{f"{name}__in": list(twice.values_list(name, flat=True))}
        ).delete()
        rows.update(transaction_id=kept)
    journal.move(other, kept)
    if Transaction.objects.filter(pk=other).delete()[0]:
        TransactionAlias.objects.create(id=other, transaction_id=kept)
