"""What can be given back of a purchase, and why not; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchant.models import Connection
from merchant.money import Money
from merchant.providers import PROVIDERS
from merchant.providers.base import Refunding
from transactions.fold.fulfilment import is_sure
from transactions.models import Refund, Transaction
from transactions.statuses import (
    REFUND_OPEN,
    DisputeStatus,
    FulfilmentStatus,
    RefundReason,
    RefundStatus,
    Status,
)

#: Of these there is money that can go back.
REFUNDABLE = frozenset({Status.PAID, Status.PARTIALLY_REFUNDED, Status.DISPUTED})

#: Why nothing of the others can, by status.
_WHY_NOT: dict[str, str | Promise] = {
    Status.CREATED: _lazy("Nothing has been paid."),
    Status.PENDING: _lazy("The money has not come yet."),
    Status.OVERDUE: _lazy("The money has not come yet."),
    Status.PARTIALLY_PAID: _lazy("Only a part has been paid so far."),
    Status.AUTHORIZED: _lazy("The money is only held. Cancel the payment instead."),
    Status.REFUNDED: _lazy("Everything was given back."),
    Status.CHARGED_BACK: _lazy("The customer's bank has taken the money back."),
    Status.FAILED: _lazy("Nothing has been paid."),
    Status.CANCELED: _lazy("Nothing has been paid."),
    Status.EXPIRED: _lazy("Nothing has been paid."),
}

#: provider -> how much at a time, for the dialog.
PARTS: dict[str, str | Promise] = {
    "amount": _lazy("Any part of what is left can be given back."),
    "line": _lazy("PayNow gives back the whole order, or one of its lines."),
    "no": _lazy("PaySuper gives back whole orders only."),
}

#: provider -> what does not come back with the money.
KEPT: dict[str, str | Promise] = {
    "stripe": _lazy("Stripe does not return the fees of the payment."),
    "paysuper": _lazy(
        "PaySuper does not return the fees of the payment; it pays those of the refund."
    ),
    "paysecure": _lazy(
        "Paysecure does not return the fees of the payment and may charge one for the "
        "refund."
    ),
    "paynow": _lazy(
        "PayNow and the gateway may keep the fees of the payment. A refund takes a day "
        "or more."
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the purchase that can be given back alone; `amount` all of it."""

    key: str
    name: str
    amount: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the dialog offers for one purchase.

    why_not    a sentence; "" when something can be given back
    left       minor units of `currency` that can, what is under way not included
    partly     "amount", "line" or "no"; `parts` says it, and why, in words
    lines      with "line": those that can be given back alone
    reasons    (value, words); all are kept, `PROVIDERS[..].refunds.reasons` are sent
    kept       what the provider does not return, in words
    warnings   what to think of before, sentences
    by_hand    where a member has to do it, since nothing can be sent; "" otherwise
    revocable  whether something was handed over that could be taken back
    """

    why_not: str
    left: int
    currency: str
    partly: str = "amount"
    parts: str = ""
    lines: list[Line] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    kept: str = ""
    warnings: list[str] = field(default_factory=list)
    by_hand: str = ""
    revocable: bool = False

    @property
    def money(self) -> Money:
        return Money(self.left, self.currency)


def options(row: Transaction) -> Options:
    """What can be given back of it now.

    Reads its connection, refunds, disputes and items: prefetch them for many.
    """
    refunding = PROVIDERS[row.provider].refunds
    left = left_of(row, row.refunds.all())
    handed = {FulfilmentStatus.DONE, FulfilmentStatus.WAITING}
    return Options(
        why_not=why_not(row),
        left=left,
        currency=row.currency,
        partly=refunding.partly,
        parts=str(PARTS[refunding.partly]),
        lines=_lines(row, left) if refunding.partly == "line" else [],
        reasons=[(reason.value, str(reason.label)) for reason in RefundReason],
        kept=str(KEPT[row.provider]),
        warnings=_warnings(row),
        by_hand=where(row) if is_by_hand(row.connection, refunding) else "",
        revocable=row.fulfilment in handed,
    )


def why_not(row: Transaction) -> str:
    """Why nothing of it can be given back now, in a sentence; "" when it can."""
    if row.status not in REFUNDABLE:
        return str(_WHY_NOT[row.status])
    if row.amount is None or not row.currency:
        return _("What was paid is not known yet.")
    if not is_sure({"verified": row.verified, "accepted": row.accepted}):
        return _("The amount is not confirmed. Accept it by hand first.")
    refunds = list(row.refunds.all())
    if any(r.amount is None and _counts(r) for r in refunds):
        return _("The amount of another refund of it is not known yet.")
    if left_of(row, refunds) <= 0:
        return _("Everything was given back, or is on its way.")
    return _cannot_ask(row)


def left_of(
    row: Transaction, refunds: Iterable[Refund], but: Refund | None = None
) -> int:
    """Minor units that can still be given back.

    What is under way is spoken for, also while nobody knows what became of it; not
    `but` this one.
    """
    open_ones = sum(
        refund.amount or 0
        for refund in refunds
        if refund.status in REFUND_OPEN
        and refund.currency == row.currency
        and (but is None or refund.pk != but.pk)
    )
    gone = row.amount_refunded + row.amount_charged_back + open_ones
    return max(0, (row.amount or 0) - gone)


def line_of(row: Transaction, key: str) -> Line | None:
    """The line of the purchase that can be given back alone."""
    left = left_of(row, row.refunds.all())
    return next((line for line in _lines(row, left) if line.key == key), None)


def is_by_hand(connection: Connection, refunding: Refunding) -> bool:
    """Whether there is nobody to ask, and a member has to do it at the provider."""
    return refunding.by_hand and not can_ask(connection, refunding)


def can_ask(connection: Connection, refunding: Refunding) -> bool:
    """Whether the connection holds what the provider wants to see."""
    if connection.closed is not None:
        return False
    if refunding.needs == "user_token":
        return bool(connection.sealed_user_token)
    return connection.has_api_key


def where(row: Transaction) -> str:
    """The purchase in the provider's own dashboard; "" where nobody knows it."""
    page = PROVIDERS[row.provider].refunds.page
    if not page or not row.provider_id:
        return ""
    return page.replace("{id}", quote(row.provider_id, safe=""))


def _cannot_ask(row: Transaction) -> str:
    refunding = PROVIDERS[row.provider].refunds
    if can_ask(row.connection, refunding) or refunding.by_hand:
        return ""
    provider = PROVIDERS[row.provider].name
    if row.connection.closed is not None:
        return _("The connection to %s is closed.") % provider
    return _("Add an API key of %s to the connection first.") % provider


def _counts(refund: Refund) -> bool:
    return refund.status in REFUND_OPEN or refund.status == RefundStatus.SUCCEEDED


def _lines(row: Transaction, left: int) -> list[Line]:
    """Lines with an amount that fits, and of which no refund is known."""
    gone = {refund.line for refund in row.refunds.all() if _counts(refund)}
    return [
        Line(item.key, item.name, item.amount)
        for item in row.items.all()
        if item.amount and item.amount <= left and item.key not in gone
    ]


def _warnings(row: Transaction) -> list[str]:
    found = []
    if any(d.status == DisputeStatus.OPEN for d in row.disputes.all()):
        found.append(
            _(
                "The customer's bank is disputing this payment. A refund does not end "
                "the dispute: you could pay twice."
            )
        )
    if any(refund.status in REFUND_OPEN for refund in row.refunds.all()):
        found.append(_("Another refund of this payment is on its way."))
    return found
