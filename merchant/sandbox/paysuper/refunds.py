"""PaySuper's refunds in the sandbox: whole orders, once, for a signed-in person."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from merchant.sandbox import tricks, wire
from merchant.sandbox.paysuper import orders
from merchant.sandbox.story import Purchase, Request, Response, Shop, Step

PATH = re.compile("/admin/api/v1/order/([0-9a-f-]{36})/refunds(?:/([0-9a-f]{24}))?")

#: code -> what PaySuper says with it.
_SAYS = {
    "rf000001": "refund can't be create. try request later",
    "rf000002": "create refund for order not allowed",
    "rf000003": "amount by order was fully refunded",
    "rf000004": "refund unavailable, because payment amount less than total refunds "
    "amount",
    "rf000005": "refund with specified data not found",
    "ma000002": "validation failed",
}
_IN_PROGRESS, _COMPLETED, _DECLINED = 2, 3, 4


def answer(request: Request, shop: Shop, order: str, refund: str) -> Response:
    scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
    if scheme != "Bearer" or token.strip() not in shop.user_tokens:
        said = {"code": "ma000024", "message": "invalid or expired token"}
        return Response(401, {**said, "details": ""})
    number = orders.number_of(order)
    purchase = shop.purchases.get(-1 if number is None else number)
    if purchase is None or orders.order_id(purchase) != order:
        return _no(404, "rf000005")
    if request.method == "POST" and not refund:
        return _create(request, shop, purchase)
    made = [_body(purchase, step, request.now) for step in _asked(purchase)]
    if not refund:
        return Response(200, {"count": len(made), "items": made})
    found = [body for body in made if body["id"] == refund]
    return Response(200, found[0]) if found else _no(404, "rf000005")


def _create(request: Request, shop: Shop, purchase: Purchase) -> Response:
    try:
        body = json.loads(request.body)
        wanted, reason = body["amount"], str(body.get("reason") or "")
    except (ValueError, KeyError, TypeError):
        return _no(400, "ma000002")
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or wanted <= 0:
        return _no(400, "ma000002")
    status = orders.order(purchase, purchase.told)["status"]
    if status == "refunded":
        return _no(400, "rf000003")
    if status != "processed":
        return _no(400, "rf000002")
    if any(
        _state(purchase, step, request.now) != _DECLINED for step in _asked(purchase)
    ):
        return _no(400, "rf000004")
    # Whatever amount was asked for, all of the order goes back.
    amount = purchase.total
    if turned_away := tricks.before(request, shop, amount):
        return turned_away
    if tricks.of(amount) == "refuse":
        return _no(400, "rf000001")
    number = 1 + sum(1 for step in purchase.steps if step.kind == "refund")
    step = Step(
        "refund", request.now + tricks.LATER, amount, number,
        asked=json.dumps({"reason": reason, "at": request.now.isoformat()}),
    )  # fmt: skip
    if shop.happen is not None:
        shop.happen(purchase, step)
    made = _body(purchase, step, request.now)
    return tricks.after(Response(201, made), amount)


def _asked(purchase: Purchase) -> list[Step]:
    return [s for s in purchase.steps if s.kind == "refund" and s.asked]


def _state(purchase: Purchase, step: Step, now: datetime) -> int:
    later = {s.kind for s in purchase.steps if s.number == step.number}
    if "refund_failed" in later:
        return _DECLINED
    return _COMPLETED if step.at <= now else _IN_PROGRESS


def _body(purchase: Purchase, step: Step, now: datetime) -> dict[str, Any]:
    asked = json.loads(step.asked)
    began = wire.seconds(datetime.fromisoformat(asked["at"]))
    done = _state(purchase, step, now) == _COMPLETED
    return {
        "id": orders.refund_id(purchase),
        "original_order_id": orders.order_id(purchase),
        "external_id": "",
        "amount": wire.major(step.amount, purchase.currency),
        "creator_id": "5fb1c0de9d8a7e0001f0a4e9",
        "reason": asked["reason"],
        "currency": purchase.currency.upper(),
        "status": _state(purchase, step, now),
        "created_at": {"seconds": began, "nanos": 0},
        "updated_at": {"seconds": wire.seconds(step.at) if done else began, "nanos": 0},
        "payer_data": {"country": purchase.buyer.country, "zip": "", "state": ""},
        "sales_tax": 0,
    }


def _no(status: int, code: str) -> Response:
    return Response(status, {"code": code, "message": _SAYS[code], "details": ""})
