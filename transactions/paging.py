"""A page of a long list: the rows beside a position, as quick when deep as at the top.

Rows stand newest first by (created, id). A list may come as several strands, each
served by an index alone (test and live, say); they are merged here.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from transactions.models import Transaction

#: What a page's URL calls the two cursors: further down the list, and back up.
OLDER, NEWER = "after", "before"
MOST_COUNTED = 10_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PACKED = struct.Struct(">q16s")


class WrongCursor(ValueError):
    """The text is no cursor of ours."""


class Position(NamedTuple):
    """A place in the list: between the row that stands here and its neighbours."""

    created: datetime
    id: UUID

    def cursor(self) -> str:
        """An opaque text for a URL."""
        since = (self.created - _EPOCH) // _MICROSECOND
        packed = _PACKED.pack(since, self.id.bytes)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, cursor: str) -> Position:
        """The place that `cursor` names. Raises WrongCursor."""
        try:
            packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            since, id = _PACKED.unpack(packed)
            return cls(_EPOCH + since * _MICROSECOND, UUID(bytes=id))
        except (ValueError, struct.error, binascii.Error, OverflowError) as error:
            raise WrongCursor("This link to a page of the list is broken.") from error


class Counted(NamedTuple):
    """How many rows, or `more` than that."""

    number: int
    more: bool

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass
class Page:
    """`rows` newest first, and whether there is more on either side of them.

    The side that the page was not reached from is only looked at when asked for.
    """

    rows: list[Transaction]
    strands: Sequence[QuerySet[Transaction]]
    _newer: bool | None = None
    _older: bool | None = None

    @cached_property
    def has_newer(self) -> bool:
        if self._newer is not None or not self.rows:
            return bool(self._newer)
        return _any(self.strands, newer_than(_place(self.rows[0])))

    @cached_property
    def has_older(self) -> bool:
        if self._older is not None or not self.rows:
            return bool(self._older)
        return _any(self.strands, older_than(_place(self.rows[-1])))

    @property
    def newer(self) -> str | None:
        """The cursor of the page above (`before=`), None at the top."""
        return _place(self.rows[0]).cursor() if self.has_newer else None

    @property
    def older(self) -> str | None:
        """The cursor of the page below (`after=`), None at the end."""
        return _place(self.rows[-1]).cursor() if self.has_older else None

    def count_up_to(self, most: int = MOST_COUNTED) -> Counted:
        """The number of rows in the whole list; stops counting above `most`."""
        return count_up_to(self.strands, most)


def take(
    strands: Sequence[QuerySet[Transaction]],
    size: int,
    *,
    after: Position | None = None,
    before: Position | None = None,
) -> Page:
    """The `size` rows next to a position, or the newest. At most one may be given."""
    if before is not None:
        beyond = newer_than(before)
        rows = _first(strands, beyond, size + 1, newest_first=False)
        return Page(rows[:size][::-1], strands, _newer=len(rows) > size)
    beyond = Q() if after is None else older_than(after)
    rows = _first(strands, beyond, size + 1, newest_first=True)
    newer = False if after is None else None
    return Page(rows[:size], strands, _newer=newer, _older=len(rows) > size)


def browse(
    strands: Sequence[QuerySet[Transaction]], query: Mapping[str, str], size: int
) -> Page:
    """The page that a URL of ours asks for. Raises WrongCursor.

    Who goes up and meets the top sees a whole first page; so does who follows a link
    to rows that are no longer there.
    """
    if cursor := query.get(NEWER):
        page = take(strands, size, before=Position.read(cursor))
        return page if len(page.rows) == size else take(strands, size)
    if cursor := query.get(OLDER):
        page = take(strands, size, after=Position.read(cursor))
        return page if page.rows else take(strands, size)
    return take(strands, size)


def count_up_to(
    strands: Iterable[QuerySet[Transaction]], most: int = MOST_COUNTED
) -> Counted:
    """Counts no further than `most`: the same cost in a list of millions."""
    seen = 0
    for strand in strands:
        seen += strand.order_by()[: most + 1 - seen].count()
        if seen > most:
            return Counted(most, more=True)
    return Counted(seen, more=False)


# Written so that the index starts at the place: `created < c OR (created = c AND ...)`
# would walk it from the top, the slower the deeper.
def older_than(place: Position) -> Q:
    return Q(created__lte=place.created) & (
        Q(created__lt=place.created) | Q(id__lt=place.id)
    )


def newer_than(place: Position) -> Q:
    return Q(created__gte=place.created) & (
        Q(created__gt=place.created) | Q(id__gt=place.id)
    )


def _first(
    strands: Sequence[QuerySet[Transaction]],
    beyond: Q,
    most: int,
    *,
    newest_first: bool,
) -> list[Transaction]:
    order = ("-created", "-id") if newest_first else ("created", "id")
    found = [list(strand.filter(beyond).order_by(*order)[:most]) for strand in strands]
    merged = heapq.merge(*found, key=_place, reverse=newest_first)
    return list(islice(merged, most))


def _any(strands: Sequence[QuerySet[Transaction]], beyond: Q) -> bool:
    return any(strand.filter(beyond).exists() for strand in strands)


def _place(row: Transaction) -> Position:
    return Position(row.created, row.pk)
