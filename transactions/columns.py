"""The columns that a list of transactions can show, and how a member has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from transactions.models import ListLayout, Transaction

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `key` also names it in exports, so it never changes.

    `width` in pixels; one that `stretches` takes what is left where all fit. `sort` is
    the order that its heading offers, `needs` what is fetched along for its cells.
    Where there is little room, those of the lowest `rank` stay longest.
    """

    key: str
    label: StrOrPromise
    width: int
    number: bool = False
    stretches: bool = False
    is_time: bool = False
    sort: str = ""
    needs: tuple[str, ...] = ()
    rank: int = 2

    @property
    def template(self) -> str:
        return f"transactions/cells/_{self.key}.html"


#: The one that every row is called after: always there, always first. On a narrow
#: screen it also says what was bought and when.
CUSTOMER = Column("customer", _("Customer"), 170, needs=("customer", "items"))

COLUMNS = {
    column.key: column
    for column in (
        CUSTOMER,
        Column("product", _("Product"), 170, stretches=True, needs=("items",)),
        Column("status", _("Status"), 160, sort="status", rank=0),
        Column("method", _("Method"), 106),
        Column("provider", _("Provider"), 122, needs=("project",)),
        Column("created", _("Created"), 124, is_time=True, sort="created", rank=1),
        Column(
            "amount",
            _("Amount"),
            128,
            number=True,
            sort="amount",
            needs=("accepted_by",),
            rank=0,
        ),
        Column("paid", _("Paid"), 124, is_time=True),
        Column("refunded", _("Refunded"), 126, number=True),
        Column("fee", _("Fee"), 110, number=True),
        Column("net", _("Net"), 126, number=True),
        Column("fulfilment", _("Fulfilment"), 124, needs=("claimed_by",)),
        Column("email", _("E-mail"), 200, stretches=True),
        Column("country", _("Country"), 120),
        Column("project", _("Project"), 134, needs=("project",)),
        Column("order_reference", _("Order reference"), 150),
        Column("description", _("Description"), 200, stretches=True),
        Column("id", _("Id"), 180),
        Column("provider_id", _("Provider's id"), 180),
        Column("metadata", _("Metadata"), 220, stretches=True),
    )
}

#: What a member sees who has chosen nothing.
DEFAULT = ("customer", "product", "status", "method", "provider", "created", "amount")

#: Width of the table up to which a column is hidden -> the room there is beyond it,
#: for all columns but the customer. Beyond the last one the table scrolls instead.
ROOMS = {0: 224, 700: 502, 860: 662}
WIDEST, WHOLE = 1000, 980
#: On a phone the columns are this wide; elsewhere one that stretches needs this much.
NARROW, LEAST = 112, 84
#: The width of the column with the ticks.
TICKS = 28


class Shown(NamedTuple):
    """A column as it stands in somebody's list."""

    column: Column
    css: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a list looks like: its columns in order, its height of rows.

    `scrolls`: it is wider than a page, so it is moved sideways inside its own frame.
    """

    shown: Sequence[Shown]
    density: str
    scrolls: bool

    @property
    def keys(self) -> list[str]:
        return [shown.column.key for shown in self.shown]

    @property
    def first(self) -> Shown:
        return self.shown[0]

    @property
    def others(self) -> Sequence[Shown]:
        return self.shown[1:]


def arranged(keys: Iterable[str], density: str = "roomy") -> Arrangement:
    """These columns, the customer first; ours where there are none.

    A key that is none (of a column that is gone) is passed over.
    """
    wanted = in_order(keys)
    columns = [COLUMNS[key] for key in wanted]
    hidden = _hidden_below(columns)
    whole = TICKS + sum(column.width for column in columns)
    return Arrangement(
        [Shown(column, _css(column, hidden[column.key])) for column in columns],
        density,
        scrolls=whole > WHOLE + _given_up(columns),
    )


def of_layout(layout: ListLayout) -> Arrangement:
    return arranged(layout.columns, layout.density)


def in_order(keys: Iterable[str]) -> list[str]:
    """The keys that are columns, each once, the customer first; ours if none is."""
    known = [key for key in dict.fromkeys(keys) if key in COLUMNS] or list(DEFAULT)
    return [CUSTOMER.key, *(key for key in known if key != CUSTOMER.key)]


def fetch_along(rows: Sequence[Transaction], arrangement: Arrangement) -> None:
    """Fetches what the cells show besides the rows: a query for each thing."""
    needs = (need for shown in arrangement.shown for need in shown.column.needs)
    prefetch_related_objects(rows, *dict.fromkeys(needs))


# ---------------------------------------------------------------------------- widths
def _hidden_below(columns: Sequence[Column]) -> dict[str, int]:
    """key -> the width of the table below which it is hidden, 0 for never."""
    found = {CUSTOMER.key: 0}
    order = sorted(columns[1:], key=lambda column: column.rank)
    for width, room in ROOMS.items():
        for column in _fitting(order, room, narrow=width == 0):
            found.setdefault(column.key, width)
    return {column.key: found.get(column.key, WIDEST) for column in columns}


def _fitting(columns: Iterable[Column], room: int, *, narrow: bool) -> Iterator[Column]:
    """The columns from the front for which there is room."""
    for column in columns:
        room -= NARROW if narrow else LEAST if column.stretches else column.width
        if room < 0:
            return
        yield column


def _given_up(columns: Iterable[Column]) -> int:
    """How much narrower those can get that stretch, before anything must scroll."""
    return sum(column.width - LEAST for column in columns if column.stretches)


def _css(column: Column, hidden_below: int) -> str:
    words = [
        f"col-{column.key.replace('_', '-')}",
        "number" if column.number else "",
        "stretches" if column.stretches else "",
        f"from-{hidden_below}" if hidden_below else "",
    ]
    return " ".join(filter(None, words))
