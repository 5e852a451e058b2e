"""The pages where a connection gets what its calls to the provider carry: an API key,
and a person's token where the provider wants one for refunds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchant import audit, connections, fresh_login, htmx
from merchant.models import Connection, Member
from merchant.providers import PROVIDERS
from merchant.selectors import projects_of
from merchant.views.guard import may
from merchant.views.settle import back


@dataclass(frozen=True, slots=True)
class Carried:
    """One of the two: its name in forms and audit, its words, the verb that sets it."""

    name: str
    label: Any
    kept: Any
    removed: Any
    set: Callable[[Connection, str], None]


API_KEY = Carried(
    "api_key",
    _("API key"),
    _("API key kept"),
    _("API key taken away"),
    connections.set_api_key,
)
USER_TOKEN = Carried(
    "user_token",
    _("User token"),
    _("User token kept"),
    _("User token taken away"),
    connections.set_user_token,
)


class KeyForm(forms.Form):
    """The key itself is never shown again, not even to who typed it."""

    key = forms.CharField(max_length=10_000, strip=True)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("key")
@may("manage_connections")
def page(request: HttpRequest, id: UUID, carried: Carried) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    connection = get_object_or_404(
        Connection.objects.select_related("project"),
        pk=id,
        project__in=projects_of(member),
        closed=None,
    )
    asked = PROVIDERS[connection.provider].setup.asked(carried.name)
    if asked is None:
        raise Http404
    # Before anything secret is typed, so that nothing typed is lost.
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.get_full_path())
    removes = "remove" in request.POST
    form = KeyForm(request.POST or None)
    sent = request.method == "POST" and (removes or form.is_valid())
    key = form.cleaned_data["key"] if sent and not removes else ""
    if sent and _set(connection, carried, key, form):
        act = "set" if key else "removed"
        verb = f"connection.{carried.name}_{act}"
        audit.note(member, verb, connection, request=request)
        words = carried.kept if key else carried.removed
        return htmx.redirect(request, back(request).url, words=words)
    context = {
        "form": form,
        "carried": carried,
        "connection": connection,
        "hint": asked.hint,
        "there": bool(getattr(connection, f"sealed_{carried.name}")),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "merchant/provider_key.html", context, status=status)


def _set(connection: Connection, carried: Carried, key: str, form: KeyForm) -> bool:
    try:
        carried.set(connection, key)
    except connections.NotUsable as error:
        form.add_error("key", str(error))
        return False
    return True
