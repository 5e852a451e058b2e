"""Handing over by hand: what staff say about it, each act checked under the row's lock.

Every verb takes several transactions at once, enters an act where it makes sense and
returns, for the others, the sentence that says why not. What came of it is folded from
the timeline (transactions.fold.fulfilment).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import User
from transactions import acts, ledger
from transactions.fold.fulfilment import is_sure
from transactions.models import LineItem, TimelineEntry, Transaction
from transactions.statuses import TO_HAND_OVER, Act, FulfilmentStatus, Status

#: How long "I am on it" keeps others away.
CLAIM = timedelta(minutes=15)

#: What is known of a row when it is decided about: itself, and its timeline.
Known = tuple[Transaction, Sequence[TimelineEntry]]
#: transaction -> why nothing was done to it.
Refused = dict[UUID, str]


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
        _must_be(row, item, {FulfilmentStatus.WAITING}, why_not_waiting)
        _must_be_free(row, by)
        return _entry(row, Act.DONE, by, item, note=note, reference=reference)

    return _each(ids, decide)


def undo(by: User, ids: Iterable[UUID], *, item: str = "", note: str = "") -> Refused:
    """It was not handed over, or not taken back, after all: back to the rule."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        decided = {FulfilmentStatus.DONE, FulfilmentStatus.REVOKED}
        _must_be(row, item, decided, _why_not_decided)
        if not any(entry.status in (Act.DONE, Act.REVOKED) for entry in timeline):
            raise NotNow(_("It is handed over elsewhere, by the rule of its product."))
        return _entry(row, Act.UNDONE, by, item, note=note)

    return _each(ids, decide)


def revoke(by: User, ids: Iterable[UUID], *, item: str = "", note: str = "") -> Refused:
    """What had been handed over was taken back from the customer."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        _must_be(row, item, {FulfilmentStatus.DONE}, _why_not_decided)
        return _entry(row, Act.REVOKED, by, item, note=note)

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
    until = timezone.now() + CLAIM

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        _must_be(row, "", {FulfilmentStatus.WAITING}, why_not_waiting)
        if not take_over:
            _must_be_free(row, by)
        says = {"until": until.isoformat()}
        return acts.entry(row, Act.CLAIMED, by, says=says)

    return _each(ids, decide)


def release(by: User, ids: Iterable[UUID]) -> Refused:
    """ "I am not on it any more"."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        if row.claimed_by_id != by.pk or not is_claimed(row):
            raise NotNow(_("You are not on it."))
        return acts.entry(row, Act.RELEASED, by)

    return _each(ids, decide)


def is_claimed(row: Transaction, now: datetime | None = None) -> bool:
    """Whether somebody is on it at this moment."""
    until = row.claimed_until
    return until is not None and until > (now or timezone.now())


def why_not_waiting(row: Transaction) -> str:
    """Why this transaction is not to be handed over now, in a sentence."""
    if row.fulfilment == FulfilmentStatus.DONE:
        return _("It is handed over already.")
    if row.fulfilment == FulfilmentStatus.REVOKED:
        return _("It was taken back.")
    if row.status not in TO_HAND_OVER:
        status = Status(row.status).label.lower()
        return _("The payment is %s.") % status
    if not is_sure({"verified": row.verified, "accepted": row.accepted}):
        return _("The amount is not confirmed. Accept it by hand first.")
    return _("There is nothing to hand over.")


# --------------------------------------------------------------------------- checks
def _must_be(
    row: Transaction,
    item: str,
    states: set[FulfilmentStatus],
    why_not: Callable[[Transaction], str],
) -> None:
    if item:
        line = _line(row, item)
        if line.fulfilment not in states:
            raise NotNow(_("This item is %s.") % line.get_fulfilment_display().lower())
        return
    found = {line.fulfilment for line in row.items.all()} or {row.fulfilment}
    if not found & states:
        raise NotNow(why_not(row))


def _line(row: Transaction, key: str) -> LineItem:
    for line in row.items.all():
        if line.key == key:
            return line
    raise NotNow(_("This item is not a part of the purchase any more."))


def _must_be_free(row: Transaction, by: User) -> None:
    if is_claimed(row) and row.claimed_by_id != by.pk:
        raise NotNow(_("%s is on it.") % row.claimed_by)


def _why_not_decided(row: Transaction) -> str:
    return _("It was not handed over.")


# ---------------------------------------------------------------------------- acting
def _entry(
    row: Transaction,
    act: Act,
    by: User,
    item: str,
    *,
    note: str = "",
    reference: str = "",
) -> TimelineEntry:
    if not item:
        return acts.entry(row, act, by, note=note, reference=reference)
    return acts.entry(
        row,
        act,
        by,
        about=("item", item),
        says={"item": _line(row, item).name},
        note=note,
        reference=reference,
    )


def _each(
    ids: Iterable[UUID],
    decide: Callable[[Transaction, Sequence[TimelineEntry]], TimelineEntry],
) -> Refused:
    refused: Refused = {}

    def look(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> list[TimelineEntry]:
        try:
            return [decide(row, timeline)]
        except NotNow as no:
            refused[row.pk] = str(no)
            return []

    ledger.act(ids, look)
    return refused
