"""Sales as the ledger enters them, for tests of what is done to them afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from merchant.models import Connection, Project
from merchant.providers.base import Fact, say, stamp
from tests.factories import make_connection
from transactions import ledger
from transactions.models import ProviderReference, Transaction

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def till_of(project: Project) -> Connection:
    """The project's connection at which these sales are made."""
    found = project.connections.filter(provider="stripe").first()
    return found or make_connection("stripe", project=project)


def sale(name: str = "", *, status: str = "paid", **columns: Any) -> Fact:
    """One payment of EUR 19.99 as a provider reports it."""
    number = next(_numbers)
    at = columns.pop("at", NOON + timedelta(seconds=number))
    came = status in {"paid", "partially_paid"}
    told: dict[str, Any] = {
        "created": stamp(at),
        "paid": stamp(at) if came else None,
        "money": [1999, "eur"],
        "customer_name": name or f"Buyer {number}",
        "customer_email": f"buyer{number}@example.com",
    }
    id = f"pi_sale_{number}"
    return Fact(
        topic="payment",
        object_kind="payment_intent",
        object_id=id,
        status=status,
        order=1,
        at=at,
        references=(("payment_intent", id),),
        says=say(20, **told | columns),
    )


def enter(project: Project, facts: Sequence[Fact]) -> list[Transaction]:
    """The transactions of these facts, in their order."""
    ledger.record(till_of(project), facts, source="webhook")
    names = [fact.object_id for fact in facts]
    known = ProviderReference.objects.filter(project=project, reference__in=names)
    rows: dict[str, UUID] = dict(known.values_list("reference", "transaction_id"))
    found = Transaction.objects.in_bulk(rows.values())
    return [found[rows[name]] for name in names]


def sell(project: Project, number: int = 1, **over: Any) -> list[Transaction]:
    return enter(project, [sale(**over) for _ in range(number)])


def tell(row: Transaction, status: str, **columns: Any) -> Transaction:
    """The provider says something later about the sale."""
    name = row.references.get().reference
    fact = sale(status=status, **columns)
    again = Fact(
        topic=fact.topic,
        object_kind=fact.object_kind,
        object_id=name,
        status=status,
        order=next(_numbers) + 1,
        at=fact.at,
        references=(("payment_intent", name),),
        says=say(20, **columns),
    )
    ledger.record(row.connection, [again], source="webhook")
    row.refresh_from_db()
    return row
