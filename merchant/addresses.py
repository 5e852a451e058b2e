"""Where a request really comes from, behind the proxies that are ours."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def of(request: HttpRequest) -> str | None:
    """The client's address; None when nothing usable is known.

    Each of our PROXY_HOPS proxies adds the address it saw to the right end of
    X-Forwarded-For. Further left stands what the client made up.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.PROXY_HOPS:
        chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        seen = chain[-min(settings.PROXY_HOPS, len(chain))] or seen
    try:
        return str(ip_address(seen.strip().strip("[]")))
    except ValueError:
        return None
