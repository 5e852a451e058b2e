"""Error pages: a sentence and a way on, never a traceback."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    return HttpResponse("Bad request", status=400)


def forbidden(
    request: HttpRequest, reason: str = "", exception: Exception | None = None
) -> HttpResponse:
    return HttpResponse("Forbidden", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return HttpResponse("Not found", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Failed", status=500)
