"""Sums: what was given back, what it cost, in which currency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transactions.fold.children import Rows
from transactions.fold.hearing import Entry
from transactions.fold.refunds import at_provider
from transactions.statuses import DisputeStatus, RefundStatus


def refunded(refunds: Rows, cumulative: int, currency: str) -> tuple[int, str]:
    """What has been given back, and a warning about what cannot be counted.

    Succeeded refunds, plus the part of a provider's cumulative figure that no refund
    which it knows of, or may know of, explains, in whatever state.
    """
    counted = [r for r in refunds.values() if not currency or r["currency"] == currency]
    succeeded = sum(
        r["amount"] or 0 for r in counted if r["status"] == RefundStatus.SUCCEEDED
    )
    explained = sum(r["amount"] or 0 for r in counted if at_provider(r))
    strange = ""
    if len(counted) < len(refunds):
        strange = "A refund came in another currency and is not counted."
    return succeeded + max(0, cumulative - explained), strange


def cumulative(purchase: Sequence[Entry], amount: int | None) -> int:
    """What the purchase's objects say has been given back in all.

    No more than was paid: the rest was held and never captured. Of two figures at one
    place in time the greater is the later: several refunds may fall into a second.
    """
    latest: dict[tuple[str, str], tuple[int, int, int]] = {}
    for entry in purchase:
        if "refunded_total" in entry.says:
            thing = (entry.object_kind, entry.object_id)
            found = (entry.order, entry.rank, entry.says["refunded_total"][1])
            latest[thing] = max(found, latest.get(thing, found))
    total = sum(figure for _, _, figure in latest.values())
    return total if amount is None else min(total, amount)


def charged_back(
    disputes: Rows, amount: int | None, refunded: int, currency: str
) -> int:
    """What lost disputes took, at most what had not been given back already.

    A lost dispute whose amount nobody told took all of that.
    """
    left = max(0, (amount or 0) - refunded)
    taken = 0
    for dispute in disputes.values():
        if dispute["status"] != DisputeStatus.LOST:
            continue
        told = dispute["amount"] is not None and dispute["currency"] == currency
        taken += dispute["amount"] if told else left
    return min(taken, left)


def refund_pending(purchase: Sequence[Entry]) -> bool:
    """Whether an object of the purchase itself says that a refund is under way."""
    latest: dict[tuple[str, str], bool] = {}
    for entry in purchase:
        if "refund_pending" in entry.says:
            thing = (entry.object_kind, entry.object_id)
            latest[thing] = bool(entry.says["refund_pending"][1])
    return any(latest.values())


def currency_of(*children: Rows) -> str:
    """The currency of a stub that only its refunds or disputes tell of."""
    found = sorted(
        row["currency"] for rows in children for row in rows.values() if row["currency"]
    )
    return found[0] if found else ""


def fees(settlement: dict[str, Any] | None, currency: str) -> dict[str, Any]:
    """Fee and net in the transaction's own currency, else kept as a settlement."""
    if not settlement:
        return {"fee": None, "net": None, "settlement": None}
    if settlement.get("currency") == currency:
        return {
            "fee": settlement.get("fee"),
            "net": settlement.get("net"),
            "settlement": None,
        }
    return {"fee": None, "net": None, "settlement": settlement}
