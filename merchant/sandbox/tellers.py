"""Who puts the shop's plans into which provider's words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from merchant.sandbox import paynow, paysecure, paysuper, stripe
from merchant.sandbox.story import Event, Purchase, Request, Response, Shop, Step


class Teller(Protocol):
    """The shape of a provider's module in the sandbox; see merchant.sandbox.story."""

    @property
    def STEPS(self) -> Collection[str]: ...
    def events(self, purchase: Purchase, step: Step) -> list[Event]: ...
    def answer(self, request: Request, shop: Shop) -> Response: ...


TELLERS: dict[str, Teller] = {
    "paysuper": paysuper,
    "stripe": stripe,
    "paysecure": paysecure,
    "paynow": paynow,
}
