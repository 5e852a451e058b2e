"""Handing over what was bought: what waits, what is done, what was taken back; pure.

Staff's acts are entries of the timeline like any other. For each line the last act
holds that nobody undid; a line without one goes by its product's rule and by how the
payment stands.

An act on the whole purchase says which `lines` it was about, so that a line which
turns up later waits for itself. One that undoes says `of` which acts (identities).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from transactions.fold.hearing import E, Entry
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

#: What an act makes of a line.
DECIDED = {Act.DONE: FulfilmentStatus.DONE, Act.REVOKED: FulfilmentStatus.REVOKED}
#: What can be undone.
UNDOABLE = {*DECIDED, Act.KEPT}
#: The key of the one line that a purchase without known items has.
WHOLE = ""
#: What the entry of an act on one line is about (`object_kind`).
ITEM = "item"

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
    acts = of_staff(ordered)
    usual = {rule: _by_rule(rule, columns) for rule in set(rules.values())}
    lines: dict[str, str] = {}
    for key, rule in rules.items():
        said = [(e.order, e.status) for e in holding(acts, key, rules.keys(), rule)]
        if rule != NONE:
            said += [
                (micros(when), Act.REVOKED.value)
                for when, line in taken_back
                if line in ("", key)
            ]
        lines[key] = DECIDED[Act(max(said)[1])] if said else usual[rule]
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


def of_staff(ordered: Iterable[E]) -> list[E]:
    """What staff did about handing over, the earliest first."""
    return [entry for entry in ordered if entry.topic == "fulfilment"]


def holding(
    acts: Sequence[E], key: str, keys: Collection[str], rule: str = MANUAL
) -> list[E]:
    """The acts that decided about this line and were not undone; the last one holds.

    `keys`: those of all lines of the purchase.
    """
    return [
        entry
        for entry in still_holding(acts, key)
        if entry.status in DECIDED and _is_about(entry, key, keys, rule)
    ]


def still_holding(acts: Sequence[E], key: str = WHOLE) -> list[E]:
    """The acts that can be undone and were not, as a whole or for this line."""
    undone = _undone(acts)
    return [
        entry
        for entry in acts
        if entry.status in UNDOABLE
        and not undone & {(entry.identity, WHOLE), (entry.identity, key)}
    ]


def _undone(acts: Sequence[Entry]) -> set[tuple[str, str]]:
    """(identity of an act, the line for which it was undone or WHOLE)."""
    return {
        (identity, entry.object_id if entry.object_kind == ITEM else WHOLE)
        for entry in acts
        if entry.status == Act.UNDONE
        for identity in _said(entry, "of", [])
    }


def _is_about(entry: Entry, key: str, keys: Collection[str], rule: str) -> bool:
    """Whether an act means this line.

    One from before the lines were known, or that knew them by other keys, means all of
    them but those that need nothing.
    """
    if entry.object_kind == ITEM:
        return entry.object_id == key
    meant = _said(entry, "lines", [])
    if any(line in keys for line in meant):
        return key in meant
    return rule != NONE


def _said(entry: Entry, name: str, usual: Any) -> Any:
    return entry.says[name][1] if name in entry.says else usual


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
    if _said(last, "figures", None) != figures(state):
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
    answers = [e.status for e in still_holding(acts) if e.status != Act.REVOKED]
    return not answers or answers[-1] != Act.KEPT


def _claim(acts: Sequence[Entry], state: FulfilmentStatus) -> dict[str, Any]:
    """Who is on it, while it waits."""
    claims = [entry for entry in acts if entry.status in (Act.CLAIMED, Act.RELEASED)]
    last = claims[-1] if claims else None
    if last is None or last.status == Act.RELEASED or state != FulfilmentStatus.WAITING:
        return {"claimed_by_id": None, "claimed_until": None}
    until = datetime.fromisoformat(last.says["until"][1])
    return {"claimed_by_id": last.actor_id, "claimed_until": until}
