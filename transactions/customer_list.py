"""The list of customers: who bought, who did so last first, by what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet

from merchant.templatetags.show import country
from transactions import filter_values as values
from transactions import search
from transactions.directory import COMMON, Asked, Field
from transactions.models import Customer

SEARCHED = ("email", "name")
#: The index for parts of them; PostgreSQL has it if it has pg_trgm.
INDEX_OF_PARTS = "cu_email_part"


class CustomerFilter(Asked):
    """Of the customers of the member's projects, those who bought in the mode shown."""

    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON,
        "country": Field("Country", values.country, country, True),
        "flagged": Field(
            "Flagged", values.yes_or_no(), lambda yes: "Yes" if yes else "No"
        ),
    }

    @property
    def latest(self) -> str:
        """The column that says when somebody last bought."""
        return "latest_live" if self.livemode else "latest_test"

    @cached_property
    def strands(self) -> list[QuerySet[Customer]]:
        """The rows, each with `created` for paging, in parts that an index holds in
        order: the indexes begin with the project."""
        if self.errors:
            return []
        rows = self._rows.annotate(created=F(self.latest))
        if self._found is not None:
            rows = rows.filter(self._found.condition)
            if self._found.is_short:
                return [rows.filter(project__in=self.shops)]
        return [rows.filter(project=shop) for shop in self.shops]

    @property
    def walks(self) -> bool:
        """Whether a search found so much that its rows are met by walking the list."""
        return self._found is not None and not self._found.is_short

    @cached_property
    def _rows(self) -> QuerySet[Customer]:
        rows = Customer.objects.filter(**{f"{self.latest}__isnull": False})
        if countries := self.meanings("country"):
            rows = rows.filter(country__in=countries)
        flagged = self.meaning("flagged")
        return rows if flagged is None else rows.filter(flagged=flagged)

    @cached_property
    def _found(self) -> search.Found | None:
        words = self.meaning("q")
        if words is None:
            return None
        mine = self._rows.filter(project__in=self.shops)
        named: dict[str, Any] = {"key__in": {words, words.lower()}}
        exact = Q(**named)
        if id := values.as_uuid(words):
            exact |= Q(pk=id)
        ids = set(mine.filter(exact).values_list("pk", flat=True))
        probe, walk = search.parts_of(words, SEARCHED, INDEX_OF_PARTS)
        some = set(mine.filter(probe).values_list("pk", flat=True)[: search.FEW + 1])
        if len(some) > search.FEW:
            return search.Found(frozenset(ids), walk)
        return search.Found(frozenset(ids | some), Q())
