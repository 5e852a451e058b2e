"""PayNow's management API over the sandbox's purchases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

from merchant.sandbox import tricks
from merchant.sandbox.paynow import bodies, refunds
from merchant.sandbox.paynow.bodies import CHARGEBACKS, STORE_ID, Body, Sale
from merchant.sandbox.story import Purchase, Request, Response, Shop, Step

Maker = Callable[[Sale, Step | None], Body]
_PAGE = 25
_MOST = 100
_FEES = ("gateway_fee_amount", "tax_amount", "platform_fee_amount", "store_net_amount")


def answer(request: Request, shop: Shop) -> Response:
    """What PayNow's API answers to the call."""
    if not _knows(request, shop):
        return _error(401, "unauthorized", "The API key is not valid.")
    for method, pattern, serve in _ROUTES:
        found = re.fullmatch(pattern, request.path.rstrip("/"))
        if found and method == request.method:
            return serve(request, shop, *found.groups())
    return _error(404, "not-found", "There is no such resource.")


def _knows(request: Request, shop: Shop) -> bool:
    headers = {name.lower(): value for name, value in request.headers.items()}
    word, _, key = headers.get("authorization", "").partition(" ")
    return word.lower() == "apikey" and key.strip() in shop.api_keys


def _error(status: int, code: str, message: str) -> Response:
    error = {"status": status, "code": code, "message": message}
    return Response(status, {**error, "trace_id": None, "errors": None})


# ------------------------------------------------------------------------- the sales
def _sales(shop: Shop) -> Iterator[tuple[Sale, Step | None]]:
    """Every order that exists by now, with the step that ended its payment."""
    for purchase in shop.purchases.values():
        if not purchase.told:
            continue
        ends = [s for s in purchase.told if s.kind in {"paid", "failed"}]
        if any(s.kind == "trial_started" for s in purchase.told):
            continue  # nothing is bought yet
        yield bodies.first_sale(purchase), ends[-1] if ends else None
        for step in purchase.told:
            if step.kind in {"subscription_renewed", "renewal_failed"}:
                yield bodies.renewal(purchase, step), step


def _order(sale: Sale, end: Step | None) -> Body:
    ended = {"canceled": "canceled", "expired": "canceled"}
    kinds = {step.kind for step in sale.purchase.told}
    status = next((word for kind, word in ended.items() if kind in kinds), "created")
    if end is not None and end.kind not in {"failed", "renewal_failed"}:
        status = "completed"
        if sale.word == "first":
            status = _reversed(sale.purchase, status)
    body = bodies.order(sale, status)
    body |= {
        "pretty_id": f"pn-{int(sale.order_id):x}",
        "customer_id": bodies.customer_id(sale.purchase),
        "billing_country": body.pop("billing_address_country"),
        "is_subscription": sale.subscription_id is not None,
        "last_payment_error": None,
    }
    del body["checkout"]
    return _lowered(body)


def _reversed(purchase: Purchase, status: str) -> str:
    """The status after refunds and chargebacks."""
    dispute = _chargeback(purchase)
    if dispute in {"pending", "lost"}:
        return "chargeback"
    whole = purchase.total and purchase.refunded() >= purchase.total
    return "refunded" if whole else status


def _chargeback(purchase: Purchase) -> str:
    told = [CHARGEBACKS[s.kind][1] for s in purchase.told if s.kind in CHARGEBACKS]
    return told[-1] if told else "none"


def _payment(sale: Sale, end: Step | None) -> Body:
    purchase = sale.purchase
    failed = end is not None and end.kind in {"failed", "renewal_failed"}
    body = bodies.payment(
        sale, (end.reason or "do_not_honor") if failed and end else ""
    )
    first = sale.word == "first"
    if end is None:
        body |= {"status": "pending", "completed_at": None}
    elif not failed and first:
        body["status"] = _reversed(purchase, "completed")
    opened = purchase.when("dispute")
    disputed = _chargeback(purchase) if first else "none"
    body |= {
        "customer_id": bodies.customer_id(purchase),
        "method": _method(purchase),
        "chargeback_status": disputed,
        "chargeback_at": bodies.rfc(opened) if opened and disputed != "none" else None,
        "refunds": [
            _refund(sale, step)
            for step in purchase.told
            if step.kind == "refund" and first
        ],
    }
    return _lowered(body)


def _method(purchase: Purchase) -> Body:
    brand = purchase.method if purchase.method in {"visa", "mastercard"} else "visa"
    wallet = purchase.method if purchase.method.endswith("_pay") else None
    card = {"brand": brand, "last4": purchase.last4, "wallet": wallet}
    plain = purchase.method in {"paypal", "sepa_debit", "bank_transfer"}
    return {
        "id": bodies.flake(purchase.steps[0].at, purchase.number, "method"),
        "customer_id": bodies.customer_id(purchase),
        "gateway": bodies.figures(purchase)["gateway"],
        "method_type": purchase.method if plain else "card",
        "method_details": {"last4": purchase.last4} if plain else card,
    }


def _refund(sale: Sale, step: Step) -> Body:
    """A refund as the API tells it: the amount is the refund's own."""
    whole = bodies.refund(sale, step)
    total = sale.purchase.total
    part = {name: whole[name] * step.amount // total if total else 0 for name in _FEES}
    kept = {name: whole[name] for name in ("id", "store_id", "payment_id", "status")}
    kept |= {name: whole[name] for name in ("created_at", "completed_at")}
    status = refunds.status(sale.purchase, step)
    if status != "completed":
        kept |= {"status": status, "completed_at": None}
    return _lowered(
        kept
        | part
        | {
            "customer_id": bodies.customer_id(sale.purchase),
            "currency": whole["currency"],
            "refund_from_connected_user_balance": False,
            "amount": step.amount,
            "store_refund_amount": whole["store_refund_amount"],
            "order_line_id": refunds.line_of(step),
        }
    )


def _lowered(body: Body) -> Body:
    """The API writes currencies small, and every amount once more for people."""
    shown = {
        f"{name}_str": f"{amount / 100:.2f}"
        for name, amount in body.items()
        if name.endswith("amount") and isinstance(amount, int)
    }
    return body | shown | {"currency": body["currency"].lower()}


# ------------------------------------------------------------------------- the routes
def _stores(request: Request, shop: Shop) -> Response:
    return Response(200, [{"id": STORE_ID, "name": "Harbor Games", "live_mode": False}])


def _list(make: Maker, id_of: Callable[[Sale], str]) -> Callable[..., Response]:
    """A page, newest first unless `asc`; `after` goes on behind that id.

    Bodies are made for the page alone: a sandbox may know thousands of orders.
    """

    def serve(request: Request, shop: Shop, store: str) -> Response:
        upwards = _asked(request, "asc") == "true"
        found = [(int(id_of(sale)), sale, end) for sale, end in _sales(shop)]
        found.sort(key=lambda entry: entry[0], reverse=not upwards)
        after = _number(request, "after")
        if after is not None:
            found = [f for f in found if f[0] != after and (f[0] > after) == upwards]
        bodies_made = (make(sale, end) for _, sale, end in found)
        fitting = (body for body in bodies_made if _fits(request, body))
        limit = _number(request, "limit")
        most = _PAGE if limit is None else min(limit, _MOST)
        return Response(200, list(islice(fitting, most)))

    return serve


def _one(make: Maker) -> Callable[..., Response]:
    def serve(request: Request, shop: Shop, store: str, id: str) -> Response:
        for sale in _sales(shop):
            if id in {sale[0].order_id, sale[0].payment_id}:
                body = make(*sale)
                if body["id"] == id:
                    return Response(200, body)
        return _error(404, "not-found", f"There is no {id}.")

    return serve


_FILTERS = ("status", "order_id", "customer_id", "billing_email", "subscription_id")


def _fits(request: Request, body: Body) -> bool:
    asked = {name: request.query[name] for name in _FILTERS if request.query.get(name)}
    return all(str(body.get(name)) in values for name, values in asked.items())


def _number(request: Request, name: str) -> int | None:
    value = _asked(request, name)
    fits = value.isascii() and value.isdigit() and len(value) < 20
    return int(value) if fits else None


def _asked(request: Request, name: str) -> str:
    values = request.query.get(name)
    return values[0] if values else ""


def _give_back(request: Request, shop: Shop, store: str, order_id: str) -> Response:
    """Refunds a whole order or one of its lines; ON_REFUND tells when it is done."""
    for sale, end in _sales(shop):
        if sale.order_id != order_id:
            continue
        step = refunds.asked(request, sale, end)
        if step is None:
            return _error(400, "bad-request", "The order cannot be refunded.")
        if turned_away := tricks.before(request, shop, step.amount):
            return turned_away
        if tricks.of(step.amount) == "refuse":
            return _error(400, "bad-request", "The gateway does not allow a refund.")
        tricks.happen(shop, sale.purchase, step)
        made = _refund(sale, step) | {"status": "created", "completed_at": None}
        return tricks.after(Response(200, made), step.amount)
    return _error(404, "not-found", f"There is no order {order_id}.")


_STORE = r"/v1/stores/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", r"/v1/stores", _stores),
    ("GET", rf"{_STORE}/orders", _list(_order, lambda sale: sale.order_id)),
    ("GET", rf"{_STORE}/orders/([^/]+)", _one(_order)),
    ("POST", rf"{_STORE}/orders/([^/]+)/refund", _give_back),
    ("GET", rf"{_STORE}/payments", _list(_payment, lambda sale: sale.payment_id)),
    ("GET", rf"{_STORE}/payments/([^/]+)", _one(_payment)),
)
