"""What a query asks of the lists beside the transactions: customers, refunds, ..."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Project
from merchant.selectors import projects_of
from merchant.templatetags.show import money_text
from transactions import filter_values as values
from transactions import paging
from transactions.filter_values import Eyes, Scope

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Values that one name may have.
MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class Field:
    """One name of the query; `show` says its meaning in words, None: as typed."""

    label: StrOrPromise
    read: values.Reader
    show: Callable[[Any], StrOrPromise] | None = None
    several: bool = False
    is_chip: bool = True
    splits: bool = True  # several at commas
    is_amount: bool = False  # shown in the currency that is asked for, if it is one


class Given(NamedTuple):
    """A value as it was typed, and what it means."""

    name: str
    typed: str
    meaning: Any


#: What every one of these lists can be asked.
COMMON: Mapping[str, Field] = {
    "q": Field(_("Search"), values.plain_text),
    "project": Field(_("Project"), values.project, lambda shop: shop.name, True),
    "livemode": Field(_("Mode"), values.yes_or_no("live", "test"), None, is_chip=False),
}


class Asked:
    """A query as it was read. While one of its values cannot be, `errors` says why,
    name by name, and there are no rows."""

    fields: ClassVar[Mapping[str, Field]] = COMMON

    #: How its rows stand.
    order: paging.Order = paging.NEWEST

    def __init__(self, eyes: Eyes, query: QueryDict, *, livemode: bool | None) -> None:
        """`livemode`: what a query means that does not say; None is test and live."""
        self.eyes = eyes
        self.projects: list[Project] = (
            [eyes] if isinstance(eyes, Project) else list(projects_of(eyes))
        )
        self.scope = Scope.of(eyes, self.projects)
        self.errors: dict[str, str] = {}
        self.given: list[Given] = []
        self._assumed = livemode
        roots = {name.partition("[")[0] for name in self.fields}
        for name, texts in query.lists():
            is_ours = name in self.fields or name.partition("[")[0] not in roots
            if any(texts) and not is_ours:
                shown = name[:40]
                self.errors[shown] = f"{shown} is no filter of this list."
        for name, field in self.fields.items():
            self._read(name, field, query.getlist(name))
            if name == "project":
                # It says where a day starts, so it comes before any day.
                self.scope = self.scope.within(self.meanings(name))

    @property
    def livemode(self) -> bool | None:
        """The mode that is looked at; None is both."""
        asked = self.meaning("livemode")
        return self._assumed if asked is None else bool(asked)

    @cached_property
    def shops(self) -> list[Project]:
        """The projects that are looked at."""
        return self.meanings("project") or self.projects

    @property
    def currency(self) -> str:
        """The one currency that is asked for, else ""."""
        asked = self.meanings("currency")
        return asked[0] if len(asked) == 1 else ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked but test or live."""
        return bool(self.errors) or any(self.fields[g.name].is_chip for g in self.given)

    def typed(self, name: str) -> list[str]:
        return [given.typed for given in self.given if given.name == name]

    def meanings(self, name: str) -> list[Any]:
        return [given.meaning for given in self.given if given.name == name]

    def meaning(self, name: str) -> Any:
        """The first value's; None where it was not asked."""
        return next(iter(self.meanings(name)), None)

    def pairs(
        self, *, less: Given | None = None, without: Container[str] = ()
    ) -> list[tuple[str, str]]:
        """The query as (name, text), names in their order."""
        return [
            (given.name, given.typed)
            for given in self.given
            if given is not less and given.name not in without
        ]

    def chips(
        self, address: Callable[[list[tuple[str, str]]], str]
    ) -> list[dict[str, Any]]:
        """Every value in words, with the list without it."""
        return [
            {
                "label": self.fields[given.name].label,
                "value": self.shown(given),
                "url": address(self.pairs(less=given)),
            }
            for given in self.given
            if self.fields[given.name].is_chip
        ]

    def shown(self, given: Given) -> Any:
        """A value in words."""
        field = self.fields[given.name]
        if field.is_amount and self.currency:
            return money_text(given.meaning, self.currency)
        return given.typed if field.show is None else field.show(given.meaning)

    def _read(self, name: str, field: Field, texts: list[str]) -> None:
        if field.several and field.splits:
            texts = [part for text in texts for part in text.split(",")]
        texts = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
        if len(texts) > (most := MOST_VALUES if field.several else 1):
            self.errors[name] = f"{name} takes at most {most}."
            return
        try:
            read = [Given(name, text, field.read(text, self.scope)) for text in texts]
        except ValueError as error:
            self.errors[name] = f"{name} {error}."
            return
        self.given += read
