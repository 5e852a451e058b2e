"""What comes back to a payment, as Stripe tells it: refunds and disputes."""

from __future__ import annotations

from typing import Any

from webhooks.dialects.purchase import Purchase
from webhooks.dialects.stripe import payments

#: Our state of a refund -> Stripe's; any other is under way.
_REFUNDS = {
    "succeeded": "succeeded",
    "requires_action": "requires_action",
    "failed": "failed",
    "canceled": "canceled",
    "declined": "canceled",
    "expired": "canceled",
}
_REFUND_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_DISPUTES = {"open": "needs_response", "won": "won", "lost": "lost"}
_INQUIRY = "inquiry"


def refund(story: Purchase) -> dict[str, Any]:
    part = story.part
    # Without a part its event says how it is.
    said = part.get("status") or story.name.removeprefix("refund.")
    status = _REFUNDS.get(str(said), "pending")
    reason = _code(part.get("reason"))
    return {
        "id": _id(story, "re"),
        "object": "refund",
        "amount": payments.units(story.part_amount(), story.currency),
        "balance_transaction": None,
        "charge": payments.charge_id(story),
        "created": part.get("created"),
        "currency": story.currency or None,
        "destination_details": None,
        "failure_reason": "unknown" if status == "failed" else None,
        "metadata": {},
        "payment_intent": payments.intent_id(story),
        "reason": reason if reason in _REFUND_REASONS else None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(story: Purchase) -> dict[str, Any]:
    """A dispute; one that is only asked about has Stripe's statuses of a warning."""
    part, said = story.part, str(story.part.get("reason") or "")
    status = _DISPUTES.get(str(part.get("status")), "needs_response")
    asked = said == _INQUIRY or said.startswith(f"{_INQUIRY}: ")
    if asked and status in {"needs_response", "won"}:
        still_open = status == "needs_response"
        status = "warning_needs_response" if still_open else "warning_closed"
    return {
        "id": _id(story, "dp"),
        "object": "dispute",
        "amount": payments.units(story.part_amount(), story.currency),
        "balance_transactions": [],
        "charge": payments.charge_id(story),
        "created": part.get("created"),
        "currency": story.currency or None,
        "evidence": {},
        "evidence_details": {
            "due_by": part.get("due_by"),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": story.livemode,
        "metadata": {},
        "payment_intent": payments.intent_id(story),
        "reason": _code(said.removeprefix(f"{_INQUIRY}: ")) or "general",
        "status": status,
    }


def _id(story: Purchase, prefix: str) -> str:
    """The part's own id where it came from Stripe, else ours in Stripe's form.

    A refund that is known by the purchase's status alone goes by the purchase's.
    """
    own = story.part.get("provider_id") if story.came_from("stripe") else None
    ours = str(story.part.get("id") or story.id)
    return str(own) if own else payments.made(prefix, ours)


def _code(value: object) -> str:
    return str(value or "").strip().lower().replace(" ", "_")
