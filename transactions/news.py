"""What a change of a row means to the outside: names of events; pure.

Rows are compared as the API tells them (transactions.rendering), before and after a
commit, so whatever happened in between is announced as what it came to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from merchant.providers import PROVIDERS
from transactions.statuses import (
    MONEY_CAME,
    REFUND_OPEN,
    TO_HAND_OVER,
    DisputeStatus,
    FulfilmentStatus,
    PayoutStatus,
    RefundStatus,
    Status,
    SubscriptionStatus,
)

Object = Mapping[str, Any]

SUCCESS = "payment.success"
UPDATED = "payment.updated"
#: The outcomes of a purchase that a callback of its own is told.
OUTCOMES = {
    SUCCESS: "success",
    "payment.failed": "failure",
    "payment.cancel": "failure",
    "payment.expired": "failure",
}

#: Status -> the event that says it was reached. What money did after it came is told
#: by the refunds and disputes themselves.
REACHED = {
    Status.CREATED: "payment.created",
    Status.PENDING: "payment.pending",
    Status.AUTHORIZED: "payment.authorized",
    Status.OVERDUE: "payment.overdue",
    Status.PAID: SUCCESS,
    Status.FAILED: "payment.failed",
    Status.CANCELED: "payment.cancel",
    Status.EXPIRED: "payment.expired",
}

#: A refund that waits for approval is nobody's business yet.
UNDER_WAY = REFUND_OPEN - {RefundStatus.AWAITING_APPROVAL}
CAME_TO_NOTHING = frozenset(
    {
        RefundStatus.FAILED,
        RefundStatus.CANCELED,
        RefundStatus.DECLINED,
        RefundStatus.EXPIRED,
    }
)

#: State of a thing in PayNow's inventory -> the event that says it was reached.
ITEM_REACHED = {
    "usable": "delivery_item.added",
    "active": "delivery_item.activated",
    "renewed": "delivery_item.renewed",
    "used": "delivery_item.used",
    "expired": "delivery_item.expired",
    "revoked": "delivery_item.revoked",
}

#: What changes with every entry and says nothing by itself.
ALWAYS = frozenset({"sequence", "updated"})


@dataclass(frozen=True, slots=True)
class Story:
    """One row as the outside could know it.

    `object`: the API's. `items`: what its provider handed over, by the provider's id.
    `was`: the statuses of all rows that were joined into this one.
    """

    object: Object
    items: Mapping[str, Object] = field(default_factory=dict)
    was: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """An event, and the refund, dispute or delivery item that it is about."""

    name: str
    part: Object | None = None


def of(
    before: Story | None,
    after: Story,
    *,
    released: bool = False,
    linked: bool = False,
) -> list[Item]:
    """What to announce of a purchase, in the order in which it came about.

    `before` is None for a row that nobody has been told of. `released`: a hold was let
    go among what happened; `linked`: an account elsewhere was tied to it.
    """
    items = [
        *_reached(before, after, released),
        *_refunds(before, after),
        *_disputes(before, after),
        *_fulfilment(before, after),
        *_inventory(before, after),
    ]
    if linked:
        items.append(Item("customer.linked"))
    # What has no word of its own, such as a part that was paid, is news all the same.
    if not items and _differs(before.object if before else {}, after.object):
        items.append(Item(UPDATED))
    return items


def _differs(before: Object, after: Object) -> bool:
    return any(
        value != before.get(name) for name, value in after.items() if name not in ALWAYS
    )


def _reached(before: Story | None, after: Story, released: bool) -> Iterator[Item]:
    status, was = after.object["status"], before.was if before else frozenset()
    if status in was or status not in REACHED:
        return
    if status == Status.PAID and was & MONEY_CAME:
        return  # a refund failed or a dispute was won: that is what is told
    if status == Status.CANCELED and (released or Status.AUTHORIZED in was):
        yield Item("payment.released")
    else:
        yield Item(REACHED[Status(status)])


# --------------------------------------------------------- refunds, disputes and goods
def _refunds(before: Story | None, after: Story) -> Iterator[Item]:
    known = {refund["id"]: refund["status"] for refund in _parts(before, "refunds")}
    for refund in after.object["refunds"]:
        name = _of_refund(known.get(refund["id"]), refund["status"])
        if name:
            yield Item(name, refund)
    given_back = before.object["amount_refunded"] if before else 0
    grown = after.object["amount_refunded"] > given_back
    if grown:
        newest = _newest(after, known)
        if newest is None and not PROVIDERS[after.object["provider"]].names_refunds:
            yield Item("refund.succeeded")
        yield Item("payment.refund", newest)
    now = {refund["id"]: refund["status"] for refund in after.object["refunds"]}
    if now == known and not REFUND_OPEN & set(now.values()):
        yield from _nameless_refund(before, after, grown)


def _nameless_refund(before: Story | None, after: Story, grown: bool) -> Iterator[Item]:
    """A refund that its provider tells of by the purchase's status alone, as Paysecure
    does: asked for, or come to nothing where no money has left."""
    was = before is not None and before.object["refund_pending"]
    now = after.object["refund_pending"]
    if now and not was:
        yield Item("refund.requested")
    elif was and not now and not grown and after.object["status"] in TO_HAND_OVER:
        yield Item("refund.failed")


def _of_refund(was: str | None, now: str) -> str:
    if was == now:
        return ""
    if now == RefundStatus.SUCCEEDED:
        return "refund.succeeded"
    if now in UNDER_WAY:
        return "" if was in UNDER_WAY else "refund.requested"
    told = was in UNDER_WAY or was == RefundStatus.SUCCEEDED
    # One that failed before anybody heard of it failed all the same.
    fresh = was is None and now == RefundStatus.FAILED
    return "refund.failed" if now in CAME_TO_NOTHING and (told or fresh) else ""


def _newest(after: Story, known: Mapping[str, str]) -> Object | None:
    """The refund that made the amount grow, where one is known."""
    grown = [
        refund
        for refund in after.object["refunds"]
        if refund["status"] == RefundStatus.SUCCEEDED
        and known.get(refund["id"]) != RefundStatus.SUCCEEDED
    ]
    return grown[-1] if grown else None


def _disputes(before: Story | None, after: Story) -> Iterator[Item]:
    known = {d["id"]: d["status"] for d in _parts(before, "disputes")}
    for dispute in after.object["disputes"]:
        was, now = known.get(dispute["id"]), dispute["status"]
        if was == now:
            continue
        opened = now == DisputeStatus.OPEN
        yield Item("dispute.opened" if opened else "dispute.closed", dispute)


def _fulfilment(before: Story | None, after: Story) -> Iterator[Item]:
    was = before.object["fulfilment"]["status"] if before else ""
    now = after.object["fulfilment"]["status"]
    if was != now and now == FulfilmentStatus.DONE:
        yield Item("fulfilment.done")
    if was != now and now == FulfilmentStatus.REVOKED:
        yield Item("fulfilment.revoked")


def _inventory(before: Story | None, after: Story) -> Iterator[Item]:
    known = before.items if before else {}
    for id, item in after.items.items():
        name = ITEM_REACHED.get(item["status"])
        if name and known.get(id) != item:
            was = known.get(id, {})
            if was.get("status") != item["status"] or item["status"] == "renewed":
                yield Item(name, item)


def _parts(before: Story | None, name: str) -> Sequence[Object]:
    return before.object[name] if before else ()


# ------------------------------------------------------------ what stands beside them
SUBSCRIPTION_REACHED: Mapping[str, str] = {
    SubscriptionStatus.ACTIVE: "subscription.activated",
    SubscriptionStatus.PAST_DUE: "subscription.past_due",
    SubscriptionStatus.UNPAID: "subscription.past_due",
    SubscriptionStatus.CANCELED: "subscription.canceled",
    SubscriptionStatus.COMPLETED: "subscription.canceled",
}
TRIAL_REACHED: Mapping[str, str] = {
    SubscriptionStatus.TRIALING: "trial.activated",
    SubscriptionStatus.COMPLETED: "trial.completed",
    SubscriptionStatus.CANCELED: "trial.canceled",
}
PAYOUT_REACHED: Mapping[str, str] = {
    PayoutStatus.CREATED: "payout.created",
    PayoutStatus.PENDING: "payout.pending",
    PayoutStatus.PAID: "payout.paid",
    PayoutStatus.FAILED: "payout.failed",
    PayoutStatus.CANCELED: "payout.failed",
}


def of_standing(before: Object | None, after: Object) -> str:
    """The event for a subscription, trial or payout, "" where there is none."""
    if after["object"] == "payout":
        words = PAYOUT_REACHED
    elif after["kind"] == "trial":
        words = TRIAL_REACHED
    else:
        words = SUBSCRIPTION_REACHED
    was, now = before["status"] if before else "", after["status"]
    name, last = words.get(now, ""), words.get(was, "")
    if name != last:
        # One that was behind with its payment and goes on is no new one.
        behind = last == "subscription.past_due" and now == SubscriptionStatus.ACTIVE
        return "subscription.renewed" if behind else name
    until = (before or {}).get("period_end") or 0
    if name == "subscription.activated" and (after["period_end"] or 0) > until:
        return "subscription.renewed"
    return ""
