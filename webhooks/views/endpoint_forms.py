"""Setting up a webhook endpoint and changing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchant import fresh_login, htmx
from merchant.selectors import projects_of
from merchant.views.guard import may
from webhooks import endpoints
from webhooks.endpoints import at_a_glance, terms
from webhooks.endpoints.form import EndpointForm
from webhooks.models import Delivery, Endpoint
from webhooks.trying.test_sends import NotSent, TooMany, send_test
from webhooks.views.endpoint_tools import test_page
from webhooks.views.endpoints import (
    LIST,
    found,
    frame_of,
    member_of,
    page_of,
    show_secret_next,
)
from webhooks.views.locked import says_when_locked

NEW, EDIT = "webhooks:new_endpoint", "webhooks:edit_endpoint"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("headers")
@may("manage_endpoints")
@says_when_locked
def new(request: HttpRequest) -> HttpResponse:
    """It shows a secret and sends customers' data out, so whoever does it has proved
    who they are."""
    member = member_of(request)
    fresh = fresh_login.is_fresh(request)
    if request.method != "POST" and not fresh:
        return fresh_login.ask(request, request.get_full_path())
    shops = list(projects_of(member))
    chosen = [shop for shop in shops if shop.slug == request.GET.get("project")]
    form = EndpointForm(request.POST or None, endpoint=None, projects=chosen or shops)
    if request.method == "POST" and form.is_valid() and fresh:
        by_slug = {shop.slug: shop for shop in shops}
        made = _made(request, form, by_slug[form.cleaned_data["project"]])
        if made is not None:
            show_secret_next(request, made, "created")
            return htmx.redirect(request, page_of(made), words=_("Endpoint created"))
    context = {"form": form, "shops": shops, "back_url": reverse(LIST)}
    return _answer(request, context, fresh=fresh)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("headers")
@may("manage_endpoints")
@says_when_locked
def edit(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    form = EndpointForm(
        request.POST or None, endpoint=endpoint, projects=[endpoint.project]
    )
    fresh = True
    if request.method == "POST" and form.is_valid():
        fresh = not _is_grave(endpoint, form) or fresh_login.is_fresh(request)
        before = endpoint.url
        if fresh and _changed(request, form, endpoint):
            to = _next(request, endpoint, before)
            return htmx.redirect(request, to, words=_("Endpoint changed"))
    context = {
        **frame_of(endpoint, "edit"),
        "form": form,
        "back_url": page_of(endpoint),
        "waits": _waits(endpoint),
    }
    return _answer(request, context, fresh=fresh)


def _answer(
    request: HttpRequest, context: dict[str, Any], *, fresh: bool
) -> HttpResponse:
    posted = request.method == "POST"
    context["asks_again"] = posted and not fresh
    context["again_url"] = fresh_login.ask(request, reverse("webhooks:proved")).url  # type: ignore[attr-defined]
    template = "webhooks/endpoints/form.html"
    return render(request, template, context, status=422 if posted else 200)


# ------------------------------------------------------------------------- the verbs
def _made(request: HttpRequest, form: EndpointForm, project: Any) -> Endpoint | None:
    try:
        made, _secret = endpoints.create(
            project,
            **form.terms,
            enabled=form.cleaned_data["enabled"],
            by=member_of(request),
            request=request,
        )
    except endpoints.NotUsable as error:
        _tell(form, error)
        return None
    return made


def _changed(request: HttpRequest, form: EndpointForm, endpoint: Endpoint) -> bool:
    by = member_of(request)
    sends = form.cleaned_data["waiting"] == "send"
    try:
        endpoints.change(
            endpoint,
            by=by,
            waiting="send" if sends else "hold",
            request=request,
            **form.terms,
        )
        if form.cleaned_data["enabled"]:
            endpoints.enable(endpoint, by=by, request=request)
        elif endpoint.state == Endpoint.State.ENABLED:
            endpoints.pause(endpoint, by=by, request=request)
    except endpoints.NotUsable as error:
        _tell(form, error)
        return False
    return True


def _tell(form: EndpointForm, error: endpoints.NotUsable) -> None:
    form.add_error(error.field if error.field in form.fields else None, str(error))


def _is_grave(endpoint: Endpoint, form: EndpointForm) -> bool:
    """Whether it sends customers' data elsewhere or changes what proves it."""
    terms = form.terms
    return (
        terms["url"].strip() != endpoint.url
        or terms["dialect"] != endpoint.dialect
        or terms["headers"] != form.known_headers
    )


def _next(request: HttpRequest, endpoint: Endpoint, before: str) -> str:
    """A new address is tried at once, to see that it is the right one; what is held is
    decided about next; else its page."""
    if terms.moved(before, endpoint.url):
        try:
            return test_page(endpoint, send_test(endpoint, member_of(request)))
        except (TooMany, NotSent):
            return page_of(endpoint)
    held = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.HELD)
    if endpoint.state == Endpoint.State.ENABLED and held.exists():
        return reverse("webhooks:catch_up", args=[endpoint.pk])
    return page_of(endpoint)


def _waits(endpoint: Endpoint) -> int:
    return at_a_glance.count(endpoint, Delivery.State.PENDING)
