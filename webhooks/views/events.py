"""Events for developers: what was announced, in whose words, and to whom it went."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from webhooks import paging
from webhooks.models import Event
from webhooks.record import rendering, told
from webhooks.record.event_filters import EventFilter
from webhooks.views import listing
from webhooks.views.deliveries import member_of

LIST = "webhooks:events"


@require_safe
@may("view_deliveries")
def events(request: HttpRequest) -> HttpResponse:
    asked = EventFilter(request.GET, member_of(request))

    def more(page: paging.Page) -> dict[str, Any]:
        return {
            "event": listing.ticks(asked, "event", _("Event")),
            "transaction": asked.typed("transaction"),
            "kept": asked.kept("project", "livemode"),
            "several_projects": len(asked.shops) > 1,
        }

    return listing.answer(
        request,
        asked,
        view=LIST,
        folder="events",
        counted=lambda number: ngettext("%s event", "%s events", number),
        more=more,
    )


@require_safe
@may("view_deliveries")
def event(request: HttpRequest, key: str) -> HttpResponse:
    return show(request, find(member_of(request), key))


def find(member: Member, key: str) -> Event:
    """Raises Http404 where the member has none of that name."""
    found = told.find_event(member, key)
    if found is None:
        raise Http404
    return found


def show(
    request: HttpRequest, row: Event, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    """The page of one event; `trouble`: why nothing came of what was asked."""
    chosen = request.GET.get("as", "")
    tabs = [
        {"name": name, "label": label, "current": name == chosen}
        for name, label in rendering.known_dialects()
    ]
    in_dialect = any(tab["current"] for tab in tabs)
    context = {
        "event": row,
        "tabs": tabs,
        "in_dialect": in_dialect,
        "body": rendering.body(row, chosen) if in_dialect else _kept(row),
        "deliveries": told.deliveries_of(row),
        "trouble": trouble,
        "endpoints": _endpoints(request, row),
    }
    return render(request, "webhooks/events/event.html", context, status=status)


def _kept(row: Event) -> bytes | None:
    """What the event's row holds, from which every dialect is made."""
    return (
        None
        if not row.payload
        else json.dumps(row.payload, ensure_ascii=False).encode()
    )


def _endpoints(request: HttpRequest, row: Event) -> list[Any]:
    """Where it may be sent by hand; none for who may not."""
    if not role_may(member_of(request).role, "resend"):
        return []
    return told.listed_endpoints([row.project])
