"""Purchases that staff can act on: facts as providers tell them, and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from merchant.models import Connection
from merchant.providers.base import Fact, Said, stamp
from transactions import ledger
from transactions.models import TimelineEntry, Transaction

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)


def item(key: str, name: str = "", **over: Any) -> dict[str, Any]:
    """A line as a provider file reads it; its product is called like it."""
    name = name or f"Item {key}"
    given = {"key": key, "product": f"prod_{name}", "name": name, "amount": 500}
    return given | over


def payment(
    number: int | str = 1,
    status: str = "paid",
    *,
    items: Sequence[dict[str, Any]] | None = None,
    amount: int = 1999,
    verified: bool = True,
    at: datetime = WHEN,
    weight: int = 0,
    **says: Any,
) -> Fact:
    """A payment's state. `weight`: how much it is believed."""
    told: dict[str, Any] = {
        "money": [amount, "eur"],
        "verified": verified,
        "created": stamp(at),
        "customer_email": "ada@example.com",
        **says,
    }
    if status == "paid":
        told["paid"] = stamp(at)
    if items is not None:
        told["items"] = list(items)
    return Fact(
        topic="payment",
        object_kind="payment_intent",
        object_id=f"pi_{number}",
        status=status,
        order=int(at.timestamp()),
        at=at,
        references=(("payment_intent", f"pi_{number}"),),
        says={name: Said(value, weight) for name, value in told.items()},
        summary=f"Payment {status}",
    )


def dispute(number: int | str, status: str, at: datetime | None = None) -> Fact:
    at = at or WHEN + timedelta(days=1)
    return Fact(
        topic="dispute",
        object_kind="dispute",
        object_id=f"dp_{number}",
        status=status,
        order=int(at.timestamp()) + (status != "open"),
        at=at,
        references=(("payment_intent", f"pi_{number}"),),
        says={"money": Said([1999, "eur"]), "created": Said(stamp(at))},
        summary=f"Dispute {status}",
    )


def refund(number: int | str, amount: int = 1999, status: str = "succeeded") -> Fact:
    at = WHEN + timedelta(hours=1)
    return Fact(
        topic="refund",
        object_kind="refund",
        object_id=f"re_{number}_{amount}",
        status=status,
        order=int(at.timestamp()),
        at=at,
        references=(("payment_intent", f"pi_{number}"),),
        says={
            "money": Said([amount, "eur"]),
            "created": Said(stamp(at)),
            "verified": Said(True),
        },
        summary=f"Refund {status}",
    )


def enter(connection: Connection, *facts: Fact) -> Transaction:
    """The purchase that the facts are about, as the books have it now."""
    for fact in facts:
        ledger.record(connection, [fact], source="webhook")
    reference = facts[0].references[0][1]
    return Transaction.objects.get(project=connection.project, provider_id=reference)


def states(row: Transaction) -> dict[str, str]:
    """Line key -> how it stands."""
    return dict(row.items.order_by("position").values_list("key", "fulfilment"))


def acts_of(row: Transaction) -> list[str]:
    """What staff did, the earliest first."""
    by_staff = row.timeline.filter(source=TimelineEntry.Source.STAFF)
    return list(by_staff.order_by("order").values_list("status", flat=True))
