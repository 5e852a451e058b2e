"""Folded timelines become rows: transactions, children, customers, products."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from merchant import ids
from merchant.models import Project
from merchant.providers import PROVIDERS
from transactions import bulk, fold
from transactions.models import (
    Customer,
    DeliveryItem,
    Dispute,
    LineItem,
    Product,
    ProviderReference,
    Refund,
    TimelineEntry,
    Transaction,
)
from transactions.statuses import FulfilmentStatus

Row = TypeVar("Row", bound=models.Model)

#: Columns of a transaction that the fold does not set.
NOT_FOLDED = frozenset({"id", "fulfilment"})
FOLDED = [
    column.attname
    for column in Transaction._meta.concrete_fields
    if column.name not in NOT_FOLDED
]


@dataclass(slots=True)
class Folder:
    """One transaction's timeline on its way to the row.

    `row` is None for a new one; then `names` are its references, (kind, id).
    """

    id: UUID
    row: Transaction | None
    project: Project
    provider: str
    timeline: list[TimelineEntry]
    names: list[tuple[str, str]] = field(default_factory=list)
    _known: dict[tuple[UUID, str], TimelineEntry] = field(default_factory=dict)

    def find(self, entry: TimelineEntry) -> TimelineEntry | None:
        """The entry of the timeline that reports the same change, if there is one."""
        if len(self._known) != len(self.timeline):
            self._known = {(e.connection_id, e.identity): e for e in self.timeline}
        return self._known.get((entry.connection_id, entry.identity))


def write(folders: Sequence[Folder], left: Iterable[UUID] = ()) -> set[UUID]:
    """Folds and writes them in a few statements; returns the rows that changed.

    `left`: customers that other rows have left; they go when nobody else has them.
    """
    if not folders:
        return set()
    folders = sorted(folders, key=lambda folder: folder.id)
    names = _references(folders)
    folded = {
        folder.id: fold.transaction(folder.timeline, names[folder.id])
        for folder in folders
    }
    customers = _customers(folders, folded)
    rows = [
        _row(folder, folded[folder.id], customers.get(folder.id)) for folder in folders
    ]
    changed = [row for row, before in rows if _differs(row, before)]
    left = set(left) | {
        before.customer_id
        for row, before in rows
        if before and before.customer_id and before.customer_id != row["customer_id"]
    }
    bulk.upsert(Transaction, changed, unique=["id"], update=FOLDED)
    touched = {row["id"] for row in changed}
    touched |= _write_children(folders, folded)
    _forget_customers(left)
    return touched


# -------------------------------------------------------------------------- the row
def _references(folders: Sequence[Folder]) -> dict[UUID, list[str]]:
    """The provider's ids of each row, best kind first."""
    found = {folder.id: list(folder.names) for folder in folders}
    old = [folder.id for folder in folders if not folder.names]
    if old:
        references = ProviderReference.objects.filter(transaction_id__in=old)
        for row, *name in references.values_list("transaction_id", "kind", "reference"):
            found[row].append((name[0], name[1]))
    return {
        folder.id: _best_first(found[folder.id], PROVIDERS[folder.provider].references)
        for folder in folders
    }


def _best_first(names: list[tuple[str, str]], kinds: Sequence[str]) -> list[str]:
    def place(name: tuple[str, str]) -> tuple[int, str]:
        word = name[0].partition(".")[2]
        return kinds.index(word) if word in kinds else len(kinds), name[1]

    return [name[1] for name in sorted(names, key=place)]


def _row(
    folder: Folder, folded: fold.Folded, customer: UUID | None
) -> tuple[bulk.Row, Transaction | None]:
    """The row as it should be, and as it was."""
    row = {
        "id": folder.id,
        "merchant_id": folder.project.merchant_id,
        "project_id": folder.project.id,
        "connection_id": min(entry.connection_id for entry in folder.timeline),
        "provider": folder.provider,
        "customer_id": customer,
        "fulfilment": FulfilmentStatus.NOT_NEEDED,
        "updated": timezone.now(),
    }
    return row | folded.columns, folder.row


def _differs(row: bulk.Row, before: Transaction | None) -> bool:
    return before is None or any(
        row[name] != getattr(before, name) for name in FOLDED if name != "updated"
    )


# --------------------------------------------------------------- customers, products
def _customers(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> dict[UUID, UUID]:
    """transaction -> customer."""
    wanted = {
        folder.id: (folder.project.id, folded[folder.id].customer_key)
        for folder in folders
        if folded[folder.id].customer_key
    }
    made = _ensure(
        Customer, ("project_id", "key"), {pair: {} for pair in wanted.values()}
    )
    return {row: made[pair] for row, pair in wanted.items()}


def _forget_customers(left: set[UUID]) -> None:
    """A customer that was only a part of the story nobody else tells is no customer."""
    if left:
        used = Transaction.objects.filter(customer=OuterRef("pk"))
        Customer.objects.filter(pk__in=left).exclude(Exists(used)).delete()


def _products(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> tuple[dict[tuple[Any, ...], UUID], set[UUID]]:
    """The products of all items, and those that are called in more than one way."""
    called: dict[tuple[Any, ...], set[str]] = {}
    for folder in folders:
        for item in folded[folder.id].items:
            product = (folder.project.id, folder.provider, product_key(item))
            called.setdefault(product, set()).add(item["name"])
    found = _ensure(
        Product,
        ("project_id", "provider", "key"),
        {product: {"name": min(names)} for product, names in called.items()},
    )
    known = Product.objects.filter(pk__in=found.values()).values_list("pk", "name")
    names = dict(known)
    renamed = {
        found[product]
        for product, said in called.items()
        if said != {names[found[product]]}
    }
    return found, renamed


def _rename(products: set[UUID]) -> None:
    """A product has the name under which it was sold last, in whatever order heard."""
    if products:
        sold = LineItem.objects.filter(product=OuterRef("pk"))
        last = sold.order_by("-created", "name").values("name")[:1]
        Product.objects.filter(pk__in=sorted(products)).update(name=Subquery(last))


def product_key(item: dict[str, Any]) -> str:
    """The provider's product id, else the sku, else the folded name."""
    key = item["product"] or item["sku"]
    return str(key or f"name:{' '.join(item['name'].casefold().split())}")[:200]


def _ensure(
    model: type[Row],
    unique: tuple[str, ...],
    wanted: dict[tuple[Any, ...], dict[str, Any]],
) -> dict[tuple[Any, ...], UUID]:
    """Rows with these unique values, made where missing, in one order for all."""
    found = _ids(model, unique, wanted)
    missing = sorted(wanted.keys() - found.keys())
    rows = {
        values: {"id": ids.new(), **dict(zip(unique, values, strict=True))}
        | wanted[values]
        for values in missing
    }
    if bulk.insert(model, list(rows.values()), ignore=True):
        return found | {values: row["id"] for values, row in rows.items()}
    return _ids(model, unique, wanted)


def _ids(
    model: type[Row], unique: tuple[str, ...], wanted: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], UUID]:
    wanted = set(wanted)
    if not wanted:
        return {}
    parts = zip(unique, (set(part) for part in zip(*wanted, strict=True)), strict=True)
    rows = model._default_manager.filter(
        **{f"{name}__in": part for name, part in parts}
    )
    return {
        tuple(values): id
        for id, *values in rows.values_list("id", *unique)
        if tuple(values) in wanted
    }


# -------------------------------------------------------------------------- children
def _write_children(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> set[UUID]:
    old = {folder.id for folder in folders if folder.row is not None}
    products, renamed = _products(folders, folded)
    items = {
        (folder.id, item["key"]): _item(folder, folded[folder.id], item, products)
        for folder in folders
        for item in folded[folder.id].items
    }
    touched = _replace(LineItem, "key", items, old)
    _rename(renamed)
    for model, part in (
        (Refund, "refunds"),
        (Dispute, "disputes"),
        (DeliveryItem, "delivery_items"),
    ):
        wanted = {
            (folder.id, key): columns
            for folder in folders
            for key, columns in getattr(folded[folder.id], part).items()
        }
        touched |= _replace(model, "provider_id", wanted, old)
    return touched


def _item(
    folder: Folder,
    folded: fold.Folded,
    item: dict[str, Any],
    products: dict[tuple[Any, ...], UUID],
) -> dict[str, Any]:
    product = products[folder.project.id, folder.provider, product_key(item)]
    columns = {name: item[name] for name in item if name not in {"key", "product"}}
    return columns | {
        "project_id": folder.project.id,
        "product_id": product,
        "created": folded.columns["created"],
    }


def _replace(
    model: type[Row],
    name: str,
    wanted: dict[tuple[UUID, str], dict[str, Any]],
    old: set[UUID],
) -> set[UUID]:
    """Makes the children of these transactions what they should be.

    `name` is the column that tells a transaction's children apart. Returns the
    transactions whose children changed.
    """
    found: dict[tuple[UUID, str], Any] = {}
    if old:
        for child in model._default_manager.filter(transaction_id__in=old):
            found[child.transaction_id, getattr(child, name)] = child  # type: ignore[attr-defined]
    changed = [
        key
        for key, columns in wanted.items()
        if key not in found
        or any(
            getattr(found[key], column) != value for column, value in columns.items()
        )
    ]
    gone = [key for key in found if key not in wanted]
    if changed:
        bulk.upsert(
            model,
            [
                {"id": ids.new(), "transaction_id": id, name: key} | wanted[id, key]
                for id, key in sorted(changed)
            ],
            unique=["transaction_id", name],
            update=list(wanted[changed[0]]),
        )
    if gone:
        model._default_manager.filter(pk__in=[found[key].pk for key in gone]).delete()
    return {id for id, _ in [*changed, *gone]}
