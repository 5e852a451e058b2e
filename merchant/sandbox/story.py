"""The words of the invented game shop: what is bought, by whom, and what happens next.

A `Purchase` is a plan: its steps say what happens when. The modules beside this one
(stripe, paysuper, paysecure, paynow) put a step into their provider's words. Each has

    events(purchase, step) -> [Event]     the webhooks that this step sends, unsigned
    answer(request, shop) -> Response     its API, over the purchases that exist
    STEPS                                 the kinds of steps it can tell
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: What can happen to a purchase. A provider tells those it has words for.
STEP_KINDS = (
    "created",
    "pending",
    "authorized",
    "released",
    "overdue",
    "partially_paid",  # `amount`: what came
    "paid",
    "failed",
    "canceled",
    "expired",
    "refund",  # `amount`: how much; `number`: the how-manyeth of this purchase
    "refund_failed",  # of the refund with the same `number`
    "refund_settled",  # of one that was under way for a while
    "refund_canceled",  # of one that waited for the customer
    "dispute",
    "dispute_answered",  # the evidence is in, the bank decides
    "dispute_won",
    "dispute_lost",
    "item_added",
    "item_revoked",
    "subscription_started",
    "subscription_renewed",
    "subscription_canceled",
    "renewal_failed",  # the period's bill could not be paid
    "trial_started",
    "trial_completed",
    "account_linked",
    "payout",  # `amount`: how much is on its way
    "payout_paid",
    "payout_failed",
)
#: Not a step of the story: `asked` says where the purchase reports to, {outcome: URL}.
CALLBACKS = "callbacks"


@dataclass(frozen=True, slots=True)
class Article:
    """A thing on sale. `prices`: currency -> minor units."""

    key: str
    name: str
    sku: str
    platform: str  # "steam", "gog", ... or ""
    prices: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    article: Article
    quantity: int


@dataclass(frozen=True, slots=True)
class Buyer:
    name: str
    email: str
    country: str
    city: str
    phone: str
    key: str  # the shop's own id of the person
    steam_id: str


@dataclass(frozen=True, slots=True)
class Step:
    kind: str
    at: datetime
    amount: int = 0
    number: int = 0
    reason: str = ""
    #: how somebody asked the API for it: the body, and the idempotency key
    asked: str = ""
    key: str = ""


@dataclass(slots=True)
class Purchase:
    """One purchase. `number` is unique in its shop and seeds every provider id."""

    number: int
    buyer: Buyer
    lines: tuple[Line, ...]
    currency: str
    method: (
        str  # "visa", "mastercard", "apple_pay", "google_pay", "sepa_debit", "paypal"
    )
    last4: str
    livemode: bool
    steps: list[Step] = field(default_factory=list)
    #: steps that have happened; the API answers from these
    told: list[Step] = field(default_factory=list)
    #: outcome ("success", "failure") -> the URL that whoever made it named for it
    callbacks: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Minor units of `currency`."""
        return sum(
            line.article.prices[self.currency] * line.quantity for line in self.lines
        )

    def when(self, kind: str) -> datetime | None:
        """When the step of that kind happens first; None when it never does."""
        return next((step.at for step in self.steps if step.kind == kind), None)

    def refunded(self) -> int:
        """Minor units given back by the steps told so far."""
        over = {"refund_failed", "refund_canceled"}
        failed = {step.number for step in self.told if step.kind in over}
        return sum(
            step.amount
            for step in self.told
            if step.kind == "refund" and step.number not in failed
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook to send: the raw body that gets signed."""

    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One call to an imitated API; `path` without the provider's prefix."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Response:
    """`delay`: seconds until it is sent; `drop`: never, the line goes dead instead."""

    status: int
    body: Any  # JSON
    retry_after: int | None = None
    delay: float = 0.0
    drop: bool = False


@dataclass(slots=True)
class Shop:
    """What an imitated API knows: its purchases by number, and the keys it accepts."""

    purchases: dict[int, Purchase] = field(default_factory=dict)
    api_keys: set[str] = field(default_factory=set)
    user_tokens: set[str] = field(default_factory=set)
    #: called when the API itself makes something happen: happen(purchase, step)
    happen: Callable[[Purchase, Step], None] | None = None
    #: called when the API is asked to begin a purchase: begin(ending); ValueError says
    #: which endings there are
    begin: Callable[[str], Purchase] | None = None
    #: requests that a trick has turned away once
    tried: set[str] = field(default_factory=set)
