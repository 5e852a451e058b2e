"""What can be done to many transactions at once: one table for page and worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from merchant.access import may
from merchant.models import Member, User
from transactions import fulfilment
from transactions.bulk_actions import refunding
from transactions.models import (
    BulkAction,
    BulkItem,
    LineItem,
    TimelineEntry,
    Transaction,
)
from transactions.statuses import TO_HAND_OVER, FulfilmentStatus, Status
from transactions.statuses import Act as Deed

#: Rows that an act cannot be done to, and the sentence that says why. The first that
#: fits a row is told; what none of them fits can be acted on.
Obstacles = Sequence[tuple[Any, str]]


@dataclass(frozen=True, slots=True)
class Act:
    """One act on many rows.

    `right` is the action of merchant.access that a member needs. One that `is_file`
    changes nothing: its draft is exported. `obstacles` foretells
    from columns, for a hundred thousand rows in one statement, what `run` decides for
    each of them under its lock. `run` returns why rows were left alone; `prepare` takes
    what has to be locked before the rows. `amount`: of an item, what the draft adds up.
    `wants_fresh_login`: whether to ask the member's password before it is confirmed.
    """

    label: Any
    icon: str
    right: str
    asks: Callable[[int], str]
    tells: Callable[[int], str]
    obstacles: Callable[[BulkAction, User], Obstacles]
    run: Callable[[BulkAction, User, list[UUID]], fulfilment.Refused]
    takes: tuple[str, ...] = ("note",)
    undone_by: str = ""
    is_file: bool = False
    prepare: Callable[[Member], None] = lambda member: None
    amount: Callable[[], Any] = lambda: F("transaction__amount")
    wants_fresh_login: Callable[[Member], bool] = lambda member: False
    is_grave: bool = False


# ------------------------------------------------------------------------ handing over
def _hand_over(bulk: BulkAction, by: User, ids: list[UUID]) -> fulfilment.Refused:
    return fulfilment.mark_done(by, ids, note=bulk.note, reference=bulk.reference)


def _not_to_hand_over(bulk: BulkAction, by: User) -> Obstacles:
    """As transactions.fulfilment.mark_done, whose sentences these are."""
    others = Q(claimed_until__gt=timezone.now()) & ~Q(claimed_by=by)
    waits = Q(fulfilment=FulfilmentStatus.WAITING)
    return [
        (waits & others, _("Somebody else is on it.")),
        *(
            (Q(fulfilment=state), _why_not(fulfilment=state))
            for state in (FulfilmentStatus.DONE, FulfilmentStatus.REVOKED)
        ),
        *(
            (~waits & Q(status=status), _why_not(status=status))
            for status in Status
            if status not in TO_HAND_OVER
        ),
        (~waits & Q(paid=None), _why_not(paid=None)),
        (~waits & Q(verified=False, accepted=None), _why_not(verified=False)),
        (~waits, _why_not()),
    ]


def _why_not(**columns: Any) -> str:
    """The sentence for a row that is paid and confirmed but for these columns."""
    given = {"status": Status.PAID, "paid": timezone.now(), **columns}
    return fulfilment.why_not_waiting(Transaction(**given))


# ------------------------------------------------------------------------------ undoing
def _undo(bulk: BulkAction, by: User, ids: list[UUID]) -> fulfilment.Refused:
    """All handing over of a row; where another action is taken back, only its own."""
    if bulk.reverses_id is None:
        return fulfilment.undo(by, ids, note=bulk.note)
    theirs = BulkItem.objects.filter(bulk=bulk.reverses_id, transaction__in=ids)
    of = dict(theirs.exclude(entry="").values_list("transaction_id", "entry"))
    gone = {id: _("It was not a part of that action.") for id in ids if id not in of}
    return gone | fulfilment.undo(by, of, of=of, note=bulk.note)


def _not_to_undo(bulk: BulkAction, by: User) -> Obstacles:
    lines = LineItem.objects.filter(transaction=OuterRef("pk"))
    acts = TimelineEntry.objects.filter(transaction=OuterRef("pk"), topic="fulfilment")
    handed_over = Q(fulfilment=FulfilmentStatus.DONE) | Exists(
        lines.filter(fulfilment=FulfilmentStatus.DONE)
    )
    by_hand = Exists(acts.filter(status=Deed.DONE))
    since = []
    if bulk.reverses is not None and bulk.reverses.finished:
        later = acts.filter(
            status__in=[Deed.DONE, Deed.UNDONE, Deed.REVOKED],
            received__gt=bulk.reverses.finished,
        )
        since = [(Q(Exists(later)), _("Something else was done about it since."))]
    return [
        *since,
        (
            Q(fulfilment=FulfilmentStatus.REVOKED) & ~handed_over,
            fulfilment.why_not_done(Transaction(fulfilment=FulfilmentStatus.REVOKED)),
        ),
        (~handed_over, fulfilment.why_not_done(Transaction())),
        (~Q(by_hand), _("It is handed over elsewhere, by the rule of its product.")),
    ]


# ---------------------------------------------------------------------------- the table
ACTS: dict[str, Act] = {
    BulkAction.Act.FULFIL: Act(
        label=_lazy("Mark as handed over"),
        icon="check",
        right="fulfil",
        asks=lambda n: _("Mark %s as handed over") % f"{n:,}",
        tells=lambda n: (
            ngettext("%s marked as handed over", "%s marked as handed over", n)
            % f"{n:,}"
        ),
        obstacles=_not_to_hand_over,
        run=_hand_over,
        takes=("reference", "note"),
        undone_by=BulkAction.Act.UNDO,
    ),
    BulkAction.Act.UNDO: Act(
        label=_lazy("Undo handing over"),
        icon="arrow-uturn-left",
        right="fulfil",
        asks=lambda n: _("Undo handing over of %s") % f"{n:,}",
        tells=lambda n: ngettext("%s undone", "%s undone", n) % f"{n:,}",
        obstacles=_not_to_undo,
        run=_undo,
    ),
    BulkAction.Act.EXPORT: Act(
        label=_lazy("Export"),
        icon="arrow-down-tray",
        right="export",
        asks=lambda n: ngettext("Export %s row...", "Export %s rows...", n) % f"{n:,}",
        tells=lambda n: ngettext("%s row", "%s rows", n) % f"{n:,}",
        obstacles=lambda bulk, by: [],
        run=lambda bulk, by, ids: {},
        takes=(),
        is_file=True,
    ),
    BulkAction.Act.REFUND: Act(
        label=_lazy("Refund in full"),
        icon="banknotes",
        right="refund",
        asks=lambda n: (
            ngettext("Refund %s payment", "Refund %s payments", n) % f"{n:,}"
        ),
        tells=lambda n: (
            ngettext("%s refund asked for", "%s refunds asked for", n) % f"{n:,}"
        ),
        obstacles=refunding.obstacles,
        run=refunding.run,
        takes=("reason", "note", "after"),
        prepare=refunding.prepare,
        amount=refunding.left_of_item,
        wants_fresh_login=refunding.is_limited,
        is_grave=True,
    ),
}


def acts_of(member: Member) -> dict[str, Act]:
    """What the member may do, by the name that a form sends."""
    return {name: act for name, act in ACTS.items() if may(member.role, act.right)}
