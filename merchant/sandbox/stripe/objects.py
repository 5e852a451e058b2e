"""Stripe's objects of a purchase: session, payment intent, charge, refund, dispute."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from merchant.sandbox.story import Line, Step
from merchant.sandbox.stripe.scene import FIRST, Scene, seconds, wire

Body = dict[str, Any]

#: What is not settled in its own currency is changed into euros, at so many a unit.
_RATES = {"jpy": Decimal("0.0061"), "kwd": Decimal("2.98")}
_UNITS = {"jpy": 1, "kwd": 1000}

_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "fraudulent": "Your card was declined.",
    "do_not_honor": "Your card was declined.",
}


def address(scene: Scene) -> Body:
    buyer = scene.purchase.buyer
    return {
        "city": buyer.city,
        "country": buyer.country,
        "line1": "12 Harbor Street",
        "line2": None,
        "postal_code": "10115",
        "state": None,
    }


def metadata(scene: Scene) -> Body:
    return {"channel": "web", "player": scene.purchase.buyer.key}


def method_kind(scene: Scene) -> str:
    own = scene.purchase.method
    return own if own in {"sepa_debit", "paypal"} else "card"


# -------------------------------------------------------------------------- session
def session(scene: Scene) -> Body:
    first = Scene(scene.purchase, scene.steps)
    buyer, recurring = scene.purchase.buyer, scene.recurring
    status, payment_status = _session_states(first)
    free = payment_status == "no_payment_required"
    began = first.begun - timedelta(seconds=30)
    return {
        "id": first.session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": 0 if free else first.total,
        "amount_total": 0 if free else first.total,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": "required",
        "cancel_url": "https://harbor.example.com/cart",
        "client_reference_id": f"S-{scene.purchase.number}",
        "client_secret": None,
        "collected_information": {"shipping_details": None},
        "consent": None,
        "created": seconds(began),
        "currency": scene.purchase.currency,
        "currency_conversion": None,
        "custom_fields": [],
        "customer": scene.customer_id,
        "customer_creation": "always" if recurring else "if_required",
        "customer_details": {
            "address": address(scene),
            "email": buyer.email,
            "name": buyer.name,
            "phone": buyer.phone or None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "customer_email": None,
        "expires_at": seconds(began + timedelta(days=1)),
        "invoice": first.id("in") if recurring else None,
        "livemode": scene.purchase.livemode,
        "locale": "auto",
        "metadata": metadata(scene),
        "mode": "subscription" if recurring else "payment",
        "payment_intent": None if recurring or free else first.id("pi"),
        "payment_link": None,
        "payment_method_types": [method_kind(scene)],
        "payment_status": payment_status,
        "presentment_details": None,
        "setup_intent": None,
        "shipping_cost": None,
        "status": status,
        "submit_type": None,
        "subscription": scene.subscription_id if recurring else None,
        "success_url": "https://harbor.example.com/ok?id={CHECKOUT_SESSION_ID}",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,
    }


def _session_states(first: Scene) -> tuple[str, str]:
    if first.has("expired"):
        return "expired", "unpaid"
    if first.trial or (first.paid and not first.total):
        return "complete", "no_payment_required"
    if first.paid:
        return "complete", "paid"
    complete = first.has("pending") or first.has("authorized")
    return ("complete" if complete else "open"), "unpaid"


def line_items(scene: Scene) -> list[Body]:
    return [
        _line_item(scene, number, line)
        for number, line in enumerate(scene.purchase.lines)
    ]


def _line_item(scene: Scene, number: int, line: Line) -> Body:
    currency = scene.purchase.currency
    each = wire(line.article.prices[currency], currency)
    free = scene.trial
    return {
        "id": scene.id("li", number),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": 0 if free else each * line.quantity,
        "amount_tax": 0,
        "amount_total": 0 if free else each * line.quantity,
        "currency": currency,
        "description": line.article.name,
        "metadata": {},
        "price": price(scene, line),
        "quantity": line.quantity,
    }


def price(scene: Scene, line: Line) -> Body:
    currency = scene.purchase.currency
    each = wire(line.article.prices[currency], currency)
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    return {
        "id": f"price_{line.article.sku.replace('-', '')}{currency}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": currency,
        "product": f"prod_{line.article.sku.replace('-', '')}",
        "recurring": recurring if scene.recurring else None,
        "type": "recurring" if scene.recurring else "one_time",
        "unit_amount": each,
        "unit_amount_decimal": str(each),
    }


# --------------------------------------------------------------------------- intent
def intent(scene: Scene) -> Body:
    status = _intent_status(scene)
    error = _last_error(scene) if scene.failure else None
    charged = scene.end is not None or scene.has("authorized") or scene.has("pending")
    canceled = scene.at("canceled") or scene.at("released")
    return {
        "id": scene.id("pi"),
        "object": "payment_intent",
        "amount": scene.total,
        "amount_capturable": scene.total if status == "requires_capture" else 0,
        "amount_details": {"tip": {}},
        "amount_received": scene.total if status == "succeeded" else 0,
        "application": None,
        "canceled_at": seconds(canceled) if status == "canceled" and canceled else None,
        "cancellation_reason": _why_canceled(scene) if status == "canceled" else None,
        "capture_method": "manual" if scene.has("authorized") else "automatic_async",
        "client_secret": f"{scene.id('pi')}_secret_sandbox",
        "confirmation_method": "automatic",
        "created": seconds(scene.begun),
        "currency": scene.purchase.currency,
        "customer": scene.customer_id,
        "description": _description(scene),
        "last_payment_error": error,
        "latest_charge": scene.id("ch") if charged else None,
        "livemode": scene.purchase.livemode,
        "metadata": {} if scene.recurring else metadata(scene),
        "next_action": None,
        "payment_method": None if error or not charged else scene.id("pm"),
        "payment_method_types": [method_kind(scene)],
        "receipt_email": scene.purchase.buyer.email,
        "review": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": status,
        "transfer_group": None,
    }


def _description(scene: Scene) -> str | None:
    if not scene.recurring:
        return None
    return "Subscription creation" if scene.word == FIRST else "Subscription update"


def _intent_status(scene: Scene) -> str:
    if scene.paid:
        return "succeeded"
    if scene.has("canceled") or scene.has("released"):
        return "canceled"
    if scene.failure:
        return "requires_payment_method"
    if scene.has("authorized"):
        return "requires_capture"
    return "processing" if scene.has("pending") else "requires_payment_method"


def _why_canceled(scene: Scene) -> str:
    return "automatic" if scene.has("released") else "abandoned"


def _last_error(scene: Scene) -> Body:
    return {
        "charge": scene.id("ch"),
        "code": "card_declined",
        "decline_code": scene.failure,
        "message": _MESSAGES.get(scene.failure, "Your card was declined."),
        "payment_method": {"id": scene.id("pm"), "object": "payment_method"}
        | _method(scene),
        "type": "card_error",
    }


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
            "address": address(scene),
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
        "description": _description(scene),
        "disputed": scene.has("dispute"),
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if scene.failure else None,
        "failure_message": _MESSAGES.get(scene.failure, "Your card was declined.")
        if scene.failure
        else None,
        "fraud_details": {},
        "livemode": purchase.livemode,
        "metadata": {} if scene.recurring else metadata(scene),
        "on_behalf_of": None,
        "outcome": _outcome(scene),
        "paid": status == "succeeded",
        "payment_intent": scene.id("pi"),
        "payment_method": scene.id("pm"),
        "payment_method_details": _method(scene),
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


def _charged(scene: Scene) -> Any:
    if scene.word == FIRST:
        for kind in ("pending", "authorized"):
            if scene.has(kind):
                return scene.at(kind)
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


def _method(scene: Scene) -> Body:
    purchase, kind = scene.purchase, method_kind(scene)
    if kind == "sepa_debit":
        bank = {"bank_code": "37040044", "country": purchase.buyer.country}
        return {"type": kind, kind: {**bank, "last4": purchase.last4}}
    if kind == "paypal":
        payer = {"payer_email": purchase.buyer.email, "payer_name": purchase.buyer.name}
        return {"type": kind, kind: {**payer, "payer_id": "HARBOR2026"}}
    wallet = purchase.method if purchase.method.endswith("_pay") else None
    brand = purchase.method if purchase.method in {"visa", "mastercard"} else "visa"
    card = {
        "amount_authorized": scene.total,
        "brand": brand,
        "checks": {"address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": purchase.buyer.country,
        "exp_month": purchase.number % 12 + 1,
        "exp_year": 2029,
        "funding": "debit" if purchase.number % 3 == 0 else "credit",
        "last4": purchase.last4,
        "network": brand,
        "three_d_secure": None,
        "wallet": {"type": wallet, wallet: {}} if wallet else None,
    }
    return {"type": kind, kind: card}


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
    failed = scene.refund_failed(step)
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
        "metadata": {},
        "payment_intent": scene.id("pi"),
        "reason": step.reason if step.reason in reasons else None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "failed" if failed else "succeeded",
        "transfer_reversal": None,
    }
    if failed:
        body["failure_reason"] = failed.reason or "unknown"
        body["failure_balance_transaction"] = scene.id("txn", "back", step.number)
    return body


_DISPUTES = {"dispute_won": "won", "dispute_lost": "lost"}


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
