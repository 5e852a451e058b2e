"""Times as people and programs write them in an address: read exactly, or refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

_UNIX = re.compile(r"[0-9]{9,11}", re.ASCII)
#: "+02:00" whose plus sign became a space because nobody escaped it.
_LOST_PLUS = re.compile(r"(T\S+) (\d{2}:?\d{2})", re.ASCII)


def read(text: str, zone: tzinfo) -> datetime:
    """ISO 8601 or Unix seconds, in UTC; a bare day is its start in the zone.

    Raises ValueError with a sentence that does not repeat the text.
    """
    try:
        if _UNIX.fullmatch(text):
            return datetime.fromtimestamp(int(text), UTC)
        when = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        if not 1970 <= when.year <= 2999:
            raise ValueError
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            "must be a date such as 2026-03-31 or a time such as 2026-03-31T18:00:00Z"
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    return when.astimezone(UTC)
