"""Lists of money that has a state: which rows a query asks for, in parts that an index
holds in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from merchant.providers import PROVIDERS
from merchant.templatetags.show import short_time
from transactions import filter_values as values
from transactions.directory import COMMON, Asked, Field
from transactions.filters import TransactionFilter

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: A search may find so many purchases.
MOST_FOUND = 200
#: A list is not taken apart into more strands than this.
MOST_STRANDS = 24
CREATED = (_("Created from"), _("Created before"))
#: The tab of all of them.
ALL = "all"


@dataclass(frozen=True, slots=True)
class Tab:
    """`parts`: the conditions that make it up and do not meet, none where it is all of
    them; `counted` where work waits."""

    label: StrOrPromise
    parts: tuple[Q, ...] = ()
    counted: bool = False


Tabs = Mapping[str, Tab]


def edge(when: datetime) -> str:
    """A moment in words: the day alone where it is the start of one."""
    local = timezone.localtime(when)
    is_day = local.time() == time.min
    return f"{local.day} {local:%b %Y}" if is_day else short_time(when)


def fields(
    tabs: Tabs, dates: tuple[StrOrPromise, StrOrPromise] = CREATED
) -> dict[str, Field]:
    """What each of these lists can be asked; `dates`: the words of its two dates."""
    since, until = dates
    return {
        **COMMON,
        "provider": Field(
            _("Provider"),
            values.one_of(list(PROVIDERS)),
            lambda name: PROVIDERS[name].name,
            True,
        ),
        "state": Field(
            _("State"),
            values.one_of(list(tabs)),
            lambda name: tabs[name].label,
            is_chip=False,
        ),
        "currency": Field(_("Currency"), values.currency, str.upper, True),
        "amount[gte]": _amount(_("Amount from")),
        "amount[lte]": _amount(_("Amount up to")),
        "created[gte]": Field(since, values.moment, edge),
        "created[lt]": Field(until, values.moment, edge),
    }


def _amount(label: StrOrPromise) -> Field:
    words = "{:,} minor units".format
    return Field(label, values.minor_units, words, is_amount=True)


class ByState(Asked):
    """Of the rows that somebody may see, those of one mode, state and shop."""

    model: ClassVar[type[Model]]
    tabs: ClassVar[Tabs]
    #: Name of the query -> lookup; those with several values look among them.
    lookups: ClassVar[Mapping[str, str]] = {
        "provider": "provider__in",
        "currency": "currency__in",
        "amount[gte]": "amount__gte",
        "amount[lte]": "amount__lte",
        "created[gte]": "created__gte",
        "created[lt]": "created__lt",
    }

    @property
    def state(self) -> str:
        return self.meaning("state") or ALL

    @cached_property
    def strands(self) -> list[QuerySet[Any]]:
        return self.strands_of(self.state)

    def strands_of(self, state: str) -> list[QuerySet[Any]]:
        """The rows in that state, in parts that do not meet."""
        if self.errors or self.found is None:
            return []
        parts = [
            rows.filter(part)
            for rows in self.narrowed(self.model._default_manager.all())
            for part in self.tabs[state].parts or (Q(),)
        ]
        if len(self.shops) * len(parts) > MOST_STRANDS:
            return [rows.filter(project__in=self.shops) for rows in parts]
        return [rows.filter(project=shop) for shop in self.shops for rows in parts]

    def narrowed(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        """Those rows that everything but state and project leaves in, by mode."""
        rows = rows.filter(self.found or Q())
        for name, lookup in self.lookups.items():
            wanted = self.meanings(name)
            if wanted:
                asked = wanted if self.fields[name].several else wanted[0]
                rows = rows.filter(**{lookup: asked})
        modes = (True, False) if self.livemode is None else (self.livemode,)
        return [rows.filter(livemode=mode) for mode in modes]

    @cached_property
    def found(self) -> Q | None:
        """What the words find; None where that is too much, `errors` says so."""
        words = self.meaning("q")
        return Q() if words is None else self.find(words)

    def find(self, words: str) -> Q | None:
        """By its own id or its provider's."""
        named = Q(provider_id=words)
        if id := values.as_uuid(words):
            named |= Q(pk=id)
        seen = self.model._default_manager.filter(project__in=self.shops)
        ids = seen.filter(named).values_list("pk", flat=True)[:MOST_FOUND]
        return Q(pk__in=list(ids))


class OfPurchases(ByState):
    """Rows that hang on purchases: what finds a purchase finds them."""

    lookups: ClassVar[Mapping[str, str]] = {
        **ByState.lookups,
        "provider": "transaction__provider__in",
    }

    def find(self, words: str) -> Q | None:
        query = QueryDict(mutable=True)
        query["q"] = words
        sales = TransactionFilter.of(self.eyes, query, livemode=self.livemode)
        mine = self.model._default_manager.filter(transaction=OuterRef("pk"))
        rows = sales.rows.filter(Exists(mine)).order_by()
        found = list(rows.values_list("pk", flat=True)[: MOST_FOUND + 1])
        if len(found) > MOST_FOUND:
            self.errors["q"] = _now("q finds too many purchases: write more of it.")
            return None
        own = super().find(words)
        return Q(transaction__in=found) | (own or Q())
