"""Paysecure's refunds in the sandbox: one at a time, none of it twice."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from merchant.money import Money, NotMoney
from merchant.sandbox import tricks, wire
from merchant.sandbox.paysecure import bodies
from merchant.sandbox.story import Purchase, Request, Response, Shop, Step


def ask(request: Request, shop: Shop, purchase: Purchase) -> Response:
    """A refund in full (GET) or in part (POST)."""
    left = purchase.total - purchase.refunded()
    if not left and purchase.total:
        return _no("This Purchase was already fully refunded.")
    status = bodies.now(purchase, request.now)["status"].lower()
    if status == "refund_in_process":
        return _no("Previous Refund Request already in Process")
    if status not in {"paid", "partial_refunded"}:
        return _no("Only Purchases with `status == (paid)` can be refunded.")
    whole = request.method == "GET"
    amount = left if whole else _amount(request, purchase)
    if amount is None or amount > left:
        return _no("Refund amount exceeds refundable amount", "validation_error")
    if turned_away := tricks.before(request, shop, amount):
        return turned_away
    if tricks.of(amount) == "refuse":
        return _no("Max Time for Refund was elapsed.")
    number = 1 + sum(1 for step in purchase.steps if step.kind == "refund")
    asked = "whole" if whole else request.body.decode()
    step = Step("refund", request.now, amount, number, asked=asked)
    tricks.happen(shop, purchase, step)
    body = bodies.now(purchase, request.now) if whole else _body(purchase, step, "")
    return tricks.after(Response(200, body), amount)


def tell(request: Request, purchase: Purchase) -> Response:
    """How a refund in part stands."""
    try:
        wanted = json.loads(request.body).get("refundId")
    except (ValueError, AttributeError):
        return _no("The refundId is missing.", "validation_error")
    for step in purchase.told:
        if step.kind == "refund" and _id(purchase, step) == wanted:
            status = _status(purchase, step, request.now)
            return Response(200, _body(purchase, step, status))
    return Response(404, {"message": "Refund Not found.", "code": "transaction_error"})


def _status(purchase: Purchase, step: Step, at: datetime) -> str:
    later = {s.kind for s in purchase.told if s.number == step.number}
    if "refund_failed" in later:
        return "ERROR"
    done = at >= step.at + bodies.REFUND_TAKES
    return "REFUNDED" if done else "REFUND_IN_PROCESS"


def _id(purchase: Purchase, step: Step) -> str:
    return wire.invented("paysecure refund", purchase.number, step.number)


def _body(purchase: Purchase, step: Step, status: str) -> dict[str, Any]:
    over = status == "REFUNDED"
    return {
        "refundId": _id(purchase, step),
        "purchaseId": bodies.purchase_id(purchase),
        "amount": wire.major(step.amount, purchase.currency),
        "currency": purchase.currency.upper(),
        "status": status or "REFUND_IN_PROCESS",
        "reason": json.loads(step.asked).get("reason", ""),
        "createdOn": wire.seconds(step.at),
        "refundOn": wire.seconds(step.at + bodies.REFUND_TAKES) if over else 0,
    }


def _amount(request: Request, purchase: Purchase) -> int | None:
    try:
        body = json.loads(request.body, parse_float=Decimal)
        minor = Money.from_major(body["amount"], purchase.currency).minor
    except (ValueError, KeyError, TypeError, NotMoney):
        return None
    return minor if minor > 0 else None


def _no(message: str, code: str = "transaction_error") -> Response:
    return Response(400, {"message": message, "code": code})
