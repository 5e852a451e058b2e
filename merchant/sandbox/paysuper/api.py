"""PaySuper's API in the sandbox: the list of orders that a server may ask for."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from merchant.sandbox.paysuper import orders, refunds
from merchant.sandbox.story import Purchase, Request, Response, Shop

PATH = "/merchant/s2s/api/v1/order"
_MOST = 1000
_DATE = "%Y-%m-%dT%H:%M:%S"


def answer(request: Request, shop: Shop) -> Response:
    """The list, for who shows a project's id and its secret key; refunds, for who
    shows a person's token."""
    if (of := refunds.PATH.fullmatch(request.path.rstrip("/"))) is not None:
        return refunds.answer(request, shop, of[1], of[2] or "")
    if not _may_enter(request, shop):
        return _error(401, "ma000024", "invalid or expired credentials")
    if request.path.rstrip("/") != PATH:
        return _error(404, "ma000025", "not found")
    if request.method != "GET":
        return _error(405, "ma000026", "method not allowed")
    try:
        return Response(200, _page(request, shop))
    except ValueError:
        return _error(400, "ma000023", "incorrect request parameters")


def _may_enter(request: Request, shop: Shop) -> bool:
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    try:
        opened = base64.b64decode(pair, validate=True).decode()
    except ValueError:
        return False
    project, _, secret = opened.partition(":")
    return scheme == "Basic" and bool(project) and secret in shop.api_keys


def _page(request: Request, shop: Shop) -> dict[str, Any]:
    found = sorted(_found(request, shop), key=orders.made)
    offset, limit = _number(request, "offset", 0), _number(request, "limit", 100)
    if limit > _MOST:
        raise ValueError("limit")
    page = found[offset : offset + limit]
    items = [orders.order(purchase, purchase.told) for purchase in page]
    return {"count": len(found), "items": items or None}


def _found(request: Request, shop: Shop) -> list[Purchase]:
    id = _one(request, "id")
    if id:
        number = orders.number_of(id)
        purchase = shop.purchases.get(-1 if number is None else number)
        same = purchase is not None and orders.order_id(purchase) == id
        return [purchase] if purchase is not None and same else []
    first, last = _time(request, "project_date_from"), _time(request, "project_date_to")
    return [
        purchase
        for purchase in shop.purchases.values()
        if (first is None or orders.made(purchase) >= first)
        and (last is None or orders.made(purchase) <= last)
    ]


def _one(request: Request, name: str) -> str:
    return (request.query.get(name) or [""])[0]


def _number(request: Request, name: str, default: int) -> int:
    text = _one(request, name)
    if text and not text.isdecimal():
        raise ValueError(name)
    return int(text) if text else default


def _time(request: Request, name: str) -> datetime | None:
    text = _one(request, name)
    return datetime.strptime(text, _DATE).replace(tzinfo=UTC) if text else None


def _error(status: int, code: str, message: str) -> Response:
    return Response(status, {"code": code, "message": message, "details": ""})
