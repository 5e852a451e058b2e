"""Stripe's objects of a purchase: checkout session, line items, payment intent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from merchant.sandbox.story import Line
from merchant.sandbox.stripe.scene import FIRST, Scene, seconds, wire

Body = dict[str, Any]

MESSAGES = {
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
        "description": description(scene),
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


def description(scene: Scene) -> str | None:
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
        "message": MESSAGES.get(scene.failure, "Your card was declined."),
        "payment_method": {"id": scene.id("pm"), "object": "payment_method"}
        | method_details(scene),
        "type": "card_error",
    }


def method_details(scene: Scene) -> Body:
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
