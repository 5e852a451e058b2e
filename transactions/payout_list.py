"""The list of payouts: which of them a query asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from transactions import by_state
from transactions import filter_values as values
from transactions.by_state import ALL, ByState, Tab
from transactions.directory import Field
from transactions.models import Payout
from transactions.statuses import PayoutStatus

S = PayoutStatus


class PayoutFilter(ByState):
    """Of the payouts that the member may see, those of one mode, state and shop."""

    model = Payout
    tabs: ClassVar[by_state.Tabs] = {
        "on_the_way": Tab(
            _("On the way"), (Q(status=S.CREATED), Q(status=S.PENDING)), counted=True
        ),
        "paid": Tab(_("Paid"), (Q(status=S.PAID),)),
        "failed": Tab(_("Failed"), (Q(status=S.FAILED), Q(status=S.CANCELED))),
        ALL: Tab(_("All")),
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **by_state.fields(tabs),
        "status": Field(
            _("Status"),
            values.one_of(PayoutStatus.values),
            lambda word: PayoutStatus(word).label,
            True,
        ),
    }
    lookups: ClassVar[Mapping[str, str]] = {**ByState.lookups, "status": "status__in"}
