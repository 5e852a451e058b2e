"""Opening a connection, changing what is no key of it, closing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from merchant import audit, connections, fresh_login, htmx
from merchant.access import may as role_may
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.selectors import projects_of
from merchant.views.guard import may
from webhooks import hearing
from webhooks.connection_forms import DetailsForm, OpenForm
from webhooks.views.connections import ONE, found, heard_context, member_of

SECRETS = ("secret", "public_key", "api_key", "user_token")


@require_safe
@may("manage_connections")
def choose(request: HttpRequest) -> HttpResponse:
    """Which provider: what each of them needs, in a sentence."""
    member = member_of(request)
    context = {
        "providers": PROVIDERS.values(),
        "has_project": projects_of(member).exists(),
        "may_add_project": role_may(member.role, "manage_projects"),
    }
    return render(request, "webhooks/connections/choose.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters(*SECRETS)
@may("manage_connections")
def open(request: HttpRequest, provider: str) -> HttpResponse:
    if provider not in PROVIDERS:
        raise Http404
    # Before anything secret is typed, so that nothing typed is lost.
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.path)
    first = {"mode": "test" if "test" in request.GET else "live"}
    form = OpenForm(member_of(request), provider, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        connection = _open(request, provider, form)
        if connection is not None:
            words = _("Connection added")
            return htmx.redirect(request, _page(connection), words=words)
    context = {"form": form, "provider": PROVIDERS[provider]}
    status = 422 if request.method == "POST" else 200
    return render(request, "webhooks/connections/open.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_connections")
def edit(request: HttpRequest, id: UUID) -> HttpResponse:
    connection = found(request, id, open=True)
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.path)
    now = {
        "mode": "live" if connection.livemode else "test",
        "base_url": connection.base_url,
        "account": connection.account,
        "brand_ids": "\n".join(connection.brand_ids),
    }
    form = DetailsForm(connection.provider, request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        try:
            changed = connections.change(connection, **form.told)
        except connections.NotUsable as error:
            form.refuse(error)
        else:
            if changed:
                _note(request, "connection.changed", connection, changed)
            words = _("Connection changed") if changed else _("Nothing was changed")
            return htmx.redirect(request, _page(connection), words=words)
    context = {"form": form, "connection": connection}
    status = 422 if request.method == "POST" else 200
    return render(request, "webhooks/connections/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_connections")
def close(request: HttpRequest, id: UUID) -> HttpResponse:
    connection = found(request, id, open=True)
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.path)
    if request.method == "POST":
        connections.close(connection)
        _note(request, "connection.closed", connection)
        words = _("Connection closed")
        return htmx.redirect(request, _page(connection), words=words)
    context = heard_context(hearing.of(connection, member_of(request)))
    return render(request, "webhooks/connections/close.html", context)


def _open(request: HttpRequest, provider: str, form: OpenForm) -> Connection | None:
    """The new connection; None where the form has to say what was not usable."""
    project = form.cleaned_data["project"]
    try:
        connection = connections.open_connection(
            project, provider, **form.told, **form.keys
        )
    except connections.NotUsable as error:
        form.refuse(error)
        return None
    mode = form.cleaned_data["mode"]
    detail = {"provider": provider, "mode": mode}
    _note(request, "connection.opened", connection, detail)
    return connection


def _note(
    request: HttpRequest,
    verb: str,
    connection: Connection,
    detail: dict[str, Any] | None = None,
) -> None:
    audit.note(
        member_of(request), verb, connection, detail=detail or {}, request=request
    )


def _page(connection: Connection) -> str:
    return reverse(ONE, args=[connection.pk])
