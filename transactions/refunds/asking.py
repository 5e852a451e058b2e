"""What members and API keys do about refunds, each act checked under the row's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction as database
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import access, audit, ids, queue
from merchant.models import ApiKey, Member, User
from merchant.money import Money
from merchant.providers import PROVIDERS
from merchant.providers.base import stamp
from transactions import ledger
from transactions.models import (
    Refund,
    TimelineEntry,
    Transaction,
    TransactionAlias,
)
from transactions.refunds import limits, rules, steps
from transactions.statuses import (
    REFUND_UNSENT,
    AfterRefund,
    RefundReason,
    RefundStatus,
    RefundStep,
)

#: So long a request waits for approval; then it expires.
APPROVAL = timedelta(days=3)
#: A refund of which nobody knows anything may be closed by hand after so long.
UNKNOWN_FOR = timedelta(minutes=30)
#: Requests that expire in one round.
BATCH = 100

Source = TimelineEntry.Source
Timeline = Sequence[TimelineEntry]


class NotNow(Exception):
    """It cannot be done to this refund or purchase; `str()` is a sentence for staff.

    `code`, `field`: the same for a program: a word, and what was wrong in the request.
    """

    def __init__(self, words: str, code: str = "not_now", field: str = "") -> None:
        super().__init__(words)
        self.code, self.field = code, field


# ---------------------------------------------------------------------------- asking
@database.atomic
def request(
    by: Member | ApiKey,
    transaction: Transaction,
    *,
    amount: int | None = None,
    line: str = "",
    reason: str = RefundReason.REQUESTED_BY_CUSTOMER,
    note: str = "",
    after: str = AfterRefund.KEEP,
    notify: bool = False,
    key: str = "",
    http: HttpRequest | None = None,
) -> Refund:
    """Asks to give money back; it is sent by the worker, or waits for approval.

    `transaction`: found by the caller among those that `by` may see. `amount` in minor
    units, None for all that is left; `line`: the key of one line instead. `key`: the
    same one from the same asker is the same request: its refund is given back and
    nothing is asked twice. Raises NotNow.
    """
    _must_be_allowed(by, "refund")
    id = _id(by, transaction, key)
    if known := Refund.objects.filter(pk=id).first():
        return known
    limits.lock(by, transaction.project_id)

    def decide(row: Transaction, timeline: Timeline) -> Iterable[TimelineEntry]:
        if steps.of(timeline, id):
            return []
        asked = _checked(row, amount, line)
        why = limits.above(by, row.project, asked, row.currency)
        expires = timezone.now() + APPROVAL if why else None
        return [
            steps.entry(
                row,
                timeline,
                id,
                RefundStep.AWAITING_APPROVAL if why else RefundStep.REQUESTED,
                by=by.user if isinstance(by, Member) else None,
                source=Source.STAFF if isinstance(by, Member) else Source.API,
                says={
                    "money": [asked, row.currency],
                    "line": line or None,
                    "reason": RefundReason(reason).value,
                    "note": note[:500] or None,
                    "after": AfterRefund(after).value,
                    "notify": notify or None,
                    "key": None if isinstance(by, Member) else str(by.pk),
                    "asker": _name(by),
                    "expires": stamp(expires),
                },
                words=_words(
                    asked, row.currency, str(RefundReason(reason).label), note
                ),
            )
        ]

    _act(transaction.pk, decide)
    refund = Refund.objects.get(pk=id)
    if refund.status == RefundStatus.REQUESTED:
        _wake(refund)
    detail = _detail(refund) | {"waits_for_approval": refund.expires is not None}
    _note(by, "refund.requested", refund, detail, http)
    return refund


@database.atomic
def approve(
    by: Member, id: UUID, *, note: str = "", http: HttpRequest | None = None
) -> Refund:
    """Lets a request through that waits; never by who asked. Raises NotNow."""
    _must_be_allowed(by, "approve_refund")

    def decide(row: Transaction, refund: Refund) -> RefundStep:
        _must_wait(refund)
        if refund.asked_by_id == by.user_id:
            raise NotNow(_("Somebody else has to approve what you asked for."))
        if refund.expires and refund.expires <= timezone.now():
            raise NotNow(_("The request has expired. Ask again."))
        _must_still_fit(row, refund)
        return RefundStep.APPROVED

    return _decide(by, id, decide, note, "refund.approved", http)


@database.atomic
def decline(
    by: Member, id: UUID, *, reason: str, http: HttpRequest | None = None
) -> Refund:
    """Turns a request down that waits, with a reason. Raises NotNow."""
    _must_be_allowed(by, "approve_refund")
    if not reason.strip():
        raise NotNow(_("Say why it is declined."), "reason_missing", "reason")

    def decide(row: Transaction, refund: Refund) -> RefundStep:
        _must_wait(refund)
        if refund.asked_by_id == by.user_id:
            raise NotNow(_("You asked for it: cancel it instead."))
        return RefundStep.DECLINED

    return _decide(by, id, decide, reason, "refund.declined", http)


@database.atomic
def cancel(
    by: Member, id: UUID, *, note: str = "", http: HttpRequest | None = None
) -> Refund:
    """Takes a request back that was not sent, or asks the provider to cancel it.

    By who asked, or by who may approve. Raises NotNow.
    """
    _must_be_allowed(by, "refund")

    def decide(row: Transaction, refund: Refund) -> RefundStep:
        if refund.asked_by_id != by.user_id:
            _must_be_allowed(by, "approve_refund")
        if is_unsent(refund):
            return RefundStep.CANCELED
        if not is_stoppable(row, refund):
            raise NotNow(why_not_canceled(row, refund))
        return RefundStep.STOPPING

    refund = _decide(by, id, decide, note, "refund.canceled", http)
    if refund.stopping:
        _wake(refund)
    return refund


@database.atomic
def give_up(
    by: Member, id: UUID, *, note: str, http: HttpRequest | None = None
) -> Refund:
    """Closes a refund whose answer was lost: a member looked, the provider has none.

    What it held becomes free again. Should it turn up all the same, the provider's
    word counts. Raises NotNow.
    """
    _must_be_allowed(by, "approve_refund")
    if not note.strip():
        raise NotNow(_("Say what you found at the provider."), "note_missing", "note")

    def decide(row: Transaction, refund: Refund) -> RefundStep:
        if refund.status != RefundStatus.UNKNOWN:
            raise NotNow(_("What became of it is known, or is being asked for."))
        now = timezone.now()
        if refund.leased_until and refund.leased_until > now:
            raise NotNow(_("The provider is being asked right now. Try again soon."))
        if refund.sent is None or now - refund.sent < UNKNOWN_FOR:
            raise NotNow(_("It was sent a moment ago. Wait half an hour."))
        return RefundStep.GIVEN_UP

    return _decide(by, id, decide, note, "refund.given_up", http)


def expire_due() -> int:
    """Ends requests that nobody approved in time; returns how many."""
    waiting = Refund.objects.filter(
        status=RefundStatus.AWAITING_APPROVAL, expires__lte=timezone.now()
    )
    found = list(waiting.order_by("expires").values_list("pk", flat=True)[:BATCH])
    for id in found:
        _expire(id)
    return len(found)


@database.atomic
def _expire(id: UUID) -> None:
    def decide(row: Transaction, refund: Refund) -> RefundStep | None:
        over = refund.expires is not None and refund.expires <= timezone.now()
        waits = refund.status == RefundStatus.AWAITING_APPROVAL
        return RefundStep.EXPIRED if waits and over else None

    _decide(None, id, decide, "", "refund.expired", None)


# ------------------------------------------------------------------- what may be done
def is_unsent(refund: Refund) -> bool:
    """Whether it can be taken back here: nobody was asked for it, surely."""
    if refund.status in REFUND_UNSENT:
        return True
    free = not refund.leased_until or refund.leased_until <= timezone.now()
    waits = refund.status == RefundStatus.SUBMITTED
    return waits and free and (refund.unsent or refund.by_hand)


def is_stoppable(row: Transaction, refund: Refund) -> bool:
    """Whether its provider can still cancel it."""
    stops = PROVIDERS[row.provider].refunds.stops
    can = refund.asked is not None and refund.status in stops
    return can and bool(refund.provider_id) and not refund.stopping


def why_not_canceled(row: Transaction, refund: Refund) -> str:
    if refund.stopping:
        return _("It is being canceled already.")
    if not refund.asked:
        return _("It was asked for elsewhere. Cancel it there.")
    if refund.status in (RefundStatus.SUBMITTED, RefundStatus.UNKNOWN):
        provider = PROVIDERS[row.provider].name
        return _("%s has it already, and cannot cancel it now.") % provider
    return _("The refund has ended: %s.") % refund.get_status_display().lower()


def _checked(row: Transaction, amount: int | None, line: str) -> int:
    """How much is asked for, if that can be given back. Raises NotNow."""
    if why := rules.why_not(row):
        raise NotNow(why, "not_refundable", "transaction")
    left = rules.left_of(row, row.refunds.all())
    partly = PROVIDERS[row.provider].refunds.partly
    if line:
        if partly != "line":
            raise NotNow(
                _("This provider gives back no single lines."), "no_lines", "line"
            )
        found = rules.line_of(row, line)
        if found is None:
            raise NotNow(_("This line cannot be given back."), "no_such_line", "line")
        if amount not in (None, found.amount):
            raise NotNow(_("A line goes back as a whole."), "no_parts", "amount")
        return found.amount
    asked = left if amount is None else amount
    if asked <= 0:
        raise NotNow(
            _("The amount must be more than nothing."), "amount_invalid", "amount"
        )
    if asked > left:
        words = _("Only %s is left to give back.") % shown(left, row.currency)
        raise NotNow(words, "amount_too_large", "amount")
    if partly != "amount" and asked != left:
        raise NotNow(str(rules.PARTS[partly]), "no_parts", "amount")
    if partly == "no" and asked != row.amount:
        raise NotNow(str(rules.PARTS[partly]), "no_parts", "amount")
    return asked


def _must_still_fit(row: Transaction, refund: Refund) -> None:
    """The purchase may have changed while the request waited. Raises NotNow."""
    if row.status not in rules.REFUNDABLE:
        raise NotNow(rules.why_not(row))
    left = rules.left_of(row, row.refunds.all(), but=refund)
    if (refund.amount or 0) > left:
        words = _("Only %s is left to give back.")
        raise NotNow(words % shown(left, row.currency), "amount_too_large")


def _must_wait(refund: Refund) -> None:
    if refund.status != RefundStatus.AWAITING_APPROVAL:
        state = refund.get_status_display().lower()
        raise NotNow(_("It does not wait for approval: %s.") % state)


def _must_be_allowed(by: Member | ApiKey, action: str) -> None:
    if isinstance(by, ApiKey):
        allowed = action == "refund" and "refund" in by.scopes
    else:
        allowed = access.may(by.role, action)
    if not allowed:
        raise NotNow(_("You may not do this."), "forbidden")


# ---------------------------------------------------------------------------- acting
def _decide(
    by: Member | None,
    id: UUID,
    choose: Callable[[Transaction, Refund], RefundStep | None],
    note: str,
    verb: str,
    http: HttpRequest | None,
) -> Refund:
    """Enters the step that `choose` gives for the refund, looked at under the lock."""
    taken: list[RefundStep] = []

    def decide(row: Transaction, timeline: Timeline) -> Iterable[TimelineEntry]:
        refund = Refund.objects.get(pk=id)
        step = choose(row, refund)
        if step is None:
            return []
        taken.append(step)
        return [
            steps.entry(
                row,
                timeline,
                id,
                step,
                by=by.user if by else None,
                source=Source.STAFF if by else Source.SYSTEM,
                says={"why": note[:300] or None},
                words=note,
            )
        ]

    _act(Refund.objects.values_list("transaction_id", flat=True).get(pk=id), decide)
    refund = Refund.objects.get(pk=id)
    if taken:
        if refund.status == RefundStatus.APPROVED:
            _wake(refund)
        detail = _detail(refund) | ({"note": note} if note else {})
        _note(by or "worker", verb, refund, detail, http)
    return refund


def _act(id: UUID, decide: ledger.Decision) -> None:
    """As ledger.act, for a transaction that may be joined to another meanwhile."""
    looked: list[UUID] = []

    def look(row: Transaction, timeline: Timeline) -> Iterable[TimelineEntry]:
        looked.append(row.pk)
        return decide(row, timeline)

    ledger.act([id], look)
    if looked:
        return
    alias = TransactionAlias.objects.filter(pk=id).first()
    if alias is None:
        raise NotNow(_("This purchase is not there any more."), "not_refundable")
    _act(alias.transaction_id, decide)


def _wake(refund: Refund) -> None:
    """Lets a worker look at it as soon as this is committed."""
    refund.due, refund.tries, refund.error = timezone.now(), 0, ""
    refund.save(update_fields=["due", "tries", "error"])
    queue.ring(queue.REFUNDS_JOB)


def _id(by: Member | ApiKey, transaction: Transaction, key: str) -> UUID:
    """The refund's id: made of who asks and their key, so that twice is once."""
    if not key:
        return ids.new()
    who = by.user_id if isinstance(by, Member) else by.pk
    return uuid5(transaction.project_id, f"refund:{who}:{key}")


def _name(by: Member | ApiKey) -> str:
    return str(by.user) if isinstance(by, Member) else _("API key %s") % by


def _note(
    by: Member | ApiKey | str,
    verb: str,
    refund: Refund,
    detail: dict[str, Any],
    http: HttpRequest | None,
) -> None:
    actor: User | str = by.user if isinstance(by, Member) else str(by)
    if isinstance(by, ApiKey):
        actor = f"API key {by.hint}"
    audit.note(
        actor, verb, refund, merchant=refund.merchant, detail=detail, request=http
    )


def _detail(refund: Refund) -> dict[str, Any]:
    return {
        "transaction": str(refund.transaction_id),
        "amount": refund.amount,
        "currency": refund.currency,
        "reason": refund.reason,
    }


def shown(amount: int, currency: str) -> str:
    return f"{Money(amount, currency).major} {currency.upper()}"


def _words(amount: int, currency: str, reason: str, note: str) -> str:
    return " · ".join(filter(None, [shown(amount, currency), reason, note]))
