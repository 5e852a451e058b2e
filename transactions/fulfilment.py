"""Handing over by hand: what staff say about it, each act checked under the row's lock.

Every verb takes several transactions at once, enters an act where it makes sense and
returns, for the others, the sentence that says why not. What came of it is folded from
the timeline (transactions.fold.fulfilment).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import User
from transactions import acts, ledger
from transactions.fold.fulfilment import (
    ITEM,
    WHOLE,
    holding,
    is_sure,
    of_staff,
    still_holding,
)
from transactions.fold.hearing import in_order
from transactions.models import LineItem, TimelineEntry, Transaction
from transactions.statuses import TO_HAND_OVER, Act, FulfilmentStatus, Status

#: How long "I am on it" keeps others away.
CLAIM = timedelta(minutes=15)
#: Who says it again this soon pressed twice.
TWICE = timedelta(minutes=1)

#: transaction -> why nothing was done to it.
Refused = dict[UUID, str]
#: Given a transaction and its timeline, the act to enter; None where it stands already.
Look = Callable[[Transaction, Sequence[TimelineEntry]], TimelineEntry | None]
#: line key -> how it stands; WHOLE is the key where no items are known.
Lines = dict[str, str]
#: line key -> the act by which it stands so.
Acts = dict[str, TimelineEntry]


class NotNow(Exception):
    """It cannot be done to this transaction; `str()` is a sentence for staff."""


def mark_done(
    by: User,
    ids: Iterable[UUID],
    *,
    item: str = "",
    note: str = "",
    reference: str = "",
) -> Refused:
    """What waits was handed over: one line (`item` is its key), or all that wait."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        lines = _lines_that_are(row, item, FulfilmentStatus.WAITING, why_not_waiting)
        _must_be_free(row, by)
        return _entry(row, Act.DONE, by, item, lines, note=note, reference=reference)

    return _each(ids, decide)


def revoke(by: User, ids: Iterable[UUID], *, item: str = "", note: str = "") -> Refused:
    """What had been handed over was taken back from the customer."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        lines = _lines_that_are(row, item, FulfilmentStatus.DONE, why_not_done)
        return _entry(row, Act.REVOKED, by, item, lines, note=note)

    return _each(ids, decide)


def undo(
    by: User,
    ids: Iterable[UUID],
    *,
    item: str = "",
    of: str | Mapping[UUID, str] = "",
    note: str = "",
) -> Refused:
    """It was not so after all: as if the act had not been entered.

    `of`: the identity of the act that is meant, whichever it is, or that of each
    transaction. Without it, the last one on the line `item`; without that too, all
    handing over of what is handed over.
    """

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        act = of if isinstance(of, str) else of[row.pk]
        meant = _meant(row, timeline, item, act)
        says = {"of": [act.identity for act in meant]}
        return _entry(row, Act.UNDONE, by, item, says=says, note=note)

    return _each(ids, decide)


def keep(by: User, ids: Iterable[UUID], *, note: str = "") -> Refused:
    """After a chargeback: what was handed over stays with the customer."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        if not row.to_revoke:
            raise NotNow(_("Nothing of it waits to be taken back."))
        return _entry(row, Act.KEPT, by, "", note=note)

    return _each(ids, decide)


def claim(by: User, ids: Iterable[UUID], *, take_over: bool = False) -> Refused:
    """ "I am on it": for CLAIM from now nobody else hands it over.

    `take_over`: also from who is on it now.
    """
    now = timezone.now()

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> TimelineEntry | None:
        _lines_that_are(row, "", FulfilmentStatus.WAITING, why_not_waiting)
        if not take_over:
            _must_be_free(row, by)
        until = row.claimed_until
        if row.claimed_by_id == by.pk and until and until > now + CLAIM - TWICE:
            return None
        return acts.entry(
            row, Act.CLAIMED, by, says={"until": (now + CLAIM).isoformat()}
        )

    return _each(ids, decide)


def release(by: User, ids: Iterable[UUID]) -> Refused:
    """ "I am not on it any more"."""

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> TimelineEntry | None:
        _must_be_free(row, by)
        return acts.entry(row, Act.RELEASED, by) if is_claimed(row) else None

    return _each(ids, decide)


# ------------------------------------------------------------------------- questions
def is_claimed(row: Transaction, now: datetime | None = None) -> bool:
    """Whether somebody is on it at this moment."""
    until = row.claimed_until
    return until is not None and until > (now or timezone.now())


def why_not_waiting(row: Transaction) -> str:
    """Why this transaction is not to be handed over now, in a sentence."""
    if row.fulfilment == FulfilmentStatus.DONE:
        return _("It is handed over already.")
    if row.fulfilment == FulfilmentStatus.REVOKED:
        return _("It was taken back from the customer.")
    if row.status not in TO_HAND_OVER:
        return _("The payment is %s.") % Status(row.status).label.lower()
    if row.paid is None:
        return _("The provider has not said when it was paid.")
    if not is_sure({"verified": row.verified, "accepted": row.accepted}):
        return _("The amount is not confirmed.")
    return _("There is nothing to hand over.")


def why_not_done(row: Transaction) -> str:
    """Why there is nothing to take back, or to undo."""
    if row.fulfilment == FulfilmentStatus.REVOKED:
        return _("It was taken back from the customer.")
    return _("It is not handed over.")


def lines_of(row: Transaction) -> Lines:
    """How each line stands; asks nothing where the items are prefetched."""
    return {line.key: line.fulfilment for line in row.items.all()} or {
        WHOLE: row.fulfilment
    }


def latest(row: Transaction, timeline: Sequence[TimelineEntry]) -> Acts:
    """Line key -> the act by which it stands; lines that go by their rule are out."""
    ordered, lines = _by_staff(timeline), lines_of(row)
    said = {key: _last_run(ordered, key, lines) for key in lines}
    return {key: last[0] for key, last in said.items() if last}


def is_again(
    by: User, timeline: Sequence[TimelineEntry], act: Act, item: str = ""
) -> bool:
    """Whether `by` did just this a moment ago and nothing came after it."""
    staff = [e for e in timeline if e.source == TimelineEntry.Source.STAFF]
    last = max(staff, key=lambda entry: entry.order, default=None)
    return (
        last is not None
        and (last.actor_id, last.status) == (by.pk, act)
        and (last.object_id if last.object_kind == ITEM else "") == item
        and last.received > timezone.now() - TWICE
    )


# --------------------------------------------------------------------------- checks
def _lines_that_are(
    row: Transaction,
    item: str,
    state: FulfilmentStatus,
    why_not: Callable[[Transaction], str],
) -> list[str]:
    """The keys of the lines in this state, of one line or of all. Raises NotNow."""
    if item:
        line = _line(row, item)
        if line.fulfilment != state:
            found = line.get_fulfilment_display().lower()
            raise NotNow(_("The state of this item is: %s.") % found)
        return [item]
    keys = [key for key, stands in lines_of(row).items() if stands == state]
    if not keys:
        raise NotNow(why_not(row))
    return keys


def _line(row: Transaction, key: str) -> LineItem:
    for line in row.items.all():
        if line.key == key:
            return line
    raise NotNow(_("This item is not a part of the purchase any more."))


def _must_be_free(row: Transaction, by: User) -> None:
    if is_claimed(row) and row.claimed_by_id != by.pk:
        raise NotNow(_("%s is on it.") % (row.claimed_by or _("Somebody")))


def _meant(
    row: Transaction, timeline: Sequence[TimelineEntry], item: str, of: str
) -> list[TimelineEntry]:
    """The acts that are to be undone. Raises NotNow."""
    ordered, lines = _by_staff(timeline), lines_of(row)
    if of:
        meant = [act for act in still_holding(ordered, item) if act.identity == of]
        if not meant:
            raise NotNow(_("That was undone already."))
        return meant
    if item:
        keys = [_line(row, item).key]
    else:
        keys = _lines_that_are(row, "", FulfilmentStatus.DONE, why_not_done)
    found = [act for key in keys for act in _last_run(ordered, key, lines)]
    if not found:
        raise NotNow(_not_by_hand(row, lines[keys[0]]))
    return list({act.identity: act for act in found}.values())


def _last_run(
    ordered: Sequence[TimelineEntry], key: str, lines: Lines
) -> list[TimelineEntry]:
    """The acts by which the line stands as it does: several where rows were joined."""
    said = holding(ordered, key, lines.keys())
    return [*takewhile(lambda act: act.status == said[-1].status, reversed(said))]


def _not_by_hand(row: Transaction, state: str) -> str:
    if state == FulfilmentStatus.DONE:
        return _("It is handed over elsewhere, by the rule of its product.")
    return why_not_done(row)


# ---------------------------------------------------------------------------- acting
def _entry(
    row: Transaction,
    act: Act,
    by: User,
    item: str,
    lines: Sequence[str] = (),
    *,
    says: dict[str, Any] | None = None,
    note: str = "",
    reference: str = "",
) -> TimelineEntry:
    """An act on one line, with its name for people, or on `lines` of the whole."""
    more = {"item": _line(row, item).name} if item else {"lines": list(lines)}
    about = (ITEM, item) if item else ("transaction", "")
    told = (says or {}) | more
    return acts.entry(
        row, act, by, about=about, says=told, note=note, reference=reference
    )


def _by_staff(timeline: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    return of_staff(in_order(timeline))


def _each(ids: Iterable[UUID], decide: Look) -> Refused:
    wanted = list(ids)
    gone = _("It is a part of another transaction now.")
    refused: Refused = dict.fromkeys(wanted, gone)

    def look(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> list[TimelineEntry]:
        refused.pop(row.pk, None)
        try:
            entry = decide(row, timeline)
        except NotNow as no:
            refused[row.pk] = str(no)
            return []
        return [entry] if entry else []

    ledger.act(wanted, look)
    return refused
