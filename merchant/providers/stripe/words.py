"""Stripe's words and ours: statuses, weights, currencies, event types; tables."""

from __future__ import annotations

from merchant.money import ISO_EXPONENTS

#: https://docs.stripe.com/currencies: what Stripe sends without decimals, and with
#: three. All others have two, also where ISO 4217 says otherwise: 5 ISK come as 500.
_NO_DECIMALS = """bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"""
_THREE_DECIMALS = """bhd jod kwd omr tnd"""
WIRE: dict[str, int] = {
    **dict.fromkeys(ISO_EXPONENTS, 2),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}


class Weight:
    """How much an object is believed about something; the greatest speaks."""

    # amounts
    CAPTURED = 60  # charge.amount_captured
    RECEIVED = 50  # payment_intent.amount_received
    TOTAL = 40  # checkout.session.amount_total
    ASKED = 30  # payment_intent.amount, and a charge that is not captured
    BILLED = 20  # invoice.amount_paid
    SHARE = 15  # one payment of an invoice, which may have several
    DUE = 10  # an invoice that is not paid
    # people and texts
    SESSION = 40
    CHARGE = 30
    INVOICE = 20
    INTENT = 10
    #: The kind of method by the list of what was on offer; a customer by number only.
    HINT = 1
    # when money came
    REPORTED = 2  # an event said so at that time
    IMPLIED = 1  # the object's own times

    # what a person should look at
    FRAUD = 30
    INEXACT = 20
    REVIEW = 10


#: status -> (ours, how late in the life of the object)
INTENT = {
    "requires_payment_method": ("created", 0),
    "requires_confirmation": ("created", 0),
    "requires_action": ("pending", 1),
    "requires_source": ("created", 0),  # before 2019-02-11
    "requires_source_action": ("pending", 1),
    "processing": ("pending", 4),
    "requires_capture": ("authorized", 5),
    "canceled": ("canceled", 6),
    "succeeded": ("paid", 7),
}
#: requires_payment_method again, after an attempt that failed
INTENT_FAILED = ("failed", 2)
#: a bank transfer of which a part has come
INTENT_FUNDED = ("partially_paid", 3)

CHARGE = {
    "pending": ("pending", 0),
    "failed": ("failed", 1),
    "succeeded": ("paid", 3),
}
CHARGE_HELD = ("authorized", 2)
CHARGE_RELEASED = ("released", 4)

#: checkout.session.status; a complete one by its payment_status
SESSION = {
    "open": ("created", 0),
    "complete": ("pending", 1),
    "expired": ("expired", 3),
}
SESSION_FAILED = ("failed", 2)
SESSION_PAID = ("paid", 4)

REFUND = {
    "pending": ("pending", 0),
    "requires_action": ("requires_action", 1),
    "succeeded": ("succeeded", 2),
    "canceled": ("canceled", 3),
    "failed": ("failed", 4),  # weeks after it succeeded, too
}

#: A closed dispute may still turn, so won and lost stand side by side: time decides.
DISPUTE = {
    "warning_needs_response": ("open", 0),
    "warning_under_review": ("open", 1),
    "needs_response": ("open", 2),
    "under_review": ("open", 3),
    "warning_closed": ("won", 4),
    "prevented": ("won", 4),
    "won": ("won", 4),
    "lost": ("lost", 4),
}

#: The evidence is in, the bank decides.
DISPUTE_ANSWERED = frozenset({"warning_under_review", "under_review"})

INVOICE = {
    "draft": ("created", 0),
    "open": ("pending", 1),
    "uncollectible": ("failed", 4),
    "void": ("canceled", 5),
    "paid": ("paid", 6),
}
#: What only the event's type tells of an open invoice.
INVOICE_OPEN = {
    "invoice.overdue": ("overdue", 2),
    "invoice.payment_failed": ("failed", 3),
}

SUBSCRIPTION = {
    "incomplete": ("created", 0),
    "trialing": ("trialing", 1),
    "active": ("active", 2),
    "past_due": ("past_due", 3),
    "unpaid": ("unpaid", 4),
    "paused": ("paused", 5),
    "incomplete_expired": ("canceled", 6),
    "canceled": ("canceled", 6),
}

#: `paid` means expected: a failure can follow.
PAYOUT = {
    "pending": ("pending", 0),
    "in_transit": ("pending", 1),
    "paid": ("paid", 2),
    "canceled": ("canceled", 3),
    "failed": ("failed", 4),
}

#: How the timeline calls the objects.
NAMES = {
    "payment_intent": "Payment intent",
    "charge": "Charge",
    "session": "Checkout session",
    "refund": "Refund",
    "dispute": "Dispute",
    "invoice": "Invoice",
    "invoice_payment": "Payment of the invoice",
    "subscription": "Subscription",
    "payout": "Payout",
    "early_fraud_warning": "Early fraud warning",
    "review": "Review",
    "balance_transaction": "Fees",
}

#: Types whose object is no state of ours: a preview without an id, a deleted draft.
IGNORED = frozenset({"invoice.upcoming", "invoice.deleted"})

#: group -> the types that change a transaction, subscription or payout
_TYPES = {
    "checkout.session": (
        "completed async_payment_succeeded async_payment_failed expired"
    ),
    "payment_intent": (
        "created processing requires_action amount_capturable_updated succeeded "
        "payment_failed canceled partially_funded"
    ),
    "charge": "succeeded failed pending captured updated expired refunded",
    "charge.refund": "updated",
    "refund": "created updated failed",
    "charge.dispute": "created updated closed funds_withdrawn funds_reinstated",
    "customer.subscription": ("created updated deleted paused resumed trial_will_end"),
    "invoice": (
        "created finalized paid payment_succeeded payment_failed "
        "payment_action_required voided marked_uncollectible overdue"
    ),
    "invoice_payment": "paid",
    "payout": "created updated paid failed canceled reconciliation_completed",
    "radar.early_fraud_warning": "created updated",
    "review": "opened closed",
}
TYPES: tuple[str, ...] = tuple(
    f"{group}.{name}" for group, names in _TYPES.items() for name in names.split()
)


def in_words(code: str) -> str:
    """requested_by_customer -> "requested by customer"."""
    return code.replace("_", " ")
