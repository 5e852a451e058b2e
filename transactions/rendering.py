"""A transaction as API and events tell it; pure, over a row and its children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transactions.models import (
    DeliveryItem,
    Dispute,
    LineItem,
    Payout,
    Refund,
    Subscription,
    Transaction,
)

#: What must be prefetched so that rendering asks the database nothing.
CHILDREN = ("items", "refunds", "disputes")

SETTLEMENT = ("currency", "amount", "fee", "net", "exchange_rate")


@dataclass(frozen=True, slots=True)
class Parts:
    """What hangs on a transaction, where it was fetched for many of them at once."""

    items: Sequence[LineItem] = ()
    refunds: Sequence[Refund] = ()
    disputes: Sequence[Dispute] = ()


def transaction_object(row: Transaction, parts: Parts | None = None) -> dict[str, Any]:
    """The object of the contract: amounts in ISO 4217 minor units, Unix seconds.

    Without `parts` the row's own CHILDREN are told, which should be prefetched.
    """
    if parts is None:
        children = (row.items.all(), row.refunds.all(), row.disputes.all())
        parts = Parts(*map(list, children))  # type: ignore[arg-type]
    return {
        "id": str(row.pk),
        "object": "transaction",
        "project": str(row.project_id),
        "provider": row.provider,
        "provider_id": row.provider_id or None,
        "livemode": row.livemode,
        "status": row.status,
        "status_reason": row.status_reason or None,
        "refund_pending": row.refund_pending,
        "verified": row.verified,
        "amount": row.amount,
        "currency": row.currency or None,
        "amount_refunded": row.amount_refunded,
        "fee": row.fee,
        "net": row.net,
        "settlement": _settlement(row),
        "description": row.description or None,
        "customer": _customer(row),
        "payment_method": _payment_method(row),
        "items": [_item(item) for item in parts.items],
        "refunds": [refund_object(refund) for refund in parts.refunds],
        "disputes": [dispute_object(dispute) for dispute in parts.disputes],
        "fulfilment": {"status": row.fulfilment},
        "order_reference": row.order_reference or None,
        "metadata": row.metadata,
        "sequence": row.sequence,
        "created": unix(row.created),
        "paid": unix(row.paid),
        "updated": unix(row.updated),
    }


def refund_object(refund: Refund) -> dict[str, Any]:
    return {
        "id": str(refund.pk),
        "object": "refund",
        "transaction": str(refund.transaction_id),
        "amount": refund.amount,
        "currency": refund.currency or None,
        "status": refund.status,
        "reason": refund.reason or None,
        "provider_id": refund.provider_id or None,
        "created": unix(refund.created),
    }


def dispute_object(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": str(dispute.pk),
        "object": "dispute",
        "transaction": str(dispute.transaction_id),
        "amount": dispute.amount,
        "currency": dispute.currency or None,
        "status": dispute.status,
        "reason": dispute.reason or None,
        "due_by": unix(dispute.due_by),
        "provider_id": dispute.provider_id or None,
        "created": unix(dispute.created),
    }


def delivery_item_object(item: DeliveryItem) -> dict[str, Any]:
    """Something that the provider itself hands to the customer."""
    return {
        "id": str(item.pk),
        "object": "delivery_item",
        "transaction": str(item.transaction_id),
        "name": item.name or None,
        "status": item.status,
        "reason": item.reason or None,
        "provider_id": item.provider_id or None,
        "expires": unix(item.expires),
        "created": unix(item.created),
    }


def standing_object(row: Subscription | Payout) -> dict[str, Any]:
    """A subscription, trial or payout, in the same style."""
    common = {
        "id": str(row.pk),
        "project": str(row.project_id),
        "provider": row.provider,
        "provider_id": row.provider_id,
        "livemode": row.livemode,
        "status": row.status,
        "status_reason": row.reason or None,
        "amount": row.amount,
        "currency": row.currency or None,
        "sequence": row.sequence,
        "created": unix(row.created),
        "updated": unix(row.updated),
    }
    if isinstance(row, Payout):
        return common | {
            "object": "payout",
            "verified": row.verified,
            "method": row.method or None,
            "arrives": unix(row.arrives),
        }
    return common | {
        "object": "subscription",
        "kind": row.kind,
        "customer": {
            "name": row.customer_name or None,
            "email": row.customer_email or None,
        },
        "product": row.product or None,
        "interval": row.interval or None,
        "period_start": unix(row.period_start),
        "period_end": unix(row.period_end),
        "ends": unix(row.ends),
    }


def unix(when: datetime | None) -> int | None:
    """Whole seconds since 1970, rounded down."""
    return None if when is None else int(when.timestamp() // 1)


def _settlement(row: Transaction) -> dict[str, Any] | None:
    if row.settlement is None:
        return None
    return {name: row.settlement.get(name) for name in SETTLEMENT}


def _customer(row: Transaction) -> dict[str, Any] | None:
    known = {
        "id": str(row.customer_id) if row.customer_id else None,
        "name": row.customer_name or None,
        "email": row.customer_email or None,
        "country": row.customer_country or None,
    }
    return known if any(known.values()) else None


def _payment_method(row: Transaction) -> dict[str, Any] | None:
    known = {
        "type": row.method or None,
        "brand": row.method_brand or None,
        "last4": row.method_last4 or None,
    }
    return known if any(known.values()) else None


def _item(item: LineItem) -> dict[str, Any]:
    return {
        "product": str(item.product_id),
        "name": item.name,
        "sku": item.sku or None,
        "quantity": item.quantity,
        "amount": item.amount,
        "platform": item.platform or None,
    }
