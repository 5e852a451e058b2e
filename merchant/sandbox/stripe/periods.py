"""Stripe's objects around a purchase: subscription, invoice, its payment, payout."""

from __future__ import annotations

from datetime import datetime, timedelta

from merchant.sandbox.stripe import objects
from merchant.sandbox.stripe.objects import Body
from merchant.sandbox.stripe.scene import FIRST, MONTH, Scene, seconds, wire

_TRIAL = timedelta(days=7)


def subscription(scene: Scene) -> Body:
    started = scene.at("subscription_started") or scene.at("trial_started")
    started = started or scene.begun
    ended = scene.at("subscription_canceled")
    start, end = _period(scene, started)
    line = scene.purchase.lines[0]
    return {
        "id": scene.subscription_id,
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": seconds(ended) if ended else None,
        "cancellation_details": {
            "comment": None,
            "feedback": "unused" if ended else None,
            "reason": "cancellation_requested" if ended else None,
        },
        "collection_method": "charge_automatically",
        "created": seconds(started),
        "currency": scene.purchase.currency,
        "customer": scene.customer_id,
        "description": None,
        "ended_at": seconds(ended) if ended else None,
        "items": {
            "object": "list",
            "data": [
                {
                    "id": scene.id("si"),
                    "object": "subscription_item",
                    "created": seconds(started),
                    "current_period_start": seconds(start),
                    "current_period_end": seconds(end),
                    "metadata": {},
                    "price": objects.price(scene, line),
                    "quantity": line.quantity,
                    "subscription": scene.subscription_id,
                }
            ],
            "has_more": False,
            "total_count": 1,
            "url": f"/v1/subscription_items?subscription={scene.subscription_id}",
        },
        "latest_invoice": _latest(scene).id("in"),
        "livemode": scene.purchase.livemode,
        "metadata": objects.metadata(scene),
        "start_date": seconds(started),
        "status": _status(scene),
        "trial_end": seconds(started + _TRIAL) if scene.trial else None,
        "trial_start": seconds(started) if scene.trial else None,
    }


def _status(scene: Scene) -> str:
    told = {step.kind for step in scene.steps}
    if "subscription_canceled" in told:
        return "canceled"
    if "renewal_failed" in told:
        return "past_due"
    return "trialing" if scene.trial and "trial_completed" not in told else "active"


def _period(scene: Scene, started: datetime) -> tuple[datetime, datetime]:
    """The period that runs: the trial, or the last one that began to be billed."""
    if _status(scene) == "trialing":
        return started, started + _TRIAL
    begun = {"subscription_renewed", "renewal_failed", "trial_completed"}
    starts = [step.at for step in scene.steps if step.kind in begun]
    start = starts[-1] if starts else started
    return start, start + MONTH


def _latest(scene: Scene) -> Scene:
    bills = {"subscription_renewed", "renewal_failed", "trial_completed"}
    billed = [step for step in scene.steps if step.kind in bills]
    return scene.sale(billed[-1]) if billed else Scene(scene.purchase, scene.steps)


def invoice(scene: Scene) -> Body:
    free = scene.trial and scene.word == FIRST
    paid, total = scene.paid or free, 0 if free else scene.total
    when = scene.end.at if scene.end else scene.begun
    buyer = scene.purchase.buyer
    return {
        "id": scene.id("in"),
        "object": "invoice",
        "account_name": "Harbor Games",
        "amount_due": total,
        "amount_paid": total if paid else 0,
        "amount_remaining": 0 if paid else total,
        "attempt_count": 0 if free else 1,
        "attempted": True,
        "billing_reason": _billing_reason(scene),
        "collection_method": "charge_automatically",
        "created": seconds(scene.begun),
        "currency": scene.purchase.currency,
        "customer": scene.customer_id,
        "customer_address": objects.address(scene),
        "customer_email": buyer.email,
        "customer_name": buyer.name,
        "customer_phone": buyer.phone or None,
        "description": None,
        "hosted_invoice_url": f"https://invoice.example.com/i/{scene.id('in')}",
        "lines": {
            "object": "list",
            "data": [_line(scene, total)],
            "has_more": False,
            "url": f"/v1/invoices/{scene.id('in')}/lines",
        },
        "livemode": scene.purchase.livemode,
        "metadata": {},
        "number": f"HARBOR-{scene.purchase.number:06d}",
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": objects.metadata(scene),
                "subscription": scene.subscription_id,
            },
        },
        "period_start": seconds(scene.begun),
        "period_end": seconds(scene.begun),
        "status": "paid" if paid else "open",
        "status_transitions": {
            "finalized_at": seconds(scene.begun),
            "marked_uncollectible_at": None,
            "paid_at": seconds(when) if paid else None,
            "voided_at": None,
        },
        "total": total,
    }


def _billing_reason(scene: Scene) -> str:
    return "subscription_create" if scene.word == FIRST else "subscription_cycle"


def _line(scene: Scene, total: int) -> Body:
    line = scene.purchase.lines[0]
    price = objects.price(scene, line)
    return {
        "id": scene.id("il"),
        "object": "line_item",
        "amount": total,
        "currency": scene.purchase.currency,
        "description": f"{line.quantity} × {line.article.name}",
        "livemode": scene.purchase.livemode,
        "metadata": {},
        "period": {
            "start": seconds(scene.begun),
            "end": seconds(scene.begun + MONTH),
        },
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": line.quantity,
        "subscription": scene.subscription_id,
        "subtotal": total,
    }


def invoice_payment(scene: Scene) -> Body:
    when = scene.end.at if scene.end else scene.begun
    return {
        "id": scene.id("inpay"),
        "object": "invoice_payment",
        "amount_paid": scene.total if scene.paid else None,
        "amount_requested": scene.total,
        "created": seconds(scene.begun),
        "currency": scene.purchase.currency,
        "invoice": scene.id("in"),
        "is_default": True,
        "livemode": scene.purchase.livemode,
        "payment": {"payment_intent": scene.id("pi"), "type": "payment_intent"},
        "status": "paid" if scene.paid else "open",
        "status_transitions": {
            "canceled_at": None,
            "paid_at": seconds(when) if scene.paid else None,
        },
    }


#: step -> the status of the payout, and of its reconciliation
_PAYOUTS = {
    "payout": ("in_transit", "in_progress"),
    "payout_paid": ("paid", "completed"),
    "payout_failed": ("failed", "in_progress"),
}
#: Why a bank sends it back, as Stripe says it to people.
_RETURNED = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account could not be found.",
    "invalid_account_number": "The routing number seems correct, but the account "
    "number is invalid.",
}


def payout(scene: Scene) -> Body:
    steps = [step for step in scene.steps if step.kind in _PAYOUTS]
    begun, last = steps[0], steps[-1]
    status, reconciliation = _PAYOUTS[last.kind]
    arrives = begun.at + timedelta(days=2)
    return {
        "id": scene.id("po", begun.number),
        "object": "payout",
        "amount": wire(begun.amount, scene.purchase.currency),
        # A day, which Stripe writes as its midnight.
        "arrival_date": seconds(arrives.replace(hour=0, minute=0, second=0)),
        "automatic": True,
        "balance_transaction": scene.id("txn", "payout", begun.number),
        "created": seconds(begun.at),
        "currency": scene.purchase.currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_harbor2026",
        "failure_code": last.reason or None,
        "failure_message": _RETURNED.get(last.reason),
        "livemode": scene.purchase.livemode,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": reconciliation,
        "status": status,
        "type": "bank_account",
    }
