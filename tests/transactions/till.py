"""A provider in memory that gives back whatever it is asked for, once for each key.

It does not look at what is left, so that nothing but our own books keeps the sum of the
refunds below the payment; and it can lose answers, refuse and be away, as told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from merchant.providers import PROVIDERS
from merchant.providers.base import (
    Call,
    Fact,
    Keys,
    Receipt,
    RefundOrder,
    Refused,
    Unreachable,
    say,
    stamp,
)
from tests.transactions.refunding import WHEN


class Killed(BaseException):
    """The worker died here."""


@dataclass
class Till:
    """`effects`: our refund's id -> what was given back. `asked`: every call.

    `before` and `after` the effect are called with the kind of call: they may raise.
    """

    effects: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda kind: None
    after: Callable[[str], None] = lambda kind: None
    status: str = "succeeded"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refund(self, order: RefundOrder, keys: Keys, call: Call) -> Receipt:
        self.asked.append(order.request)
        self.before("send")
        with self._lock:
            if order.request not in self.effects:
                made = (order.amount, order.references["payment_intent"][0])
                self.effects[order.request] = made
        self.after("send")
        return Receipt([self.fact(order.request)], f"re_{order.request}")

    def find_refund(self, order: RefundOrder, keys: Keys, call: Call) -> Receipt | None:
        self.before("find")
        if order.request not in self.effects:
            return None
        return Receipt([self.fact(order.request)], f"re_{order.request}")

    def fact(self, request: str, status: str = "") -> Fact:
        """What its webhook says of the refund."""
        amount, payment = self.effects[request]
        told = status or self.status
        rank = {"pending": 0, "succeeded": 2, "canceled": 3, "failed": 4}[told]
        return Fact(
            topic="refund",
            object_kind="refund",
            object_id=f"re_{request}",
            status=told,
            rank=rank,
            order=rank,
            at=WHEN,
            references=(("payment_intent", payment),),
            says=say(
                money=[amount, "eur"],
                created=stamp(WHEN),
                request=request,
                livemode=True,
            ),
        )

    def given(self, payment: str) -> int:
        return sum(amount for amount, of in self.effects.values() if of == payment)


def lost(kind: str) -> None:
    """The answer gets lost on its way back."""
    raise Unreachable("the line went dead")


def away(kind: str) -> None:
    """Nobody was there, surely."""
    raise Unreachable("nobody there", unsent=True)


def no(kind: str) -> None:
    raise Refused("The till is closed. Come back tomorrow.")


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    """Stripe's refunds go to a till in memory."""
    return put_up(monkeypatch.setattr)


def put_up(set_: Callable[[Any, str, Any], None]) -> Till:
    made = Till()
    set_(PROVIDERS["stripe"], "refund", made.refund)
    set_(PROVIDERS["stripe"], "find_refund", made.find_refund)
    return made
