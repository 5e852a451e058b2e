"""Connections: which there are, how each stands, and what to click at its provider."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import connections
from merchant.access import may as role_may
from merchant.models import Connection, Member
from merchant.providers import PROVIDERS
from merchant.providers.connecting import URL
from merchant.views.guard import may
from webhooks import hearing, selectors
from webhooks.hearing import Standing, State

LIST, ONE = "webhooks:connections", "webhooks:connection"


@require_safe
@may("manage_connections")
def browse(request: HttpRequest) -> HttpResponse:
    member = member_of(request)
    found = hearing.all_of(member)
    context = {
        "open": [one for one in found if one.state != State.CLOSED],
        "closed": [one for one in found if one.state == State.CLOSED],
        "public_url": settings.PUBLIC_URL,
    }
    return render(request, "webhooks/connections/list.html", context)


@require_safe
@may("manage_connections")
def page(request: HttpRequest, id: UUID) -> HttpResponse:
    connection = found(request, id)
    standing = hearing.of(connection, member_of(request))
    provider = PROVIDERS[connection.provider]
    context = {
        **heard_context(standing),
        "intake_url": intake_url(connection),
        "setup": provider.setup,
        "steps": _steps(connection),
        "live": connections.live_secrets(connection),
        "takes_token": provider.setup.asked("user_token"),
        "brands": provider.setup.asked("brand_ids"),
        "account": provider.setup.asked("account"),
        "may_see_projects": role_may(member_of(request).role, "manage_projects"),
    }
    return render(request, "webhooks/connections/page.html", context)


@require_safe
@may("manage_connections")
def heard(request: HttpRequest, id: UUID) -> HttpResponse:
    """Whether an event has come: what the page asks while it waits for the first."""
    standing = hearing.of(found(request, id), member_of(request))
    context = heard_context(standing) | {"just_now": standing.heard is not None}
    return render(request, "webhooks/connections/_heard.html", context)


# --------------------------------------------------------------- shared by the pages
def member_of(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined, no-any-return]


def found(request: HttpRequest, id: UUID, *, open: bool = False) -> Connection:
    """The connection if the member may see it; `open`: and it is not closed."""
    connection = selectors.find_connection(member_of(request), id)
    if connection is None or (open and connection.closed):
        raise Http404
    return connection


def intake_url(connection: Connection) -> str:
    return f"{settings.PUBLIC_URL}{connection.intake_path}"


def heard_context(standing: Standing) -> dict[str, Any]:
    return {"standing": standing, "connection": standing.connection}


def _steps(connection: Connection) -> list[dict[str, Any]]:
    """The provider's steps with this connection's own address in them."""
    url = intake_url(connection)
    return [
        {
            "words": step.words,
            "code": step.code.replace(URL, url),
            "names": "\n".join(step.names),
            "count": len(step.names),
            "unfold": step.unfold,
        }
        for step in PROVIDERS[connection.provider].setup.steps
    ]
