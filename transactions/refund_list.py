"""The list of refunds: which of them a query asks for, in parts an index holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from merchant.models import Project
from merchant.selectors import held_projects
from transactions import by_state, paging, refunds
from transactions.by_state import ALL, OfPurchases, Tab
from transactions.directory import Field
from transactions.models import Refund
from transactions.statuses import RefundStatus

S = RefundStatus

TO_APPROVE = "to_approve"
#: Of more projects than this a list is one strand.
MOST_STRANDS = 12


def _in(*statuses: RefundStatus) -> tuple[Q, ...]:
    return tuple(Q(status=status) for status in statuses)


class RefundFilter(OfPurchases):
    """Of the refunds that the member may see, those of one mode, state and shop."""

    model = Refund
    tabs: ClassVar[by_state.Tabs] = {
        TO_APPROVE: Tab(_("To approve"), _in(S.AWAITING_APPROVAL), counted=True),
        "under_way": Tab(
            _("Under way"),
            _in(
                S.REQUESTED,
                S.APPROVED,
                S.SUBMITTED,
                S.UNKNOWN,
                S.PENDING,
                S.REQUIRES_ACTION,
            ),
            counted=True,
        ),
        "succeeded": Tab(_("Succeeded"), _in(S.SUCCEEDED)),
        "failed": Tab(_("Failed"), _in(S.FAILED)),
        "stopped": Tab(_("Stopped"), _in(S.CANCELED, S.DECLINED, S.EXPIRED)),
        ALL: Tab(_("All")),
    }
    fields: ClassVar[Mapping[str, Field]] = by_state.fields(tabs)

    @property
    def order(self) -> paging.Order:  # type: ignore[override]
        """What waits is seen to in the order in which it was asked."""
        return paging.OLDEST if self.state == TO_APPROVE else paging.NEWEST

    def strands_of(self, state: str) -> list[QuerySet[Any]]:
        """The indexes of states begin with the merchant, that of all with a project."""
        if self.errors or self.found is None:
            return []
        if isinstance(self.eyes, Project):
            seen, held = refunds.of_project(self.eyes), [self.eyes.pk]
        else:
            seen, held = refunds.visible_to(self.eyes), held_projects(self.eyes)
        modes = self.narrowed(seen)
        chosen = [shop.pk for shop in self.meanings("project")]
        if parts := self.tabs[state].parts:
            if chosen:
                modes = [rows.filter(project__in=chosen) for rows in modes]
            return [rows.filter(part) for rows in modes for part in parts]
        projects = chosen or held
        if not projects:
            return modes
        if len(projects) > MOST_STRANDS:
            return [rows.filter(project__in=projects) for rows in modes]
        return [rows.filter(project=project) for rows in modes for project in projects]
