"""How a purchase in the sandbox can go: tables of what happens when, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: Which basket an ending needs.
Basket = Literal["ordinary", "monthly", "free"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step to be: `after` is least and most seconds since the step before.

    `share`: how many hundredths of the total move, least and most. `reasons`: one of
    them. `may_lack`: a provider without a word for it tells the story without it.
    `paced`: a shop in a hurry does not wait as long as people would.
    """

    kind: str
    after: tuple[int, int] = (0, 0)
    share: tuple[int, int] = (0, 0)
    number: int = 0
    reasons: tuple[str, ...] = ()
    may_lack: bool = False
    paced: bool = True


@dataclass(frozen=True, slots=True)
class Ending:
    """A way to go. `age`: least and most days since it began for it to be believable;
    `at`: the providers that know it, () for all; `methods`: with which one pays."""

    stages: tuple[Stage, ...]
    weight: float
    age: tuple[float, float] = (0.02, 30.0)
    at: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    basket: Basket = "ordinary"


_SEVERAL_REFUNDS = ("stripe", "paysecure", "paynow")

_DECLINES = (
    "insufficient_funds", "insufficient_funds", "do_not_honor", "expired_card",
    "fraudulent",
)  # fmt: skip
_WHY_BACK = ("requested_by_customer", "requested_by_customer", "duplicate")
_CLAIMS = ("fraudulent", "product_not_received", "duplicate")

_CREATED = Stage("created", may_lack=True)
_PENDING = Stage("pending", (20, 90), may_lack=True)
_PAID = Stage("paid", (20, 4 * MINUTE))
_ADDED = Stage("item_added", (2, 20), may_lack=True)
_LINKED = Stage("account_linked", (60, 2 * HOUR), may_lack=True)
_DISPUTE = Stage("dispute", (4 * DAY, 12 * DAY), (100, 100), reasons=_CLAIMS)
_HELD = Stage("authorized", (20, 200))
_WON = Stage("dispute_won", (3 * DAY, 10 * DAY), (100, 100))
_LOST = Stage("dispute_lost", (3 * DAY, 10 * DAY), (100, 100))
_ANSWERED = Stage("dispute_answered", (DAY, 4 * DAY))
_PAYOUT = Stage("payout", (DAY, 2 * DAY), (97, 97))
_RETURNED = ("account_closed", "no_account", "invalid_account_number")
_STARTED = Stage("subscription_started", (5, 30))


def _renewed(number: int) -> Stage:
    month = (30 * DAY, 30 * DAY)
    return Stage("subscription_renewed", month, (100, 100), number, paced=False)


def _refund(after: tuple[int, int], least: int, most: int, number: int = 1) -> Stage:
    return Stage("refund", after, (least, most), number, _WHY_BACK)


ENDINGS: dict[str, Ending] = {
    "paid": Ending((_CREATED, _PAID, _ADDED), 60),
    "paid_slowly": Ending(
        (_CREATED, _PENDING, Stage("paid", (DAY, 4 * DAY))),
        4, (4.1, 30), methods=("sepa_debit",),
    ),
    "pending": Ending(
        (_CREATED, Stage("pending", (20, 90))),
        1.5, (0.01, 3), methods=("sepa_debit",),
    ),
    "created": Ending((Stage("created"),), 1, (0.001, 0.04)),
    "failed": Ending((_CREATED, Stage("failed", (15, 200), reasons=_DECLINES)), 8),
    "canceled": Ending((_CREATED, Stage("canceled", (60, 2 * HOUR))), 2.5, (0.1, 30)),
    "expired": Ending((_CREATED, Stage("expired", (DAY, DAY))), 2.5, (1.1, 30)),
    "overdue": Ending((_CREATED, Stage("overdue", (2 * HOUR, 3 * HOUR))), 1, (0.2, 2)),
    "overdue_paid": Ending(
        (_CREATED, Stage("overdue", (2 * HOUR, 3 * HOUR)), Stage("paid", (HOUR, DAY))),
        1, (1.3, 30),
    ),
    "paid_late": Ending(
        (
            _CREATED, Stage("overdue", (2 * HOUR, 3 * HOUR)),
            Stage("paid", (8 * DAY, 20 * DAY)),
        ),
        1.2, (20.2, 30),
    ),
    "partially_paid": Ending(
        (_CREATED, Stage("partially_paid", (HOUR, 5 * HOUR), (40, 90))), 0.8, (0.3, 8)
    ),
    "authorized": Ending((_CREATED, _HELD), 1, (0.05, 4)),
    "captured": Ending(
        (_CREATED, _HELD, Stage("paid", (DAY, 2 * DAY))),
        1.2, (2.1, 30),
    ),
    "released": Ending(
        (_CREATED, _HELD, Stage("released", (2 * DAY, 6 * DAY))),
        0.8, (6.1, 30),
    ),
    "refunded": Ending(
        (_CREATED, _PAID, _ADDED, _refund((HOUR, 6 * DAY), 100, 100)), 4, (6.1, 30)
    ),
    "taken_back": Ending(
        (
            _CREATED, _PAID, Stage("item_added", (2, 20)),
            _refund((HOUR, 4 * DAY), 100, 100), Stage("item_revoked", (5, 60)),
        ),
        1.5, (4.1, 30),
    ),
    "partly_refunded": Ending(
        (_CREATED, _PAID, _refund((HOUR, 6 * DAY), 20, 70)),
        2.5, (6.1, 30), at=_SEVERAL_REFUNDS,
    ),
    "refunded_in_two": Ending(
        (
            _CREATED, _PAID, _refund((HOUR, 3 * DAY), 20, 70),
            _refund((HOUR, 3 * DAY), 100, 100, number=2),
        ),
        0.8, (6.1, 30), at=_SEVERAL_REFUNDS,
    ),
    "refund_failed": Ending(
        (
            _CREATED, _PAID, _refund((HOUR, 3 * DAY), 100, 100),
            Stage("refund_failed", (DAY, 3 * DAY), number=1,
                  reasons=("expired_or_canceled_card", "declined")),
        ),
        0.8, (6.1, 30),
    ),
    # Nobody leaves one open for longer.
    "disputed": Ending((_CREATED, _PAID, _DISPUTE), 0.8, (12.1, 29)),
    "dispute_answered": Ending(
        (_CREATED, _PAID, _DISPUTE, _ANSWERED), 0.5, (16.1, 29), at=("stripe",)
    ),
    "dispute_won": Ending(
        (_CREATED, _PAID, _DISPUTE, _WON),
        0.7, (22.1, 30),
    ),
    "dispute_lost": Ending(
        (_CREATED, _PAID, _DISPUTE, _LOST),
        0.9, (22.1, 30),
    ),
    "linked": Ending((_PAID, Stage("item_added", (2, 20)),
                      Stage("account_linked", (60, 2 * HOUR))), 3),
    "free": Ending((_PAID, _ADDED), 1.5, at=("stripe", "paynow"), basket="free"),
    "subscribed": Ending(
        (_CREATED, _PAID, _STARTED, _LINKED, _renewed(1), _renewed(2)),
        2.5, (1, 62), basket="monthly",
    ),
    "unsubscribed": Ending(
        (
            _CREATED, _PAID, _STARTED, _renewed(1),
            Stage("subscription_canceled", (DAY, 9 * DAY), paced=False),
        ),
        1, (40, 58), basket="monthly",
    ),
    "renewal_failed": Ending(
        (
            _CREATED, _PAID, _STARTED,
            Stage("renewal_failed", (30 * DAY, 30 * DAY), (100, 100), 1, paced=False,
                  reasons=("insufficient_funds", "expired_card")),
        ),
        0.6, (30.5, 58), basket="monthly",
    ),
    "trial": Ending(
        (Stage("trial_started"), Stage("trial_completed", (7 * DAY, 7 * DAY),
                                       may_lack=True, paced=False)),
        0.8, (0.5, 30), basket="monthly",
    ),
    "paid_out": Ending(
        (_CREATED, _PAID, _PAYOUT, Stage("payout_paid", (DAY, 3 * DAY))),
        3, (5.1, 30),
    ),
    "payout_under_way": Ending((_CREATED, _PAID, _PAYOUT), 0.8, (2.1, 5)),
    "payout_failed": Ending(
        (
            _CREATED, _PAID, _PAYOUT,
            Stage("payout_failed", (DAY, 3 * DAY), reasons=_RETURNED),
        ),
        0.5, (5.1, 30),
    ),
}  # fmt: skip
