"""What helps to build the receiver of a webhook endpoint."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import htmx
from merchant.views.guard import may
from webhooks.catalogue import KINDS
from webhooks.dialects import DIALECTS
from webhooks.models.endpoint import Dialect
from webhooks.samples import sample_news


@require_safe
@may("manage_endpoints")
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """What an event looks like in a dialect: an invented one."""
    dialect = request.GET.get("dialect", Dialect.STANDARD)
    if name not in KINDS or dialect not in DIALECTS:
        raise Http404
    news = sample_news(name)
    spoken = [d for d in Dialect.choices if DIALECTS[d[0]].word(news)]
    context = {
        "kind": KINDS[name],
        "dialect": dialect,
        "dialects": spoken,
        "body": DIALECTS[dialect].body(news),
    }
    return htmx.answer(
        request,
        page="webhooks/endpoints/sample.html",
        partial="webhooks/endpoints/_sample.html",
        context=context,
    )


@require_safe
@may("manage_endpoints")
def proved(request: HttpRequest) -> HttpResponse:
    """Where who was asked for the password beside a half-filled form arrives."""
    return render(request, "webhooks/endpoints/proved.html")
