"""A page of a long list, newest first, as quick when deep as at the top.

A row's id says when it came: an inbound event's carries its time of arrival, those of
events and deliveries count up. So a place in the list is an id. A list over several
owners is merged from one strand for each: an index holds only those in this order.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

OLDER, NEWER = "after", "before"
MOST_COUNTED = 10_000

#: Rows of one model.
Strands = Sequence[QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` newest first; `newer` and `older` are cursors, "" at either end."""

    rows: list[Any]
    newer: str
    older: str


def browse(strands: Strands, query: Mapping[str, str], size: int) -> Page:
    """The page that a URL of ours asks for; a broken cursor is the first page."""
    before, after = (_cursor(strands, query.get(name)) for name in (NEWER, OLDER))
    if before:
        rows = _first(strands, Q(id__gt=before), size + 1, newest_first=False)
        if len(rows) > size:
            return _page(rows[:size][::-1], newer=True, older=True)
        if len(rows) == size:
            return _page(rows[::-1], newer=False, older=True)
        # The top is near: a whole first page is better than a stump of one.
    elif after:
        rows = _first(strands, Q(id__lt=after), size + 1, newest_first=True)
        if rows:
            return _page(rows[:size], newer=True, older=len(rows) > size)
    rows = _first(strands, Q(), size + 1, newest_first=True)
    return _page(rows[:size], newer=False, older=len(rows) > size)


def count_up_to(strands: Strands, most: int = MOST_COUNTED) -> tuple[int, bool]:
    """How many rows, and whether there are more than were counted."""
    seen = 0
    for strand in strands:
        seen += strand.order_by()[: most + 1 - seen].count()
        if seen > most:
            return most, True
    return seen, False


def _page(rows: list[Any], *, newer: bool, older: bool) -> Page:
    return Page(
        rows,
        newer=str(rows[0].pk) if newer else "",
        older=str(rows[-1].pk) if older else "",
    )


def _cursor(strands: Strands, text: str | None) -> Any:
    """The id that the text spells, None where it spells none."""
    if not text or not strands:
        return None
    try:
        return strands[0].model._meta.pk.to_python(text)
    except ValidationError:
        return None


def _first(strands: Strands, beyond: Q, most: int, *, newest_first: bool) -> list[Any]:
    order = "-id" if newest_first else "id"
    found = [list(strand.filter(beyond).order_by(order)[:most]) for strand in strands]
    merged = heapq.merge(*found, key=attrgetter("pk"), reverse=newest_first)
    return list(islice(merged, most))
