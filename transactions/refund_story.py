"""One refund told to staff: how it stands in words, its steps, and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.access import may
from merchant.models import Member
from merchant.templatetags.show import money_text, spoken
from transactions import refunds
from transactions.fold.hearing import STEP
from transactions.models import Refund, TimelineEntry, Transaction
from transactions.refunds.asking import UNKNOWN_FOR
from transactions.statuses import RefundReason, RefundStatus, RefundStep

S = RefundStatus

#: Steps whose note is why it ended.
_ENDINGS = frozenset(
    {RefundStep.DECLINED, RefundStep.CANCELED, RefundStep.GIVEN_UP, RefundStep.REFUSED}
)


@dataclass(frozen=True, slots=True)
class Told:
    """A refund as pages show it.

    state     how it stands, a sentence
    trouble   what went wrong last, in words; may be the provider's
    steps     of the timeline, the earliest first
    decided   who approved or declined it
    letter    a mailto address with the words for the customer; "" while there is none
    """

    refund: Refund
    state: str
    trouble: str
    steps: list[TimelineEntry] = field(default_factory=list)
    decided: str = ""
    approves: bool = False
    waits_for_another: bool = False
    cancels: bool = False
    gives_up: bool = False
    by_hand: str = ""
    letter: str = ""

    @property
    def may_act(self) -> bool:
        return self.approves or self.cancels or self.gives_up

    @property
    def reason(self) -> str:
        """Why money goes back: our words where we know the code."""
        known = dict(RefundReason.choices)
        return str(known.get(self.refund.reason, self.refund.reason.replace("_", " ")))


def of(
    member: Member,
    row: Transaction,
    refund: Refund,
    entries: Iterable[TimelineEntry] = (),
) -> Told:
    """`entries`: the purchase's timeline, or of it what is about refunds; each with
    its actor beside it."""
    steps = _steps(refund, entries)
    state = RefundStatus(refund.status)
    mine = refund.asked_by_id is not None and refund.asked_by_id == member.user_id
    waits = state == S.AWAITING_APPROVAL and not _is_over(refund)
    judges = may(member.role, "approve_refund")
    return Told(
        refund=refund,
        state=state_words(row, refund),
        trouble=trouble(refund, steps),
        steps=steps,
        decided=_decided(steps),
        approves=waits and judges and not mine,
        waits_for_another=waits and judges and mine,
        cancels=_cancels(member, row, refund, mine=mine),
        gives_up=judges and _may_be_given_up(refund),
        by_hand=refunds.where(row) if refund.by_hand and state == S.SUBMITTED else "",
        letter=_letter(row, refund),
    )


def state_words(row: Transaction, refund: Refund) -> str:
    """How it stands and what comes next, in a sentence; "" where the badge says all."""
    provider = row.get_provider_display()
    state = RefundStatus(refund.status)
    if state == S.AWAITING_APPROVAL:
        if _is_over(refund):
            return _("Nobody approved it in time.")
        return _("Nothing is sent before a second member has approved it.")
    if state in (S.REQUESTED, S.APPROVED):
        return _("It is sent to %s within seconds.") % provider
    if state == S.UNKNOWN:
        return (
            _(
                "The answer of %s was lost, so what became of it is being looked up. "
                "It is never sent twice, and its amount stays reserved."
            )
            % provider
        )
    if state == S.SUBMITTED and refund.by_hand:
        return (
            _("Do it in %s's own dashboard: it is noted here once %s tells of it.")
        ) % (provider, provider)
    if refund.stopping:
        return _("%s is being asked to cancel it.") % provider
    if state == S.SUBMITTED and refund.unsent:
        return _("It has not reached %s yet, and is tried again.") % provider
    if state in (S.SUBMITTED, S.PENDING):
        return _("%s has it. The money may take days to arrive.") % provider
    if state == S.REQUIRES_ACTION:
        return _("The customer has to tell %s where the money goes.") % provider
    return ""


def trouble(refund: Refund, steps: Sequence[TimelineEntry] = ()) -> str:
    """What went wrong last, or why it ended; "" where nothing did."""
    if refund.status == S.SUCCEEDED:
        return ""
    if words := refund.failure_reason or refund.error:
        # A code is spoken, a sentence stands as it is: it may name ids.
        return words if " " in words else spoken(words)
    ends = [step for step in steps if step.status in _ENDINGS]
    return str(ends[-1].says.get("why", [0, ""])[1]) if ends else ""


def _steps(refund: Refund, entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Ours, and what the provider told about it; the earliest first."""
    names = {refund.provider_id, refund.key} - {""}
    own = str(refund.pk)
    mine = [
        entry
        for entry in entries
        if entry.topic == "refund"
        and (
            entry.object_id == own
            if entry.object_kind == STEP
            else entry.object_id in names
        )
    ]
    return sorted(
        mine,
        key=lambda entry: (
            _when(entry).replace(microsecond=0),
            entry.object_kind != STEP,
            entry.order if entry.object_kind == STEP else 0,
            entry.pk,
        ),
    )


def _decided(steps: Iterable[TimelineEntry]) -> str:
    made = {RefundStep.APPROVED, RefundStep.DECLINED}
    own = [s for s in steps if s.object_kind == STEP and s.status in made]
    return str(own[0].actor or "") if own else ""


def _when(entry: TimelineEntry) -> datetime:
    return entry.at or entry.received


def _is_over(refund: Refund) -> bool:
    return refund.expires is not None and refund.expires <= timezone.now()


def _cancels(member: Member, row: Transaction, refund: Refund, *, mine: bool) -> bool:
    """What nobody here asked for is not ours to cancel."""
    if refund.asked is None or not may(member.role, "refund"):
        return False
    if not mine and not may(member.role, "approve_refund"):
        return False
    return refunds.is_unsent(refund) or refunds.is_stoppable(row, refund)


def _may_be_given_up(refund: Refund) -> bool:
    now = timezone.now()
    free = refund.leased_until is None or refund.leased_until <= now
    old = refund.sent is not None and now - refund.sent >= UNKNOWN_FOR
    return refund.status == S.UNKNOWN and free and old


def _letter(row: Transaction, refund: Refund) -> str:
    """The letter to the customer, for the member's own mail program."""
    address = row.customer_email
    ready = refund.notify and refund.status == S.SUCCEEDED
    # Nothing that could add a header or another reader.
    if not ready or not address or any(c in address for c in "?&,;\r\n %"):
        return ""
    amount = money_text(refund.amount, refund.currency)
    order = row.order_reference or row.provider_id
    subject = _("Your refund of %s") % amount
    body = _(
        "Hello,\n\nwe have refunded %(amount)s for your order %(order)s. Depending on "
        "your bank it takes a few days until you see it.\n"
    ) % {"amount": amount, "order": order}
    words = urlencode({"subject": subject, "body": body}, quote_via=quote)
    return f"mailto:{quote(address, safe='@+')}?{words}"
