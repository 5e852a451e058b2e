"""One export made: its rows read with today's rights, written, its receipt kept."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import ApiKey, Member
from transactions.exporting import files
from transactions.exporting.lists import Wanted
from transactions.exporting.refusal import NotPossible
from transactions.exporting.wish import Wish, checked
from transactions.exports import writing
from transactions.exports.source import Source
from transactions.exports.spec import FORMATS, Spec, masks
from transactions.models import Export

log = logging.getLogger(__name__)

#: A report for people to read; more pages than that nobody reads or prints.
MOST_IN_PDF = 200_000
#: What a full disk says.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Doubtful(Exception):
    """It did not work, and may the next time."""


class TooMany(NotPossible):
    """More rows than the format is for."""


def make(
    export: Export,
    name: str,
    *,
    progress: Callable[[int], None],
    stopped: Callable[[], bool],
    begun: Callable[[int], None],
) -> writing.Receipt:
    """Writes the file `name` and returns its receipt.

    Raises Stopped, NotPossible where it can never be made like this, Doubtful where it
    may the next time. Whatever it raises, nothing is left of the file.
    """
    by = author(export)
    if by is None:
        words = _("%s may not export any more.")
        raise NotPossible(words % export.asker)
    try:
        _wish, wanted = checked(by, Wish.of(export))
    except PermissionError:
        words = _("%s may not export this any more.")
        raise NotPossible(words % export.asker) from None

    def counted(total: int) -> None:
        if export.format == "pdf" and total > MOST_IN_PDF:
            words = _("A PDF holds at most %s rows. Choose Excel or CSV, or filter.")
            raise TooMany(words % f"{MOST_IN_PDF:,}")
        begun(total)

    path = files.folder() / name
    try:
        return writing.write(
            _spec(export, by, wanted),
            Source(wanted.strands, wanted.order),
            path,
            progress,
            stopped,
            counted,
        )
    except OSError as error:
        if error.errno in FULL:
            words = _(
                "The disk of the server is full. Free some space, then run it again."
            )
            raise NotPossible(words, code="disk_full") from error
        raise Doubtful(str(error)) from error
    except OperationalError as error:
        raise Doubtful(str(error)) from error


def author(export: Export) -> Member | ApiKey | None:
    """Through whose eyes it is made, while they may still look."""
    if export.member_id is not None:
        members = Member.objects.select_related("user", "merchant")
        found = members.prefetch_related("projects")
        return found.filter(pk=export.member_id, user__is_active=True).first()
    keys = ApiKey.objects.select_related("project").filter(revoked=None)
    return keys.filter(pk=export.key_id).first() if export.key_id else None


def name_of_file(export: Export, lease: Any) -> str:
    """Of its own for each try, so that a late writer overwrites nobody's file."""
    return f"{export.pk}-{str(lease)[:8]}.{FORMATS[export.format][0]}"


def _spec(export: Export, by: Member | ApiKey, wanted: Wanted) -> Spec:
    project = wanted.shops[0].name if len(wanted.shops) == 1 else ""
    mode = {True: "", False: _("Test payments"), None: _("Test and live payments")}
    parts = (mode[wanted.livemode], export.described)
    words = "; ".join(part for part in parts if part)
    return Spec(
        table=export.table,
        format=export.format,  # type: ignore[arg-type]
        style=export.style,  # type: ignore[arg-type]
        zone=export.time_zone,
        columns=tuple(export.columns),
        bom=export.mark,
        masked=isinstance(by, Member) and masks(by.role),
        merchant=export.merchant.name,
        project=project,
        filters=words,
        period=period_of(export),
        of_schedule=export.told_to is not None,
        made_by=export.asker,
        made_at=timezone.now().astimezone(UTC),
    )


def period_of(export: Export) -> str:
    """What time the file is about, in words and by its own zone's clocks."""
    zone = ZoneInfo(export.time_zone)
    words = period_words(export.since, export.until, zone)
    if export.told_from is None:
        return words
    late = _("%s, and earlier changes that became known since the file before")
    return late % words


def period_words(since: datetime | None, until: datetime | None, zone: ZoneInfo) -> str:
    """From (with) and until (without), by the zone's clocks; "" of all time."""
    if since is None and until is None:
        return ""
    begin, end = (
        f"{when.astimezone(zone):%Y-%m-%d %H:%M}" if when else ""
        for when in (since, until)
    )
    if not begin:
        return _("before %s") % end
    if not end:
        return _("from %s") % begin
    return _("from %(since)s until before %(until)s") % {"since": begin, "until": end}
