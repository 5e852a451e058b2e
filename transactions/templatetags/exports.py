"""Template words of exports: what became ready since the member last looked."""

from __future__ import annotations

from typing import Any

from django import template
from django.db import DatabaseError
from django.http import HttpRequest

from merchant.access import may
from merchant.models import Member
from transactions.models import Export

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


def _unseen(request: HttpRequest | None) -> list[Export]:
    """Asked for once per page; nothing where nobody is known, or the database away."""
    member: Member | None = getattr(request, "member", None)
    if request is None or member is None or not may(member.role, "export"):
        return []
    if not hasattr(request, "_unseen_exports"):
        rows = Export.objects.filter(member=member, seen=False)
        over = (Export.State.READY, Export.State.FAILED)
        try:
            found = list(rows.filter(state__in=over).order_by("-finished")[:10])
        except DatabaseError:
            found = []
        request._unseen_exports = found  # type: ignore[attr-defined]
    return request._unseen_exports  # type: ignore[attr-defined]
