"""Refunds that go wrong on purpose: the last two digits of the amount choose how.

No basket of the shop comes to such an amount, so a refund in full never meets one by
chance; ask for a part, or put a fault into the server (merchant.sandbox.server.Fault).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from merchant.sandbox.story import Purchase, Request, Response, Shop, Step

#: Last two digits of the minor units -> what happens.
TRICKS = {
    61: "slow",  # it happens, but the answer takes longer than anybody waits
    62: "drop",  # it happens, and then the line goes dead
    63: "error",  # 500 the first time, and nothing has happened
    64: "busy",  # 429 the first time
    65: "refuse",  # the provider's own no
    66: "fail",  # taken, and failed a little later
    67: "pend",  # taken, and done only a little later
    68: "ask",  # the customer has to do something first (Stripe)
}
#: Longer than merchant.http waits.
SLOW = 20.0
LATER = timedelta(seconds=4)


def of(amount: int) -> str:
    """The trick that an amount asks for; "" for an ordinary one."""
    return TRICKS.get(amount % 100, "")


def before(request: Request, shop: Shop, amount: int) -> Response | None:
    """What is answered instead of doing it, the first time that this is asked."""
    trick = of(amount)
    if trick not in {"error", "busy"}:
        return None
    asked = f"{request.method} {request.path} {request.body!r}"
    if asked in shop.tried:
        return None
    shop.tried.add(asked)
    if trick == "busy":
        return Response(429, _said("Too busy."), retry_after=1)
    return Response(500, _said("Fault on purpose."))


def _said(words: str) -> dict[str, object]:
    """In Stripe's shape and the others' at once."""
    return {"message": words, "error": {"type": "api_error", "message": words}}


def after(answer: Response, amount: int) -> Response:
    """The answer as it gets back, or not, once it has happened."""
    trick = of(amount)
    if trick == "slow":
        return replace(answer, delay=SLOW)
    return replace(answer, drop=trick == "drop")


def happen(shop: Shop, purchase: Purchase, step: Step) -> None:
    """The refund happens, and in time what its trick makes of it."""
    if shop.happen is None:
        return
    shop.happen(purchase, step)
    kind = {"fail": "refund_failed", "pend": "refund_settled"}.get(of(step.amount))
    if kind:
        later = step.at + LATER
        shop.happen(purchase, Step(kind, later, 0, step.number, "declined"))
