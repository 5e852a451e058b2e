"""Which headers of a delivery are kept, and how much of those that prove something."""

from __future__ import annotations

import re
from collections.abc import Mapping

from merchant.providers.base import text

MOST_KEPT = 30
MOST_TEXT = 200
#: So much of a signature tells two apart, and is of no use to a thief.
SHOWN = 6

#: Kept as they came: what the delivery is, who sent it, when, which one.
PLAIN = re.compile(
    r"content-(type|length|encoding)|user-agent|date|traceparent"
    r"|(x-)?request-id|(x-)?correlation-id"
    r"|([a-z0-9]+-)*(timestamp|event|event-id|event-type|webhook-id|delivery|attempt)"
)
#: Kept in part: signatures, and whatever else may open a door.
PROVING = re.compile(
    r".*(sign|authorization|secret|token|cookie|password|api-?key|hmac|digest).*"
)


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The useful headers, names in lower case; what proves something is masked."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        if len(found) == MOST_KEPT:
            break
        if PROVING.fullmatch(name):
            found[name[:MOST_TEXT]] = masked(value)
        elif PLAIN.fullmatch(name):
            found[name[:MOST_TEXT]] = text(value, MOST_TEXT) or ""
    return found


def masked(value: str) -> str:
    """The start of a secret or signature and its length: "t=1790… (92 characters)"."""
    start = text(value[:SHOWN]) or ""
    if len(value) <= 2 * SHOWN:
        start = ""
    return f"{start}… ({len(value)} characters)"
