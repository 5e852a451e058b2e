"""What is expected to happen next to a purchase; pure, and only what is true.

Each step is a sentence, with a time where one is known. What a webhook will tell by
itself is said as well, so that nobody waits for the wrong thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from transactions.models import Dispute, LookUp, Refund, Transaction
from transactions.statuses import REFUND_OPEN, DisputeStatus, RefundStatus, Status

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Step:
    """`words` are a sentence without its end; `when` stands before the time `due`."""

    words: str
    due: datetime | None = None
    when: StrOrPromise = ""
    late: bool = False


#: (provider, method) -> business days in which the bank usually confirms.
#: https://docs.stripe.com/payments/sepa-debit, .../ach-direct-debit, .../bacs-debit
BANK_DAYS = {
    ("stripe", "sepa_debit"): 6,
    ("stripe", "us_bank_account"): 4,
    ("stripe", "bacs_debit"): 6,
}
#: Paysecure calls a purchase overdue when nobody touched it for about this long.
OVERDUE_AFTER = timedelta(hours=2)


def of(
    row: Transaction,
    *,
    refunds: Iterable[Refund],
    disputes: Iterable[Dispute],
    look_ups: Iterable[LookUp],
    now: datetime,
) -> list[Step]:
    """The steps, the most pressing first. `look_ups` are those not answered yet."""
    waiting = [one for one in look_ups if one.state == LookUp.State.WAITING]
    return [
        *_answers(row, disputes, now),
        *_payment(row, now),
        *_refunds(row, list(refunds)),
        *_confirmation(row, waiting),
        *_questions(row, waiting, now),
    ]


def _answers(
    row: Transaction, disputes: Iterable[Dispute], now: datetime
) -> Iterator[Step]:
    provider = row.get_provider_display()
    for dispute in disputes:
        if dispute.status != DisputeStatus.OPEN:
            continue
        due = dispute.due_by
        if due is None:
            yield Step(_("%s decides the dispute and says how it ended") % provider)
        elif due < now:
            words = _("%s decides the dispute; it could be answered")
            yield Step(words % provider, due, _("until"))
        else:
            words = _("Answer the dispute at %s, unless that has been done")
            yield Step(words % provider, due, _("by"), late=due - now < timedelta(2))


def _payment(row: Transaction, now: datetime) -> Iterator[Step]:
    provider = row.get_provider_display()
    if row.status == Status.AUTHORIZED:
        yield Step(_("Capture the payment at %s, or the hold expires") % provider)
    elif row.status == Status.PENDING:
        yield Step(_pending(row, provider))
    elif row.status == Status.PARTIALLY_PAID:
        yield Step(_("The rest of the amount has to come before it counts as paid"))
    elif row.status == Status.OVERDUE:
        yield Step(
            _("The customer may still pay; otherwise %s lets it expire") % provider
        )
    elif row.status == Status.CREATED:
        overdue = row.created + OVERDUE_AFTER
        if row.provider == "paysecure" and now < overdue:
            words = _("The customer has to pay, or it becomes overdue")
            yield Step(words, overdue, _("at about"))
        else:
            yield Step(_("The customer has to pay; nothing has come yet"))


def _pending(row: Transaction, provider: str) -> str:
    days = BANK_DAYS.get((row.provider, row.method))
    if days is None:
        return _("%s tells as soon as the payment succeeded or failed") % provider
    return (
        ngettext(
            "The bank confirms it, usually within %d business day",
            "The bank confirms it, usually within %d business days",
            days,
        )
        % days
    )


def _refunds(row: Transaction, refunds: Sequence[Refund]) -> Iterator[Step]:
    provider = row.get_provider_display()
    under_way = [refund for refund in refunds if refund.status in REFUND_OPEN]
    for status in sorted({refund.status for refund in under_way}):
        if status == RefundStatus.REQUIRES_ACTION:
            yield Step(_("The customer has to say where the refund should go"))
        elif status == RefundStatus.REQUESTED:
            yield Step(_("The refund is handed to %s") % provider)
        else:
            yield Step(_("%s tells whether the refund arrived") % provider)
    if row.refund_pending and not under_way:
        yield Step(_("%s tells whether the refund arrived") % provider)


def _confirmation(row: Transaction, waiting: Sequence[LookUp]) -> Iterator[Step]:
    if row.verified or row.accepted is not None or waiting:
        return  # a question that waits says when it is asked
    yield Step(
        _("Compare the amount with %s, then accept it by hand")
        % row.get_provider_display()
    )


def _questions(
    row: Transaction, waiting: Sequence[LookUp], now: datetime
) -> Iterator[Step]:
    """One step for all that wait: several questions go out together."""
    if not waiting:
        return
    provider, due = row.get_provider_display(), min(one.due for one in waiting)
    again = any(one.tries for one in waiting)
    if due <= now:
        words = (
            _("%s is asked again within seconds")
            if again
            else _("%s is asked within seconds")
        )
        yield Step(words % provider)
        return
    words = _("%s is asked again") if again else _("%s is asked")
    yield Step(words % provider, due, _("at"))
