"""Folded timelines become rows: transactions, children, customers, products, totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from merchant import bulk, ids
from merchant.models import Project
from merchant.providers import PROVIDERS
from transactions import customers, fold, fulfilment_rules, totals
from transactions.fold.fulfilment import WHOLE
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

Row = TypeVar("Row", bound=models.Model)

#: A transaction with its items, as they stand in the database.
Sale = tuple[Transaction, Sequence[LineItem]]

#: (transaction, what tells its children apart) -> columns.
Children = dict[tuple[UUID, str], dict[str, Any]]

#: Columns of a transaction that the fold does not set.
NOT_FOLDED = frozenset({"id", "noted"})
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


@dataclass(slots=True)
class Written:
    """What the books hold now: the rows, their children by kind in their own order, and
    which rows changed."""

    touched: set[UUID] = field(default_factory=set)
    rows: dict[UUID, Transaction] = field(default_factory=dict)
    children: dict[UUID, dict[type[models.Model], list[Any]]] = field(
        default_factory=dict
    )


def write(folders: Sequence[Folder], gone: Sequence[Sale] = ()) -> Written:
    """Folds and writes them in a few statements.

    `gone`: rows that were joined to one of these, as they were.
    """
    if not folders:
        return Written()
    folders = sorted(folders, key=lambda folder: folder.id)
    folded = fold_all(folders)
    customers = _customers(folders, folded)
    rows = [
        (row_of(folder, folded[folder.id], customers.get(folder.id)), folder.row)
        for folder in folders
    ]
    changed = [row for row, before in rows if _differs(row, before)]
    before = _before(folders)
    bulk.upsert(Transaction, changed, unique=["id"], update=FOLDED)
    written = Written({row["id"] for row in changed})
    written.rows = {row["id"]: Transaction(**row) for row, _ in rows}
    _write_children(folders, folded, before, written)
    after = [(row, folded[row["id"]].items) for row, _ in rows]
    totals.count(added=after, taken=[*before.values(), *gone])
    _tend_customers(rows, gone, written.touched)
    return written


def fold_all(folders: Sequence[Folder]) -> dict[UUID, fold.Folded]:
    """Each folder's timeline as a row and its children, with products and fulfilment.

    Makes the products that nobody has sold before.
    """
    names = _references(folders)
    folded = {
        folder.id: fold.transaction(folder.timeline, names[folder.id])
        for folder in folders
    }
    _put_products(folders, folded)
    rules = fulfilment_rules.of(
        (folder.project.id, product)
        for folder in folders
        for product in (None, *(i["product_id"] for i in folded[folder.id].items))
    )
    for folder in folders:
        _hand_over(folder, folded[folder.id], rules)
    return folded


def _hand_over(folder: Folder, row: fold.Folded, rules: fulfilment_rules.Rules) -> None:
    """Puts the state of fulfilment into the row and its lines."""
    when = row.columns["paid"] or row.columns["created"]
    project = folder.project.id
    whole = {} if row.items else {WHOLE: rules.at(project, None, when)}
    each = {
        item["key"]: rules.at(project, item["product_id"], when) for item in row.items
    }
    found = fold.fulfilment.of(row.ordered, row.columns, each or whole, row.taken_back)
    row.columns |= found.columns
    for item in row.items:
        item["fulfilment"] = found.lines[item["key"]]


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


def row_of(folder: Folder, folded: fold.Folded, customer: UUID | None) -> bulk.Row:
    """The transaction as it should be."""
    return {
        "id": folder.id,
        "merchant_id": folder.project.merchant_id,
        "project_id": folder.project.id,
        "connection_id": min(entry.connection_id for entry in folder.timeline),
        "provider": folder.provider,
        "customer_id": customer,
        "noted": folder.row is not None and folder.row.noted,
        "updated": timezone.now(),
    } | folded.columns


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
        Customer,
        ("project_id", "key"),
        dict.fromkeys(wanted.values(), customers.UNSEEN),
    )
    return {row: made[pair] for row, pair in wanted.items()}


def _tend_customers(
    rows: Sequence[tuple[bulk.Row, Transaction | None]],
    gone: Sequence[Sale],
    touched: set[UUID],
) -> None:
    """Brings the customers of the changed rows up to date, and of those they left."""
    had = {row.customer_id for row, _ in gone}
    had |= {before.customer_id for _, before in rows if before}
    have = {row["customer_id"] for row, _ in rows if row["id"] in touched}
    customers.refresh(have | (had - {row["customer_id"] for row, _ in rows}))


def _put_products(folders: Sequence[Folder], folded: dict[UUID, fold.Folded]) -> None:
    """Gives each item the product that it is a sale of, made where there is none."""
    named = [
        (item, (folder.project.id, folder.provider, product_key(item)))
        for folder in folders
        for item in folded[folder.id].items
    ]
    called: dict[tuple[Any, ...], str] = {}
    for item, product in named:
        called[product] = min(item["name"], called.get(product, item["name"]))
    found = _ensure(
        Product,
        ("project_id", "provider", "key"),
        {product: {"name": name} for product, name in called.items()},
    )
    for item, product in named:
        item["product_id"] = found[product]


def _rename(items: Iterable[dict[str, Any]]) -> None:
    """A product has the name under which it was sold last, in whatever order heard."""
    called: dict[UUID, set[str]] = {}
    for item in items:
        called.setdefault(item["product_id"], set()).add(item["name"])
    known = Product.objects.filter(pk__in=called).values_list("pk", "name")
    renamed = sorted(pk for pk, name in known if called[pk] != {name})
    if renamed:
        sold = LineItem.objects.filter(product=OuterRef("pk"))
        last = sold.order_by("-created", "name").values("name")[:1]
        Product.objects.filter(pk__in=renamed).update(name=Subquery(last))


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
    found = ids_of(model, unique, wanted)
    missing = sorted(wanted.keys() - found.keys())
    rows = {
        values: {"id": ids.new(), **dict(zip(unique, values, strict=True))}
        | wanted[values]
        for values in missing
    }
    if bulk.insert(model, list(rows.values()), ignore=True):
        return found | {values: row["id"] for values, row in rows.items()}
    return ids_of(model, unique, wanted)


def ids_of(
    model: type[Row], unique: tuple[str, ...], wanted: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], UUID]:
    """The rows with these unique values that exist: values -> id."""
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
def _before(folders: Sequence[Folder]) -> dict[UUID, Sale]:
    """The rows that were there already, with their items, as they were."""
    rows = {folder.id: folder.row for folder in folders if folder.row is not None}
    items: dict[UUID, list[LineItem]] = {id: [] for id in rows}
    if rows:
        for item in LineItem.objects.filter(transaction_id__in=rows):
            items[item.transaction_id].append(item)
    return {id: (row, items[id]) for id, row in rows.items()}


def _write_children(
    folders: Sequence[Folder],
    folded: dict[UUID, fold.Folded],
    before: dict[UUID, Sale],
    written: Written,
) -> None:
    for model, name, wanted in children(folders, folded):
        if model is LineItem:
            known: Iterable[Any] = [i for _, old in before.values() for i in old]
            _replace(model, name, wanted, known, written)
            _rename(wanted.values())
            continue
        known = model._default_manager.filter(transaction_id__in=before)
        id_of = _id_of_refund if model is Refund else _new_id
        _replace(model, name, wanted, known if before else (), written, id_of)


def children(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> Iterator[tuple[type[models.Model], str, Children]]:
    """What hangs on these transactions: of each kind, the column that tells those of
    one transaction apart, and (transaction, that column) -> the other columns."""
    yield (
        LineItem,
        "key",
        {
            (folder.id, item["key"]): _item(folder, folded[folder.id], item)
            for folder in folders
            for item in folded[folder.id].items
        },
    )
    yield (
        Refund,
        "key",
        {
            (folder.id, key): columns
            | _where(folder, folded[folder.id])
            | {"merchant_id": folder.project.merchant_id}
            for folder in folders
            for key, columns in folded[folder.id].refunds.items()
        },
    )
    yield (
        Dispute,
        "provider_id",
        {
            (folder.id, key): columns | _where(folder, folded[folder.id])
            for folder in folders
            for key, columns in folded[folder.id].disputes.items()
        },
    )
    yield (
        DeliveryItem,
        "provider_id",
        {
            (folder.id, key): columns
            for folder in folders
            for key, columns in folded[folder.id].delivery_items.items()
        },
    )


def _where(folder: Folder, folded: fold.Folded) -> dict[str, Any]:
    """Refunds and disputes carry whose they are, so that their lists need no other
    table."""
    return {
        "project_id": folder.project.id,
        "livemode": folded.columns["livemode"],
    }


def _id_of_refund(key: str, columns: dict[str, Any]) -> UUID:
    """Ours where we asked for it: who asked knows it already."""
    return UUID(key) if columns["asked"] else ids.new()


def _new_id(key: str, columns: dict[str, Any]) -> UUID:
    return ids.new()


def _item(folder: Folder, folded: fold.Folded, item: dict[str, Any]) -> dict[str, Any]:
    columns = {name: item[name] for name in item if name not in {"key", "product"}}
    return columns | {
        "project_id": folder.project.id,
        "created": folded.columns["created"],
    }


def _replace(
    model: type[Row],
    name: str,
    wanted: Children,
    old: Iterable[Any],
    written: Written,
    id_of: Callable[[str, dict[str, Any]], UUID] = _new_id,
) -> None:
    """Makes the children of some transactions, `old` ones, what they should be.

    `name` is the column that tells a transaction's children apart, `id_of` gives a new
    one its id.
    """
    found = {(child.transaction_id, getattr(child, name)): child for child in old}
    now: dict[tuple[UUID, str], Any] = {}
    changed: list[bulk.Row] = []
    for key in sorted(wanted):
        known, columns = found.get(key), wanted[key]
        if known is not None and all(
            getattr(known, column) == value for column, value in columns.items()
        ):
            now[key] = known
            continue
        id = known.pk if known is not None else id_of(key[1], columns)
        row = {"id": id, "transaction_id": key[0], name: key[1]} | columns
        now[key] = model(**row)
        changed.append(row)
        written.touched.add(key[0])
    gone = [key for key in found if key not in wanted]
    if changed:
        unique = ["transaction_id", name]
        update = [column for column in changed[0] if column not in {"id", *unique}]
        bulk.upsert(model, changed, unique=unique, update=update)
    if gone:
        model._default_manager.filter(pk__in=[found[key].pk for key in gone]).delete()
        written.touched |= {id for id, _ in gone}
    _keep(model, now, written)


def _keep(
    model: type[models.Model], now: Mapping[tuple[UUID, str], Any], written: Written
) -> None:
    """Notes the children as they are now, in the order in which a list has them."""
    order = attrgetter(*map(str, model._meta.ordering or ["pk"]))
    for child in sorted(now.values(), key=order):
        mine = written.children.setdefault(child.transaction_id, {})
        mine.setdefault(model, []).append(child)
