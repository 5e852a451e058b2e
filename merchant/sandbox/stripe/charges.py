"""Stripe's objects of money that moved: charge, fees, refund, dispute, warning."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from merchant.sandbox import tricks
from merchant.sandbox.story import Step
from merchant.sandbox.stripe import objects
from merchant.sandbox.stripe.objects import Body
from merchant.sandbox.stripe.scene import FIRST, Scene, seconds, wire

#: What is not settled in its own currency is changed into euros, at so many a unit.
_RATES = {"jpy": Decimal("0.0061"), "kwd": Decimal("2.98")}
_UNITS = {"jpy": 1, "kwd": 1000}


# --------------------------------------------------------------------------- charge
def charge(scene: Scene, *, settled: bool = False) -> Body:
    """`settled`: the fees are known, which takes Stripe a moment."""
    purchase = scene.purchase
    status = "failed" if scene.failure else "pending"
    held = scene.has("authorized") and not scene.paid
    if scene.paid or held:
        status = "succeeded"
    released = scene.has("released")
    return {
        "id": scene.id("ch"),
        "object": "charge",
        "amount": scene.total,
        "amount_captured": scene.total if scene.paid else 0,
        "amount_refunded": scene.total if released else scene.refunded,
        "application": None,
        "balance_transaction": scene.id("txn") if settled and scene.paid else None,
        "billing_details": {
            "address": objects.address(scene),
            "email": purchase.buyer.email,
            "name": purchase.buyer.name,
            "phone": purchase.buyer.phone or None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "HARBOR GAMES",
        "captured": not held,
        "created": seconds(_charged(scene)),
        "currency": purchase.currency,
        "customer": scene.customer_id,
        "description": objects.description(scene),
        "disputed": scene.has("dispute"),
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if scene.failure else None,
        "failure_message": objects.MESSAGES.get(
            scene.failure, "Your card was declined."
        )
        if scene.failure
        else None,
        "fraud_details": {},
        "livemode": purchase.livemode,
        "metadata": {} if scene.recurring else objects.metadata(scene),
        "on_behalf_of": None,
        "outcome": _outcome(scene),
        "paid": status == "succeeded",
        "payment_intent": scene.id("pi"),
        "payment_method": scene.id("pm"),
        "payment_method_details": objects.method_details(scene),
        "receipt_email": purchase.buyer.email,
        "receipt_number": None,
        "receipt_url": f"https://pay.example.com/receipts/{scene.id('ch')}"
        if scene.paid
        else None,
        "refunded": released or bool(scene.total and scene.refunded >= scene.total),
        "review": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": status,
        "transfer_group": None,
    }


def _charged(scene: Scene) -> datetime:
    """When the charge was made; a hold or a debit begins before it is paid."""
    for kind in ("pending", "authorized"):
        when = scene.at(kind) if scene.word == FIRST else None
        if when is not None:
            return when
    return scene.end.at if scene.end else scene.begun


def _outcome(scene: Scene) -> Body:
    failed = bool(scene.failure)
    return {
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": scene.failure or None,
        "risk_level": "elevated" if scene.failure == "fraudulent" else "normal",
        "risk_score": 70
        if scene.failure == "fraudulent"
        else scene.purchase.number % 50,
        "seller_message": "The bank returned the decline code."
        if failed
        else "Payment complete.",
        "type": "issuer_declined" if failed else "authorized",
    }


def balance_transaction(scene: Scene) -> Body:
    currency, amount, rate = scene.purchase.currency, scene.total, None
    if currency in _RATES:
        rate = _RATES[currency]
        amount = int(Decimal(amount) / _UNITS[currency] * rate * 100)
        currency = "eur"
    fee = min(amount, amount * 29 // 1000 + 25)
    return {
        "id": scene.id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": seconds(_charged(scene) + timedelta(days=2)),
        "balance_type": "payments",
        "created": seconds(_charged(scene) + timedelta(seconds=2)),
        "currency": currency,
        "description": None,
        "exchange_rate": None if rate is None else float(rate),
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ],
        "net": amount - fee,
        "reporting_category": "charge",
        "source": scene.id("ch"),
        "status": "pending",
        "type": "charge",
    }


# ------------------------------------------------------------------------ reversals
def refund(scene: Scene, step: Step, *, traced: bool = False) -> Body:
    """`traced`: the banks' reference number is known."""
    status, failed = _refund_status(scene, step)
    asked = dict(parse_qsl(step.asked))
    card: Body = {
        "reference_status": "available" if traced else "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    if traced:
        card["reference"] = f"7{scene.purchase.number:018d}{step.number:04d}"
    reasons = {"duplicate", "fraudulent", "requested_by_customer"}
    body = {
        "id": scene.id("re", step.number),
        "object": "refund",
        "amount": wire(step.amount, scene.purchase.currency),
        "balance_transaction": scene.id("txn", "refund", step.number),
        "charge": scene.id("ch"),
        "created": seconds(step.at),
        "currency": scene.purchase.currency,
        "destination_details": {"card": card, "type": "card"},
        "metadata": {
            name[len("metadata[") : -1]: value
            for name, value in asked.items()
            if name.startswith("metadata[")
        },
        "payment_intent": scene.id("pi"),
        "reason": step.reason if step.reason in reasons else None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    if status == "pending":
        body["pending_reason"] = "processing"
    if failed:
        body["failure_reason"] = failed.reason or "unknown"
        body["failure_balance_transaction"] = scene.id("txn", "back", step.number)
    return body


def _refund_status(scene: Scene, step: Step) -> tuple[str, Step | None]:
    """The refund's status, and the step that failed it."""
    failed = scene.refund_failed(step)
    if failed:
        return "failed", failed
    later = {s.kind for s in scene.steps if s.number == step.number}
    if "refund_canceled" in later:
        return "canceled", None
    trick = tricks.of(step.amount) if step.asked else ""
    if trick == "ask":
        return "requires_action", None
    if trick == "pend" and "refund_settled" not in later:
        return "pending", None
    return "succeeded", None


_DISPUTES = {
    "dispute_answered": "under_review",
    "dispute_won": "won",
    "dispute_lost": "lost",
}


def dispute(scene: Scene) -> Body:
    opened = next(step for step in scene.steps if step.kind == "dispute")
    ends = [_DISPUTES[s.kind] for s in scene.steps if s.kind in _DISPUTES]
    amount = opened.amount or scene.purchase.total
    return {
        "id": scene.id("dp"),
        "object": "dispute",
        "amount": wire(amount, scene.purchase.currency),
        "balance_transactions": [],
        "charge": scene.id("ch"),
        "created": seconds(opened.at),
        "currency": scene.purchase.currency,
        "evidence": {},
        "evidence_details": {
            "due_by": seconds(opened.at + timedelta(days=9)),
            "has_evidence": bool(ends),
            "past_due": False,
            "submission_count": int(bool(ends)),
        },
        "is_charge_refundable": False,
        "livemode": scene.purchase.livemode,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": scene.id("pi"),
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback"},
            "type": "card",
        },
        "reason": opened.reason or "general",
        "status": ends[-1] if ends else "needs_response",
    }


def early_fraud_warning(scene: Scene) -> Body:
    opened = next(step for step in scene.steps if step.kind == "dispute")
    return {
        "id": scene.id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": False,
        "charge": scene.id("ch"),
        "created": seconds(opened.at),
        "fraud_type": "made_with_stolen_card",
        "livemode": scene.purchase.livemode,
        "payment_intent": scene.id("pi"),
    }
