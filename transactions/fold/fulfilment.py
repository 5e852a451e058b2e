"""Handing over what was bought: what waits, what is done, what was taken back; pure.

Staff's acts are entries of the timeline like any other. For each line the last act
holds; a line without one goes by its product's rule and by how the payment stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from transactions.fold.hearing import Entry
from transactions.statuses import (
    MONEY_CAME,
    TO_HAND_OVER,
    Act,
    FulfilmentStatus,
    Status,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Rules as transactions.models.FulfilmentRule has them.
MANUAL, EXTERNAL, NONE = "manual", "external", "none"

#: What an act makes of a line; "undone" gives it back to its rule.
DECIDED = {Act.DONE: FulfilmentStatus.DONE, Act.REVOKED: FulfilmentStatus.REVOKED}
#: The key of the one line that a purchase without known items has.
WHOLE = ""

#: Of several lines, what the purchase is said to be: the first of these that one is.
LOUDEST = (
    FulfilmentStatus.WAITING,
    FulfilmentStatus.DONE,
    FulfilmentStatus.REVOKED,
    FulfilmentStatus.NOT_NEEDED,
)


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """`columns` of the transaction, and line key -> its state."""

    columns: dict[str, Any]
    lines: dict[str, str]


def of(
    ordered: Sequence[Entry],
    columns: Mapping[str, Any],
    rules: Mapping[str, str],
    taken_back: Sequence[tuple[datetime, str]] = (),
) -> Fulfilment:
    """How it stands with handing over.

    `columns`: the folded transaction's. `rules`: line key -> rule, the key WHOLE where
    no items are known. `taken_back`: see transactions.fold.Folded.
    """
    acts = [entry for entry in ordered if entry.topic == "fulfilment"]
    usual = {rule: _by_rule(rule, columns) for rule in set(rules.values())}
    lines: dict[str, str] = {}
    for key, rule in rules.items():
        decided = [
            (entry.order, entry.status)
            for entry in acts
            if entry.status in (Act.DONE, Act.REVOKED, Act.UNDONE)
            and _is_about(entry, key, rule)
        ]
        if rule != NONE:
            decided += [
                (micros(when), Act.REVOKED.value)
                for when, line in taken_back
                if line in ("", key)
            ]
        last = max(decided)[1] if decided else ""
        lines[key] = DECIDED.get(last, usual[rule])  # type: ignore[call-overload]
    state = next(word for word in LOUDEST if word in lines.values())
    return Fulfilment(
        {
            "fulfilment": state,
            "to_revoke": _is_to_revoke(acts, columns, state),
            **_claim(acts, state),
        },
        lines,
    )


def micros(when: datetime) -> int:
    """Microseconds since 1970: what puts the acts of staff in order."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def _is_about(entry: Entry, key: str, rule: str) -> bool:
    """Whether an act means this line; one for the whole leaves out what has no need."""
    if entry.object_kind == "transaction":
        return rule != NONE
    return entry.object_id == key


def may_hand_over(columns: Mapping[str, Any]) -> bool:
    """Paid in full, not asked back, and the amount confirmed or accepted by hand."""
    came = columns["status"] in TO_HAND_OVER and columns["paid"] is not None
    return came and is_sure(columns)


def is_sure(columns: Mapping[str, Any]) -> bool:
    """Whether the provider confirmed the amount, or a member took it on their word."""
    return columns["verified"] or columns["accepted"] is not None


def acceptance(ordered: Sequence[Entry], state: Mapping[str, Any]) -> dict[str, Any]:
    """Who took an unverified amount on their own word, while that word still holds.

    It was given for certain figures: should others be told later, it is void.
    """
    acts = [entry for entry in ordered if entry.topic == "acceptance"]
    last = acts[-1] if acts else None
    if last is None or state["verified"] or last.status != Act.ACCEPTED:
        return {"accepted": None, "accepted_by_id": None}
    if last.says["figures"][1] != figures(state):
        return {"accepted": None, "accepted_by_id": None}
    return {"accepted": last.at, "accepted_by_id": last.actor_id}


def figures(state: Mapping[str, Any]) -> list[Any]:
    """What an acceptance is about: amount, currency and what has been given back."""
    return [state["amount"], state["currency"], state["amount_refunded"]]


def _by_rule(rule: str, columns: Mapping[str, Any]) -> FulfilmentStatus:
    if rule == MANUAL and may_hand_over(columns):
        return FulfilmentStatus.WAITING
    # What others hand over went out with the payment, whatever happened since.
    came = columns["status"] in MONEY_CAME and is_sure(columns)
    if rule == EXTERNAL and came:
        return FulfilmentStatus.DONE
    return FulfilmentStatus.NOT_NEEDED


def _is_to_revoke(
    acts: Sequence[Entry], columns: Mapping[str, Any], state: FulfilmentStatus
) -> bool:
    """After a chargeback, until somebody took it back or said that it stays."""
    if columns["status"] != Status.CHARGED_BACK or state != FulfilmentStatus.DONE:
        return False
    answers = [e.status for e in acts if e.status in (Act.DONE, Act.KEPT)]
    return not answers or answers[-1] != Act.KEPT


def _claim(acts: Sequence[Entry], state: FulfilmentStatus) -> dict[str, Any]:
    """Who is on it: nobody any more once it is done or given back."""
    claims = [entry for entry in acts if entry.status in (Act.CLAIMED, Act.RELEASED)]
    last = claims[-1] if claims else None
    if last is None or last.status == Act.RELEASED or state != FulfilmentStatus.WAITING:
        return {"claimed_by_id": None, "claimed_until": None}
    until = datetime.fromisoformat(last.says["until"][1])
    return {"claimed_by_id": last.actor_id, "claimed_until": until}
