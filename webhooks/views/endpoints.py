"""Webhook endpoints of a member's projects: the list, and one of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from webhooks import custom_headers, endpoints, secrets, signing_keys
from webhooks.catalogue import TEST
from webhooks.endpoints import at_a_glance, listing
from webhooks.endpoints.listing import STATES, EndpointList
from webhooks.models import Delivery, Endpoint
from webhooks.views import deliveries
from webhooks.views.locked import says_when_locked

LIST, ONE = "webhooks:endpoints", "webhooks:endpoint"
#: Deliveries on the page of an endpoint; the others stand on the page of deliveries.
MOST_RECENT = 10
#: The pages of one endpoint: name, view, words.
TABS = (
    ("endpoint", ONE, gettext_lazy("Overview")),
    ("edit", "webhooks:edit_endpoint", gettext_lazy("Settings")),
    ("code", "webhooks:receiver_code", gettext_lazy("Code")),
    ("check", "webhooks:check_handler", gettext_lazy("Check my handler")),
)
#: How long an old secret may stay valid beside a new one: hours, words.
OVERLAPS = (
    (0, gettext_lazy("not at all: it leaked")),
    (1, gettext_lazy("1 hour")),
    (24, gettext_lazy("24 hours")),
    (72, gettext_lazy("3 days")),
    (168, gettext_lazy("7 days")),
)
#: Where the session keeps which endpoint's secret the next look shows, and why. The
#: secret itself is never there.
SHOWN = "endpoint_secret"


@require_safe
@may("manage_endpoints")
def browse(request: HttpRequest) -> HttpResponse:
    asked = EndpointList(member_of(request), request.GET)
    page = asked.page()
    response = htmx.answer(
        request,
        page="webhooks/endpoints/list.html",
        partial="webhooks/endpoints/_results.html",
        context=_list_context(request, asked, page),
        status=422 if asked.errors else 200,
    )
    if not htmx.is_partial(request):
        return response
    cursors = {name: request.GET.get(name, "") for name in ("after", "before")}
    return push_url(response, asked.address(reverse(LIST), **cursors))


def _list_context(
    request: HttpRequest, asked: EndpointList, page: listing.Page
) -> dict[str, Any]:
    url = reverse(LIST)
    now = timezone.now()
    number = len(page.rows)
    words = ngettext("%d endpoint", "%d endpoints", number) % number
    kept = asked.pairs(without="state")
    return {
        "rows": at_a_glance.of_all(page.rows, now),
        "errors": asked.errors,
        "clear_url": url,
        "is_narrowed": asked.is_narrowed,
        "has_projects": projects_of(member_of(request)).exists(),
        "may_add_project": role_may(member_of(request).role, "manage_projects"),
        "several_projects": len({row.project_id for row in page.rows}) > 1,
        "tabs": [
            {
                "label": label,
                "url": _tab(url, kept, name),
                "current": name == asked.state,
            }
            for name, (label, _which) in STATES.items()
        ],
        "words": words,
        "announce": words,
        "newer_url": asked.address(url, before=page.newer) if page.newer else "",
        "older_url": asked.address(url, after=page.older) if page.older else "",
    }


def _tab(url: str, kept: list[tuple[str, str]], name: str) -> str:
    query = urlencode([*kept, *([("state", name)] if name != "all" else [])])
    return f"{url}?{query}" if query else url


# ---------------------------------------------------------------------- one of them
@require_safe
@may("manage_endpoints")
@says_when_locked
def endpoint(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    return show(request, endpoint, tried=_tried(request, endpoint))


def show(
    request: HttpRequest, endpoint: Endpoint, *, status: int = 200, **more: Any
) -> HttpResponse:
    """The endpoint's page; its secret too, where the session says so."""
    why = _shown_once(request, endpoint)
    context = {
        **frame_of(endpoint, "endpoint"),
        "health": at_a_glance.of(endpoint, timezone.now()),
        "recent": recent(endpoint),
        "secrets": list(endpoints.live_secrets(endpoint)),
        "secret": endpoints.newest_secret(endpoint) if why else "",
        "pairs": _pairs(endpoint),
        "why_shown": why,
        "overlaps": OVERLAPS,
        "header_names": sorted(custom_headers.opened(endpoint)),
        **more,
    }
    return render(request, "webhooks/endpoints/page.html", context, status=status)


def _tried(request: HttpRequest, endpoint: Endpoint) -> list[deliveries.Try]:
    """The try of the test that the address names, if it is this endpoint's."""
    typed = request.GET.get("test", "")
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19):
        return []
    rows = Delivery.objects.filter(endpoint=endpoint, name=TEST.name, pk=int(typed))
    row = rows.select_related("event", "endpoint__project").first()
    if row is None:
        return []
    return [deliveries.Try.of(row, a) for a in row.attempts.order_by("-number")[:1]]


def frame_of(endpoint: Endpoint, here: str) -> dict[str, Any]:
    """What is around every page of one endpoint. `here`: the name of its tab."""
    return {"endpoint": endpoint, "here": here, "tabs": TABS}


def _pairs(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The key pairs that sign its letters, the newest first; their public parts."""
    if secrets.has_secrets(endpoint.dialect):
        return []
    return [
        {"row": row, "pem": row.public.strip(), "der": signing_keys.public_der(row)}
        for row in signing_keys.live(endpoint.project_id)
    ]


def recent(endpoint: Endpoint) -> list[Delivery]:
    rows = Delivery.objects.filter(endpoint=endpoint).select_related("event")
    return list(rows.defer("event__payload").order_by("-id")[:MOST_RECENT])


def show_secret_next(request: HttpRequest, endpoint: Endpoint, why: str) -> None:
    """Lets the next look at its page show the newest secret, once."""
    request.session[SHOWN] = [str(endpoint.pk), why]


def _shown_once(request: HttpRequest, endpoint: Endpoint) -> str:
    """Why its secret is shown ("created", "rolled", "asked"); "" if it is not."""
    kept = request.session.get(SHOWN)
    if not kept or kept[0] != str(endpoint.pk):
        return ""
    del request.session[SHOWN]
    return str(kept[1])


# --------------------------------------------------------------------------- shared
def member_of(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined, no-any-return]


def found(request: HttpRequest, id: UUID) -> Endpoint:
    endpoint = listing.find(member_of(request), id)
    if endpoint is None:
        raise Http404
    return endpoint


def page_of(endpoint: Endpoint) -> str:
    return reverse(ONE, args=[endpoint.pk])
