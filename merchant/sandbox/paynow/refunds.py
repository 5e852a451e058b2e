"""PayNow's refunds in the sandbox: an order once, or each of its lines once."""

from __future__ import annotations

import json
from typing import Any

from merchant.sandbox import tricks
from merchant.sandbox.paynow import bodies
from merchant.sandbox.paynow.bodies import Sale
from merchant.sandbox.story import Purchase, Request, Step


def asked(request: Request, sale: Sale, end: Step | None) -> Step | None:
    """The refund that the call asks for; None where the order does not allow it."""
    try:
        body: Any = json.loads(request.body or b"{}")
    except ValueError:
        return None
    line = body.get("order_line_id") if isinstance(body, dict) else None
    amount = _refundable(sale, line)
    paid = end is not None and end.kind == "paid" and sale.word == "first"
    disputed = any(step.kind == "dispute" for step in sale.purchase.told)
    if not paid or not amount or disputed:
        return None
    number = 1 + sum(1 for s in sale.purchase.steps if s.kind == "refund")
    text = json.dumps(body if isinstance(body, dict) else {})
    return Step("refund", request.now, amount, number, asked=text)


def line_of(step: Step) -> str | None:
    """The line that the refund gives back; None for the whole order."""
    line: str | None = json.loads(step.asked or "{}").get("order_line_id")
    return line


def status(purchase: Purchase, step: Step) -> str:
    later = {s.kind for s in purchase.told if s.number == step.number}
    if "refund_failed" in later:
        return "failed"
    waits = bool(step.asked) and tricks.of(step.amount) == "pend"
    return "processing" if waits and "refund_settled" not in later else "completed"


def _refundable(sale: Sale, line: str | None) -> int:
    """Minor units that the order, or its one line, can still give back."""
    left = sale.purchase.total - sale.purchase.refunded()
    if line is None:
        return left
    given = {line_of(s) for s in sale.purchase.told if s.kind == "refund" and s.asked}
    lines = {row["id"]: row["total_amount"] for row in bodies.order(sale)["lines"]}
    return 0 if line in given else min(left, lines.get(line, 0))
