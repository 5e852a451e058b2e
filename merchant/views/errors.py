"""Error pages: what happened, whose turn it is, a way on; never a traceback."""

from __future__ import annotations

import logging
from secrets import token_hex

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from merchant import api_errors
from merchant.views.frame import remembered_theme

logger = logging.getLogger("merchant.errors")


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    return _page(request, "400.html", 400)


def forbidden(
    request: HttpRequest, reason: str = "", exception: Exception | None = None
) -> HttpResponse:
    """Also what a form without its token gets, mostly one left open for too long."""
    return _page(request, "403.html", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "404.html", 404)


def failed(request: HttpRequest) -> HttpResponse:
    """Our own mistake. The id on the page is found again in the log."""
    reference = token_hex(6)
    logger.error("Request %s failed at %s", reference, request.path_info[:200])
    return _page(request, "500.html", 500, reference=reference)


def busy(request: HttpRequest) -> HttpResponse:
    """The database is away; merchant.middleware.say_busy says when to come back."""
    return _page(request, "503.html", 503)


def _page(
    request: HttpRequest, template: str, status: int, **context: str
) -> HttpResponse:
    if request.path_info.startswith("/v1/"):
        return api_errors.before_the_view(request, status)
    # Drawn without the request: what is broken may be what the frame would ask for.
    context["theme"] = remembered_theme(request)
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Cache-Control"] = "no-store"
    return response
