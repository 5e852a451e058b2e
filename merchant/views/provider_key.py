"""The page where a connection gets the API key that questions to its provider need."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchant import audit, connections, htmx
from merchant.models import Connection, Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from merchant.views.settle import back


class KeyForm(forms.Form):
    """The key itself is never shown again, not even to who typed it."""

    api_key = forms.CharField(label=_("API key"), max_length=500, strip=True)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("api_key")
@may("manage_connections")
def provider_key(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    connection = get_object_or_404(
        Connection.objects.select_related("project"),
        pk=id,
        project__in=projects_of(member),
        closed=None,
    )
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set(connection, form):
        audit.note(member, "connection.api_key_set", connection, request=request)
        return htmx.redirect(request, back(request).url, words=_("API key kept"))
    context = {
        "form": form,
        "connection": connection,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "merchant/provider_key.html", context, status=status)


def _set(connection: Connection, form: KeyForm) -> bool:
    try:
        connections.set_api_key(connection, form.cleaned_data["api_key"])
    except connections.NotUsable as error:
        form.add_error("api_key", str(error))
        return False
    return True
