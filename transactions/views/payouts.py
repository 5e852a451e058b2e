"""Payouts: the list of what providers send to the merchant, and the page of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant.access import may as role_may
from merchant.models import Member
from merchant.providers import CHOICES as PROVIDERS
from merchant.selectors import projects_of
from merchant.templatetags.show import spoken
from merchant.views.guard import may
from transactions import paging
from transactions.models import Payout
from transactions.payout_list import PayoutFilter
from transactions.views import directories, story

PAYOUTS = directories.Directory(
    "payouts", lambda n: ngettext("%s payout", "%s payouts", n), PayoutFilter
)
#: What a provider tells besides, and what people call it.
DETAILS = {
    "payee": _("Payee"),
    "reference": _("Your reference"),
    "purpose": _("Purpose"),
    "description": _("Description"),
    "destination": _("Destination"),
    "speed": _("Speed"),
    "reconciliation": _("Reconciliation"),
    "trace": _("Reference at the bank"),
    "account": _("Account"),
    "warning": _("Warning"),
}
#: Of these, those that are code words.
_SPOKEN = ("speed", "reconciliation")


@require_safe
@may("view_transactions")
def payouts(request: HttpRequest) -> HttpResponse:
    return directories.show(request, PAYOUTS, _shown)


@require_safe
@may("view_transactions")
def payout(request: HttpRequest, id: UUID) -> HttpResponse:
    """What is known of it, what happened to it, and the letters that said so."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = get_object_or_404(
        Payout.objects.select_related("project", "connection"),
        pk=id,
        project__in=projects_of(member),
    )
    sees_inbound = role_may(member.role, "view_inbound")
    whole = request.GET.get("show") == "all"
    mode = "true" if found.livemode else "false"
    context = {
        "payout": found,
        "details": list(_details(found)),
        "story": story.of(found, whole=whole, letters=sees_inbound),
        "sees_inbound": sees_inbound,
        "back_url": f"{reverse('transactions:payouts')}?livemode={mode}",
        "mode": "live" if found.livemode else "test",
    }
    return render(request, "transactions/payouts/page.html", context)


def _shown(
    asked: PayoutFilter, page: paging.Page, address: directories.Address
) -> dict[str, Any]:
    rows: list[Any] = page.rows
    prefetch_related_objects(rows, "connection", "project")
    return {
        "rows": rows,
        "ticked": [directories.ticked(asked, "provider", PROVIDERS)],
        **directories.by_state(asked, address),
    }


def _details(payout: Payout) -> Iterator[tuple[Any, str]]:
    for name, label in DETAILS.items():
        if told := payout.details.get(name):
            yield label, spoken(told) if name in _SPOKEN else str(told)
