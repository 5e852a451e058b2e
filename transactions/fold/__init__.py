"""From timeline to row: pure functions that do not care in which order things arrived.

Entries are put in the order of their content (order, rank, identity). For each column
the source with the greatest weight wins, within a weight the latest state. The same
set of entries gives the same row, whatever came first, twice or together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from transactions.fold import amounts, changes, children, fulfilment, hearing, status
from transactions.fold import refunds as money_back
from transactions.fold.hearing import PURCHASE, SPEAKERS, Entry
from transactions.statuses import REFUND_OPEN, RELEASED

#: A payment that came longer after the purchase than this counts as late.
LATE = timedelta(days=7)
#: What has no column of its own and goes into `details`.
DETAILS = ("receipt_url", "account", "callbacks")
#: Columns that are joined key by key over all facts instead of taken from one.
MERGED = ("metadata", "customer_details", "method_details")
#: Text columns of the transaction, and how long they may be.
TEXTS = {
    "description": 500,
    "order_reference": 200,
    "customer_name": 200,
    "customer_email": 320,
    "customer_phone": 60,
    "customer_country": 2,
    "method": 60,
    "method_brand": 60,
    "method_last4": 4,
    "warning": 300,
}


@dataclass(slots=True)
class Folded:
    """A transaction as its timeline tells it.

    ordered         the entries as their content puts them
    columns         column -> value of transactions.models.Transaction, but what
                    needs the products' rules (see transactions.fold.fulfilment)
    customer_key    see transactions.models.Customer; "" when nobody is named
    items           line items in order, each with key, product, name, sku, quantity,
                    amount, platform
    refunds         our id, or the provider's -> columns of the child row
    disputes, delivery_items   provider id -> columns of the child row
    changes         key -> columns of the balance change
    taken_back      what succeeded refunds took back of what was handed over: (when,
                    key of the line or "" for all)
    """

    ordered: Sequence[Entry]
    columns: dict[str, Any]
    customer_key: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    refunds: children.Rows = field(default_factory=dict)
    disputes: children.Rows = field(default_factory=dict)
    delivery_items: children.Rows = field(default_factory=dict)
    changes: children.Rows = field(default_factory=dict)
    taken_back: list[tuple[datetime, str]] = field(default_factory=list)


def transaction(entries: Iterable[Entry], references: Sequence[str]) -> Folded:
    """The row that these entries add up to.

    `references`: the provider's ids of the transaction, best kind first; the first is
    its provider_id.
    """
    ordered = hearing.in_order(entries)
    speakers = [entry for entry in ordered if entry.topic in SPEAKERS]
    heard = hearing.hear(speakers)
    refunds = money_back.of(ordered)
    disputes = children.disputes(ordered)
    columns = {name: str(heard.get(name) or "")[:most] for name, most in TEXTS.items()}
    told: dict[str, Any] = {
        name: hearing.merged(speakers, name) for name in MERGED
    } | _state(ordered, heard, refunds, disputes)
    return Folded(
        ordered,
        columns
        | told
        | {
            "provider_id": references[0] if references else "",
            "details": {name: heard[name] for name in DETAILS if heard.get(name)},
            "livemode": hearing.livemode(ordered),
            "parked": _parked(ordered),
            "sequence": len(ordered),
        },
        customer_key=str(heard.get("customer_key") or "")[:330],
        items=children.items(heard.get("items")),
        refunds=money_back.columns(refunds),
        taken_back=money_back.taken_back(refunds.values()),
        disputes=disputes,
        delivery_items=children.delivery_items(ordered),
        changes=changes.of(ordered, told, refunds, disputes),
    )


def _state(
    ordered: Sequence[Entry],
    heard: dict[str, Any],
    refunds: children.Rows,
    disputes: children.Rows,
) -> dict[str, Any]:
    """Money and status: what depends on the purchase and its refunds and disputes."""
    purchase = [entry for entry in ordered if entry.topic in PURCHASE]
    amount, currency, verified = hearing.money(purchase, heard)
    standing = status.stand(purchase)
    given_back = amounts.cumulative(purchase, amount)
    money_back.settle(refunds, given_back)
    refunded, strange = amounts.refunded(refunds, given_back, currency)
    if standing is not None and standing.word == RELEASED:
        refunded = 0  # letting a hold go can look like a refund, but nothing was paid
    holds = status.final(standing, amount, refunded, refunds, disputes)
    reason = status.reason(holds, standing, purchase, refunds, disputes)
    open_refund = any(refund["status"] in REFUND_OPEN for refund in refunds.values())
    state = {
        "status": holds,
        "status_reason": reason[:300],
        "refund_pending": open_refund or amounts.refund_pending(purchase),
        "verified": verified and all(refund["verified"] for refund in refunds.values()),
        "amount": amount,
        "currency": currency or amounts.currency_of(refunds, disputes),
        "amount_refunded": refunded,
        "amount_charged_back": amounts.charged_back(
            disputes, amount, refunded, currency
        ),
    }
    if strange:
        state["warning"] = strange[:300]
    return (
        state
        | _times(ordered, purchase)
        | amounts.fees(heard.get("settlement"), currency)
        | fulfilment.acceptance(ordered, state)
    )


def _times(ordered: Sequence[Entry], purchase: Sequence[Entry]) -> dict[str, Any]:
    """When it was created and paid: never paid before it was created."""
    paid = hearing.paid(purchase)
    created = hearing.created(ordered)
    if paid:
        created = min(created, paid)
    late = paid is not None and paid - created > LATE
    return {"created": created, "paid": paid, "paid_late": late}


def standing(entries: Iterable[Entry]) -> tuple[str, dict[str, Any]]:
    """Status and columns of a subscription, trial or payout."""
    ordered = hearing.in_order(entries)
    heard = hearing.hear(ordered)
    minor, currency = heard.pop("money", None) or (None, "")
    heard |= {
        "amount": minor,
        "currency": currency,
        "created": hearing.created(ordered),
    }
    heard["livemode"] = hearing.livemode(ordered)
    for name in ("period_start", "period_end", "ends", "arrives"):
        if heard.get(name):
            heard[name] = datetime.fromisoformat(heard[name])
    return ordered[-1].status, heard


def _parked(ordered: Sequence[Entry]) -> bool:
    """Nothing but invoices: it may still turn out to be another row's bill."""
    return all(entry.topic in {"invoice", "link"} for entry in ordered)
