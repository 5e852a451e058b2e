"""Telling one story in every order: what all providers' order tests share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from merchant import connections, strict_json
from merchant.models import Project
from merchant.providers import PROVIDERS
from tests import factories
from transactions import ledger
from transactions.models import (
    BalanceChange,
    Customer,
    DeliveryItem,
    Dispute,
    LineItem,
    LookUp,
    Payout,
    Product,
    ProviderReference,
    Refund,
    Subscription,
    TimelineEntry,
    Transaction,
)

#: Columns that may differ: made-up ids, the place in this database, times of arrival.
SURROGATE = {"id", "merchant", "project", "connection", "updated", "received"}
SURROGATE |= {
    "uuid",
    "recorded",
    "inbound",
    "subscription",
    "payout",
    "actor",
    "source",
}


@st.composite
def arrivals(draw: st.DrawFn, length: int) -> list[list[int]]:
    """Every delivery at least once, in any order, some again, cut into any batches."""
    first = draw(st.permutations(range(length)))
    again = draw(st.lists(st.integers(0, length - 1), max_size=length))
    order = list(first)
    for index in again:
        order.insert(draw(st.integers(0, len(order))), index)
    places = st.integers(1, len(order) - 1)
    cuts = sorted(draw(st.sets(places, max_size=len(order) - 1)))
    edges = [0, *cuts, len(order)]
    return [order[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def told(
    provider: str, bodies: Sequence[bytes], batches: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Enters the deliveries in batches in a fresh project; what the books say then."""
    project = factories.make_project()
    connection = factories.make_connection(provider=provider, project=project)
    keys = connections.keys_of(connection)
    letters = [
        ledger.Letter(
            connection,
            PROVIDERS[provider].read(strict_json.parse(body), keys),
            "webhook",
        )
        for body in bodies
    ]
    for batch in batches:
        ledger.record_all([letters[index] for index in batch])
    return snapshot(project)


def in_one_go(provider: str, bodies: Sequence[bytes]) -> dict[str, Any]:
    """The story as it happened, one after another: what all orders must equal."""
    return _in_one_go(provider, tuple(bodies))


@cache
def _in_one_go(provider: str, bodies: tuple[bytes, ...]) -> dict[str, Any]:
    """Told once: it is the same for every order that is held against it."""
    return told(provider, bodies, [[index] for index in range(len(bodies))])


def snapshot(project: Project) -> dict[str, Any]:
    """Everything the books say about a project, without the surrogate columns."""
    mine = {"transaction__project": project}
    entries = TimelineEntry.objects.filter(connection__project=project)
    return {
        "transactions": _rows(
            Transaction.objects.filter(project=project).select_related("customer"),
            customer=lambda row: row.customer and row.customer.key,
        ),
        "references": _rows(
            ProviderReference.objects.filter(project=project), **_OWNER
        ),
        "items": _rows(
            LineItem.objects.filter(project=project),
            product=lambda row: row.product.key,
            **_OWNER,
        ),
        "refunds": _rows(Refund.objects.filter(**mine), **_OWNER),
        "disputes": _rows(Dispute.objects.filter(**mine), **_OWNER),
        "changes": _rows(BalanceChange.objects.filter(**mine), **_OWNER),
        "delivery items": _rows(DeliveryItem.objects.filter(**mine), **_OWNER),
        "timeline": _rows(entries, **_OWNER),
        "subscriptions": _rows(Subscription.objects.filter(project=project)),
        "payouts": _rows(Payout.objects.filter(project=project)),
        "customers": sorted(
            Customer.objects.filter(project=project).values_list("key", flat=True)
        ),
        "products": _rows(Product.objects.filter(project=project)),
        "questions": sorted(
            LookUp.objects.filter(connection__project=project).values_list(
                "kind", "want", "state"
            )
        ),
    }


_OWNER = {
    "transaction": lambda row: row.transaction and row.transaction.provider_id,
}


def _rows(rows: Any, **links: Any) -> list[str]:
    """One text a row, sorted; a link is shown by what it leads to."""
    found = []
    for row in rows:
        columns = {
            column.name: repr(
                links[column.name](row)
                if column.name in links
                else getattr(row, column.attname)
            )
            for column in row._meta.concrete_fields
            if column.name not in SURROGATE
        }
        found.append("; ".join(f"{name}={columns[name]}" for name in sorted(columns)))
    return sorted(found)
