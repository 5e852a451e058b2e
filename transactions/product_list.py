"""The list of products by name: what is sold, how much of it, by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from merchant.models import Project
from merchant.providers import CHOICES as PROVIDERS
from transactions import filter_values as values
from transactions import fulfilment_rules, search, side_by_side
from transactions.directory import COMMON, Asked, Field
from transactions.fulfilment_rules import OF_PROJECT, Rule
from transactions.models import (
    FulfilmentRule,
    LineItem,
    Product,
    ProductTotal,
    Transaction,
)
from transactions.paging import NEWER, OLDER, Counted
from transactions.statuses import FulfilmentStatus

SIZE = 25
#: The index for parts of names; PostgreSQL has it if it has pg_trgm.
INDEX_OF_PARTS = "product_name_part"
#: "Sold lately" is today and the days before it, as UTC counts them.
LATELY = timedelta(days=29)
#: Of each product, so many waiting lines are looked at.
MOST_WAITING = 100
#: More products that were sold under one sku than this are not looked for.
MOST_OF_SKU = 500

_WORDS = dict(PROVIDERS)
_FIRST = "SELECT id FROM {rows} AS firsts ORDER BY name%s, id%s LIMIT %d"
_WAITING = (
    "SELECT w.product_id, COUNT(*), COUNT(t.id) FROM {rows} AS w"
    f" LEFT JOIN {Transaction._meta.db_table} AS t ON t.id = w.transaction_id"
    " AND t.livemode = %s AND t.parked = %s GROUP BY w.product_id"
)


class ProductFilter(Asked):
    """The products of the member's projects; figures are those of the mode shown."""

    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON,
        "provider": Field(
            "Provider", values.one_of(list(_WORDS)), lambda slug: _WORDS[slug], True
        ),
        "rule": Field(
            "Handed over",
            values.one_of([str(rule) for rule in OF_PROJECT]),
            lambda rule: Rule(rule).label,
            True,
        ),
    }

    @cached_property
    def rules(self) -> dict[UUID, str]:
        """project -> the rule for what has none of its own."""
        return fulfilment_rules.of_projects(self.projects)

    @cached_property
    def strands(self) -> list[QuerySet[Product]]:
        """The rows in parts that an index holds by name: it begins with the project."""
        if self.errors:
            return []
        rows = Product.objects.all()
        if providers := self.meanings("provider"):
            rows = rows.filter(provider__in=providers)
        if self._found is not None:
            rows = rows.filter(self._found.condition)
        return [self._by_rule(rows.filter(project=shop), shop) for shop in self.shops]

    def _by_rule(self, rows: QuerySet[Product], shop: Project) -> QuerySet[Product]:
        wanted = self.meanings("rule")
        if not wanted:
            return rows
        rows = rows.annotate(own=fulfilment_rules.own_rule())
        if self.rules[shop.pk] in wanted:
            return rows.filter(Q(own=None) | Q(own__in=[*wanted, Rule.PROJECT]))
        # Few have a rule of their own: by those, not by walking all products.
        said = FulfilmentRule.objects.filter(project=shop, rule__in=wanted)
        named = said.exclude(product=None).values("product")
        return rows.filter(pk__in=named, own__in=wanted)

    @cached_property
    def _found(self) -> search.Found | None:
        words = self.meaning("q")
        if words is None:
            return None
        mine = Product.objects.filter(project__in=self.shops)
        sold = LineItem.objects.filter(project__in=self.shops, sku=words)
        by_sku = sold.values_list("product_id", flat=True)[:MOST_OF_SKU]
        exact = Q(key=words) | Q(pk__in=list(dict.fromkeys(by_sku)))
        if id := values.as_uuid(words):
            exact |= Q(pk=id)
        ids = set(mine.filter(exact).values_list("pk", flat=True))
        probe, walk = search.parts_of(words, ("name",), INDEX_OF_PARTS)
        some = set(mine.filter(probe).values_list("pk", flat=True)[: search.FEW + 1])
        if len(some) > search.FEW:
            return search.Found(frozenset(ids), walk)
        return search.Found(frozenset(ids | some), Q())

    def count_up_to(self, most: int) -> Counted:
        """How many products; stops counting above `most`."""
        seen = 0
        for strand in self.strands:
            seen += strand.order_by()[: most + 1 - seen].count()
            if seen > most:
                return Counted(most, more=True)
        return Counted(seen, more=False)


# ------------------------------------------------------------------------------ pages
@dataclass(frozen=True, slots=True)
class Page:
    """`rows` by name; the cursors of what stands before and after them, if anything.

    A cursor is a product's id: where that stands is its place in the list.
    """

    rows: Sequence[Product]
    before: str = ""
    after: str = ""


def browse(asked: ProductFilter, query: Mapping[str, str]) -> Page:
    """The page that an address of ours asks for; the first for a cursor of nobody."""
    for name, forwards in ((NEWER, False), (OLDER, True)):
        place = _place(asked, query.get(name, ""))
        if place is not None:
            ids = _beside(asked, place, forwards)
            if len(ids) == SIZE or (forwards and ids):
                return _page(asked, ids if forwards else ids[::-1])
    return _page(asked, _beside(asked, None, True))


def _place(asked: ProductFilter, cursor: str) -> Product | None:
    id = values.as_uuid(cursor)
    if id is None:
        return None
    return Product.objects.filter(pk=id, project__in=asked.projects).first()


def _page(asked: ProductFilter, ids: Sequence[UUID]) -> Page:
    found = Product.objects.select_related("project").annotate(
        own=fulfilment_rules.own_rule()
    )
    known = found.in_bulk(ids)
    rows = [known[id] for id in ids if id in known]
    if not rows:
        return Page(rows)
    first, last = rows[0], rows[-1]
    return Page(
        rows,
        str(first.pk) if _any(asked, _beyond(first, forwards=False)) else "",
        str(last.pk) if _any(asked, _beyond(last, forwards=True)) else "",
    )


def _any(asked: ProductFilter, beyond: Q) -> bool:
    return any(strand.filter(beyond).exists() for strand in asked.strands)


def _beside(asked: ProductFilter, place: Product | None, forwards: bool) -> list[UUID]:
    """The ids of the next ones. The database merges the projects: it alone knows in
    which order it puts names."""
    beyond = Q() if place is None else _beyond(place, forwards=forwards)
    order, way = (("name", "id"), "") if forwards else (("-name", "-id"), " DESC")
    parts = [
        strand.filter(beyond).order_by(*order).values("id", "name")[:SIZE]
        for strand in asked.strands
    ]
    found = side_by_side.ask(parts, _FIRST % (way, way, SIZE))
    return [UUID(str(id)) for (id,) in found]


def _beyond(place: Product, *, forwards: bool) -> Q:
    # Written so that the index starts at the place, as in transactions.paging.
    word = "gt" if forwards else "lt"
    further = Q(**{f"name__{word}": place.name}) | Q(**{f"id__{word}": place.pk})
    return Q(**{f"name__{word}e": place.name}) & further


# ---------------------------------------------------------------------------- figures
@dataclass(slots=True)
class Figures:
    """Of one product: pieces sold lately and, per currency, for how much; how many
    lines wait to be handed over."""

    quantity: int = 0
    gross: list[tuple[str, int]] = field(default_factory=list)
    waiting: Counted = field(default_factory=lambda: Counted(0, more=False))


def figures(products: Sequence[Product], *, livemode: bool) -> dict[UUID, Figures]:
    """product -> its figures, in two queries however much was sold."""
    found = {product.pk: Figures() for product in products}
    for id, currency, quantity, gross in _sold_lately(list(found), livemode):
        found[id].quantity += quantity
        found[id].gross.append((currency, gross))
    for id, counted in _waiting(list(found), livemode):
        found[id].waiting = counted
    return found


def _sold_lately(
    products: Sequence[UUID], livemode: bool
) -> Iterator[tuple[UUID, str, int, int]]:
    since = timezone.now().date() - LATELY
    lines = ProductTotal.objects.filter(
        product__in=products, livemode=livemode, day__gte=since
    )
    sums = lines.values_list("product", "currency").annotate(
        pieces=Sum("quantity"), money=Sum("gross")
    )
    for id, currency, pieces, money in sums.order_by("-money", "currency"):
        if pieces or money:
            yield id, currency, pieces, money


def _waiting(
    products: Sequence[UUID], livemode: bool
) -> Iterator[tuple[UUID, Counted]]:
    """Bounded by the lines looked at, since they do not say whether they are tests."""
    waits = LineItem.objects.filter(fulfilment=FulfilmentStatus.WAITING)
    newest = waits.order_by("-transaction_id").values("product_id", "transaction_id")
    found = side_by_side.of_each(
        products,
        lambda id: newest.filter(product_id=id)[: MOST_WAITING + 1],
        _WAITING,
        [livemode, False],
    )
    for id, looked, of_mode in found:
        cut = looked > MOST_WAITING
        yield UUID(str(id)), Counted(min(of_mode, MOST_WAITING), more=cut)
