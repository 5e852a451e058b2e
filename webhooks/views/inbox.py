"""Inbound events for those who connect shops: what came, what came of it, what did not
get in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import push_url

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from webhooks import intake, paging, selectors
from webhooks.filters import InboundFilter
from webhooks.models import InboundEvent

SIZE = 25
INBOX = "webhooks:inbox"

State = InboundEvent.State

#: What may be read anew; the others have no effect, or wait for "accept".
READABLE = {State.PENDING, State.DONE, State.FAILED, State.QUARANTINED}


@require_safe
@may("view_inbound")
def inbox(request: HttpRequest) -> HttpResponse:
    asked = InboundFilter(request.GET, _member(request))
    page = paging.browse(asked.strands, request.GET.dict(), SIZE)
    prefetch_related_objects(page.rows, selectors.CHANGES)
    response = htmx.answer(
        request,
        page="webhooks/inbox.html",
        partial="webhooks/_results.html",
        context=_list_context(asked, page),
        status=422 if asked.form.errors else 200,
    )
    if not htmx.is_partial(request):
        return response
    cursors = {n: request.GET.get(n, "") for n in (paging.NEWER, paging.OLDER)}
    return push_url(response, _address(asked, **cursors))


@require_safe
@may("view_inbound")
def inbound(request: HttpRequest, id: UUID) -> HttpResponse:
    return _show(request, _found(request, id))


@require_safe
@may("view_inbound")
def body(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the event holds, for a place on another page that opens it."""
    return render(request, "webhooks/_raw.html", {"event": _found(request, id)})


@require_POST
@may("read_again")
def read_again(request: HttpRequest, id: UUID) -> HttpResponse:
    event = _found(request, id)
    try:
        intake.read_again(event, _member(request))
    except intake.NotPossible as error:
        return _show(request, event, trouble=str(error), status=409)
    return htmx.redirect(request, _page_of(event), words=_("It is read again"))


@require_POST
@may("accept_refused")
def accept(request: HttpRequest, id: UUID) -> HttpResponse:
    event = _found(request, id)
    try:
        intake.accept(event, _member(request))
    except intake.NotPossible as error:
        return _show(request, event, trouble=str(error), status=409)
    return htmx.redirect(request, _page_of(event), words=_("Accepted"))


@require_safe
@may("view_inbound")
def refusals(request: HttpRequest) -> HttpResponse:
    """Deliveries that were turned away, counted by connection and reason."""
    member = _member(request)
    chosen = _as_uuid(request.GET.get("connection"))
    context = {
        "reasons": selectors.refused(member, chosen),
        "connections": selectors.connections_of(member),
        "chosen": chosen,
    }
    return render(request, "webhooks/refusals.html", context)


# --------------------------------------------------------------------------- context
def _list_context(asked: InboundFilter, page: paging.Page) -> dict[str, Any]:
    number, more = paging.count_up_to(asked.strands)
    counted = f"{number:,}{'+' if more else ''}"
    words = ngettext("%s event", "%s events", number) % counted
    chips = [
        {"label": c.label, "value": c.value, "url": _with(c.without)}
        for c in asked.chips
    ]
    return {
        "asked": asked,
        "rows": page.rows,
        "errors": asked.errors_in_words,
        "chips": chips,
        "clear_url": reverse(INBOX),
        "words": words,
        "announce": words,
        "newer_url": _address(asked, before=page.newer) if page.newer else "",
        "older_url": _address(asked, after=page.older) if page.older else "",
        "states": asked.choices("state"),
        "connections": asked.choices("connection"),
        "typed": asked.typed("type"),
        "kept": [
            (name, value)
            for name in ("project", "livemode")
            for value in asked.data.getlist(name)
            if value
        ],
    }


def _show(
    request: HttpRequest, event: InboundEvent, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    role = _member(request).role
    refused = event.state == State.REFUSED
    context = {
        "event": event,
        "entries": selectors.entries_of(event),
        "trouble": trouble,
        "may_read_again": event.state in READABLE and role_may(role, "read_again"),
        "may_accept": refused and role_may(role, "accept_refused"),
    }
    return render(request, "webhooks/inbound.html", context, status=status)


def _found(request: HttpRequest, id: UUID) -> InboundEvent:
    event = selectors.find(_member(request), id)
    if event is None:
        raise Http404
    return event


def _member(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined, no-any-return]


# ------------------------------------------------------------------------- addresses
def _page_of(event: InboundEvent) -> str:
    return reverse("webhooks:inbound", args=[event.pk])


def _address(asked: InboundFilter, **cursors: str) -> str:
    return _with(asked.query(**cursors))


def _with(query: str) -> str:
    return reverse(INBOX) + (f"?{query}" if query else "")


def _as_uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
