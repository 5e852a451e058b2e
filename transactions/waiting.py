"""The queue: what waits to be handed over, the oldest first, and by which filters.

`project` and `product` narrow it; a product means a purchase of which a line of just
that product waits. Test and live are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from merchant.models import Member, Project
from merchant.selectors import held_projects, projects_of
from transactions import paging, selectors
from transactions.models import LineItem, Product, Transaction
from transactions.statuses import FulfilmentStatus

#: So many rows are a page.
SIZE = 25
#: More waiting ones than this are not counted.
MOST_COUNTED = 1000
#: Counting those of a product costs more, since no index holds them together.
MOST_OF_PRODUCT = 200
#: Of more projects than this the queue is one strand.
MOST_STRANDS = 12
#: So many products are offered to filter by.
MOST_PRODUCTS = 100

WAITS = FulfilmentStatus.WAITING
#: What may stand in the queue's address beside the cursors.
NAMES = ("project", "product", "livemode")


class Wrong(ValueError):
    """The filter cannot be read; `str()` is a sentence for staff."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A queue as it was asked for: of which projects and products, test or live."""

    member: Member
    livemode: bool
    projects: Sequence[Project] = ()
    products: Sequence[str] = ()
    product_ids: frozenset[UUID] = field(default_factory=frozenset)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.projects or self.products)

    def query(self, **change: str | Sequence[str] | None) -> str:
        """The query string in its cleanest spelling, with some names changed."""
        wanted: dict[str, object] = {
            "project": [project.slug for project in self.projects],
            "product": list(self.products),
            "livemode": "true" if self.livemode else "false",
        }
        pairs = {name: told for name, told in (wanted | change).items() if told}
        return urlencode(pairs, doseq=True)

    @property
    def strands(self) -> list[QuerySet[Transaction]]:
        """All that waits, in parts that do not meet, see transactions.paging: one for
        each project that is asked for, since an index holds each of them in order."""
        rows = selectors.visible_to(self.member).filter(
            livemode=self.livemode, fulfilment=WAITS
        )
        if self.products:
            rows = rows.filter(self._of_products())
        projects = [project.pk for project in self.projects]
        projects = projects or held_projects(self.member)
        if len(projects) > MOST_STRANDS:
            return [rows.filter(project__in=projects)]
        return [rows.filter(project=project) for project in projects] or [rows]

    def _of_products(self) -> Exists:
        lines = LineItem.objects.filter(
            transaction=OuterRef("pk"), product__in=self.product_ids, fulfilment=WAITS
        )
        return Exists(lines)

    def page(self, cursors: Mapping[str, str]) -> paging.Page:
        """The oldest, or what a cursor of ours points at. Raises paging.WrongCursor."""
        return paging.browse(self.strands, cursors, SIZE, paging.OLDEST)

    def counted(self) -> paging.Counted:
        """How many wait; no further than can be counted at once."""
        most = MOST_OF_PRODUCT if self.products else MOST_COUNTED
        return paging.count_up_to(self.strands, most)


class Choice(NamedTuple):
    """A value to filter by, and the address of the queue with it, or without."""

    label: str
    query: str
    current: bool


def read(member: Member, query: QueryDict, *, livemode: bool) -> Asked:
    """What an address asks for; `livemode` where it does not say. Raises Wrong."""
    projects = _projects(member, _texts(query, "project"))
    products = _texts(query, "product")
    return Asked(
        member,
        _mode(query, livemode),
        projects,
        products,
        frozenset(_product_ids(member, products)),
    )


def products_of(asked: Asked) -> list[str]:
    """The names of the products that something waits of, in their order."""
    lines = LineItem.objects.filter(product=OuterRef("pk"), fulfilment=WAITS)
    projects = asked.projects or projects_of(asked.member)
    found = Product.objects.filter(Exists(lines), project__in=projects).order_by("name")
    names = found.values_list("name", flat=True)[:MOST_PRODUCTS]
    return sorted({*names, *asked.products}, key=str.casefold)


def _texts(query: QueryDict, name: str) -> list[str]:
    texts = (text.replace("\x00", "") for text in query.getlist(name))
    return list(dict.fromkeys(text for text in texts if text))


def _projects(member: Member, wanted: Sequence[str]) -> list[Project]:
    wanted = [part for text in wanted for part in text.split(",") if part]
    if not wanted:
        return []
    known = {
        name: project
        for project in projects_of(member)
        for name in (project.slug, str(project.pk))
    }
    missing = next((text for text in wanted if text not in known), "")
    if missing:
        raise Wrong(_("There is no project called %s.") % missing[:80])
    return list(dict.fromkeys(known[text] for text in wanted))


def _product_ids(member: Member, names: Sequence[str]) -> QuerySet[Product, UUID]:
    mine = Product.objects.filter(project__in=projects_of(member))
    if not names:
        return mine.none().values_list("pk", flat=True)
    return mine.filter(name__in=names).values_list("pk", flat=True)


def _mode(query: QueryDict, usual: bool) -> bool:
    text = query.get("livemode", "")
    if text not in {"", "true", "false"}:
        raise Wrong(_("livemode is true or false."))
    return text == "true" if text else usual
