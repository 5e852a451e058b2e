"""Page or partial, a toast along with it, and a redirect that htmx understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect as plain_redirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def is_htmx(request: HttpRequest) -> bool:
    """Whether the answer goes to htmx and not to the browser itself."""
    return request.headers.get("HX-Request") == "true"


def is_partial(request: HttpRequest) -> bool:
    """Whether only the changed part is wanted; a step back in history wants it all."""
    restored = request.headers.get("HX-History-Restore-Request") == "true"
    return is_htmx(request) and not restored


def answer(
    request: HttpRequest,
    *,
    page: str,
    partial: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The page, or its partial where htmx asks; caches are told that they differ."""
    template = partial if is_partial(request) else page
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response


def toast(request: HttpRequest, response: HttpResponse, words: str) -> HttpResponse:
    """Adds a toast (at most six words) to a partial's answer."""
    told = {"words": words, "oob": True}
    response.write(render_to_string("components/_toast.html", told, request=request))
    return response


def redirect(
    request: HttpRequest, to: str, *, words: StrOrPromise = ""
) -> HttpResponse:
    """On to another page, with a toast there; `to` as for django.shortcuts.redirect."""
    if words:
        messages.success(request, words)
    answer = plain_redirect(to)
    return HttpResponseClientRedirect(answer.url) if is_htmx(request) else answer
