"""What hangs on a purchase beside its refunds: disputes, things handed over, items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from transactions.fold import hearing
from transactions.fold.hearing import Entry
from transactions.statuses import DISPUTE_CLOSED, DisputeStatus

#: What tells a purchase's children apart -> the columns of the row.
Rows = dict[str, dict[str, Any]]


def disputes(ordered: Sequence[Entry]) -> Rows:
    found = {}
    cleared = _group(ordered, "flag")
    for key, entries in _group(ordered, "dispute").items():
        heard = hearing.hear(entries)
        minor, currency = heard.get("money") or (None, "")
        due = heard.get("due_by")
        last = entries[-1]
        found[key] = {
            "status": last.status,
            "in_review": last.status == DisputeStatus.OPEN
            and (due is None or heard.get("answered") is True),
            "amount": minor,
            "currency": currency,
            "reason": str(heard.get("reason") or "")[:300],
            "due_by": datetime.fromisoformat(due) if due else None,
            "created": hearing.created(entries),
            "closed": last.at if last.status in DISPUTE_CLOSED else None,
            "cleared": cleared[key][-1].at if key in cleared else None,
        }
    return found


def delivery_items(ordered: Sequence[Entry]) -> Rows:
    found = {}
    for key, entries in _group(ordered, "delivery_item").items():
        heard = hearing.hear(entries)
        expires = heard.get("expires")
        found[key] = {
            "status": entries[-1].status,
            "name": str(heard.get("name") or "")[:300],
            "reason": str(heard.get("reason") or "")[:300],
            "expires": datetime.fromisoformat(expires) if expires else None,
            "created": hearing.created(entries),
        }
    return found


def _group(ordered: Sequence[Entry], topic: str) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in ordered:
        if entry.topic == topic:
            groups.setdefault(entry.object_id, []).append(entry)
    return groups


def items(said: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Line items with every key present; a second line of the same key gets a mark."""
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for position, item in enumerate(said or []):
        key = str(item.get("key") or position)[:110]
        while key in seen:
            key = f"{key}+"
        seen.add(key)
        found.append(
            {
                "key": key,
                "position": position,
                "product": str(item.get("product") or "")[:200],
                "name": str(item.get("name") or item.get("sku") or "Item")[:300],
                "sku": str(item.get("sku") or "")[:120],
                "quantity": item.get("quantity") or 1,
                "amount": item.get("amount"),
                "platform": str(item.get("platform") or "")[:40],
            }
        )
    return found
