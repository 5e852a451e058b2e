"""A purchase as Stripe's three objects tell it: session, payment intent, charge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from merchant.money import exponent
from merchant.providers.stripe.words import WIRE
from webhooks.dialects import wire
from webhooks.dialects.purchase import Purchase

#: Event -> the intent's status, and what a charge of it may be called.
_INTENTS = {
    "payment.created": "requires_payment_method",
    "payment.pending": "processing",
    "payment.authorized": "requires_capture",
    "payment.released": "canceled",
    "payment.failed": "requires_payment_method",
    "payment.cancel": "canceled",
}
_CANCELLATIONS = frozenset(
    {
        "abandoned",
        "automatic",
        "duplicate",
        "failed_invoice",
        "fraudulent",
        "requested_by_customer",
        "void_invoice",
    }
)
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def units(minor: int | None, currency: str) -> int | None:
    """Stripe's own units: 5 ISK are 500. None for what they cannot say exactly."""
    if minor is None:
        return None
    sent = WIRE.get(currency, exponent(currency))
    found = Decimal(minor).scaleb(sent - exponent(currency))
    return int(found) if found == found.to_integral_value() else None


def made(prefix: str, id: str) -> str:
    """An id in Stripe's form for what Stripe never saw, always the same one."""
    try:
        return f"{prefix}_{UUID(id).hex}"
    except ValueError:
        return f"{prefix}_{''.join(sign for sign in id if sign.isalnum())[:40]}"


def intent_id(story: Purchase) -> str:
    return story.own_id("stripe", "payment_intent") or made("pi", story.id)


def charge_id(story: Purchase) -> str:
    return story.own_id("stripe", "charge") or made("ch", story.id)


def session_id(story: Purchase) -> str:
    mode = "cs_live" if story.livemode else "cs_test"
    return story.own_id("stripe", "session") or made(mode, story.id)


# ---------------------------------------------------------------------------- session
def session(story: Purchase) -> dict[str, Any]:
    """A checkout session: complete and paid, or expired."""
    expired = story.name == "payment.expired"
    total = units(story.amount, story.currency)
    return _flagged(
        story,
        {
            "id": session_id(story),
            "object": "checkout.session",
            "amount_subtotal": None,
            "amount_total": total,
            "cancel_url": None,
            "client_reference_id": story.text("order_reference") or None,
            "client_secret": None,
            "collected_information": _collected(story),
            "created": story.time("created"),
            "currency": story.currency or None,
            "custom_fields": [],
            "customer": _customer_id(story),
            "customer_details": {
                **billing(story),
                "tax_exempt": "none",
                "tax_ids": [],
            },
            "customer_email": None,
            "discounts": [],
            "expires_at": story.time("updated") if expired else None,
            "invoice": story.own_id("stripe", "invoice"),
            "line_items": line_items(story),
            "livemode": story.livemode,
            "locale": story.person.get("locale"),
            "metadata": story.metadata,
            "mode": "payment",
            "payment_intent": None if expired else intent_id(story),
            "payment_link": None,
            "payment_method_types": _offered(story),
            "payment_status": "unpaid" if expired else "paid",
            "setup_intent": None,
            "shipping_cost": None,
            "status": "expired" if expired else "complete",
            "subscription": None,
            "success_url": None,
            "total_details": None,
            "ui_mode": "hosted_page",
            "url": None,
        },
    )


def line_items(story: Purchase) -> dict[str, Any]:
    """The list that a retrieved session has when it is expanded."""
    return {
        "object": "list",
        "data": [_line(story, number) for number in range(len(story.lines))],
        "has_more": False,
        "url": f"/v1/checkout/sessions/{session_id(story)}/line_items",
    }


def _line(story: Purchase, number: int) -> dict[str, Any]:
    line, currency = story.lines[number], story.currency
    each, discount = wire.unit_price(line.amount, line.quantity)
    return {
        "id": f"{made('li', story.id)}{number}",
        "object": "item",
        "amount_discount": units(discount, currency),
        "amount_subtotal": units((line.amount or 0) + discount, currency)
        if line.amount is not None
        else None,
        "amount_tax": None,
        "amount_total": units(line.amount, currency),
        "currency": currency or None,
        "description": line.name or None,
        "metadata": {"sku": line.sku} if line.sku else {},
        "price": {
            "id": made("price", line.product),
            "object": "price",
            "active": True,
            "currency": currency or None,
            "product": line.product or None,
            "recurring": None,
            "type": "one_time",
            "unit_amount": units(each, currency),
        },
        "quantity": line.quantity,
    }


# ----------------------------------------------------------------------------- intent
def intent(story: Purchase) -> dict[str, Any]:
    """A payment intent in the state that the event tells of."""
    status = _INTENTS[story.name]
    asked = units(story.amount, story.currency)
    held, canceled = status == "requires_capture", status == "canceled"
    return _flagged(
        story,
        {
            "id": intent_id(story),
            "object": "payment_intent",
            "amount": asked,
            "amount_capturable": asked if held else 0,
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "canceled_at": story.time("updated") if canceled else None,
            "cancellation_reason": _cancellation(story) if canceled else None,
            "capture_method": "manual"
            if held or story.name == "payment.released"
            else "automatic_async",
            "client_secret": None,
            "confirmation_method": "automatic",
            "created": story.time("created"),
            "currency": story.currency or None,
            "customer": _customer_id(story),
            "description": story.text("description") or None,
            "last_payment_error": _error(story)
            if story.name == "payment.failed"
            else None,
            "latest_charge": story.own_id("stripe", "charge"),
            "livemode": story.livemode,
            "metadata": story.metadata,
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_types": _offered(story),
            "receipt_email": story.customer.get("email"),
            "review": None,
            "shipping": shipping(story),
            "statement_descriptor": None,
            "status": status,
            "transfer_group": None,
        },
    )


def _cancellation(story: Purchase) -> str | None:
    code = story.reason.strip().lower().replace(" ", "_")
    return code if code in _CANCELLATIONS else None


def _error(story: Purchase) -> dict[str, Any]:
    return {
        "charge": story.own_id("stripe", "charge"),
        "code": None,
        "decline_code": None,
        "message": story.reason or None,
        "type": "card_error" if story.method.get("type") == "card" else "api_error",
    }


# ----------------------------------------------------------------------------- charge
def charge(story: Purchase) -> dict[str, Any]:
    """The charge that was paid, with what went back of it so far."""
    took = units(story.amount, story.currency)
    return _flagged(
        story,
        {
            "id": charge_id(story),
            "object": "charge",
            "amount": took,
            "amount_captured": took,
            "amount_refunded": units(story.refunded, story.currency),
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": {**billing(story), "tax_id": None},
            "calculated_statement_descriptor": story.method_details.get("statement"),
            "captured": True,
            "created": story.time("created"),
            "currency": story.currency or None,
            "customer": _customer_id(story),
            "description": story.text("description") or None,
            "disputed": bool(story.rows("disputes")),
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": story.livemode,
            "metadata": story.metadata,
            "on_behalf_of": None,
            "outcome": None,
            "paid": True,
            "payment_intent": intent_id(story),
            "payment_method": None,
            "payment_method_details": _method(story),
            "receipt_email": story.customer.get("email"),
            "receipt_number": story.method_details.get("receipt_number"),
            "receipt_url": None,
            "refunded": story.is_refunded_whole,
            "review": None,
            "shipping": shipping(story),
            "statement_descriptor": None,
            "status": "succeeded",
            "transfer_group": None,
        },
    )


def _method(story: Purchase) -> dict[str, Any] | None:
    kind = story.method.get("type")
    if not kind:
        return None
    month, year = story.expires
    told, secure = story.method_details, story.method_details.get("three_d_secure")
    wallet = told.get("wallet")
    own = {
        "brand": story.method.get("brand"),
        "country": told.get("country"),
        "exp_month": int(month) if month else None,
        "exp_year": int(year) if year else None,
        "funding": told.get("funding"),
        "last4": story.method.get("last4"),
        "network": told.get("network"),
        "three_d_secure": {"result": secure} if secure else None,
        "wallet": {"type": wallet} if wallet else None,
    }
    return {"type": kind, str(kind): own}


# ----------------------------------------------------------------------- of all three
def billing(story: Purchase) -> dict[str, Any]:
    return {
        "address": _address(story.address, story.country),
        "email": story.customer.get("email"),
        "name": story.customer.get("name"),
        "phone": story.phone or None,
    }


def shipping(story: Purchase) -> dict[str, Any] | None:
    sent = wire.mapping(story.person.get("shipping"))
    if not sent:
        return None
    return {
        "address": _address(sent, str(sent.get("country") or "")),
        "name": sent.get("name"),
        "phone": sent.get("phone"),
    }


def _collected(story: Purchase) -> dict[str, Any] | None:
    sent = shipping(story)
    return {"shipping_details": sent} if sent else None


def _address(where: Any, country: str) -> dict[str, Any]:
    return {**{name: where.get(name) for name in _ADDRESS}, "country": country or None}


def _offered(story: Purchase) -> list[str]:
    kind = story.method.get("type")
    return [str(kind)] if kind else []


def _customer_id(story: Purchase) -> str | None:
    own = story.person.get("provider_id") if story.came_from("stripe") else None
    return str(own) if own else None


def _flagged(story: Purchase, found: dict[str, Any]) -> dict[str, Any]:
    """With `verified` false where the amount came unsigned and is not confirmed."""
    return {**found, "verified": False} if story.is_unverified else found
