"""Where letters may go: where merchant.destinations says, and to our own sandbox only
those of the endpoints that the demo made."""

from __future__ import annotations

from django.conf import settings

from merchant import destinations
from merchant.destinations import NotAllowed
from webhooks.models import Endpoint

FOREIGN = (
    "The sandbox is for the demo's own endpoints. To use it with others, start with "
    "ALLOW_PRIVATE_ENDPOINTS=on."
)


def check_url(url: str, *, demo: bool = False) -> None:
    """Raises NotAllowed, with a sentence, for a URL that must not be called."""
    if _is_barred(url) and not demo:
        raise NotAllowed(FOREIGN)


def is_foreign(endpoint: Endpoint) -> bool:
    """Whether it points at the sandbox and must not: a row may be older than the
    setting under which it was saved. What else is wrong with it shows when it is
    called."""
    try:
        return _is_barred(endpoint.url) and not endpoint.demo
    except NotAllowed:
        return False


def _is_barred(url: str) -> bool:
    target = destinations.read_url(url)
    return target.sandbox and not settings.ALLOW_PRIVATE_ENDPOINTS
