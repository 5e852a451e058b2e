"""Stripe's refunds in the sandbox: made once per key, never more than was paid."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from merchant.money import exponent
from merchant.providers.stripe.words import WIRE
from merchant.sandbox import tricks
from merchant.sandbox.story import Purchase, Request, Response, Shop, Step
from merchant.sandbox.stripe import charges
from merchant.sandbox.stripe.errors import error, missing
from merchant.sandbox.stripe.scene import Scene, number_of

_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_KNOWN = frozenset(
    {
        "payment_intent",
        "charge",
        "amount",
        "reason",
        "refund_application_fee",
        "reverse_transfer",
        "instructions_email",
    }
)


def create(request: Request, shop: Shop) -> Response:
    """A refund of a part of a payment, or of all that is left."""
    form = {k: v[-1] for k, v in parse_qs(request.body.decode()).items()}
    strange = [n for n in form if n not in _KNOWN and not n.startswith("metadata[")]
    if strange:
        return error(
            400,
            f"Received unknown parameter: {strange[0]}",
            code="parameter_unknown",
            param=strange[0],
        )
    id = form.get("payment_intent") or form.get("charge") or ""
    if not id:
        words = "One of the following params should be provided: payment_intent, charge"
        return error(400, words, code="parameter_missing")
    purchase = shop.purchases.get(number_of(id))
    scene = Scene.now(purchase).named(id) if purchase else None
    if purchase is None or scene is None:
        return missing(id)
    key, asked = _key(request), request.body.decode()
    for step in purchase.told:
        if key and step.key == key:
            return _again(purchase, step, asked, key)
    return _make(request, shop, scene, form)


def _again(purchase: Purchase, step: Step, asked: str, key: str) -> Response:
    """The first answer once more; not for another question."""
    if step.asked != asked:
        told = {
            "type": "idempotency_error",
            "message": "Keys for idempotent requests can only be used with the same "
            f"parameters they were first used with. Try using a key other than "
            f"'{key}' if you meant to execute a different request.",
        }
        return Response(400, {"error": told})
    return Response(200, charges.refund(Scene.after(purchase, step).sale(step), step))


def _make(request: Request, shop: Shop, scene: Scene, form: dict[str, str]) -> Response:
    if form.get("reason", "duplicate") not in _REASONS:
        return error(400, "Invalid reason: must be one of duplicate, fraudulent, or "
                     "requested_by_customer", param="reason")  # fmt: skip
    if not scene.paid:
        return error(
            400,
            f"Charge {scene.id('ch')} has not been captured, and cannot be refunded.",
            code="charge_not_refundable",
        )
    if scene.has("dispute") and not scene.has("dispute_won"):
        words = f"Charge {scene.id('ch')} has been charged back; cannot issue a refund."
        return error(400, words, code="charge_disputed")
    left = scene.total - scene.refunded
    if left <= 0:
        words = f"Charge {scene.id('ch')} has already been refunded."
        return error(400, words, code="charge_already_refunded")
    text = form.get("amount", str(left))
    if not text.isdecimal() or not int(text):
        return error(400, f"Invalid integer: {text}", param="amount")
    if int(text) > left:
        words = (
            f"Refund amount ({int(text)}) is greater than unrefunded amount on "
            f"charge ({left})"
        )
        return error(400, words, param="amount")
    return _happen(request, shop, scene.purchase, int(text), form.get("reason", ""))


def _happen(
    request: Request, shop: Shop, purchase: Purchase, wired: int, reason: str
) -> Response:
    amount = _minor(purchase, wired)
    if turned_away := tricks.before(request, shop, amount):
        return turned_away
    if tricks.of(amount) == "refuse":
        words = "Insufficient funds in your Stripe balance to refund this amount."
        return error(400, words, code="balance_insufficient")
    number = 1 + sum(1 for step in purchase.steps if step.kind == "refund")
    step = Step(
        "refund", request.now, amount, number, reason,
        asked=request.body.decode(), key=_key(request),
    )  # fmt: skip
    tricks.happen(shop, purchase, step)
    made = charges.refund(Scene.after(purchase, step).sale(step), step)
    return tricks.after(Response(200, made), amount)


def cancel(request: Request, shop: Shop, id: str) -> Response:
    """Only a refund that waits for the customer can be canceled."""
    purchase = shop.purchases.get(number_of(id))
    for step in purchase.told if purchase else ():
        if purchase is None or step.kind != "refund":
            continue
        body = charges.refund(Scene.now(purchase).sale(step), step)
        if body["id"] != id:
            continue
        if body["status"] != "requires_action":
            words = "A refund can only be canceled while it requires an action."
            return error(400, words, code="refund_not_cancelable")
        over = Step("refund_canceled", request.now, 0, step.number)
        if shop.happen is not None:
            shop.happen(purchase, over)
        return Response(200, charges.refund(Scene.now(purchase).sale(step), step))
    return missing(id)


def _key(request: Request) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers.get("idempotency-key", "")


def _minor(purchase: Purchase, wired: int) -> int:
    """Wire units as the story counts them."""
    more = WIRE.get(purchase.currency, 2) - exponent(purchase.currency)
    return wired // 10**more if more >= 0 else wired * 10**-more


ROUTES: tuple[tuple[str, Callable[..., Response]], ...] = (
    ("/v1/refunds", create),
    ("/v1/refunds/([A-Za-z0-9_]+)/cancel", cancel),
)
