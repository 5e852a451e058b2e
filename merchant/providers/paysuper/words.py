"""PaySuper's words, and what they mean in ours."""

from __future__ import annotations

from typing import Literal

#: What an order can have come to.
State = Literal["created", "pending", "cancel", "success", "refund", "chargeback"]

#: Webhooks are read by their event: the order's own status may be a stale "created".
EVENT_STATES: dict[str, State] = {
    "payment.cancel": "cancel",
    "payment.success": "success",
    "payment.refund": "refund",
    "payment.chargeback": "chargeback",
}

#: Orders of the API have no event; their status is read from the database.
STATUS_STATES: dict[str, State] = {
    "created": "created",
    "pending": "pending",
    "canceled": "cancel",
    "rejected": "cancel",
    "processed": "success",
    "refunded": "refund",
    "chargeback": "chargeback",
}

#: Nothing in an order tells when it changed, so states stand in this order.
RANKS: dict[State, int] = {
    "created": -2,
    "pending": -1,
    "cancel": 0,
    "success": 1,
    "refund": 2,
    "chargeback": 3,
}

#: States that only a paid order can reach.
PAID: frozenset[State] = frozenset({"success", "refund", "chargeback"})

#: Of the payment itself: what went back is told by a fact of its own.
SUMMARIES: dict[State, str] = {
    "created": "Order created",
    "pending": "Payment under way",
    "cancel": "Payment not made",
    "success": "Paid",
    "refund": "Paid",
    "chargeback": "Paid",
}

#: PaySuper's number for a refund's status -> ours, and how late in its life; all below
#: the rank of the webhook that tells of its end.
REFUNDS: dict[int, tuple[str, int]] = {
    0: ("pending", -4),
    2: ("pending", -3),
    1: ("failed", -2),
    4: ("failed", -2),
    5: ("canceled", -2),
    3: ("succeeded", 2),
}

CANCELED_BY_CUSTOMER = "02"

#: cancellation.code -> why, as the documents' page on declines words it.
DECLINES = {
    "01": "System malfunction",
    "02": "Cancelled by customer",
    "03": "Declined by Antifraud",
    "04": "Declined by 3-D Secure",
    "05": "Only 3-D Secure transactions are allowed",
    "06": "3-D Secure availability is unknown",
    "07": "Limit reached",
    "08": "Requested operation is not supported",
    "10": "Declined by bank (reason not specified)",
    "11": "Common decline by bank",
    "13": "Insufficient funds",
    "14": "Card limit reached",
    "15": "Incorrect card data",
    "16": "Declined by bank's antifraud",
    "17": "Bank's malfunction",
    "18": "Connection problem",
    "21": "No payment was received",  # 21 to 23: Bitcoin only
    "22": "Wrong payment was received",
    "23": "Confirmations payment timeout",
}

#: method.type, lower-case -> ours, where they differ.
METHODS = {"bankcard": "card"}
