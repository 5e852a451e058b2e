"""What a file can show of each list: its columns, defined once for every format.

A column is a value that the database gives (a Django expression) and a kind, which
says how it is written. The keys never change: scripts ask for columns by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from transactions.exports.kinds import Kind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: The path from a row to its purchase, "" where the row is one -> the value.
Value = Callable[[str], Combinable]


class UnknownColumn(ValueError):
    """Asked for was a column that the table does not have; the message names it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `values`: for each part of the table, its value.

    `words`: of a WORD, what people read for it. `head` stands above it in every style.
    `width`: in characters, as it usually needs.
    """

    key: str
    label: StrOrPromise
    kind: Kind
    values: tuple[Combinable, ...]
    words: Mapping[str, StrOrPromise] = field(default_factory=dict)
    masked: tuple[Combinable, ...] = ()
    head: str = ""
    width: int = 16

    def heading(self, *, for_people: bool, zone: str) -> str:
        if self.head or not for_people:
            return self.head or self.key
        return f"{self.label} ({zone})" if self.kind is Kind.TIME else str(self.label)

    def spoken(self) -> dict[str, str]:
        """The words in the language of the moment."""
        return {word: str(label) for word, label in self.words.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one model: made of a list's rows, with what each column shows of them.

    `sort`: what the rows go by, newest first: names as in order_by, and values, of
    which the greatest is first. Without it the list's own order is taken.
    """

    rows: Callable[[QuerySet[Any]], QuerySet[Any]]
    currency: Combinable
    sort: tuple[str | Combinable, ...] = ()


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum per currency that the file's receipt tells: key and value of each part.

    `of_schedules`: only where the file is one of a schedule.
    """

    key: str
    label: StrOrPromise
    values: tuple[Combinable, ...]
    is_money: bool = True
    of_schedules: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A list as a file can show it.

    `presets`: name -> (label, keys of columns). "default" is always there.
    """

    key: str
    label: StrOrPromise
    parts: tuple[Part, ...]
    columns: Mapping[str, Column]
    presets: Mapping[str, tuple[StrOrPromise, tuple[str, ...]]]
    sums: tuple[Sum, ...] = ()

    def preset(self, name: str) -> tuple[str, ...]:
        """The columns of a preset. Raises UnknownColumn."""
        if name not in self.presets:
            known = ", ".join(self.presets)
            raise UnknownColumn(f"{name[:40]!r} is no preset; there are {known}.")
        return self.presets[name][1]

    def chosen(self, keys: Iterable[str]) -> list[Column]:
        """These columns, each once; the default ones where there are none.

        Whatever says an amount is followed by its currency, unless that was asked for
        by itself. Raises UnknownColumn.
        """
        wanted = list(dict.fromkeys(keys)) or list(self.preset("default"))
        for key in wanted:
            if key not in self.columns:
                raise UnknownColumn(f"{key[:40]!r} is no column of this list.")
        found = [self.columns[key] for key in wanted]
        money = [at for at, column in enumerate(found) if column.kind is Kind.MONEY]
        if money and not any("currency" in (c.key, c.head) for c in found):
            found.insert(money[0] + 1, self.columns["currency"])
        return found


def as_columns(columns: Sequence[Column]) -> dict[str, Column]:
    return {column.key: column for column in columns}


def everything(columns: Mapping[str, Column]) -> tuple[StrOrPromise, tuple[str, ...]]:
    """The preset of all columns but those that are another program's."""
    return _("All columns"), tuple(key for key in columns if "." not in key)
