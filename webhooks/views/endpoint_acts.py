"""What is done to a webhook endpoint from its page: secret, pause, enable, delete."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from merchant import fresh_login, htmx
from merchant.views.guard import may
from webhooks import endpoints
from webhooks.endpoints import at_a_glance
from webhooks.models import Delivery, Endpoint
from webhooks.views.endpoints import (
    LIST,
    found,
    frame_of,
    member_of,
    page_of,
    show,
    show_secret_next,
)
from webhooks.views.locked import says_when_locked


# --------------------------------------------------------------------------- secrets
@require_POST
@may("manage_endpoints")
@says_when_locked
def reveal(request: HttpRequest, id: UUID) -> HttpResponse:
    """The next look at the page shows it, once."""
    endpoint = found(request, id)
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, page_of(endpoint))
    try:
        endpoints.reveal(endpoint, member_of(request), request)
    except endpoints.NotUsable as error:
        return show(request, endpoint, status=409, trouble=str(error))
    show_secret_next(request, endpoint, "asked")
    return htmx.redirect(request, f"{page_of(endpoint)}#secret")


@require_POST
@may("manage_endpoints")
@says_when_locked
def roll(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, page_of(endpoint))
    try:
        overlap = _overlap(request.POST.get("overlap", "24"))
        endpoints.roll(
            endpoint, overlap=overlap, by=member_of(request), request=request
        )
    except endpoints.NotUsable as error:
        return show(request, endpoint, status=422, trouble=str(error))
    show_secret_next(request, endpoint, "rolled")
    return htmx.redirect(
        request, f"{page_of(endpoint)}#secret", words=_("New secret made")
    )


def _overlap(typed: str) -> timedelta:
    """Hours. Raises NotUsable."""
    try:
        return timedelta(hours=int(typed))
    except (ValueError, OverflowError):
        words = _("The overlap is a number of hours.")
        raise endpoints.NotUsable(words, "overlap") from None


# --------------------------------------------------------------------- pause, enable
@require_POST
@may("manage_endpoints")
@says_when_locked
def pause(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    try:
        endpoints.pause(endpoint, by=member_of(request), request=request)
    except endpoints.NotUsable as error:
        return show(request, endpoint, status=409, trouble=str(error))
    return htmx.redirect(request, page_of(endpoint), words=_("Endpoint paused"))


@require_POST
@may("manage_endpoints")
@says_when_locked
def enable(request: HttpRequest, id: UUID) -> HttpResponse:
    """What happens from now on is sent; what was held is decided about next."""
    endpoint = found(request, id)
    endpoints.enable(endpoint, by=member_of(request), request=request)
    held = at_a_glance.count(endpoint, Delivery.State.HELD)
    to = reverse("webhooks:catch_up", args=[endpoint.pk]) if held else page_of(endpoint)
    return htmx.redirect(request, to, words=_("Endpoint enabled"))


# ---------------------------------------------------------------------------- delete
@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_endpoints")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    if request.method == "POST":
        if not fresh_login.is_fresh(request):
            return fresh_login.ask(request, request.path)
        endpoints.delete(endpoint, by=member_of(request), request=request)
        return htmx.redirect(request, reverse(LIST), words=_("Endpoint deleted"))
    context = {**frame_of(endpoint, "delete"), "lost": _lost(endpoint)}
    return render(request, "webhooks/endpoints/delete.html", context)


def _lost(endpoint: Endpoint) -> int:
    """How many deliveries wait for it, up to one more than are counted."""
    states = (Delivery.State.PENDING, Delivery.State.HELD)
    return sum(at_a_glance.count(endpoint, state) for state in states)
