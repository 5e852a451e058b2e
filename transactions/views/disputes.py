"""Disputes: the list of chargebacks and inquiries, those to answer first of all."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant.providers import CHOICES as PROVIDERS
from merchant.templatetags.show import spoken
from merchant.views.guard import may
from transactions import paging
from transactions.dispute_list import DisputeFilter
from transactions.views import directories

DISPUTES = directories.Directory(
    "disputes", lambda n: ngettext("%s dispute", "%s disputes", n), DisputeFilter
)


@require_safe
@may("view_transactions")
def disputes(request: HttpRequest) -> HttpResponse:
    return directories.show(request, DISPUTES, _shown)


def _shown(
    asked: DisputeFilter, page: paging.Page, address: directories.Address
) -> dict[str, Any]:
    rows: list[Any] = page.rows
    prefetch_related_objects(rows, "transaction__connection", "project")
    reasons = [(reason, spoken(reason)) for reason in asked.reasons()]
    return {
        "rows": rows,
        "now": timezone.now(),
        "ticked": [
            directories.ticked(asked, "provider", PROVIDERS),
            directories.ticked(asked, "reason", reasons),
        ],
        **directories.by_state(asked, address),
    }
