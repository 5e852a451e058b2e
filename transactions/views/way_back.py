"""Back to the list that a form was opened from, as it stands in the address bar."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from merchant import htmx


def way_back(request: HttpRequest) -> str:
    """The page the form stood on; the list where it said none of ours.

    A list changes under a form that lies over it, so htmx's own word comes first.
    """
    said = request.POST.get("next") or request.GET.get("next", "")
    if htmx.is_htmx(request):
        said = request.headers.get("HX-Current-URL", said)
    safe = url_has_allowed_host_and_scheme(
        said, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not safe:
        return reverse("transactions:list")
    parts = urlsplit(said)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
