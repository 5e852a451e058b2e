"""The button that has a connection's provider asked for what webhooks missed."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from merchant import audit, htmx
from merchant.models import Member
from merchant.views.guard import may
from transactions import poll
from webhooks import selectors


@require_POST
@may("manage_connections")
def poll_connection(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    connection = selectors.find_connection(member, id)
    if connection is None or connection.closed:
        raise Http404
    asked = poll.ask(connection)
    if asked:
        audit.note(member, "connection.poll_asked", connection, request=request)
    words = _("The provider is asked now") if asked else _("It needs an API key")
    to = reverse("webhooks:connection", args=[connection.pk])
    return htmx.redirect(request, to, words=words)
