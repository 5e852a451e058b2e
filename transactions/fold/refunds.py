"""Refunds: what we asked for, what providers say, and which of it is the same; pure.

Our own steps are entries of topic "refund" and kind STEP, named by our refund's id. A
provider's fact belongs to one of them, by the first of these that fits:

1. a step says the provider's id: its answer to our call told it;
2. the fact says our id: it came back in the provider's metadata;
3. the provider gives no ids: a refund that a member made by hand there is the one open
   request of that amount; where a provider tells only a cumulative figure, what that
   figure has that no other refund explains is the open request of that amount;
4. none does: the refund was made elsewhere and has a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

from transactions.fold import hearing
from transactions.fold.children import Rows
from transactions.fold.hearing import STEP, Entry
from transactions.statuses import AFTER_STEP, RefundStatus, RefundStep

#: A fact about a refund that its provider gives no id of its own.
UNNAMED = "unnamed_refund"

#: Our own words for a refund that we asked for, instead of a provider's.
_OURS = {RefundStatus.PENDING: RefundStatus.SUBMITTED}

#: Columns of a refund that nobody here asked for.
ELSEWHERE: dict[str, Any] = {
    "asked": None,
    "asked_by_id": None,
    "asked_with": None,
    "asker": "",
    "note": "",
    "line": "",
    "after": "",
    "notify": False,
    "decided_by_id": None,
    "decided": None,
    "expires": None,
    "by_hand": False,
    "sent": None,
    "stopping": False,
}

#: Steps after which the provider may have the refund.
_AT_PROVIDER = frozenset(
    {RefundStatus.SUBMITTED, RefundStatus.UNKNOWN, RefundStatus.REQUIRES_ACTION}
)

#: More refunds than this of one purchase are not tried in every combination.
_MOST_SUMMED = 10

Groups = dict[str, list[Entry]]


def of(ordered: Sequence[Entry]) -> Rows:
    """key -> columns of the refund's row; the key of one we asked for is our id."""
    steps: Groups = {}
    told: Groups = {}
    for entry in ordered:
        if entry.topic == "refund":
            groups = steps if entry.object_kind == STEP else told
            groups.setdefault(entry.object_id, []).append(entry)
    # The first step says how much; without it there is nothing to tell yet.
    asked = {
        id: _asked(entries)
        for id, entries in steps.items()
        if any("money" in entry.says for entry in entries)
    }
    mine = _matched(steps, asked, told)
    heard: dict[str, list[list[Entry]]] = {}
    rows: Rows = {}
    for name, entries in told.items():
        if name in mine:
            heard.setdefault(mine[name], []).append(entries)
        else:
            rows[name if name not in asked else f"{name}+"] = _elsewhere(entries)
    for id, columns in asked.items():
        rows[id] = _merged(columns, heard.get(id, []))
    return rows


def settle(rows: Rows, cumulative: int) -> None:
    """Ends the requests whose provider names no refunds once its figure explains them.

    `cumulative`: minor units given back, as the purchase's own objects say. The figure
    may be older than what is known of some refund, so any of those that succeeded may
    be in it or not. Of several ways to explain it the one that ends the fewest
    requests holds; two that end as many end none.
    """
    waiting = [row for row in rows.values() if _by_figure(row)]
    if not waiting or cumulative <= 0:
        return
    known = _sums([row["amount"] or 0 for row in rows.values() if _succeeded(row)])
    for many in range(len(waiting) + 1):
        ways = [
            some
            for some in combinations(waiting, many)
            if cumulative - sum(row["amount"] for row in some) in known
        ]
        if ways:
            for row in ways[0] if len(ways) == 1 else ():
                row["status"] = RefundStatus.SUCCEEDED.value
            return


def _sums(amounts: list[int]) -> set[int]:
    """What some of the amounts can add up to; of very many only all of them."""
    if len(amounts) > _MOST_SUMMED:
        return {sum(amounts)}
    found = {0}
    for amount in amounts:
        found |= {known + amount for known in found}
    return found


def at_provider(row: dict[str, Any]) -> bool:
    """Whether the provider knows of the refund, or may: it explains its figures."""
    return row["told"] or row["status"] in _AT_PROVIDER or _succeeded(row)


def _succeeded(row: dict[str, Any]) -> bool:
    return bool(row["status"] == RefundStatus.SUCCEEDED)


def _by_figure(row: dict[str, Any]) -> bool:
    return row["figure"] and row["status"] in _AT_PROVIDER and row["amount"] is not None


# ------------------------------------------------------------------------- our steps
def _asked(steps: Sequence[Entry]) -> dict[str, Any]:
    """The columns that our own steps give."""
    said = hearing.hear(steps)
    first = steps[0]
    last = next(step for step in reversed(steps) if step.status in AFTER_STEP)
    decided = next((s for s in steps if s.status in _DECISIONS), None)
    sent = next((s for s in steps if s.status in _SENDINGS), None)
    minor, currency = said["money"]
    over = last.status == RefundStep.REFUSED
    expires = said.get("expires")
    return {
        "status": AFTER_STEP[RefundStep(last.status)].value,
        "provider_id": str(said.get("provider_id") or ""),
        "amount": minor,
        "currency": currency,
        "verified": True,
        "reason": str(said.get("reason") or "")[:300],
        "failure_reason": str(said.get("why") or "")[:300] if over else "",
        "trace": "",
        "created": first.at or first.received,
        "asked": first.at or first.received,
        "asked_by_id": first.actor_id,
        "asked_with": said.get("key"),
        "asker": str(said.get("asker") or "")[:160],
        "note": str(first.says.get("note", [0, ""])[1])[:500],
        "line": str(said.get("line") or "")[:120],
        "after": str(said.get("after") or "")[:8],
        "notify": bool(said.get("notify")),
        "decided_by_id": decided.actor_id if decided else None,
        "decided": decided.at if decided else None,
        "expires": datetime.fromisoformat(expires) if expires else None,
        "by_hand": any(s.status == RefundStep.BY_HAND for s in steps),
        "sent": sent.at if sent else None,
        "stopping": last.status == RefundStep.STOPPING,
        "figure": bool(said.get("figure")),
        "told": False,
        "succeeded": None,
        "ended": None,
    }


_DECISIONS = frozenset({RefundStep.APPROVED, RefundStep.DECLINED})
_SENDINGS = frozenset({RefundStep.SENT, RefundStep.BY_HAND})


# -------------------------------------------------------------------------- matching
def _matched(steps: Groups, asked: Rows, told: Groups) -> dict[str, str]:
    """provider's id -> our id, for the facts that belong to a request of ours."""
    known = {
        str(step.says["provider_id"][1]): id
        for id, entries in steps.items()
        for step in entries
        if "provider_id" in step.says
    }
    mine = {}
    for name, entries in told.items():
        requests = [e.says["request"][1] for e in entries if "request" in e.says]
        found = known.get(name) or next((id for id in requests if id in asked), None)
        if found is not None and found in asked:
            mine[name] = found
    return mine | _by_amount(asked, told, mine)


def _by_amount(asked: Rows, told: Groups, mine: dict[str, str]) -> dict[str, str]:
    """What members were to do by hand, and what the provider has that nobody knows."""
    by_hand = [
        (id, row)
        for id, row in asked.items()
        if row["by_hand"]
        and row["status"] == RefundStatus.SUBMITTED
        and id not in mine.values()
    ]
    if not by_hand:
        return {}
    found: dict[str, str] = {}
    for name in sorted(told, key=lambda name: (hearing.created(told[name]), name)):
        if name in mine or told[name][-1].status in _NOTHING_CAME:
            continue
        money = hearing.hear(told[name]).get("money")
        fitting = [
            id
            for id, row in by_hand
            if id not in found.values()
            and (money is None or money == [row["amount"], row["currency"]])
        ]
        if len(fitting) == 1:
            found[name] = fitting[0]
    return found


_NOTHING_CAME = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


# -------------------------------------------------------------------- what was told
def _elsewhere(entries: Sequence[Entry]) -> dict[str, Any]:
    return {**ELSEWHERE, **_told(entries), "figure": False, "told": True}


def _merged(columns: dict[str, Any], heard: list[list[Entry]]) -> dict[str, Any]:
    """Our request with the provider's word put into it, which always wins.

    Of several objects that are this refund one with an id of its own goes first, then
    the latest.
    """
    if not heard:
        return columns
    entries = max(
        heard,
        key=lambda entries: (
            entries[-1].object_kind != UNNAMED,
            entries[-1].order,
            entries[-1].rank,
            entries[-1].identity,
        ),
    )
    told = _told(entries)
    status = RefundStatus(told["status"])
    merged = {
        **columns,
        "status": _OURS.get(status, status).value,
        "provider_id": told["provider_id"] or columns["provider_id"],
        "failure_reason": told["failure_reason"],
        "trace": told["trace"],
        "verified": told["verified"],
        "succeeded": told["succeeded"],
        "ended": told["ended"],
        "told": True,
    }
    if told["amount"] is not None:
        merged |= {"amount": told["amount"], "currency": told["currency"]}
    return merged


def _told(entries: Sequence[Entry]) -> dict[str, Any]:
    heard = hearing.hear(entries)
    amount, currency, verified = hearing.money(entries, heard)
    last = entries[-1]
    return {
        "status": last.status,
        "provider_id": "" if last.object_kind == UNNAMED else last.object_id,
        "amount": amount,
        "currency": currency,
        "verified": verified,
        "reason": str(heard.get("reason") or "")[:300],
        "failure_reason": str(heard.get("failure_reason") or "")[:300],
        "trace": str(heard.get("trace") or "")[:120],
        "created": hearing.created(entries),
        "succeeded": next((e.at for e in entries if e.status == _GIVEN_BACK), None),
        "ended": last.at,
    }


_GIVEN_BACK = RefundStatus.SUCCEEDED

#: What the fold needs of a row and the table does not.
_PASSING = ("figure", "told", "succeeded", "ended")


def columns(rows: Rows) -> Rows:
    """The rows as the table takes them."""
    return {
        key: {name: value for name, value in row.items() if name not in _PASSING}
        for key, row in rows.items()
    }


def taken_back(rows: Iterable[dict[str, Any]]) -> list[tuple[datetime, str]]:
    """(when, line or "" for all) of what refunds that succeeded took back."""
    return [
        (row["ended"] or row["asked"], row["line"])
        for row in rows
        if row["after"] == "revoke" and row["status"] == RefundStatus.SUCCEEDED
    ]
