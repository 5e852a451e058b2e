"""The keys that prove deliveries: one more, one in another's place, one ended."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from merchant import audit, connections, credentials, fresh_login, htmx
from merchant.models import Connection, Secret
from merchant.providers import PROVIDERS
from merchant.views.guard import may
from webhooks import selectors
from webhooks.connection_forms import KeyForm, key_words
from webhooks.views.connections import ONE, found, member_of


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("secret", "public_key")
@may("manage_connections")
def keys(request: HttpRequest, id: UUID) -> HttpResponse:
    """A new key, beside the live ones or in their place."""
    connection = found(request, id, open=True)
    # Before anything secret is typed, so that nothing typed is lost.
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.path)
    live = _proofs(connection)
    form = KeyForm(connection, live, request.POST or None)
    sent = request.method == "POST" and form.is_valid()
    if sent and _enter(request, connection, form):
        words = _("Key replaced") if form.replaces else _("Key added")
        return htmx.redirect(request, _page(connection), words=words)
    context = {
        "form": form,
        "connection": connection,
        "setup": PROVIDERS[connection.provider].setup,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "webhooks/connections/keys.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_connections")
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """Ends one key now, after saying what that does."""
    secret = selectors.find_secret(member_of(request), id)
    if secret is None:
        raise Http404
    connection = secret.connection
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, request.path)
    if request.method == "POST":
        connections.end_secret(connection, secret)
        detail = {"key": secret.get_kind_display(), "label": secret.label}
        audit.note(
            member_of(request),
            "connection.key_ended",
            connection,
            detail=detail,
            request=request,
        )
        return htmx.redirect(request, _page(connection), words=_("Key ended"))
    others = [one for one in _proofs(connection) if one.pk != secret.pk]
    context = {
        "connection": connection,
        "secret": secret,
        "key_words": key_words(secret),
        "others": others,
    }
    return render(request, "webhooks/connections/end_key.html", context)


def _enter(request: HttpRequest, connection: Connection, form: KeyForm) -> bool:
    """Enters what was typed; False where the form has to say what was not usable."""
    kind = credentials.kind_of(connection.provider)
    label = form.cleaned_data["label"]
    detail: dict[str, object] = {"count": len(form.keys)}
    try:
        if form.replaces:
            hours = form.lasting.total_seconds() / 3600
            detail |= {"old_live_for_hours": hours}
            connections.replace(
                connection,
                form.keys,
                kind=kind,
                overlap=form.lasting,
                only=form.only,
                label=label,
            )
        else:
            connections.add_secrets(connection, form.keys, kind=kind, label=label)
    except connections.NotUsable as error:
        form.refuse(error)
        return False
    verb = "connection.key_rotated" if form.replaces else "connection.key_added"
    audit.note(member_of(request), verb, connection, detail=detail, request=request)
    return True


def _proofs(connection: Connection) -> list[Secret]:
    kind = credentials.kind_of(connection.provider)
    return [key for key in connections.live_secrets(connection) if key.kind == kind]


def _page(connection: Connection) -> str:
    return reverse(ONE, args=[connection.pk])
