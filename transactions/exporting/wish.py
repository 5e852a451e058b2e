"""What somebody wants exported, checked before anything is written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from merchant.access import may
from merchant.models import ApiKey, Member
from transactions import nearest, periods
from transactions.exporting import changes
from transactions.exporting.changes import Told
from transactions.exporting.lists import LISTS, Eyes, Mode, Wanted, of_draft
from transactions.exporting.refusal import NotPossible
from transactions.exports.lists import TABLES
from transactions.exports.table import UnknownColumn
from transactions.models import BulkAction, Export, ExportFormat, ExportStyle
from transactions.paging import Counted

#: Up to so many rows are made while the one who asked waits.
AT_ONCE = 5_000
#: No further than this is counted before it begins, and for no longer (milliseconds).
MOST_COUNTED, PATIENCE = 100_000, 1_500
MOST_COLUMNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An export as a form or a program asks for it.

    `listing` and `table`: see exporting.lists; an empty table is the list's first.
    `query` as in that list's URL, `livemode` where the query does not say; None: both.
    `bulk`: the rows of that draft instead. `columns`: none are the table's default.
    `period_by`, `told`: of balance changes, see exporting.changes; "" is the usual.
    """

    listing: str = "transactions"
    table: str = ""
    query: str = ""
    livemode: Mode = None
    bulk: UUID | None = None
    format: str = ExportFormat.CSV
    style: str = ExportStyle.PEOPLE
    columns: tuple[str, ...] = ()
    zone: str = "UTC"
    mark: bool = False
    period_by: str = ""
    told: Told | None = None

    @classmethod
    def of(cls, export: Export) -> Wish:
        """What an export was asked for with."""
        return cls(
            listing=export.listing,
            table=export.table,
            query=export.query,
            livemode=export.livemode,
            bulk=export.bulk_id,
            format=export.format,
            style=export.style,
            columns=tuple(export.columns),
            zone=export.time_zone,
            mark=export.mark,
            period_by=export.period_by,
            told=None
            if export.told_to is None
            else Told(export.told_from, export.told_to),
        )


def eyes_of(by: Member | ApiKey) -> Eyes:
    return by if isinstance(by, Member) else by.project


def checked(by: Member | ApiKey, wish: Wish) -> tuple[Wish, Wanted]:
    """The wish in its cleanest spelling, and the rows that it means.

    Raises NotPossible, and PermissionError where the member's role may not.
    """
    listed = LISTS.get(wish.listing)
    if listed is None or (isinstance(by, ApiKey) and not listed.names):
        raise NotPossible(_("There is no such list to export."), field="listing")
    if isinstance(by, Member):
        for right in ("export", listed.right):
            if not may(by.role, right):
                raise PermissionError(right)
    wish = _spelled(wish, listed.tables)
    wanted = _bulk_rows(by, wish) if wish.bulk else None
    eyes, query = eyes_of(by), QueryDict(wish.query)
    if wish.table == changes.TABLE:
        wanted = (
            changes.of_rows(eyes, wanted)
            if wanted
            else changes.read(eyes, query, wish.livemode, wish.period_by, wish.told)
        )
    elif wanted is None and wish.told:
        wanted = changes.sold(eyes, query, wish.livemode, wish.told)
    elif wanted is None:
        wanted = listed.read(eyes, query, wish.livemode)
    if wanted.errors:
        name, sentence = next(iter(wanted.errors.items()))
        raise NotPossible(sentence, field=name)
    return replace(wish, query=wanted.query, livemode=wanted.livemode), wanted


def count(wanted: Wanted) -> Counted | None:
    """How many rows of the list there are, no further than MOST_COUNTED; None where
    even that takes too long."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE:d}")
            seen = nearest.count(list(wanted.strands), MOST_COUNTED + 1)
    except EmptyResultSet:
        return Counted(0, more=False)
    except DatabaseError:
        return None
    return Counted(min(seen, MOST_COUNTED), more=seen > MOST_COUNTED)


def _spelled(wish: Wish, tables: tuple[str, ...]) -> Wish:
    kind = wish.format.lower()
    kind = "xlsx" if kind == "xls" else kind
    if kind not in ExportFormat.values:
        words = _("format must be one of: %s.")
        raise NotPossible(words % ", ".join(ExportFormat.values), field="format")
    if wish.style not in ExportStyle.values:
        words = _("style must be one of: %s.")
        raise NotPossible(words % ", ".join(ExportStyle.values), field="style")
    table = wish.table or tables[0]
    if table not in tables:
        raise NotPossible(_("This list has no such rows."), field="table")
    zone = str(zone_named(wish.zone))
    columns = _columns(table, wish.columns)
    return replace(
        wish,
        format=kind,
        table=table,
        zone=zone,
        columns=columns,
        period_by=_period_by(table, wish.period_by),
    )


def _period_by(table: str, asked: str) -> str:
    if table != changes.TABLE:
        if asked:
            words = _("period_by is for rows of balance changes.")
            raise NotPossible(words, field="period_by")
        return ""
    if asked and asked not in changes.PERIODS:
        words = _("period_by must be one of: %s.")
        raise NotPossible(words % ", ".join(changes.PERIODS), field="period_by")
    return asked or changes.HAPPENED


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name. Raises NotPossible."""
    try:
        return periods.read_zone(name)
    except periods.NotAPeriod:
        words = _("The time zone must be one such as Europe/Berlin.")
        raise NotPossible(words, field="zone") from None


def _columns(table: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    if len(keys) > MOST_COLUMNS:
        raise NotPossible(_("That is too many columns."), field="columns")
    try:
        TABLES[table].chosen(keys)
    except UnknownColumn as error:
        raise NotPossible(str(error), field="columns") from None
    return tuple(dict.fromkeys(keys)) or TABLES[table].preset("default")


def _bulk_rows(by: Member | ApiKey, wish: Wish) -> Wanted:
    """Those of the member's own draft, which may be gone by now."""
    bulk = None
    if isinstance(by, Member) and wish.bulk is not None:
        drafts = BulkAction.objects.filter(act=BulkAction.Act.EXPORT, member=by)
        bulk = drafts.filter(pk=wish.bulk).first()
    if bulk is None or not isinstance(by, Member):
        words = _("This selection is gone. Choose the rows again in the list.")
        raise NotPossible(words, field="bulk")
    return of_draft(by, bulk)
