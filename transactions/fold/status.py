"""Which status holds: contract and precedence as plain rules over what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactions.fold import hearing
from transactions.fold.children import Rows
from transactions.fold.hearing import Entry
from transactions.statuses import ENDED, OPEN, RELEASED, DisputeStatus, Status


@dataclass(slots=True)
class Standing:
    """How the payment stands before refunds and disputes are counted."""

    status: Status
    word: str  # the provider-side word that the reason belongs to


def stand(purchase: Sequence[Entry]) -> Standing | None:
    """contract.md's precedence for the payment alone; None when no payment is known."""
    latest: dict[tuple[str, str], str] = {}
    known: dict[str, set[tuple[str, str]]] = {}
    for entry in purchase:
        thing = (entry.object_kind, entry.object_id)
        latest[thing] = entry.status
        known.setdefault(entry.status, set()).add(thing)
    for status in (Status.PAID, Status.PARTIALLY_PAID):
        if status in known:
            return Standing(status, status)
    if Status.AUTHORIZED in known and not _let_go(known[Status.AUTHORIZED], latest):
        return Standing(Status.AUTHORIZED, Status.AUTHORIZED)
    if RELEASED in known or Status.AUTHORIZED in known:
        return Standing(Status.CANCELED, RELEASED)
    ends = set(latest.values()) & set(ENDED) or set(known) & set(ENDED)
    for status in (*ENDED, *OPEN):
        if status in ends or (not ends and status in known):
            return Standing(status, status)
    return None


def _let_go(held: set[tuple[str, str]], latest: dict[tuple[str, str], str]) -> bool:
    """Whether a hold was released: by its own object's end, or another's cancellation.

    A Stripe charge still says "authorized" after its payment intent was canceled.
    """
    for thing, status in latest.items():
        if status in {RELEASED, Status.CANCELED}:
            return True
        if status == Status.EXPIRED and thing in held:
            return True
    return False


def final(
    standing: Standing | None,
    amount: int | None,
    refunded: int,
    refunds: Rows,
    disputes: Rows,
) -> Status:
    """The transaction's status; `amount` and `refunded` in minor units."""
    states = {dispute["status"] for dispute in disputes.values()}
    if DisputeStatus.LOST in states:
        return Status.CHARGED_BACK
    if DisputeStatus.OPEN in states:
        return Status.DISPUTED
    if refunded > 0:
        whole = amount is not None and refunded >= amount
        return Status.REFUNDED if whole else Status.PARTIALLY_REFUNDED
    if standing is not None:
        return standing.status
    # Only a refund or a dispute is known yet: money must have come before.
    return Status.PAID if refunds or disputes else Status.CREATED


def reason(
    status: Status,
    standing: Standing | None,
    purchase: Sequence[Entry],
    refunds: Rows,
    disputes: Rows,
) -> str:
    """Why the status is what it is, in the provider's words where it told us."""
    if status in {Status.CHARGED_BACK, Status.DISPUTED}:
        return _last(disputes)
    if status in {Status.REFUNDED, Status.PARTIALLY_REFUNDED}:
        return _last(
            {key: row for key, row in refunds.items() if row["status"] == "succeeded"}
        )
    if standing is None:
        return ""
    telling = (entry for entry in purchase if entry.status == standing.word)
    reason = str(hearing.one(telling, "reason") or "")
    return reason or ("hold released" if standing.word == RELEASED else "")


def _last(children: Rows) -> str:
    """The reason of the newest of these rows that gives one."""
    said = [
        (row["created"], key, row["reason"])
        for key, row in children.items()
        if row["reason"]
    ]
    return max(said)[2] if said else ""
