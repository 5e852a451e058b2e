"""What stands beside the purchases, as Stripe tells it: subscriptions and payouts."""

from __future__ import annotations

import hashlib
from typing import Any

from webhooks.dialects.purchase import Purchase, whole
from webhooks.dialects.stripe.payments import made, units
from webhooks.dialects.wire import mapping

#: Ours -> Stripe's, where they differ.
_SUBSCRIPTIONS = {"created": "incomplete", "completed": "canceled"}
_PAYOUTS = {"created": "pending", "pending": "in_transit"}


def subscription(story: Purchase) -> dict[str, Any]:
    """A subscription with one item: what one period costs."""
    ended = story.status in {"canceled", "completed"}
    ends = story.time("ends")
    return {
        "id": subscription_id(story),
        "object": "subscription",
        "cancel_at": None if ended else ends,
        "cancel_at_period_end": _details(story).get("cancel_at_period_end") is True,
        "canceled_at": ends if ended else None,
        "cancellation_details": {
            "comment": story.reason or None,
            "feedback": None,
            "reason": None,
        },
        "collection_method": "charge_automatically",
        "created": story.time("created"),
        "currency": story.currency or None,
        "customer": _customer_id(story),
        "description": None,
        "ended_at": ends if ended else None,
        "items": {
            "object": "list",
            "data": [_item(story)],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/subscription_items?subscription={subscription_id(story)}",
        },
        "latest_invoice": _details(story).get("latest_invoice"),
        "livemode": story.livemode,
        "metadata": _metadata(story),
        "start_date": story.time("created"),
        "status": _SUBSCRIPTIONS.get(story.status, story.status),
        "trial_end": None,
        "trial_start": None,
    }


def unpaid_invoice(story: Purchase) -> dict[str, Any]:
    """The bill of the period that could not be taken."""
    due = units(story.amount, story.currency)
    latest = _details(story).get("latest_invoice")
    id = str(latest) if latest else made("in", story.id)
    return {
        "id": id,
        "object": "invoice",
        "amount_due": due,
        "amount_paid": 0,
        "amount_remaining": due,
        "attempt_count": None,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": story.time("period_start") or story.time("created"),
        "currency": story.currency or None,
        "customer": _customer_id(story),
        "customer_email": story.customer.get("email"),
        "customer_name": story.customer.get("name"),
        "hosted_invoice_url": None,
        "lines": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/invoices/{id}/lines",
        },
        "livemode": story.livemode,
        "metadata": {},
        "number": None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": _metadata(story),
                "subscription": subscription_id(story),
            },
        },
        "period_start": story.time("period_start"),
        "period_end": story.time("period_end"),
        "status": "open",
        "total": due,
    }


def payout(story: Purchase) -> dict[str, Any]:
    failed = story.status == "failed"
    method = story.text("method")
    return {
        "id": _own(story) or made("po", story.id),
        "object": "payout",
        "amount": units(story.amount, story.currency),
        "arrival_date": story.time("arrives"),
        "automatic": True,
        "balance_transaction": None,
        "created": story.time("created"),
        "currency": story.currency or None,
        "description": None,
        "destination": None,
        "failure_code": None,
        "failure_message": (story.reason or None) if failed else None,
        "livemode": story.livemode,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "not_applicable",
        "status": _PAYOUTS.get(story.status, story.status),
        "type": method or "bank_account",
    }


def subscription_id(story: Purchase) -> str:
    return _own(story) or made("sub", story.id)


def _item(story: Purchase) -> dict[str, Any]:
    unit, count = _interval(story.text("interval"))
    product = story.text("product")
    return {
        "id": made("si", story.id),
        "object": "subscription_item",
        "created": story.time("created"),
        "current_period_start": story.time("period_start"),
        "current_period_end": story.time("period_end"),
        "metadata": {},
        "price": {
            "id": made("price", story.id),
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "currency": story.currency or None,
            "product": product or None,
            "recurring": {
                "interval": unit,
                "interval_count": count,
                "usage_type": "licensed",
            },
            "type": "recurring",
            "unit_amount": units(story.amount, story.currency),
        },
        "quantity": 1,
        "subscription": subscription_id(story),
    }


def _interval(said: str) -> tuple[str | None, int]:
    """ "3 months" -> ("month", 3)."""
    number, _, unit = said.rpartition(" ")
    if not number.isdigit():
        return said or None, 1
    return unit.removesuffix("s"), whole(int(number)) or 1


def _own(story: Purchase) -> str | None:
    """Stripe's own id of it."""
    return story.text("provider_id") or None if story.came_from("stripe") else None


def _customer_id(story: Purchase) -> str | None:
    """Stripe's, else one in its form that is the same for the same address."""
    own = _details(story).get("customer") if story.came_from("stripe") else None
    email = story.customer.get("email")
    if own or not isinstance(email, str):
        return str(own) if own else None
    mail = email.strip().lower().encode("utf-8", "replace")
    return f"cus_{hashlib.sha256(mail).hexdigest()[:24]}"


def _details(story: Purchase) -> Any:
    return mapping(story.payload.get("details"))


def _metadata(story: Purchase) -> dict[str, str]:
    found = mapping(_details(story).get("metadata"))
    return {str(name): str(value) for name, value in found.items()}
