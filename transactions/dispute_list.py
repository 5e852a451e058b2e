"""The list of disputes: which of them a query asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchant.templatetags.show import spoken
from transactions import by_state, nearest, paging
from transactions import filter_values as values
from transactions.by_state import ALL, OfPurchases, Tab
from transactions.directory import Field
from transactions.models import Dispute
from transactions.statuses import DisputeStatus

#: Reasons are those of so many newest disputes of each project.
LOOKED_AT = 500

NEEDS_RESPONSE = "needs_response"
OPEN = DisputeStatus.OPEN


class DisputeFilter(OfPurchases):
    """Of the disputes that the member may see, those of one mode, state and shop."""

    model = Dispute
    tabs: ClassVar[by_state.Tabs] = {
        NEEDS_RESPONSE: Tab(
            _("Needs response"), (Q(status=OPEN, in_review=False),), counted=True
        ),
        "under_review": Tab(_("Under review"), (Q(status=OPEN, in_review=True),)),
        "won": Tab(_("Won"), (Q(status=DisputeStatus.WON),)),
        "lost": Tab(_("Lost"), (Q(status=DisputeStatus.LOST),)),
        ALL: Tab(_("All")),
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **by_state.fields(tabs, (_("Opened from"), _("Opened before"))),
        "status": Field(
            _("Status"),
            values.one_of(DisputeStatus.values),
            lambda word: DisputeStatus(word).label,
            True,
        ),
        "reason": Field(_("Reason"), values.plain_text, spoken, True, splits=False),
    }
    lookups: ClassVar[Mapping[str, str]] = {
        **OfPurchases.lookups,
        "status": "status__in",
        "reason": "reason__in",
    }

    @property
    def order(self) -> paging.Order:  # type: ignore[override]
        """What was opened first has to be answered first."""
        return paging.OLDEST if self.state == NEEDS_RESPONSE else paging.NEWEST

    def reasons(self) -> list[str]:
        """Those that can be asked for: of the newest disputes, and what is asked."""
        newest = Dispute.objects.filter(livemode=bool(self.livemode)).order_by(
            "-created", "-id"
        )
        parts = [
            newest.filter(project=shop).values_list("reason", flat=True)[:LOOKED_AT]
            for shop in self.shops
        ]
        found = set(nearest.together(parts)) | set(self.typed("reason"))
        return sorted(filter(None, found), key=str.casefold)
