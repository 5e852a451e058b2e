"""A page of a long list: the rows beside a position, as quick when deep as at the top.

A list may come as several strands, each served by an index alone (test and live, say);
they are merged here. An Order says in which order rows stand and how to go on from one.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import (
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)

from transactions import nearest
from transactions.models import Transaction
from transactions.statuses import Status

#: What a page's URL calls the two cursors: further down the list, and back up.
OLDER, NEWER = "after", "before"
MOST_COUNTED = 10_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PACKED = struct.Struct(">q16s")
_AMOUNT = struct.Struct(">q")
#: What an amount that nobody knows stands for among the others.
UNKNOWN = -1


class WrongCursor(ValueError):
    """The text is no cursor of ours."""


class Position(NamedTuple):
    """A place in the list: between the row that stands here and its neighbours.

    `amount` or `status` where the list is ordered by them.
    """

    created: datetime
    id: UUID
    amount: int | None = None
    status: str = ""

    def cursor(self) -> str:
        """An opaque text for a URL."""
        since = (self.created - _EPOCH) // _MICROSECOND
        packed = _PACKED.pack(since, self.id.bytes) + self.status.encode()
        if self.amount is not None:
            packed += b"=" + _AMOUNT.pack(self.amount)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, cursor: str) -> Position:
        """The place that `cursor` names. Raises WrongCursor."""
        try:
            packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            since, id = _PACKED.unpack(packed[: _PACKED.size])
            amount, status = _read_rest(packed[_PACKED.size :])
            created = _EPOCH + since * _MICROSECOND
            return cls(created, UUID(bytes=id), amount, status)
        except (ValueError, struct.error, binascii.Error, OverflowError) as error:
            raise WrongCursor("This link to a page of the list is broken.") from error


def _read_rest(packed: bytes) -> tuple[int | None, str]:
    if packed[:1] == b"=":
        return _AMOUNT.unpack(packed[1:])[0], ""
    return None, Status(packed.decode()) if packed else ""


#: Below every row that there can be.
BOTTOM = Position(_EPOCH, UUID(int=0))


class Counted(NamedTuple):
    """How many rows, or `more` than that."""

    number: int
    more: bool

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"


# --------------------------------------------------------------------------- orders
@dataclass(frozen=True, slots=True)
class Order:
    """An order that an index holds.

    `place`: a row's position; `key`: what puts rows of several strands in this order;
    `forwards` and `backwards`: the database's; `after` and `before`: the conditions of
    what comes on each side of a position, nearest first. Where the order goes by
    groups that is two: the rest of the group, and the groups beyond.
    """

    name: str
    place: Callable[[Transaction], Position]
    key: Callable[[Transaction], tuple[Any, ...]]
    forwards: tuple[Any, ...]
    backwards: tuple[Any, ...]
    after: Callable[[Position], list[Q]]
    before: Callable[[Position], list[Q]]


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


def _size() -> Coalesce:
    """The amount as the index tx_by_size holds it."""
    return Coalesce("amount", Value(UNKNOWN))


def _smaller_than(place: Position) -> Q:
    amount = Value(_amount_of(place))
    return Q(LessThanOrEqual(_size(), amount)) & (
        Q(LessThan(_size(), amount)) | Q(id__lt=place.id)
    )


def _larger_than(place: Position) -> Q:
    amount = Value(_amount_of(place))
    return Q(GreaterThanOrEqual(_size(), amount)) & (
        Q(GreaterThan(_size(), amount)) | Q(id__gt=place.id)
    )


def _amount_of(place: Position) -> int:
    if place.amount is None:
        raise WrongCursor("This link belongs to the list in another order.")
    return place.amount


def _status_of(place: Position) -> str:
    if not place.status:
        raise WrongCursor("This link belongs to the list in another order.")
    return place.status


def _micros(row: Transaction) -> int:
    return (row.created - _EPOCH) // _MICROSECOND


def _by_time(row: Transaction) -> Position:
    return Position(row.created, row.pk)


def _by_amount(row: Transaction) -> Position:
    amount = UNKNOWN if row.amount is None else row.amount
    return Position(row.created, row.pk, amount=amount)


def _by_status(row: Transaction) -> Position:
    return Position(row.created, row.pk, status=row.status)


_DOWN, _UP = ("-created", "-id"), ("created", "id")
_LARGE = (_size().desc(), F("id").desc())
_SMALL = (_size().asc(), F("id").asc())

NEWEST = Order(
    "-created", _by_time, lambda row: (-_micros(row), -row.pk.int), _DOWN, _UP,
    lambda place: [older_than(place)], lambda place: [newer_than(place)],
)  # fmt: skip
OLDEST = Order(
    "created", _by_time, lambda row: (_micros(row), row.pk.int), _UP, _DOWN,
    lambda place: [newer_than(place)], lambda place: [older_than(place)],
)  # fmt: skip
LARGEST = Order(
    "-amount", _by_amount, lambda row: (-_by_amount(row)[2], -row.pk.int),  # type: ignore[operator]
    _LARGE, _SMALL,
    lambda place: [_smaller_than(place)], lambda place: [_larger_than(place)],
)  # fmt: skip
SMALLEST = Order(
    "amount", _by_amount, lambda row: (_by_amount(row)[2], row.pk.int),
    _SMALL, _LARGE,
    lambda place: [_larger_than(place)], lambda place: [_smaller_than(place)],
)  # fmt: skip
#: Newest first within a status: the two directions that tx_by_status can be walked in.
BY_STATUS = Order(
    "status", _by_status,
    lambda row: (row.status, -_micros(row), -row.pk.int),
    ("status", *_DOWN), ("-status", *_UP),
    lambda place: [
        Q(status=_status_of(place)) & older_than(place), Q(status__gt=place.status)
    ],
    lambda place: [
        Q(status=_status_of(place)) & newer_than(place), Q(status__lt=place.status)
    ],
)  # fmt: skip

ORDERS = {order.name: order for order in (NEWEST, OLDEST, LARGEST, SMALLEST, BY_STATUS)}


# ---------------------------------------------------------------------------- pages
@dataclass
class Page:
    """`rows` in the list's order, and whether there is more on either side of them.

    The side that the page was not reached from is only looked at when asked for.
    """

    rows: list[Transaction]
    strands: Sequence[QuerySet[Transaction]]
    order: Order = NEWEST
    _newer: bool | None = None
    _older: bool | None = None

    @cached_property
    def has_newer(self) -> bool:
        if self._newer is not None or not self.rows:
            return bool(self._newer)
        return _any(self.strands, self.order.before(self.order.place(self.rows[0])))

    @cached_property
    def has_older(self) -> bool:
        if self._older is not None or not self.rows:
            return bool(self._older)
        return _any(self.strands, self.order.after(self.order.place(self.rows[-1])))

    @property
    def newer(self) -> str | None:
        """The cursor of the page above (`before=`), None at the top."""
        return self.order.place(self.rows[0]).cursor() if self.has_newer else None

    @property
    def older(self) -> str | None:
        """The cursor of the page below (`after=`), None at the end."""
        return self.order.place(self.rows[-1]).cursor() if self.has_older else None

    def count_up_to(self, most: int = MOST_COUNTED) -> Counted:
        """The number of rows in the whole list; stops counting above `most`."""
        return count_up_to(self.strands, most)

    def count_above(self, most: int = MOST_COUNTED) -> Counted:
        """The number of rows before this page; stops counting above `most`."""
        if self._newer is False or not self.rows:
            return Counted(0, more=False)
        above = self.order.before(self.order.place(self.rows[0]))
        # In order, so that the index is walked from here upwards.
        order = self.order.backwards
        parts = [
            rows.filter(part).order_by(*order)
            for rows in self.strands
            for part in above
        ]
        counted = count_up_to(parts, most)
        self._newer = counted.number > 0
        return counted


def take(
    strands: Sequence[QuerySet[Transaction]],
    size: int,
    *,
    after: Position | None = None,
    before: Position | None = None,
    order: Order = NEWEST,
) -> Page:
    """The `size` rows next to a position, or the first. At most one may be given.

    Raises WrongCursor for a position of a list in another order.
    """
    if before is not None:
        rows = _first(strands, order.before(before), size + 1, order, forwards=False)
        return Page(rows[:size][::-1], strands, order, _newer=len(rows) > size)
    beyond = [Q()] if after is None else order.after(after)
    rows = _first(strands, beyond, size + 1, order, forwards=True)
    newer = False if after is None else None
    return Page(rows[:size], strands, order, _newer=newer, _older=len(rows) > size)


def browse(
    strands: Sequence[QuerySet[Transaction]],
    query: Mapping[str, str],
    size: int,
    order: Order = NEWEST,
) -> Page:
    """The page that a URL of ours asks for. Raises WrongCursor.

    Who goes up and meets the top sees a whole first page; so does who follows a link
    to rows that are no longer there.
    """
    if cursor := query.get(NEWER):
        page = take(strands, size, before=Position.read(cursor), order=order)
        return page if len(page.rows) == size else take(strands, size, order=order)
    if cursor := query.get(OLDER):
        page = take(strands, size, after=Position.read(cursor), order=order)
        return page if page.rows else take(strands, size, order=order)
    return take(strands, size, order=order)


def count_up_to(
    strands: Iterable[QuerySet[Transaction]], most: int = MOST_COUNTED
) -> Counted:
    """Counts no further than `most`: the same cost in a list of millions."""
    seen = nearest.count(list(strands), most + 1)
    return Counted(min(seen, most), more=seen > most)


def _first(
    strands: Sequence[QuerySet[Transaction]],
    beyond: Sequence[Q],
    most: int,
    order: Order,
    *,
    forwards: bool,
) -> list[Transaction]:
    """The first rows of all strands; what is beyond a group only when it is needed."""
    fields = order.forwards if forwards else order.backwards
    rows: list[Transaction] = []
    for part in beyond:
        missing = most - len(rows)
        if missing <= 0:
            break
        found = nearest.together(
            [
                nearest.first(strand.filter(part).order_by(*fields), missing)
                for strand in strands
            ]
        )
        rows += sorted(found, key=order.key, reverse=not forwards)[:missing]
    return rows


def _any(strands: Sequence[QuerySet[Transaction]], beyond: Sequence[Q]) -> bool:
    return any(
        nearest.is_any(strand.filter(part)) for part in beyond for strand in strands
    )
