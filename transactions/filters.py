"""One filter for the page, the API and exports: what a query asks, and its rows."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from merchant.brackets import gather
from merchant.models import Member, Project
from merchant.selectors import held_projects, projects_of
from transactions import search, selectors
from transactions.filter_fields import FIELDS, ROOTS
from transactions.filter_values import Scope, zone_named
from transactions.models import Transaction

#: A list is not taken apart into more strands than this.
MOST_STRANDS = 12
MOST_VALUES = 50


class Chip(NamedTuple):
    """One value of the filter as the page shows it; `without` is the query less it."""

    name: str
    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Given:
    """One value that the query gave: as it was typed, and what it means."""

    name: str
    typed: str
    meaning: Any

    @property
    def shown(self) -> str:
        show = FIELDS[self.name].show
        return self.typed if show is None else show(self.meaning)


class TransactionFilter:
    """What a query string asks of somebody's transactions.

    `errors` holds a sentence for each parameter that cannot be understood; while there
    is one, there are no rows: half a filter would show what nobody asked for.
    `livemode` is what a query without it means; None is test and live.
    """

    def __init__(
        self,
        query: QueryDict,
        *,
        rows: QuerySet[Transaction],
        scope: Scope,
        held: Sequence[UUID] = (),
        livemode: bool | None = None,
    ) -> None:
        self._all = rows
        self._held = held
        self._assumed = livemode
        self.errors: dict[str, str] = {}
        self._given: list[Given] = []
        typed = self._sort(query)
        # First, since it says in which time zone a day starts.
        projects = self._read("project", typed.pop("project", []), scope)
        self.scope = scope.within([given.meaning for given in projects])
        for name, texts in typed.items():
            self._read(name, texts, self.scope)
        self.scope = self.scope.between(
            self.meaning("created[gte]"), self.meaning("created[lt]")
        )

    @classmethod
    def of_member(
        cls, member: Member, query: QueryDict, livemode: bool | None = None
    ) -> TransactionFilter:
        """Over everything that the member may see; days start in the member's zone,
        or in the project's where there is only one."""
        projects = list(projects_of(member))
        scope = Scope(projects, zone_named(member.user.time_zone)).within(
            projects if len(projects) == 1 else []
        )
        return cls(
            query,
            rows=selectors.visible_to(member),
            scope=scope,
            held=held_projects(member),
            livemode=livemode,
        )

    @classmethod
    def of_project(cls, project: Project, query: QueryDict) -> TransactionFilter:
        """Over one project, as its API keys see it."""
        return cls(
            query,
            rows=selectors.of_project(project),
            scope=Scope([project], zone_named(project.time_zone)),
        )

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

    def typed(self, name: str) -> list[str]:
        """The values of a parameter as they were typed, for a form."""
        return [given.typed for given in self._given if given.name == name]

    def meaning(self, name: str) -> Any:
        """What the parameter's first value means; None when it was not given."""
        found = (given.meaning for given in self._given if given.name == name)
        return next(found, None)

    def clean_query(self, *, less: Given | None = None) -> str:
        """The query string in one spelling: known names in order, nothing empty."""
        kept = [(g.name, g.typed) for g in self.given if g is not less]
        return urlencode(kept)

    def chips(self) -> list[Chip]:
        """Every value, each with the query that would be left without it."""
        return [
            Chip(
                given.name,
                FIELDS[given.name].label,
                given.shown,
                self.clean_query(less=given),
            )
            for given in self.given
        ]

    def described(self) -> str:
        """The filter in words: "Status: Paid, Refunded; Product: Iron Sword"."""
        words: dict[str, list[str]] = {}
        for given in self.given:
            words.setdefault(FIELDS[given.name].label, []).append(given.shown)
        parts = (f"{label}: {', '.join(shown)}" for label, shown in words.items())
        return "; ".join(parts) or "Everything"

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
        if self.errors or (self._found is not None and self._found.is_short):
            return [self.rows]
        ways = dict(self._ways())
        while prod(map(len, ways.values())) > MOST_STRANDS:
            ways.popitem()
        rows = self._narrowed(except_for=ways)
        if self._found is not None:
            rows = rows.filter(self._found.condition)
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

    @cached_property
    def _narrowings(self) -> dict[str, Q]:
        """What each name that was given asks of a row; some ask the database first."""
        wanted: dict[str, list[Any]] = {}
        for given in self._given:
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
        return search.find(self._narrowed(except_for=()), words, self.scope)

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


def _allowed(name: str) -> str:
    root = name.partition("[")[0]
    return "use " + " or ".join(n for n in FIELDS if n.partition("[")[0] == root)
