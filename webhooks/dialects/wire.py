"""How letters are written: compact JSON, amounts in major units, times, whole lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from merchant.money import Money

#: The signs that Go's encoder escapes, as PaySuper's deliveries show them.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def compact(value: Any, *, escaped: bool = False) -> bytes:
    """JSON without spaces, UTF-8. `escaped`: <, > and & as Go writes them.

    Half a surrogate pair, which UTF-8 cannot carry, becomes a question mark.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign, code in _ESCAPED.items() if escaped else ():
        text = text.replace(sign, code)
    return text.encode("utf-8", "replace")


def major(minor: int | None, currency: str) -> int | float | None:
    """The amount as a JSON number of major units: 5950 eur -> 59.5.

    A float only here, where these providers write one: with the 14 digits of what is
    believable it prints exactly the decimals that went in.
    """
    if minor is None or not currency:
        return None
    amount = Money(minor, currency).major
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def iso(seconds: float | None) -> str | None:
    """Unix seconds as RFC 3339 in UTC; None for none."""
    if seconds is None:
        return None
    return iso_of(datetime.fromtimestamp(seconds, UTC))


def iso_of(when: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    text = when.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def unit_price(amount: int | None, quantity: int) -> tuple[int | None, int]:
    """What a piece costs, and the discount on all of them that makes the line exact.

    10.00 for three pieces is 3.34 each, less 0.02.
    """
    if amount is None:
        return None, 0
    each = -(-amount // quantity)
    return each, each * quantity - amount
