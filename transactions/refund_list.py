"""The list of refunds: which of them a query asks for, in parts an index holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.providers import PROVIDERS
from merchant.selectors import held_projects
from merchant.templatetags.show import short_time
from transactions import filter_values as values
from transactions import paging, refunds
from transactions.directory import COMMON, Asked, Field
from transactions.filters import TransactionFilter
from transactions.models import Refund
from transactions.statuses import RefundStatus

S = RefundStatus

#: The tabs: name -> (label, the states in it); none is all of them.
STATES: Mapping[str, tuple[Any, tuple[RefundStatus, ...]]] = {
    "to_approve": (_("To approve"), (S.AWAITING_APPROVAL,)),
    "under_way": (
        _("Under way"),
        (
            S.REQUESTED,
            S.APPROVED,
            S.SUBMITTED,
            S.UNKNOWN,
            S.PENDING,
            S.REQUIRES_ACTION,
        ),
    ),
    "succeeded": (_("Succeeded"), (S.SUCCEEDED,)),
    "failed": (_("Failed"), (S.FAILED,)),
    "stopped": (_("Stopped"), (S.CANCELED, S.DECLINED, S.EXPIRED)),
    "all": (_("All"), ()),
}
#: Where work waits, it is counted.
COUNTED = ("to_approve", "under_way")
#: A search may find so many purchases that have refunds.
MOST_FOUND = 200
#: Of more projects than this a list is one strand.
MOST_STRANDS = 12


class RefundFilter(Asked):
    """Of the refunds that the member may see, those of one mode, state and shop."""

    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON,
        "provider": Field(
            _("Provider"),
            values.one_of(list(PROVIDERS)),
            lambda name: PROVIDERS[name].name,
            True,
        ),
        "state": Field(_("State"), values.one_of(list(STATES)), is_chip=False),
        "created[gte]": Field(_("Created from"), values.moment, short_time),
        "created[lt]": Field(_("Created before"), values.moment, short_time),
    }

    @property
    def state(self) -> str:
        return self.meaning("state") or "all"

    @property
    def order(self) -> paging.Order:
        """What waits is seen to in the order in which it was asked."""
        return paging.OLDEST if self.state == "to_approve" else paging.NEWEST

    @cached_property
    def strands(self) -> list[QuerySet[Refund]]:
        return self.strands_of(self.state)

    def strands_of(self, state: str) -> list[QuerySet[Refund]]:
        """The rows in that state, in parts that do not meet."""
        if self.errors or self._found is None:
            return []
        rows = refunds.visible_to(self.member).filter(self._found)
        rows = rows.filter(livemode=self.livemode)
        if providers := self.meanings("provider"):
            rows = rows.filter(transaction__provider__in=providers)
        if since := self.meaning("created[gte]"):
            rows = rows.filter(created__gte=since)
        if until := self.meaning("created[lt]"):
            rows = rows.filter(created__lt=until)
        chosen = [shop.pk for shop in self.meanings("project")]
        states = STATES[state][1]
        if states:
            if chosen:
                rows = rows.filter(project__in=chosen)
            return [rows.filter(status=status) for status in states]
        projects = chosen or held_projects(self.member)
        if not projects:
            return [rows]
        if len(projects) > MOST_STRANDS:
            return [rows.filter(project__in=projects)]
        return [rows.filter(project=project) for project in projects]

    @cached_property
    def _found(self) -> Q | None:
        """What the words find; None where that is too much, `errors` says so."""
        words = self.meaning("q")
        if words is None:
            return Q()
        query = QueryDict(mutable=True)
        query["q"] = words
        sales = TransactionFilter.of_member(self.member, query, livemode=self.livemode)
        given_back = Exists(Refund.objects.filter(transaction=OuterRef("pk")))
        rows = sales.rows.filter(given_back).order_by()
        found = list(rows.values_list("pk", flat=True)[: MOST_FOUND + 1])
        if len(found) > MOST_FOUND:
            self.errors["q"] = str(_("q finds too many purchases: write more of it."))
            return None
        named = Q(provider_id=words)
        if id := values.as_uuid(words):
            named |= Q(pk=id)
        seen = refunds.visible_to(self.member)
        ids = list(seen.filter(named).values_list("pk", flat=True)[:MOST_FOUND])
        return Q(transaction__in=found) | Q(pk__in=ids)
