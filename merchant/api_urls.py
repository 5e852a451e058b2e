"""Routes of the API that belong to no ledger. Mounted last: it ends in "not here"."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt

from merchant import api_schema
from merchant.api_errors import unknown_route


@csrf_exempt
def anything_else(request: HttpRequest) -> HttpResponseBase:
    """The same route without its trailing slash, or a 404 in JSON; never a redirect."""
    without = request.path_info.rstrip("/")
    if without != request.path_info:
        try:
            view, args, kwargs = resolve(without)
        except Resolver404:
            return unknown_route(request)
        if view is not anything_else:
            return view(request, *args, **kwargs)
    return unknown_route(request)


urlpatterns: list[Any] = [
    path("v1/openapi.json", api_schema.schema, name="openapi"),
    path("v1/docs", api_schema.reference, name="reference"),
    re_path(r"^v1(?:/.*)?$", anything_else),
]
