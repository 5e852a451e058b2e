"""What came and what went: a purchase as signed changes of the balance; pure.

They add up to amount - amount_refunded - amount_charged_back, and each has the time at
which it happened at the provider, as far as that is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transactions.fold.children import Rows
from transactions.fold.hearing import PURCHASE, Entry
from transactions.statuses import MONEY_CAME, DisputeStatus, RefundStatus, Status

SALE, REFUND, REFUND_BACK = "sale", "refund", "refund_back"
OTHER_REFUND, CHARGEBACK, CHARGEBACK_BACK = (
    "other_refund", "chargeback", "chargeback_back",
)  # fmt: skip

#: Payments of which a part at least has come.
_CAME = (Status.PAID, Status.PARTIALLY_PAID)
#: (when, how much)
Step = tuple[datetime, int]


@dataclass(slots=True)
class _Change:
    key: str
    kind: str
    happened: datetime
    amount: int
    fee: int | None = None
    reason: str = ""


def of(
    ordered: Sequence[Entry], told: dict[str, Any], refunds: Rows, disputes: Rows
) -> Rows:
    """key -> columns of the change's row.

    `told`: the columns of the purchase; `refunds` as transactions.fold.refunds makes
    them, with the times that no table keeps where they are known.
    """
    if told["status"] not in MONEY_CAME:
        return {}
    purchase = [entry for entry in ordered if entry.topic in PURCHASE]
    found = [
        *_sales(purchase, told),
        *_refunds(purchase, refunds, told),
        *_others(purchase, refunds, told),
        *_chargebacks(ordered, disputes, told),
    ]
    return {
        change.key: {
            "kind": change.kind,
            "happened": change.happened,
            "amount": change.amount,
            "fee": change.fee,
            "currency": told["currency"],
            "reason": change.reason,
        }
        for change in found
    }


# ------------------------------------------------------------------------------- sales
def _sales(purchase: Sequence[Entry], told: dict[str, Any]) -> Iterator[_Change]:
    if told["amount"] is None:
        return
    when = told["paid"] or told["created"]
    for number, (at, minor) in enumerate(_captures(purchase, told["amount"], when)):
        key = f"sale:{number + 1}" if number else "sale"
        yield _Change(key, SALE, at, minor, None if number else told["fee"])


def _captures(purchase: Sequence[Entry], amount: int, paid: datetime) -> list[Step]:
    """The amount as it came; in parts where the object that says it tells of them."""
    said = [entry for entry in purchase if "money" in entry.says]
    best = max((entry.says["money"][0] for entry in said), default=0)
    said = [entry for entry in said if entry.says["money"][0] == best]
    steps: list[Step] = []
    had = 0
    for entry in said:
        same = (entry.object_kind, entry.object_id) == (
            said[-1].object_kind,
            said[-1].object_id,
        )
        minor = entry.says["money"][1][0]
        if same and entry.status in _CAME and (minor or 0) > had:
            steps.append((max(paid, entry.at or paid), minor - had))
            had = minor
    if had != amount:
        return [(paid, amount)]
    return [(paid, steps[0][1]), *steps[1:]] if steps else [(paid, amount)]


# ----------------------------------------------------------------------------- refunds
def _counted(refunds: Rows, told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Those that the purchase's `amount_refunded` counts, were they to succeed."""
    for key, row in refunds.items():
        if row["amount"] and row["currency"] == told["currency"]:
            yield key, row


def _refunds(
    purchase: Sequence[Entry], refunds: Rows, told: dict[str, Any]
) -> Iterator[_Change]:
    # A request that only the purchase's figure settles ended when that last grew.
    figured = max((at for at, _ in _growth(purchase, told["created"])), default=None)
    for key, row in _counted(refunds, told):
        came = row.get("succeeded")
        ended = row.get("ended") or (figured if row.get("figure") else None)
        ended = ended or row["created"]
        succeeded = row["status"] == RefundStatus.SUCCEEDED
        if not succeeded and (came is None or row["status"] not in _UNDONE):
            continue
        when = came or ended
        yield _Change(
            f"refund:{key}", REFUND, when, -row["amount"], reason=row["reason"]
        )
        if not succeeded:
            why = row["failure_reason"]
            back = max(when, ended)
            yield _Change(
                f"refund:{key}:back", REFUND_BACK, back, row["amount"], reason=why
            )


_UNDONE = (RefundStatus.FAILED, RefundStatus.CANCELED)


def _others(
    purchase: Sequence[Entry], refunds: Rows, told: dict[str, Any]
) -> Iterator[_Change]:
    """What was given back without a refund that tells of it: the purchase's objects
    only say how much it is in all, each time that it grows."""
    succeeded = sum(
        row["amount"]
        for _, row in _counted(refunds, told)
        if row["status"] == RefundStatus.SUCCEEDED
    )
    rest = told["amount_refunded"] - succeeded
    usual = told["paid"] or told["created"]
    steps: list[Step] = []
    # The refunds that are told one by one came first, as far as anybody can know.
    for when, minor in reversed(_growth(purchase, usual)):
        if rest <= 0:
            break
        steps.append((when, min(minor, rest)))
        rest -= steps[-1][1]
    if rest:
        steps.append((usual, rest))
    for number, (when, minor) in enumerate(reversed(steps), start=1):
        yield _Change(f"figure:{number}", OTHER_REFUND, when, -minor)


def _growth(purchase: Sequence[Entry], usual: datetime) -> list[Step]:
    """When the figures of what has been given back grew, and by how much."""
    had: dict[tuple[str, str], int] = {}
    steps: list[Step] = []
    for entry in purchase:
        if "refunded_total" in entry.says:
            thing = (entry.object_kind, entry.object_id)
            minor = entry.says["refunded_total"][1] or 0
            if minor > had.get(thing, 0):
                steps.append((entry.at or usual, minor - had.get(thing, 0)))
                had[thing] = minor
    return sorted(steps)


# ---------------------------------------------------------------------------- disputes
def _chargebacks(
    ordered: Sequence[Entry], disputes: Rows, told: dict[str, Any]
) -> Iterator[_Change]:
    """What lost disputes took, as far as it was still there, the earliest first."""
    left = told["amount_charged_back"]
    by_time = sorted(disputes.items(), key=lambda pair: (_closed(pair[1]), pair[0]))
    lost = [pair for pair in by_time if pair[1]["status"] == DisputeStatus.LOST]
    for place, (key, row) in enumerate(lost, start=1):
        known = row["amount"] is not None and row["currency"] == told["currency"]
        taken = min(left, row["amount"]) if known and place < len(lost) else left
        left -= taken
        if taken:
            reason = row["reason"]
            yield _Change(
                f"dispute:{key}", CHARGEBACK, _closed(row), -taken, reason=reason
            )
    for key, row in by_time:
        if row["status"] != DisputeStatus.WON or row["currency"] != told["currency"]:
            continue
        when = _lost_once(ordered, key)
        if when is not None and row["amount"]:
            minor, reason = row["amount"], row["reason"]
            yield _Change(f"dispute:{key}", CHARGEBACK, when, -minor, reason=reason)
            back = max(when, _closed(row))
            yield _Change(
                f"dispute:{key}:back", CHARGEBACK_BACK, back, minor, reason=reason
            )


def _closed(row: dict[str, Any]) -> datetime:
    return row["closed"] or row["created"]


def _lost_once(ordered: Sequence[Entry], key: str) -> datetime | None:
    """When a dispute that was won in the end had been lost."""
    for entry in ordered:
        place = (entry.topic, entry.object_id, entry.status)
        if place == ("dispute", key, DisputeStatus.LOST):
            return entry.at
    return None
