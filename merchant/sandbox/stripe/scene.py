"""A purchase as it stood after one of its steps, and the ids of what it is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from merchant.money import exponent
from merchant.providers.stripe.words import WIRE
from merchant.sandbox.catalogue import MONTHLY
from merchant.sandbox.story import Purchase, Step

#: Every id carries the purchase's number, so that the API finds it at once.
_NUMBERED = re.compile(r"[a-z]+_(?:(?:test|live)_)?([0-9]{1,18})S")

#: The first sale of a purchase; a renewal is another one, called by its number.
FIRST = "first"
MONTH = timedelta(days=30)


def made_id(prefix: str, purchase: Purchase, *name: object) -> str:
    """An id of Stripe's looks, always the same for the same name."""
    mark = hashlib.sha256(repr((prefix, *name)).encode()).hexdigest()[:16]
    return f"{prefix}_{purchase.number}S{mark}"


def number_of(id: str) -> int:
    """The number of the purchase that the id belongs to; -1 for a stranger's."""
    found = _NUMBERED.match(id)
    return int(found[1]) if found else -1


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def payment_of(refund: Step) -> str:
    """The payment that the API was asked to give back; "" for one in the plan."""
    form = dict(parse_qsl(refund.asked))
    return form.get("payment_intent") or form.get("charge") or ""


@dataclass(frozen=True, slots=True)
class Scene:
    """`steps`: what had happened by then; `word` tells a purchase's sales apart."""

    purchase: Purchase
    steps: tuple[Step, ...]
    word: str = FIRST

    @classmethod
    def after(cls, purchase: Purchase, step: Step) -> Scene:
        """As it stood after that step, whatever was told since."""
        told = purchase.told if step in purchase.told else [*purchase.told, step]
        return cls(purchase, tuple(told[: told.index(step) + 1]))

    @classmethod
    def now(cls, purchase: Purchase) -> Scene:
        return cls(purchase, tuple(purchase.told))

    def sale(self, step: Step) -> Scene:
        """The sale that belongs to the step: a renewal's own, else the first."""
        if step.kind.startswith("refund"):
            made = [s for s in self.steps if s.kind == "refund"]
            refund = next((s for s in made if s.number == step.number), step)
            return self.named(payment_of(refund)) or Scene(self.purchase, self.steps)
        if step.kind in {"subscription_renewed", "renewal_failed"}:
            return Scene(self.purchase, self.steps, f"period {step.number}")
        if step.kind == "trial_completed":
            return Scene(self.purchase, self.steps, "after the trial")
        return Scene(self.purchase, self.steps)

    def named(self, payment: str) -> Scene | None:
        """The sale whose payment intent or charge that is."""
        for scene in self.sales():
            if payment in (scene.id("pi"), scene.id("ch")):
                return scene
        return None

    def sales(self) -> Iterator[Scene]:
        """The first sale and every other period's."""
        seen = {FIRST}
        yield Scene(self.purchase, self.steps)
        for step in self.steps:
            sale = None if step.kind.startswith("refund") else self.sale(step)
            if sale is not None and sale.word not in seen:
                seen.add(sale.word)
                yield sale

    # ---------------------------------------------------------------------- what is
    def id(self, prefix: str, *name: object) -> str:
        return made_id(prefix, self.purchase, self.word, *name)

    @property
    def session_id(self) -> str:
        mode = "live" if self.purchase.livemode else "test"
        return made_id(f"cs_{mode}", self.purchase, FIRST)

    @property
    def subscription_id(self) -> str:
        return made_id("sub", self.purchase)

    @property
    def customer_id(self) -> str | None:
        """Guests have none; who comes back every month has one."""
        if not self.recurring:
            return None
        mark = hashlib.sha256(self.purchase.buyer.key.encode()).hexdigest()[:14]
        return f"cus_{mark}"

    @property
    def recurring(self) -> bool:
        monthly = any(line.article == MONTHLY for line in self.purchase.lines)
        return monthly or any(
            step.kind.startswith(("subscription", "trial", "renewal"))
            for step in self.purchase.steps
        )

    @property
    def trial(self) -> bool:
        return any(step.kind == "trial_started" for step in self.purchase.steps)

    @property
    def begun(self) -> datetime:
        """When this sale began."""
        end = self.end
        if self.word != FIRST and end is not None:
            return end.at - timedelta(seconds=20)
        return self.purchase.steps[0].at if self.purchase.steps else self.steps[0].at

    @property
    def end(self) -> Step | None:
        """The step that settled this sale, for better or worse."""
        kinds = {"paid", "failed", "subscription_renewed", "renewal_failed"}
        kinds |= {"trial_completed"}
        mine = [step for step in self.steps if self._ends(step, kinds)]
        return mine[-1] if mine else None

    def _ends(self, step: Step, kinds: set[str]) -> bool:
        return step.kind in kinds and self.sale(step).word == self.word

    def has(self, kind: str) -> bool:
        """Whether that happened to the first sale by now."""
        return self.word == FIRST and any(step.kind == kind for step in self.steps)

    def at(self, kind: str) -> datetime | None:
        return next((step.at for step in self.steps if step.kind == kind), None)

    @property
    def paid(self) -> bool:
        end = self.end
        return end is not None and end.kind not in {"failed", "renewal_failed"}

    @property
    def failure(self) -> str:
        """Stripe's decline code; "" when nothing failed."""
        end = self.end
        failed = end is not None and not self.paid
        return (end.reason or "generic_decline") if failed and end else ""

    # ---------------------------------------------------------------------- amounts
    @property
    def total(self) -> int:
        return wire(self.purchase.total, self.purchase.currency)

    @property
    def refunds(self) -> list[Step]:
        return [s for s in self.steps if s.kind == "refund" and self._gave_back(s)]

    def _gave_back(self, refund: Step) -> bool:
        payment = payment_of(refund)
        if not payment:
            return self.word == FIRST
        return payment in (self.id("pi"), self.id("ch"))

    def refund_failed(self, refund: Step) -> Step | None:
        return next(
            (
                step
                for step in self.steps
                if step.kind == "refund_failed" and step.number == refund.number
            ),
            None,
        )

    @property
    def refunded(self) -> int:
        """Wire units given back by now."""
        canceled = {s.number for s in self.steps if s.kind == "refund_canceled"}
        kept = [
            step
            for step in self.refunds
            if self.refund_failed(step) is None and step.number not in canceled
        ]
        return wire(sum(step.amount for step in kept), self.purchase.currency)


def wire(minor: int, currency: str) -> int:
    """ISO minor units as Stripe writes them: 5 isk -> 500."""
    more = WIRE.get(currency, 2) - exponent(currency)
    return minor * 10**more if more >= 0 else minor // 10**-more
