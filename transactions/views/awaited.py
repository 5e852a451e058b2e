"""What a session remembers of an export that somebody waits for."""

from __future__ import annotations

from django.http import HttpRequest

from transactions.models import Export

#: While it is set, pages look whether one has come to its end.
AWAITED = "exports_awaited"


def wait_for(request: HttpRequest, export: Export) -> None:
    """From now on the pages of this session tell when it is over."""
    if export.is_under_way:
        request.session[AWAITED] = True
