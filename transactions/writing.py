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
from transactions import customers, fold, fulfilment_rules, journal, totals
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
from transactions.statuses import DisputeStatus

Row = TypeVar("Row", bound=models.Model)

#: A transaction with its items, as they stand in the database.
Sale = tuple[Transaction, Sequence[LineItem]]

#: (transaction, what tells its children apart) -> columns.
Wanted = dict[tuple[UUID, str], dict[str, Any]]

#: What hangs on a transaction.
KINDS: tuple[type[models.Model], ...] = (LineItem, Refund, Dispute, DeliveryItem)
#: transaction -> its children by kind, each kind in its own order.
Children = dict[UUID, dict[type[models.Model], list[Any]]]

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

    `row` is None for a new one. `names`: its references, (kind, id), in the order in
    which they were entered; asked for when they are not given.
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
    """What the books hold now: the rows, their references and their children by kind in
    their own order; and which rows changed, and which of those are new.

    Rows and children are objects to read from, not to save.
    """

    touched: set[UUID] = field(default_factory=set)
    new: set[UUID] = field(default_factory=set)
    rows: dict[UUID, Any] = field(default_factory=dict)
    references: dict[UUID, list[tuple[str, str]]] = field(default_factory=dict)
    children: Children = field(default_factory=dict)


def children_of(ids: Iterable[UUID]) -> Children:
    """What hangs on these transactions.

    Grouped by hand: Django's prefetch makes a manager and a queryset for each row and
    kind, a tenth of a batch's time.
    """
    found: Children = {id: {kind: [] for kind in KINDS} for id in ids}
    for kind in KINDS if found else ():
        children: Any = kind._default_manager.filter(transaction__in=found)
        for child in children:
            found[child.transaction_id][kind].append(child)
    return found


def write(
    folders: Sequence[Folder],
    gone: Sequence[Sale] = (),
    known: Children | None = None,
) -> Written:
    """Folds and writes them in a few statements.

    `gone`: rows that were joined to one of these, as they were. `known`: the children
    of the old ones, where the caller has read them.
    """
    if not folders:
        return Written()
    if known is None:
        known = children_of(folder.id for folder in folders if folder.row)
    folders = sorted(folders, key=lambda folder: folder.id)
    folded = fold_all(folders)
    theirs, unheard = _customers(folders, folded)
    rows = [
        (row_of(folder, folded[folder.id], theirs.get(folder.id)), folder.row)
        for folder in folders
    ]
    new = [row for row, before in rows if before is None]
    changed = [row for row, before in rows if before and _differs(row, before)]
    before: dict[UUID, Sale] = {
        folder.id: (folder.row, known[folder.id][LineItem])
        for folder in folders
        if folder.row
    }
    bulk.insert(Transaction, new)
    bulk.upsert(Transaction, changed, unique=["id"], update=FOLDED)
    written = Written(
        touched={row["id"] for row in (*new, *changed)},
        new={row["id"] for row in new},
        rows={row["id"]: bulk.plain(row) for row, _ in rows},
        references={folder.id: folder.names for folder in folders},
    )
    _write_children(folders, folded, [known[id] for id in before], written)
    written.touched |= journal.keep(changes(folders, folded), before)
    after = [(row, folded[row["id"]].items) for row, _ in rows]
    totals.count(added=after, taken=[*before.values(), *gone])
    _tend_customers(rows, gone, written.touched, unheard)
    return written


def fold_all(folders: Sequence[Folder]) -> dict[UUID, fold.Folded]:
    """Each folder's timeline as a row and its children, with products and fulfilment.

    Makes the products that nobody has sold before.
    """
    _name(folders)
    folded = {
        folder.id: fold.transaction(folder.timeline, _best_first(folder))
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
def _name(folders: Sequence[Folder]) -> None:
    """Gives the folders the references that they came without."""
    old = {folder.id: folder.names for folder in folders if not folder.names}
    if old:
        known = ProviderReference.objects.filter(transaction__in=old).order_by("id")
        for row, *name in known.values_list("transaction_id", "kind", "reference"):
            old[row].append((name[0], name[1]))


def _best_first(folder: Folder) -> list[str]:
    """The provider's ids of the row, best kind first."""
    kinds = PROVIDERS[folder.provider].references

    def place(name: tuple[str, str]) -> tuple[int, str]:
        word = name[0].partition(".")[2]
        return kinds.index(word) if word in kinds else len(kinds), name[1]

    return [name[1] for name in sorted(folder.names, key=place)]


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


def _differs(row: bulk.Row, before: Transaction) -> bool:
    return any(
        row[name] != getattr(before, name) for name in FOLDED if name != "updated"
    )


# --------------------------------------------------------------- customers, products
def _customers(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> tuple[dict[UUID, UUID], set[UUID]]:
    """transaction -> customer, and the customers nobody had heard of before.

    Those have no purchases but these, so they are entered as they are.
    """
    bought: dict[tuple[Any, ...], list[UUID]] = {}
    for folder in folders:
        if key := folded[folder.id].customer_key:
            bought.setdefault((folder.project.id, key), []).append(folder.id)

    def columns(customer: tuple[Any, ...]) -> dict[str, Any]:
        theirs = [(id, folded[id]) for id in bought[customer]]
        return customers.of_rows(
            [bulk.plain({"id": id} | row.columns) for id, row in theirs],
            flagged=any(_is_lost(row) for _, row in theirs),
        )

    found, made = _ensure(Customer, ("project_id", "key"), bought, columns)
    return {id: found[key] for key, ids in bought.items() for id in ids}, made


def _is_lost(row: fold.Folded) -> bool:
    """Whether a lost dispute of the row flags its customer."""
    return any(
        dispute["status"] == DisputeStatus.LOST and dispute["cleared"] is None
        for dispute in row.disputes.values()
    )


def _tend_customers(
    rows: Sequence[tuple[bulk.Row, Transaction | None]],
    gone: Sequence[Sale],
    touched: set[UUID],
    unheard: set[UUID],
) -> None:
    """Brings the customers of the changed rows up to date, and of those they left.

    `unheard`: those who are up to date already.
    """
    had = {row.customer_id for row, _ in gone}
    had |= {before.customer_id for _, before in rows if before}
    have = {row["customer_id"] for row, _ in rows if row["id"] in touched}
    left = had - {row["customer_id"] for row, _ in rows}
    customers.refresh((have - unheard) | left)


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
    found, _made = _ensure(
        Product,
        ("project_id", "provider", "key"),
        called,
        lambda product: {"name": called[product]},
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
    wanted: Iterable[tuple[Any, ...]],
    columns: Callable[[tuple[Any, ...]], dict[str, Any]],
) -> tuple[dict[tuple[Any, ...], UUID], set[UUID]]:
    """Rows with these unique values, and which of them nobody else had made.

    Those that are missing are made, in one order for all; `columns` gives what else
    they need.
    """
    wanted = set(wanted)
    found = ids_of(model, unique, wanted)
    made = {values: ids.new() for values in sorted(wanted - found.keys())}
    rows = [
        {"id": id, **dict(zip(unique, values, strict=True))} | columns(values)
        for values, id in made.items()
    ]
    if not bulk.insert(model, rows, ignore=True):
        found = ids_of(model, unique, wanted)
        made = {values: id for values, id in made.items() if found[values] == id}
    return found | made, set(made.values())


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
def _write_children(
    folders: Sequence[Folder],
    folded: dict[UUID, fold.Folded],
    known: Sequence[Mapping[type[models.Model], list[Any]]],
    written: Written,
) -> None:
    for model, name, wanted in children(folders, folded):
        old = [child for mine in known for child in mine[model]]
        id_of = _id_of_refund if model is Refund else _new_id
        _replace(model, name, wanted, old, written, id_of)
        if model is LineItem:
            _rename(wanted.values())


def children(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> Iterator[tuple[type[models.Model], str, Wanted]]:
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
            (folder.id, key): columns | _whose(folder, folded[folder.id])
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


def changes(
    folders: Sequence[Folder], folded: dict[UUID, fold.Folded]
) -> journal.Changes:
    """The balance changes of these transactions."""
    return {
        (folder.id, key): columns | _whose(folder, folded[folder.id])
        for folder in folders
        for key, columns in folded[folder.id].changes.items()
    }


def _whose(folder: Folder, folded: fold.Folded) -> dict[str, Any]:
    return _where(folder, folded) | {"merchant_id": folder.project.merchant_id}


def _where(folder: Folder, folded: fold.Folded) -> dict[str, Any]:
    """What hangs on a purchase carries whose it is, so that lists of it need no other
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
    model: type[models.Model],
    name: str,
    wanted: Wanted,
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
    new: list[bulk.Row] = []
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
        now[key] = bulk.plain(row)
        (new if key[0] in written.new else changed).append(row)
        written.touched.add(key[0])
    gone = [key for key in found if key not in wanted]
    bulk.insert(model, new)
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
