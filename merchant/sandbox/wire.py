"""How imitated providers write: amounts in major units, times, ids, compact JSON."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from merchant.money import Money
from merchant.sandbox.story import Purchase, Step

#: The same characters that Go's encoder escapes, as real deliveries show them.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def so_far(purchase: Purchase, step: Step) -> list[Step]:
    """The steps up to this one and with it, oldest first."""
    ordered = sorted(purchase.steps, key=lambda other: other.at)
    if step in ordered:
        return ordered[: ordered.index(step) + 1]
    return [*(other for other in ordered if other.at <= step.at), step]


def major(minor: int, currency: str) -> int | float:
    """The amount as a JSON number of major units: 5950 eur -> 59.5.

    A float only here, at the wire, where these providers write one: up to 15 digits
    it prints as exactly the decimals that went in.
    """
    amount = Money(minor, currency).major
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def compact(value: Any, *, escaped: bool = False) -> bytes:
    """JSON without spaces. `escaped`: <, > and & as Go writes them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign, code in _ESCAPED.items() if escaped else ():
        text = text.replace(sign, code)
    return text.encode()


def seconds(when: datetime) -> int:
    """Unix seconds."""
    return int(when.timestamp())


def iso(when: datetime, *, after: float = 0) -> str:
    """RFC 3339 in UTC, some seconds later."""
    moved = (when + timedelta(seconds=after)).astimezone(UTC)
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def invented(*parts: object, length: int = 24) -> str:
    """Hex digits that are always the same for the same parts."""
    name = "/".join(map(str, parts))
    return hashlib.sha256(name.encode()).hexdigest()[:length]
