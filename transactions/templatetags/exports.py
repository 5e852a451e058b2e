"""Template words of exports: what became ready since the member last looked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django import template
from django.db import DatabaseError
from django.http import HttpRequest

from merchant.access import may
from merchant.models import Member
from transactions.models import Export
from transactions.views import export_button
from transactions.views.awaited import AWAITED

register = template.Library()

#: Of more than this nobody reads the names.
MOST_TOLD = 3
#: What a session remembers of what was told.
TOLD = "exports_told"


@register.simple_tag(takes_context=True)
def new_exports(context: dict[str, Any]) -> int:
    """How many of the member's exports came to their end and were not looked at."""
    return len(_unseen(context.get("request")))


@register.inclusion_tag("transactions/exports/_news.html", takes_context=True)
def export_news(context: dict[str, Any]) -> dict[str, Any]:
    """A note on the next page after an export came to its end; once for each."""
    request = context.get("request")
    unseen = _unseen(request)
    if not unseen or request is None:
        return {"fresh": []}
    told = request.session.get(TOLD, [])
    fresh = [export for export in unseen if str(export.pk) not in told]
    if fresh:
        request.session[TOLD] = [str(export.pk) for export in unseen]
    return {"fresh": fresh[:MOST_TOLD]}


@register.simple_tag(takes_context=True)
def exporting(context: dict[str, Any], listing: str, query: str) -> str:
    """The dialog that exports this list as it is asked for; "" for who may not. For
    pages below the ledger, which do not know it."""
    member: Member | None = context.get("member")
    if member is None:
        return ""
    pairs = parse_qsl(query)
    mode = {"true": True, "false": False}.get(dict(pairs).get("livemode", ""))
    return export_button.address(member, listing, pairs, mode)


def _unseen(request: HttpRequest | None) -> list[Export]:
    """Those that are over. Looked for once per page, and only in a session that waits
    for one; nothing where nobody is known, or the database is away."""
    member: Member | None = getattr(request, "member", None)
    if request is None or member is None or not request.session.get(AWAITED):
        return []
    if not hasattr(request, "_unseen_exports"):
        request._unseen_exports = _looked_for(request, member)  # type: ignore[attr-defined]
    return request._unseen_exports  # type: ignore[attr-defined]


def _looked_for(request: HttpRequest, member: Member) -> list[Export]:
    if not may(member.role, "export"):
        return []
    rows = Export.objects.filter(member=member, seen=False).order_by("-id")
    try:
        found = list(rows[:20])
    except DatabaseError:
        return []
    if not found:
        del request.session[AWAITED]
    return [export for export in found if not export.is_under_way]
