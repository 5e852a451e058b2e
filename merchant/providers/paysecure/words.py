"""Paysecure's words, and what they mean in ours."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One status of a purchase or payout.

    status   ours; of the payment itself, what went back is told beside it
    rank     puts two states with the same `updated_on` in order
    event    what intake calls the delivery, without "purchase." or "payout."
    summary  for the timeline; a chargeback is told by a fact of its own
    """

    status: str
    rank: int
    event: str
    summary: str


PURCHASES: dict[str, Word] = {
    "created": Word("created", 0, "created", "Purchase created"),
    "pending_execute": Word("pending", 1, "pending_execute", "Payment under way"),
    "payment_in_process": Word(
        "pending", 2, "payment_in_process", "Payment under way at the bank"
    ),
    # Untouched for two hours; it may still be paid.
    "overdue": Word("overdue", 3, "overdue", "Not paid yet"),
    "hold": Word("authorized", 4, "hold", "Funds held"),
    "preauthorized": Word("authorized", 4, "hold", "Funds held"),
    "capture_in_process": Word("pending", 5, "capture_in_process", "Capture under way"),
    "void_in_process": Word("authorized", 5, "void_in_process", "Release under way"),
    "released": Word("released", 6, "hold_released", "Hold released"),
    "cancelled": Word("canceled", 6, "cancelled", "Cancelled"),
    "expired": Word("expired", 6, "expired", "Expired unpaid"),
    "error": Word("failed", 6, "failed", "Payment failed"),
    "partial_paid": Word("partially_paid", 7, "partial_paid", "Money came"),
    "partially_captured": Word("paid", 8, "partially_captured", "Captured in part"),
    "over_paid": Word("paid", 8, "over_paid", "Paid"),
    "paid": Word("paid", 8, "paid", "Paid"),
    "refund_in_process": Word("paid", 9, "refund_in_process", "Refund under way"),
    "partial_refunded": Word("paid", 10, "partial_refunded", "Refunded in part"),
    "refunded": Word("paid", 11, "refunded", "Refunded in full"),
    "fraud_refunded": Word(
        "paid", 11, "fraud_refunded", "Refunded in full because of fraud"
    ),
    "chargeback": Word("paid", 12, "chargeback", "Paid"),
}

#: A payment that is not paid after one of these has let the money go again.
HOLDS = frozenset({"hold", "preauthorized", "void_in_process"})
#: Everything that was asked for has come.
SETTLED = frozenset({"paid", "over_paid", "partially_captured"})
REFUNDED_WHOLE = frozenset({"refunded", "fraud_refunded"})
#: Money has come and stays, or stayed until it went back.
PAID = frozenset(
    SETTLED | REFUNDED_WHOLE | {"refund_in_process", "partial_refunded", "chargeback"}
)

#: The same of a payout. "expired" is in some of the documents only.
PAYOUTS: dict[str, Word] = {
    "created": Word("created", 0, "created", "Payout created"),
    "pending_review": Word("pending", 1, "pending_review", "Payout waits for review"),
    "payout_in_process": Word("pending", 2, "in_process", "Payout under way"),
    "paid": Word("paid", 3, "paid", "Paid out"),
    "error": Word("failed", 3, "failed", "Payout failed"),
    "expired": Word("failed", 3, "expired", "Payout expired"),
}

#: Brands that paymentMethod names where others would say "card".
CARDS = frozenset(
    {
        "amex", "american_express", "card", "cards", "diners", "discover", "jcb",
        "maestro", "mastercard", "unionpay", "visa",
    }
)  # fmt: skip

_WORD = re.compile("[A-Za-z][A-Za-z _-]{0,39}")


def normal(status: object) -> str | None:
    """A status in one spelling; None for what cannot be one.

    The case is not stable, and old documents write "payment in process". Nothing but
    letters passes, so that no status can carry a "|" into what is signed.
    """
    if not isinstance(status, str) or not _WORD.fullmatch(status):
        return None
    return status.lower().replace(" ", "_").replace("-", "_")
