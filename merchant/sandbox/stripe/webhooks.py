"""Which webhooks Stripe sends when something happens to a purchase."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from merchant.sandbox.story import Event, Purchase, Step
from merchant.sandbox.stripe import charges, objects, periods
from merchant.sandbox.stripe.objects import Body
from merchant.sandbox.stripe.scene import Scene, made_id, seconds

API_VERSION = "2026-10-28.endive"

#: (type, object, previous_attributes)
Told = Iterable[tuple[str, Body, Body | None]]


def events(purchase: Purchase, step: Step) -> list[Event]:
    """The webhooks of this step, unsigned; none for a step that has no word."""
    return [
        Event(
            body["type"],
            json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        )
        for body in bodies(purchase, step)
    ]


def bodies(purchase: Purchase, step: Step) -> Iterator[dict[str, Any]]:
    """The same as JSON values, in the order in which they happen."""
    tell = _TELLERS.get(step.kind)
    scene = Scene.after(purchase, step).sale(step)
    told = tell(scene, step) if tell else ()
    for number, (kind, found, before) in enumerate(told):
        data: Body = {"object": found}
        if before is not None:
            data["previous_attributes"] = before
        yield {
            "id": made_id(
                "evt", purchase, step.kind, seconds(step.at), step.number, number
            ),
            "object": "event",
            "api_version": API_VERSION,
            "created": seconds(step.at),
            "data": data,
            "livemode": purchase.livemode,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }


# --------------------------------------------------------------------- the purchase
def _created(scene: Scene, step: Step) -> Told:
    yield "payment_intent.created", objects.intent(scene), None


def _pending(scene: Scene, step: Step) -> Told:
    yield "payment_intent.processing", objects.intent(scene), None
    yield "charge.pending", charges.charge(scene), None
    yield "checkout.session.completed", objects.session(scene), None


def _authorized(scene: Scene, step: Step) -> Told:
    yield "charge.succeeded", charges.charge(scene), None
    yield (
        "payment_intent.amount_capturable_updated",
        objects.intent(scene),
        {"amount_capturable": 0},
    )
    yield "checkout.session.completed", objects.session(scene), None


def _released(scene: Scene, step: Step) -> Told:
    yield "charge.expired", charges.charge(scene), None
    yield "payment_intent.canceled", objects.intent(scene), None


def _paid(scene: Scene, step: Step) -> Told:
    if not scene.total:  # what is free makes no payment intent
        yield "checkout.session.completed", objects.session(scene), None
        return
    held, late = scene.has("authorized"), scene.has("pending")
    yield "payment_intent.succeeded", objects.intent(scene), None
    charged = "charge.captured" if held else "charge.succeeded"
    yield charged, charges.charge(scene), None
    if scene.recurring:
        yield from _billed(scene)
    if not held:
        done = "async_payment_succeeded" if late else "completed"
        yield f"checkout.session.{done}", objects.session(scene), None
    yield _settled(scene)


def _settled(scene: Scene) -> tuple[str, Body, Body]:
    """The fees come a moment later."""
    charge = charges.charge(scene, settled=True)
    return "charge.updated", charge, {"balance_transaction": None}


def _billed(scene: Scene) -> Told:
    yield "invoice.paid", periods.invoice(scene), None
    yield "invoice.payment_succeeded", periods.invoice(scene), None
    yield "invoice_payment.paid", periods.invoice_payment(scene), None


def _failed(scene: Scene, step: Step) -> Told:
    yield "charge.failed", charges.charge(scene), None
    yield "payment_intent.payment_failed", objects.intent(scene), None
    if scene.has("pending"):
        kind = "checkout.session.async_payment_failed"
        yield kind, objects.session(scene), None


def _canceled(scene: Scene, step: Step) -> Told:
    yield "payment_intent.canceled", objects.intent(scene), None


def _expired(scene: Scene, step: Step) -> Told:
    yield "checkout.session.expired", objects.session(scene), None


# ------------------------------------------------------------------------ reversals
def _refund(scene: Scene, step: Step) -> Told:
    charge = charges.charge(scene, settled=True)
    before = charge["amount_refunded"] - charges.refund(scene, step)["amount"]
    yield "refund.created", charges.refund(scene, step), None
    yield "charge.refunded", charge, {"amount_refunded": before}
    yield "refund.updated", charges.refund(scene, step, traced=True), _UNTRACED


_UNTRACED: Body = {"destination_details": {"card": {"reference_status": "pending"}}}


def _refund_failed(scene: Scene, step: Step) -> Told:
    for refund in scene.refunds:
        if refund.number == step.number:
            body = charges.refund(scene, refund, traced=True)
            yield "refund.failed", body, {"status": "succeeded"}
            yield "charge.refund.updated", body, {"status": "succeeded"}


def _refund_moved(scene: Scene, step: Step) -> Told:
    before = "pending" if step.kind == "refund_settled" else "requires_action"
    for refund in scene.refunds:
        if refund.number == step.number:
            body = charges.refund(scene, refund, traced=step.kind == "refund_settled")
            yield "refund.updated", body, {"status": before}
            yield "charge.refund.updated", body, {"status": before}


def _dispute(scene: Scene, step: Step) -> Told:
    if step.reason == "fraudulent":
        warning = charges.early_fraud_warning(scene)
        yield "radar.early_fraud_warning.created", warning, None
    yield "charge.dispute.created", charges.dispute(scene), None
    yield "charge.dispute.funds_withdrawn", charges.dispute(scene), None


def _dispute_answered(scene: Scene, step: Step) -> Told:
    before = {"status": "needs_response"}
    yield "charge.dispute.updated", charges.dispute(scene), before


def _dispute_closed(scene: Scene, step: Step) -> Told:
    before = {"status": "under_review"}
    if step.kind == "dispute_won":
        yield "charge.dispute.funds_reinstated", charges.dispute(scene), before
    yield "charge.dispute.closed", charges.dispute(scene), before


# -------------------------------------------------------------------- every month
def _started(scene: Scene, step: Step) -> Told:
    yield "customer.subscription.created", periods.subscription(scene), None


def _trial_started(scene: Scene, step: Step) -> Told:
    yield "customer.subscription.created", periods.subscription(scene), None
    yield "invoice.paid", periods.invoice(scene), None
    yield "checkout.session.completed", objects.session(scene), None


def _renewed(scene: Scene, step: Step) -> Told:
    before = {"status": "trialing"} if step.kind == "trial_completed" else {}
    subscription = periods.subscription(scene)
    yield "customer.subscription.updated", subscription, before
    yield "payment_intent.succeeded", objects.intent(scene), None
    yield "charge.succeeded", charges.charge(scene), None
    yield from _billed(scene)
    yield _settled(scene)


def _renewal_failed(scene: Scene, step: Step) -> Told:
    yield "charge.failed", charges.charge(scene), None
    yield "payment_intent.payment_failed", objects.intent(scene), None
    yield "invoice.payment_failed", periods.invoice(scene), None
    before = {"status": "active"}
    yield "customer.subscription.updated", periods.subscription(scene), before


def _ended(scene: Scene, step: Step) -> Told:
    yield "customer.subscription.deleted", periods.subscription(scene), None


def _payout(scene: Scene, step: Step) -> Told:
    yield "payout.created", periods.payout(scene), None


def _payout_ended(scene: Scene, step: Step) -> Told:
    yield step.kind.replace("_", "."), periods.payout(scene), None


_TELLERS: dict[str, Callable[[Scene, Step], Told]] = {
    "created": _created,
    "pending": _pending,
    "authorized": _authorized,
    "released": _released,
    "paid": _paid,
    "failed": _failed,
    "canceled": _canceled,
    "expired": _expired,
    "refund": _refund,
    "refund_failed": _refund_failed,
    "refund_settled": _refund_moved,
    "refund_canceled": _refund_moved,
    "dispute": _dispute,
    "dispute_answered": _dispute_answered,
    "dispute_won": _dispute_closed,
    "dispute_lost": _dispute_closed,
    "subscription_started": _started,
    "subscription_renewed": _renewed,
    "subscription_canceled": _ended,
    "renewal_failed": _renewal_failed,
    "trial_started": _trial_started,
    "trial_completed": _renewed,
    "payout": _payout,
    "payout_paid": _payout_ended,
    "payout_failed": _payout_ended,
}

STEPS = frozenset(_TELLERS)
