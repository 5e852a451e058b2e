"""One filter for the page, the API and exports: what a query asks, and its rows."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product
from math import prod
from operator import and_
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from merchant.brackets import gather
from merchant.models import Member, Project
from merchant.selectors import held_projects, projects_of
from merchant.templatetags.show import money_text
from transactions import paging, search, selectors
from transactions.filter_fields import FIELDS, ROOTS, products_called
from transactions.filter_values import Eyes, Scope, as_uuid, zone_named
from transactions.fold import LATE
from transactions.models import Customer, Product, Transaction
from transactions.paging import Order
from transactions.statuses import DisputeStatus

#: A list is not taken apart into more strands than this.
MOST_STRANDS = 12
#: Names that may leave very few rows, and whose indexes do not go by time.
SPARSE = frozenset({"amount[gte]", "amount[lte]", "dispute"})
#: Names without which the others mean the same as with them.
STANDS_ALONE = frozenset({"status"})
MOST_VALUES = 50


class Chip(NamedTuple):
    """One value of the filter as the page shows it; `without` is the query less it."""

    name: str
    label: str
    value: str
    without: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Given:
    """One value that the query gave: as it was typed, and what it means."""

    name: str
    typed: str
    meaning: Any

    def shown(self, currency: str = "") -> str:
        """The value in words; amounts as money where one `currency` is asked for."""
        field = FIELDS[self.name]
        if field.is_amount and currency:
            return money_text(self.meaning, currency)
        return self.typed if field.show is None else field.show(self.meaning)


class TransactionFilter:
    """What a query string asks of somebody's transactions.

    `errors` holds a sentence for each parameter that cannot be understood; while there
    is one, there are no rows: half a filter would show what nobody asked for.
    `livemode` is what a query without it means; None is test and live. `fixed` is what
    a page always asks, such as its customer: nobody can take it away, and no query can
    ask for another.
    """

    def __init__(
        self,
        query: QueryDict,
        *,
        rows: QuerySet[Transaction],
        scope: Scope,
        held: Sequence[UUID] = (),
        livemode: bool | None = None,
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        self._all = rows
        self._held = held
        self._assumed = livemode
        self.errors: dict[str, str] = {}
        self._given: list[Given] = []
        self._fixed: list[Given] = []
        #: The projects that may be asked for.
        self.projects = scope.projects
        typed = self._sort(query)
        for name in fixed or {}:
            typed.pop(name, None)
        # First, since it says in which time zone a day starts.
        chosen = self._read("project", typed.pop("project", []), scope)
        self.scope = scope.within([given.meaning for given in chosen])
        for name, texts in typed.items():
            self._read(name, texts, self.scope)
        self.scope = self.scope.between(
            self.meaning("created[gte]"), self.meaning("created[lt]")
        )
        self._fixed = [
            Given(name, text, FIELDS[name].read(text, self.scope))
            for name, text in (fixed or {}).items()
        ]
        self._wanted_order = query.get("sort", "")

    @classmethod
    def of(
        cls, eyes: Eyes, query: QueryDict, livemode: bool | None = None
    ) -> TransactionFilter:
        """Over everything that the member, or an API key of the project, may see."""
        if isinstance(eyes, Project):
            return cls.of_project(eyes, query)
        return cls.of_member(eyes, query, livemode=livemode)

    @classmethod
    def of_member(
        cls,
        member: Member,
        query: QueryDict,
        livemode: bool | None = None,
        fixed: Mapping[str, str] | None = None,
    ) -> TransactionFilter:
        """Over everything that the member may see; days start in the member's zone, or
        for who has none in the project's where it is one."""
        projects = list(projects_of(member))
        return cls(
            query,
            rows=selectors.visible_to(member),
            scope=Scope.of_member(member, projects),
            held=held_projects(member),
            livemode=livemode,
            fixed=fixed,
        )

    @classmethod
    def of_project(cls, project: Project, query: QueryDict) -> TransactionFilter:
        """Over one project, as its API keys see it."""
        return cls(
            query,
            rows=selectors.of_project(project),
            scope=Scope([project], zone_named(project.time_zone)),
        )

    def less(self, name: str) -> TransactionFilter:
        """The same filter without what it asks by this name."""
        other = copy(self)
        other._given = [given for given in self._given if given.name != name]
        for worked_out, how in vars(TransactionFilter).items():
            if isinstance(how, cached_property):
                other.__dict__.pop(worked_out, None)
        if name in STANDS_ALONE and not self.errors and not self._fixed:
            left = {n: q for n, q in self._narrowings.items() if n != name}
            other.__dict__["_narrowings"] = left
            other.__dict__["products"] = self.products
        return other

    # ---------------------------------------------------------------- what was asked
    @property
    def given(self) -> list[Given]:
        """The values in the order of the names."""
        order = list(FIELDS)
        return sorted(self._given, key=lambda given: order.index(given.name))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked, apart from test or live."""
        return not self.errors and all(g.name == "livemode" for g in self._given)

    @property
    def livemode(self) -> bool | None:
        """The mode that is looked at; None is both."""
        asked = self.meaning("livemode")
        return self._assumed if asked is None else asked

    @property
    def fixed(self) -> list[tuple[str, str]]:
        """What the page always asks, as (name, text)."""
        return [(given.name, given.typed) for given in self._fixed]

    @property
    def currency(self) -> str:
        """The currency that is asked for, where it is one; else ""."""
        asked = {given.meaning for given in self._given if given.name == "currency"}
        return asked.pop() if len(asked) == 1 else ""

    @property
    def orders(self) -> dict[str, Order]:
        """The orders that an index gives; by amount only within one currency."""
        by_amount = (paging.LARGEST, paging.SMALLEST) if self.currency else ()
        found = (paging.NEWEST, paging.OLDEST, *by_amount, paging.BY_STATUS)
        return {order.name: order for order in found}

    @property
    def order(self) -> Order:
        """The order asked for; newest first where there is none, or not that one."""
        return self.orders.get(self._wanted_order, paging.NEWEST)

    def typed(self, name: str) -> list[str]:
        """The values of a parameter as they were typed, for a form."""
        return [given.typed for given in self._given if given.name == name]

    def meaning(self, name: str) -> Any:
        """What the parameter's first value means; None when it was not given."""
        found = (given.meaning for given in self._given if given.name == name)
        return next(found, None)

    def clean_query(self) -> str:
        """The query string in one spelling: known names in order, nothing empty."""
        return urlencode(self.pairs())

    def pairs(
        self, *, less: Given | None = None, without: Container[str] = ()
    ) -> list[tuple[str, str]]:
        """The query as (name, text): the names in order, then the list's order."""
        kept = [
            (given.name, given.typed)
            for given in self.given
            if given is not less and given.name not in without
        ]
        if self.order is not paging.NEWEST and "sort" not in without:
            kept.append(("sort", self.order.name))
        return kept

    def chips(self) -> list[Chip]:
        """Every value, each with the query that would be left without it."""
        return [
            Chip(
                given.name,
                FIELDS[given.name].label,
                self._shown(given),
                self.pairs(less=given),
            )
            for given in self.given
        ]

    def described(self) -> str:
        """The filter in words: "Status: Paid, Refunded; Product: Iron Sword"."""
        words: dict[str, list[str]] = {}
        for given in self.given:
            label = FIELDS[given.name].label
            words.setdefault(label, []).append(self._shown(given))
        parts = (f"{label}: {', '.join(shown)}" for label, shown in words.items())
        return "; ".join(parts) or "Everything"

    @property
    def walks(self) -> bool:
        """Whether so much was found that its rows are met by walking the list."""
        return any(found and not found.is_short for found in (self._found, self._few))

    @property
    def met(self) -> int:
        """Of search.LOOKED_AT rows that are walked, how many are met, about."""
        walked = [f.met for f in (self._found, self._few) if f and not f.is_short]
        return min(walked, default=search.LOOKED_AT)

    @cached_property
    def products(self) -> list[UUID]:
        """The products that are asked for, with all their namesakes."""
        wanted = [
            g.meaning for g in (*self._given, *self._fixed) if g.name == "product"
        ]
        return [id for name in wanted for id in products_called(name, self.scope)]

    @cached_property
    def id_hit(self) -> Transaction | None:
        """The one transaction that the search names by an id, if it does."""
        words = self.meaning("q")
        return None if words is None else search.hit(self._all, words, self.scope)

    def _shown(self, given: Given) -> str:
        return self._called.get(given.typed) or given.shown(self.currency)

    @cached_property
    def _called(self) -> dict[str, str]:
        """What the customers and products are called that were named by our id."""
        found: dict[str, str] = {}
        for name, model in (("customer", Customer), ("product", Product)):
            ids = [as_uuid(given.typed) for given in self._given if given.name == name]
            if any(ids):
                rows = model._default_manager.filter(
                    pk__in=[id for id in ids if id],
                    project_id__in=[project.pk for project in self.projects],
                )
                found |= {str(row.pk): _name_of(row) for row in rows}
        return found

    # ------------------------------------------------------------------------- rows
    @cached_property
    def rows(self) -> QuerySet[Transaction]:
        """The transactions asked for, in no order."""
        rows = self._narrowed(except_for=())
        return rows if self._found is None else rows.filter(self._found.condition)

    @cached_property
    def strands(self) -> list[QuerySet[Transaction]]:
        """The same rows in parts that do not meet, for transactions.paging.

        No index holds test and live rows, or those of several statuses, in one order
        by time; it holds each of them so. A page is merged from their beginnings.
        """
        if self._found is None:
            return self._strands
        if self._found.is_short:
            return [self.rows]
        return [rows.filter(self._found.condition) for rows in self._strands]

    @cached_property
    def _strands(self) -> list[QuerySet[Transaction]]:
        """The same before the search."""
        if self._few is not None and self._few.is_short:
            rows = self._narrowed(except_for=self._sparse)
            return [rows.filter(self._few.condition)]
        return self._apart(except_for=())

    def _apart(self, except_for: Container[str]) -> list[QuerySet[Transaction]]:
        if self.errors:
            return [self._all.none()]
        ways = {name: way for name, way in self._ways() if name not in except_for}
        while prod(map(len, ways.values())) > MOST_STRANDS:
            ways.popitem()
        left = {*ways, *(name for name in self._narrowings if name in except_for)}
        rows = self._narrowed(except_for=left)
        return [rows.filter(*strand) for strand in product(*ways.values())]

    def _ways(self) -> Iterator[tuple[str, list[Q]]]:
        """The names along which the rows are taken apart, the best first."""
        if self.livemode is None:
            yield "livemode", [Q(livemode=live) for live in (True, False)]
        statuses = [given.meaning for given in self._given if given.name == "status"]
        if len(statuses) > 1:
            yield "status", [Q(status=status) for status in dict.fromkeys(statuses)]
        projects = [g.meaning.pk for g in self._given if g.name == "project"]
        projects = list(dict.fromkeys(projects or self._held))
        if len(projects) > 1:
            yield "project", [Q(project_id=project) for project in projects]
        if payment := self._paid_between():
            yield "paid", payment

    def _paid_between(self) -> list[Q]:
        """By date of payment in a list by date of creation, and both by its index.

        What is not paid late was created at most fold.LATE before; what is, is rare and
        has an index of its own.
        """
        since, until = self.meaning("paid[gte]"), self.meaning("paid[lt]")
        if not (since or until):
            return []
        soon, late = Q(paid_late=False), Q(paid_late=True)
        if since:
            soon &= Q(created__gte=since - LATE)
        if until:
            soon &= Q(created__lt=until)
            late &= Q(created__lt=until)
        return [soon, late]

    @cached_property
    def _narrowings(self) -> dict[str, Q]:
        """What each name that was given asks of a row; some ask the database first."""
        wanted: dict[str, list[Any]] = {}
        for given in (*self._given, *self._fixed):
            wanted.setdefault(given.name, []).append(given.meaning)
        if self._assumed is not None:
            wanted.setdefault("livemode", [self._assumed])
        return {
            name: FIELDS[name].narrow(meanings, self.scope)
            for name, meanings in wanted.items()
        }

    @cached_property
    def _found(self) -> search.Found | None:
        words = self.meaning("q")
        if words is None or self.errors:
            return None
        rows = self._narrowed(except_for=())
        if self._few is not None and self._few.is_short:
            rows = rows.filter(self._few.condition)
            return search.find(rows, words, self.scope, sample=None)
        return search.find(rows, words, self.scope, sample=self._strands[0])

    @cached_property
    def _few(self) -> search.Found | None:
        """What is asked that no index gives in the order of time, and may be rare."""
        if self.errors or not self._sparse:
            return None
        asked = reduce(and_, (self._narrowings[name] for name in self._sparse))
        rows = self._narrowed(except_for=self._sparse)
        sample = self._apart(except_for=self._sparse)[0]
        return search.gather(rows, sample, [(asked, asked)], {})

    @cached_property
    def _sparse(self) -> list[str]:
        """The names of that kind that are asked."""
        names = [name for name in self._narrowings if name in SPARSE]
        disputes = {given.meaning for given in self._given if given.name == "dispute"}
        if disputes == {DisputeStatus.LOST}:
            names.remove("dispute")  # it is a status
        return names

    def _narrowed(self, except_for: Container[str]) -> QuerySet[Transaction]:
        """All but what the search box asks."""
        if self.errors:
            return self._all.none()
        asked = (q for name, q in self._narrowings.items() if name not in except_for)
        return self._all.filter(*asked)

    # ---------------------------------------------------------------------- reading
    def _sort(self, query: QueryDict) -> dict[str, list[str]]:
        """name -> texts, of the names that are ours."""
        typed: dict[str, list[str]] = {}
        for name, texts in gather(query.lists()).items():
            if name in FIELDS:
                typed[name] = texts
            elif name.partition("[")[0] in ROOTS and any(texts):
                shown = name[:40]
                self.errors[shown] = f"{shown} is not known; {_allowed(name)}."
        return typed

    def _read(self, name: str, texts: list[str], scope: Scope) -> list[Given]:
        field = FIELDS[name]
        if field.splits:
            texts = [part for text in texts for part in text.split(",")]
        texts = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
        if len(texts) > (most := MOST_VALUES if field.several else 1):
            values = "one value" if most == 1 else f"{most} values"
            self.errors[name] = f"{name} takes at most {values}."
            return []
        try:
            read = [Given(name, text, field.read(text, scope)) for text in texts]
        except ValueError as error:
            self.errors[name] = f"{name} {error}."
            return []
        self._given += read
        return read


def _name_of(row: Customer | Product) -> str:
    if isinstance(row, Customer):
        return row.name or row.email or row.key
    return row.name


def _allowed(name: str) -> str:
    root = name.partition("[")[0]
    return "use " + " or ".join(n for n in FIELDS if n.partition("[")[0] == root)
