"""Who makes an export: the request that asked, or a worker under a lease.

A worker renews its lease twice a second while it writes, from a thread of its own: the
database may be busy sorting for long before there is a first row. One that dies is
missed when the lease is up, and another begins again, with a new picture of the books.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from transactions.exporting import files, making, telling
from transactions.exporting.making import Doubtful
from transactions.exporting.refusal import NotPossible
from transactions.exports.writing import Receipt, Stopped
from transactions.models import Export

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)
SECONDS_A_BEAT = 0.5
#: As long as somebody waits in front of the page.
SECONDS_AT_ONCE = 3.0
#: A file is kept for so long.
KEPT = timedelta(days=7)
#: After so many tries that ended in nothing it is given up; between them it waits.
MOST_TRIES = 4
PAUSE = timedelta(seconds=30)

State = Export.State


# --------------------------------------------------------------------------- the round
def make_due() -> int:
    """Makes what waits, one after the other; returns how many were worked on."""
    worked = 0
    # A look first: to claim is to write, and SQLite has one writer.
    while _due().exists() and (claimed := _claim(_due())):
        _work(*claimed)
        telling.send_due()
        worked += 1
    return worked


def stop(export: Export) -> bool:
    """Cancels it; False when it is over already."""
    under_way = Export.objects.filter(pk=export.pk, state__in=_UNDER_WAY)
    return bool(
        under_way.update(
            state=State.CANCELED, finished=timezone.now(), lease=None, seen=True
        )
    )


_UNDER_WAY = (State.PENDING, State.RUNNING)


def _due() -> QuerySet[Export]:
    lapsed = Q(leased_until=None) | Q(leased_until__lt=timezone.now())
    return Export.objects.filter(lapsed, state__in=_UNDER_WAY)


@transaction.atomic
def _claim(due: QuerySet[Export]) -> tuple[Export, UUID] | None:
    """(an export, our lease of it); the one that waited longest."""
    waited = due.order_by(F("leased_until").asc(nulls_first=True), "created")
    export = waited.select_for_update(skip_locked=True, of=("self",)).first()
    if export is None:
        return None
    lease = uuid4()
    now = timezone.now()
    Export.objects.filter(pk=export.pk).update(
        state=State.RUNNING,
        lease=lease,
        leased_until=now + LEASE,
        started=now,
        rows_done=0,
        tries=F("tries") + 1,
    )
    export.refresh_from_db()
    return export, lease


def _work(export: Export, lease: UUID) -> None:
    if export.tries > MOST_TRIES:
        words = _("It was begun %d times and never came to its end.") % MOST_TRIES
        _failed(export, lease, words)
        return
    if export.tries > 1:
        files.remove_unfinished(export)
    with Beat(export, lease) as beat:
        try:
            _finish(export, lease, _make(export, lease, beat), at_once=False)
        except Stopped:
            log.info("Export %s was stopped", export.pk)
        except Doubtful as error:
            log.warning("Export %s is tried again: %s", export.pk, error)
            _put_back(export, lease, after=PAUSE)
        except NotPossible as error:
            _failed(export, lease, str(error))
        except Exception as error:
            log.exception("Export %s cannot be made", export.pk)
            told = _("It could not be made: %s. The log of Merchant says more.")
            _failed(export, lease, told % type(error).__name__)


# ------------------------------------------------------------------------- in a request
def at_once(export: Export) -> bool:
    """Makes it here and now; False where that takes too long or does not work, then it
    waits for a worker, who says what is wrong with it."""
    claimed = _claim(Export.objects.filter(pk=export.pk, state=State.PENDING))
    if claimed is None:
        return False
    mine, lease = claimed
    end = time.monotonic() + SECONDS_AT_ONCE
    clock = Clock(end)
    try:
        receipt = _make(mine, lease, clock)
    except NotPossible as error:
        _failed(mine, lease, str(error), seen=True)
        return False
    except (Stopped, Doubtful):
        _put_back(mine, lease)
        return False
    except Exception:
        log.exception("Export %s is left to the worker", export.pk)
        _put_back(mine, lease)
        return False
    done = _finish(mine, lease, receipt, at_once=True)
    export.refresh_from_db()
    return done


class Clock:
    """Somebody waits: what is not done in time is stopped."""

    def __init__(self, end: float) -> None:
        self._end = end

    def begun(self, total: int) -> None:
        """Nobody looks on meanwhile."""

    def progress(self, rows: int) -> None:
        """Nobody looks on meanwhile."""

    def stopped(self) -> bool:
        return time.monotonic() > self._end


class Beat:
    """The heart of a worker's export: tells how far it is, hears when it is not wanted.

    Beats in a thread with a connection of its own.
    """

    def __init__(self, export: Export, lease: UUID) -> None:
        mine = Export.objects.filter(pk=export.pk, lease=lease, state=State.RUNNING)
        self._mine = mine
        self._rows = 0
        self._total: int | None = None
        self._gone = threading.Event()
        self._over = threading.Event()
        name = f"export {export.pk}"
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    def __enter__(self) -> Beat:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def begun(self, total: int) -> None:
        self._total = total

    def progress(self, rows: int) -> None:
        self._rows = rows

    def stopped(self) -> bool:
        return self._gone.is_set()

    def _live(self) -> None:
        try:
            while not self._over.wait(SECONDS_A_BEAT):
                if not self._beat():
                    self._gone.set()
                    return
        finally:
            connection.close()

    def _beat(self) -> bool:
        """Whether it is still ours; a database that is away is no answer."""
        values: dict[str, Any] = {"leased_until": timezone.now() + LEASE}
        values["rows_done"] = self._rows
        if self._total is not None:
            values["rows_total"] = self._total
        try:
            return bool(self._mine.update(**values))
        except DatabaseError:
            log.warning("An export's lease could not be renewed", exc_info=True)
            return True


# ----------------------------------------------------------------------------- its end
def _make(export: Export, lease: UUID, watch: Clock | Beat) -> Receipt:
    return making.make(
        export,
        making.name_of_file(export, lease),
        progress=watch.progress,
        stopped=watch.stopped,
        begun=watch.begun,
    )


def _finish(export: Export, lease: UUID, receipt: Receipt, *, at_once: bool) -> bool:
    """Keeps what was made, unless somebody else has it or nobody wants it any more."""
    name = making.name_of_file(export, lease)
    now = timezone.now()
    mails = not at_once and export.member_id is not None
    mine = Export.objects.filter(pk=export.pk, lease=lease, state=State.RUNNING)
    with transaction.atomic():
        kept = mine.update(
            state=State.READY,
            rows_done=receipt.rows,
            rows_total=receipt.rows,
            receipt=receipt.as_json(),
            file=name,
            size=receipt.size,
            sha256=receipt.sha256,
            at_once=at_once,
            seen=export.seen or at_once,
            mail_due=now if mails or export.schedule_id else None,
            lease=None,
            leased_until=None,
            finished=now,
            expires=now + KEPT,
            error="",
        )
        if kept:
            export.refresh_from_db()
            telling.announce(export)
    if not kept:
        files.remove(name)
    return bool(kept)


def _failed(export: Export, lease: UUID, words: str, *, seen: bool = False) -> None:
    now = timezone.now()
    Export.objects.filter(pk=export.pk, lease=lease).update(
        state=State.FAILED,
        error=words[:300],
        seen=export.seen or seen,
        mail_due=None if seen else now,
        lease=None,
        leased_until=None,
        finished=now,
    )


def _put_back(export: Export, lease: UUID, after: timedelta = timedelta(0)) -> None:
    """It waits again, for `after` at least."""
    mine = Export.objects.filter(pk=export.pk, lease=lease, state=State.RUNNING)
    until = timezone.now() + after if after else None
    mine.update(state=State.PENDING, lease=None, leased_until=until, rows_done=0)
