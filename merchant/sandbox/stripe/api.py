"""Stripe's API over the sandbox's purchases: single objects, lists, events."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from merchant.sandbox.story import Purchase, Request, Response, Shop, Step
from merchant.sandbox.stripe import charges, objects, periods, refunds, webhooks
from merchant.sandbox.stripe.errors import error, missing
from merchant.sandbox.stripe.objects import Body
from merchant.sandbox.stripe.scene import FIRST, Scene, number_of

_PAGE, _MOST = 10, 100


def answer(request: Request, shop: Shop) -> Response:
    """What Stripe's API answers to the call."""
    if not _knows(request, shop):
        return error(401, "Invalid API Key provided.")
    path = request.path.rstrip("/")
    routes = {"GET": _ROUTES, "POST": refunds.ROUTES}.get(request.method, ())
    for pattern, serve in routes:
        found = re.fullmatch(pattern, path)
        if found:
            return serve(request, shop, *found.groups())
    return error(404, f"Unrecognized request URL ({request.method}: {path}).")


def _knows(request: Request, shop: Shop) -> bool:
    """Bearer, or Basic with the key as the user."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return False
    return scheme.lower() in {"bearer", "basic"} and key.strip() in shop.api_keys


def _asked(request: Request, name: str) -> str:
    values = request.query.get(name)
    return values[0] if values else ""


def _many(request: Request, name: str) -> list[str]:
    """name[]=a&name[]=b, or name[0]=a&name[1]=b."""
    pattern = re.compile(re.escape(name) + r"\[[0-9]*\]")
    return [
        value
        for key, values in request.query.items()
        if pattern.fullmatch(key)
        for value in values
    ]


def _number(request: Request, name: str, otherwise: int) -> int:
    value = _asked(request, name)
    return int(value) if value.isascii() and value.isdigit() else otherwise


# -------------------------------------------------------------------------- objects
def _purchase(shop: Shop, id: str) -> Purchase | None:
    found = shop.purchases.get(number_of(id))
    return found if found and found.told else None


def _objects(purchase: Purchase) -> Iterator[Body]:
    """Everything about a purchase that has an id, as it stands now."""
    for scene in Scene.now(purchase).sales():
        if scene.total and (scene.word != FIRST or not scene.trial):
            yield objects.intent(scene)
            if scene.end is not None or scene.has("pending") or scene.has("authorized"):
                yield charges.charge(scene, settled=True)
            if scene.paid:
                yield charges.balance_transaction(scene)
        if scene.recurring:
            yield periods.invoice(scene)
            yield periods.invoice_payment(scene)
        for step in scene.refunds:
            yield charges.refund(scene, step, traced=True)
        if scene.has("dispute"):
            yield charges.dispute(scene)
            yield charges.early_fraud_warning(scene)
    now = Scene.now(purchase)
    yield objects.session(now)
    if now.recurring:
        yield periods.subscription(now)
    if now.has("payout"):
        yield periods.payout(now)


def _one(kind: str) -> Callable[..., Response]:
    def serve(request: Request, shop: Shop, id: str) -> Response:
        purchase = _purchase(shop, id)
        for body in _objects(purchase) if purchase else ():
            if body["id"] == id and body["object"] == kind:
                return Response(200, body)
        return missing(id)

    return serve


def _session(request: Request, shop: Shop, id: str) -> Response:
    found = _one("checkout.session")(request, shop, id)
    if found.status == 200 and "line_items" in _many(request, "expand"):
        # The first page only, as Stripe's: short enough that some have a second.
        listed = _listed(request, _lines(shop, id), f"{_path(id)}/line_items", 2)
        return Response(200, {**found.body, "line_items": listed})
    return found


def _path(session: str) -> str:
    return f"/v1/checkout/sessions/{session}"


def _lines(shop: Shop, session: str) -> list[Body]:
    purchase = _purchase(shop, session)
    return objects.line_items(Scene.now(purchase)) if purchase else []


def _line_items(request: Request, shop: Shop, id: str) -> Response:
    if _purchase(shop, id) is None:
        return missing(id)
    return Response(200, _listed(request, _lines(shop, id), request.path, _PAGE))


def _invoice_payments(request: Request, shop: Shop) -> Response:
    invoice, status = _asked(request, "invoice"), _asked(request, "status")
    purchase = _purchase(shop, invoice)
    found = [
        body
        for body in (_objects(purchase) if purchase else ())
        if body["object"] == "invoice_payment"
        and body["invoice"] == invoice
        and status in {"", body["status"]}
    ]
    return Response(200, _listed(request, found, "/v1/invoice_payments", _PAGE))


def _listed(request: Request, found: list[Body], url: str, size: int) -> Body:
    after = _asked(request, "starting_after")
    places = [place for place, body in enumerate(found) if body["id"] == after]
    left = found[places[0] + 1 :] if places else found
    size = min(max(_number(request, "limit", size), 1), _MOST)
    return {
        "object": "list",
        "data": left[:size],
        "has_more": len(left) > size,
        "url": url,
    }


# --------------------------------------------------------------------------- events
def _event_list(request: Request, shop: Shop) -> Response:
    """Newest first; made as far as the page needs them, a shop may have many."""
    size = min(max(_number(request, "limit", _PAGE), 1), _MOST)
    backwards = _asked(request, "ending_before")
    cursor = backwards or _asked(request, "starting_after")
    if cursor and _step_of(shop, cursor) is None:
        return missing(cursor)
    found: list[Body] = []
    for body in _events(request, shop, cursor, upwards=bool(backwards)):
        found.append(body)
        if len(found) > size:
            break
    page = found[:size]
    return Response(
        200,
        {
            "object": "list",
            "data": page[::-1] if backwards else page,
            "has_more": len(found) > size,
            "url": "/v1/events",
        },
    )


def _events(
    request: Request, shop: Shop, cursor: str, *, upwards: bool
) -> Iterator[Body]:
    """The events of the page's direction behind the cursor that fit the filters."""
    steps = [
        (step.at, purchase.number, place, purchase)
        for purchase in shop.purchases.values()
        for place, step in enumerate(purchase.told)
    ]
    steps.sort(key=lambda row: row[:3], reverse=not upwards)
    start = _step_of(shop, cursor) if cursor else None
    waits = start is not None
    for _, number, place, purchase in steps:
        if waits and (number, place) != start:
            continue
        bodies = list(webhooks.bodies(purchase, purchase.told[place]))
        for body in bodies if upwards else bodies[::-1]:
            if waits:
                waits = body["id"] != cursor
            elif _fits(request, body):
                yield body


def _step_of(shop: Shop, event: str) -> tuple[int, int] | None:
    """(number of the purchase, place of the step) that sent the event."""
    purchase = _purchase(shop, event)
    for place, step in enumerate(purchase.told if purchase else ()):
        if purchase and any(b["id"] == event for b in webhooks.bodies(purchase, step)):
            return purchase.number, place
    return None


def _fits(request: Request, body: Body) -> bool:
    types = _many(request, "types") or list(request.query.get("type", ()))
    if types and not any(_is(body["type"], wanted) for wanted in types):
        return False
    at = body["created"]
    return (
        at == _number(request, "created", at)
        and at >= _number(request, "created[gte]", at)
        and at > _number(request, "created[gt]", at - 1)
        and at <= _number(request, "created[lte]", at)
        and at < _number(request, "created[lt]", at + 1)
    )


def _is(kind: str, wanted: str) -> bool:
    if wanted.endswith("*"):
        return kind.startswith(wanted[:-1])
    return kind == wanted


def _event(request: Request, shop: Shop, id: str) -> Response:
    purchase, place = _purchase(shop, id), _step_of(shop, id)
    if purchase is None or place is None:
        return missing(id)
    step: Step = purchase.told[place[1]]
    bodies: list[dict[str, Any]] = list(webhooks.bodies(purchase, step))
    return Response(200, next(body for body in bodies if body["id"] == id))


def _refund_list(request: Request, shop: Shop) -> Response:
    """The refunds of one payment, newest first."""
    for kind in ("payment_intent", "charge"):
        if id := _asked(request, kind):
            purchase = _purchase(shop, id)
            found = [
                body
                for body in (_objects(purchase) if purchase else ())
                if body["object"] == "refund" and body[kind] == id
            ]
            listed = _listed(request, found[::-1], "/v1/refunds", _PAGE)
            return Response(200, listed)
    return Response(200, _listed(request, [], "/v1/refunds", _PAGE))


_ID = "([A-Za-z0-9_]+)"
_ROUTES: tuple[tuple[str, Callable[..., Response]], ...] = (
    ("/v1/events", _event_list),
    (f"/v1/events/{_ID}", _event),
    (f"/v1/checkout/sessions/{_ID}", _session),
    (f"/v1/checkout/sessions/{_ID}/line_items", _line_items),
    ("/v1/invoice_payments", _invoice_payments),
    (f"/v1/invoice_payments/{_ID}", _one("invoice_payment")),
    (f"/v1/balance_transactions/{_ID}", _one("balance_transaction")),
    (f"/v1/payment_intents/{_ID}", _one("payment_intent")),
    (f"/v1/charges/{_ID}", _one("charge")),
    ("/v1/refunds", _refund_list),
    (f"/v1/refunds/{_ID}", _one("refund")),
    (f"/v1/disputes/{_ID}", _one("dispute")),
    (f"/v1/subscriptions/{_ID}", _one("subscription")),
    (f"/v1/invoices/{_ID}", _one("invoice")),
    (f"/v1/payouts/{_ID}", _one("payout")),
    (
        f"/v1/radar/early_fraud_warnings/{_ID}",
        _one("radar.early_fraud_warning"),
    ),
)
