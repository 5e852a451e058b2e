"""Connections that have gone quiet: how long that is usual, and when it is too long.

A provider that cannot reach us tells nobody. What is known is when it last sent
something, and how long its silences are otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from merchant.models import Connection

#: So many of the latest letters say what is usual; fewer than FEW say nothing.
LATEST, FEW = 100, 20
#: Unusually long is so many times the longest silence, and never less than this.
TIMES = 3
LEAST = timedelta(hours=1)
#: How long a new connection may take until its first letter.
FIRST_LETTER = timedelta(days=1)


def is_too_long(connection: Connection, now: datetime) -> bool:
    """Whether the connection has been silent for unusually long. Asks no database."""
    if connection.heard is None:
        return now - connection.created > FIRST_LETTER
    if connection.usual_gap is None:
        return False
    usual = timedelta(seconds=connection.usual_gap)
    return now - connection.heard > max(LEAST, TIMES * usual)


def usual_gap(moments: Sequence[datetime]) -> int | None:
    """The longest silence between these letters in seconds; None if they are few."""
    if len(moments) < FEW:
        return None
    ordered = sorted(moments)
    gaps = (b - a for a, b in zip(ordered, ordered[1:], strict=False))
    return int(max(gaps).total_seconds())


def listen(connection: Connection) -> bool:
    """Notes what its latest letters say of it; whether that was news.

    What was known stays known where the letters themselves have been thrown away.
    """
    letters = connection.inbound.order_by("-id").values_list("received", flat=True)
    moments = list(letters[:LATEST])
    if not moments:
        return False
    heard, gap = max(moments), usual_gap(moments)
    if (heard, gap) == (connection.heard, connection.usual_gap):
        return False
    Connection.objects.filter(pk=connection.pk).update(heard=heard, usual_gap=gap)
    return True
