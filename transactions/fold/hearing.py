"""Listening to a timeline: which of several sources says what a column is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

#: Topics whose facts make up the purchase itself.
PURCHASE = frozenset({"payment", "invoice"})
#: The topic of what the merchant's own programs write on a purchase.
LABEL = "label"
#: What the merchant says itself wins over every provider.
OURS = 100
#: A key of an object that the merchant took away, whoever said it.
TAKEN_AWAY = (OURS, None)
#: Topics of what staff do; a provider's facts never have them.
BY_STAFF = frozenset({"fulfilment", "acceptance", "flag", LABEL})
#: The kind of what we do ourselves about a refund; a provider's facts never have it.
STEP = "request"
#: Topics whose facts may speak about the transaction's own columns.
SPEAKERS = PURCHASE | {"link", LABEL}


class Entry(Protocol):
    """What the fold reads of an entry; see transactions.models.TimelineEntry."""

    identity: str
    topic: str
    object_kind: str
    object_id: str
    status: str
    order: int
    rank: int
    at: datetime | None
    received: datetime
    says: dict[str, list[Any]]
    actor_id: int | None


E = TypeVar("E", bound=Entry)


def in_order(entries: Iterable[E]) -> list[E]:
    """The entries as their content puts them, earliest state first."""
    return sorted(entries, key=lambda entry: (entry.order, entry.rank, entry.identity))


def hear(ordered: Iterable[Entry]) -> dict[str, Any]:
    """column -> value: the greatest weight, and the latest state within it."""
    best: dict[str, tuple[int, Any]] = {}
    for entry in ordered:
        for name, (weight, value) in entry.says.items():
            if name not in best or weight >= best[name][0]:
                best[name] = (weight, value)
    return {name: value for name, (_, value) in best.items()}


def one(ordered: Iterable[Entry], name: str, usual: Any = None) -> Any:
    """What `hear` gives for one column, `usual` where nobody says it."""
    best: tuple[int, Any] | None = None
    for entry in ordered:
        if name in entry.says:
            weight, value = entry.says[name]
            if best is None or weight >= best[0]:
                best = (weight, value)
    return best[1] if best else usual


def merged(ordered: Iterable[Entry], column: str) -> dict[str, Any]:
    """The column's objects joined key by key, each key by weight, then latest state.

    A customer's `identities` are joined in the same way: one event knows of Steam,
    another of Discord.
    """
    said = [entry.says[column] for entry in ordered if column in entry.says]
    found = _joined(said)
    if "identities" in found:
        found["identities"] = _joined(
            [[weight, value.get("identities")] for weight, value in said]
        )
    return found


def _joined(said: Iterable[Sequence[Any]]) -> dict[str, Any]:
    best: dict[str, tuple[int, Any]] = {}
    for weight, value in said:
        for key, item in (value or {}).items():
            if key not in best or weight >= best[key][0]:
                best[key] = (weight, item)
    return {key: best[key][1] for key in sorted(best) if best[key] != TAKEN_AWAY}


def money(
    purchase: Sequence[Entry], heard: dict[str, Any]
) -> tuple[int | None, str, bool]:
    """Amount, currency, and whether the source of the amount may be believed."""
    best: tuple[int, Any, bool] | None = None
    believed = True
    for entry in purchase:
        _, verified = entry.says.get("verified") or (0, True)
        said = entry.says.get("money")
        if said is None:
            believed = believed and verified
        elif best is None or said[0] > best[0]:
            best = (said[0], said[1], verified)
        elif said[0] == best[0]:
            best = (said[0], said[1], verified and best[2])
    if best is None:
        return None, heard.get("currency") or "", believed
    (minor, currency), verified = best[1], best[2]
    return minor, currency, verified


def created(ordered: Sequence[Entry]) -> datetime:
    """The earliest time that the provider gives; the arrival only if it gives none."""
    said = [e.says["created"][1] for e in ordered if "created" in e.says]
    if said:
        return datetime.fromisoformat(min(said))
    return min(
        entry.at or entry.received
        for entry in ordered
        if entry.topic not in BY_STAFF and entry.object_kind != STEP
    )


def paid(purchase: Sequence[Entry]) -> datetime | None:
    """The time of the first fact that says money came, from the best kind of source."""
    said = [entry.says["paid"] for entry in purchase if "paid" in entry.says]
    if not said:
        return None
    best = max(weight for weight, _ in said)
    return datetime.fromisoformat(min(when for weight, when in said if weight == best))


def livemode(ordered: Sequence[Entry]) -> bool:
    return bool(one(ordered, "livemode", True))
