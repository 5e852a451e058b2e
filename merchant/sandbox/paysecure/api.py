"""Paysecure's API in the sandbox: purchases begun and asked after, payouts, changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from merchant.sandbox.paysecure import bodies, refunds
from merchant.sandbox.story import (
    CALLBACKS,
    Purchase,
    Request,
    Response,
    Shop,
    Step,
)

_DATE = "%Y-%m-%d %H:%M:%S %z"
_MOST = 100


def answer(request: Request, shop: Shop) -> Response:
    """The answer to who shows an API key; with or without the real API's prefix."""
    if not _may_enter(request, shop):
        return _error(401, "authentication_failed", "Incorrect secret_key")
    path = request.path.removeprefix("/api/v1").rstrip("/")
    for method, pattern, tell in _ROUTES:
        found = pattern.fullmatch(path)
        if found and request.method == method:
            return tell(request, shop, *found.groups())
    return _error(404, "not_found", "No such path.")


def _may_enter(request: Request, shop: Shop) -> bool:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme == "Bearer" and key in shop.api_keys


def _purchase(request: Request, shop: Shop, id: str) -> Response:
    purchase = _known(shop, id)
    if purchase is None or bodies.purchase_id(purchase) != id:
        return _error(404, "transaction_error", "PurchaseId Not found.")
    return Response(200, bodies.now(purchase, request.now))


def _create(request: Request, shop: Shop) -> Response:
    """Begins a purchase of the invented shop; of the body its callbacks count, and
    `sandbox_ending`: how it goes ("paid" if not said, "failed", "expired" ...)."""
    try:
        asked = json.loads(request.body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return _error(400, "validation_error", "The body is not a JSON object.")
    urls = {
        outcome: url
        for outcome in ("success", "failure")
        if isinstance(url := asked.get(f"{outcome}_callback"), str) and url
    }
    if shop.begin is None or shop.happen is None:
        return _error(404, "not_found", "Nothing is sold here.")
    try:
        purchase = shop.begin(str(asked.get("sandbox_ending") or "paid"))
    except ValueError as error:
        return _error(400, "validation_error", f"sandbox_ending {error}.")
    if urls:
        step = Step(CALLBACKS, request.now, asked=json.dumps(urls))
        shop.happen(purchase, step)
    return Response(201, bodies.now(purchase, request.now))


def _payout(request: Request, shop: Shop, id: str) -> Response:
    purchase = _known(shop, id)
    told = purchase.told if purchase is not None else []
    steps = [step for step in told if step.kind in bodies.PAYOUTS]
    if purchase is None or not steps or bodies.payout_id(purchase) != id:
        return _error(404, "transaction_error", "PayoutId Not found.")
    status = bodies.PAYOUTS[steps[-1].kind][-1]
    return Response(200, bodies.payout_body(purchase, steps, status))


def _list(request: Request, shop: Shop) -> Response:
    try:
        first, last = _time(request, "start"), _time(request, "end")
        number, size = _number(request, "page_no", 0), _number(request, "page_size", 10)
    except ValueError:
        return _error(400, "Invalid_Parameter", "A parameter cannot be read.")
    if not 1 <= size <= _MOST:
        return _error(400, "Invalid_Parameter", "page_size must be 1 to 100.")
    changed = [
        (status, purchase)
        for purchase in shop.purchases.values()
        if purchase.told
        for status, when in bodies.history(purchase, purchase.told)[-1:]
        if (first is None or when >= first) and (last is None or when <= last)
    ]
    page = changed[number * size : (number + 1) * size]
    return Response(200, {"data": _page(page, len(changed), number, size)})


def _page(
    page: list[tuple[str, Purchase]], total: int, number: int, size: int
) -> dict[str, Any]:
    more = (number + 1) * size < total
    return {
        "content": [
            {"transaction_id": bodies.purchase_id(purchase), "status": status}
            for status, purchase in page
        ],
        "currentPage": number,
        "pageSize": size,
        "totalElements": total,
        "totalPages": -(-total // size),
        "first": number == 0,
        "last": not more,
        "hasNext": more,
        "hasPrevious": number > 0,
    }


def _known(shop: Shop, id: str) -> Purchase | None:
    number = bodies.number_of(id)
    return None if number is None else shop.purchases.get(number)


def _one(request: Request, name: str) -> str:
    return (request.query.get(name) or [""])[0]


def _number(request: Request, name: str, default: int) -> int:
    text = _one(request, name)
    if text and not text.isdecimal():
        raise ValueError(name)
    return int(text) if text else default


def _time(request: Request, edge: str) -> datetime | None:
    text = _one(request, f"last_updated_{edge}")
    return datetime.strptime(text, _DATE) if text else None


def _error(status: int, code: str, message: str) -> Response:
    return Response(status, {"message": message, "code": code})


def _refund(request: Request, shop: Shop, id: str) -> Response:
    """In full by a GET, in part by a POST; both change things."""
    purchase = _known(shop, id)
    if purchase is None or bodies.purchase_id(purchase) != id:
        return _error(404, "transaction_error", "PurchaseId Not found.")
    return refunds.ask(request, shop, purchase)


def _refund_status(request: Request, shop: Shop, id: str) -> Response:
    purchase = _known(shop, id)
    if purchase is None or bodies.purchase_id(purchase) != id:
        return _error(404, "transaction_error", "PurchaseId Not found.")
    return refunds.tell(request, purchase)


_PURCHASE = "/purchases/([0-9a-f]{24})"
_ROUTES: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
    ("POST", re.compile("/purchases"), _create),
    ("GET", re.compile(_PURCHASE), _purchase),
    ("GET", re.compile(f"{_PURCHASE}/refund"), _refund),
    ("POST", re.compile(f"{_PURCHASE}/refund"), _refund),
    ("POST", re.compile("/refundStatus/([0-9a-f]{24})"), _refund_status),
    ("GET", re.compile("/(?:get)?payout/([0-9a-f]{24})"), _payout),
    ("GET", re.compile("/external/transactions/list"), _list),
]
