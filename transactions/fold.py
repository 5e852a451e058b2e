"""From timeline to row: pure functions that do not care in which order things arrived.

Entries are put in the order of their content (order, rank, identity). For each column
the source with the greatest weight wins, within a weight the latest state. The same
set of entries gives the same row, whatever came first, twice or together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from transactions.statuses import (
    ENDED,
    OPEN,
    REFUND_OPEN,
    RELEASED,
    DisputeStatus,
    RefundStatus,
    Status,
)


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


@dataclass(slots=True)
class Folded:
    """A transaction as its timeline tells it.

    columns         column -> value of transactions.models.Transaction
    customer_key    see transactions.models.Customer; "" when nobody is named
    items           line items in order, each with key, product, name, sku, quantity,
                    amount, platform
    refunds, disputes, delivery_items   provider id -> columns of the child row
    """

    columns: dict[str, Any]
    customer_key: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    delivery_items: dict[str, dict[str, Any]] = field(default_factory=dict)


#: Topics whose facts make up the purchase itself.
PURCHASE = frozenset({"payment", "invoice"})
#: Topics whose facts may speak about the transaction's own columns.
SPEAKERS = PURCHASE | {"link"}
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


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries as their content puts them, earliest state first."""
    return sorted(entries, key=lambda entry: (entry.order, entry.rank, entry.identity))


def transaction(entries: Iterable[Entry], references: Sequence[str]) -> Folded:
    """The row that these entries add up to.

    `references`: the provider's ids of the transaction, best kind first; the first is
    its provider_id.
    """
    ordered = in_order(entries)
    purchase = [entry for entry in ordered if entry.topic in PURCHASE]
    heard = _hear(entry for entry in ordered if entry.topic in SPEAKERS)
    refunds = _refunds(ordered)
    disputes = _disputes(ordered)
    amount, currency, verified = _money(purchase, heard)
    standing = _standing(purchase)
    refunded, strange = _refunded(purchase, refunds, currency)
    if standing is not None and standing.word == RELEASED:
        refunded = 0  # letting a hold go can look like a refund, but nothing was paid
    status = _status(standing, amount, refunded, refunds, disputes)
    pending = _refund_pending(purchase) or any(
        refund["status"] in REFUND_OPEN for refund in refunds.values()
    )
    columns: dict[str, Any] = {
        name: str(heard.get(name) or "")[:most] for name, most in TEXTS.items()
    }
    speakers = [entry for entry in ordered if entry.topic in SPEAKERS]
    columns |= {name: _merged(speakers, name) for name in MERGED}
    columns["details"] = {name: heard[name] for name in DETAILS if heard.get(name)}
    columns |= _fees(heard.get("settlement"), currency)
    columns |= {
        "provider_id": references[0] if references else "",
        "livemode": _livemode(ordered),
        "parked": _parked(ordered),
        "status": status,
        "status_reason": _reason(status, standing, purchase, refunds, disputes)[:300],
        "refund_pending": pending,
        "verified": verified and all(refund["verified"] for refund in refunds.values()),
        "amount": amount,
        "currency": currency or _currency_of(refunds, disputes),
        "amount_refunded": refunded,
        "created": _created(ordered),
        "paid": _paid(purchase),
        "sequence": len(ordered),
    }
    if strange:
        columns["warning"] = strange[:300]
    return Folded(
        columns,
        customer_key=str(heard.get("customer_key") or "")[:330],
        items=_items(heard.get("items")),
        refunds=refunds,
        disputes=disputes,
        delivery_items=_delivery_items(ordered),
    )


def standing(entries: Iterable[Entry]) -> tuple[str, dict[str, Any]]:
    """Status and columns of a subscription, trial or payout."""
    ordered = in_order(entries)
    heard = _hear(ordered)
    minor, currency = heard.pop("money", None) or (None, "")
    heard |= {"amount": minor, "currency": currency, "created": _created(ordered)}
    heard["livemode"] = _livemode(ordered)
    for name in ("period_start", "period_end", "ends", "arrives"):
        if heard.get(name):
            heard[name] = datetime.fromisoformat(heard[name])
    heard["sequence"] = len(ordered)
    return ordered[-1].status, heard


# ------------------------------------------------------------------------ listening
def _hear(ordered: Iterable[Entry]) -> dict[str, Any]:
    """column -> value: the greatest weight, and the latest state within it."""
    best: dict[str, tuple[int, Any]] = {}
    for entry in ordered:
        for name, (weight, value) in entry.says.items():
            if name not in best or weight >= best[name][0]:
                best[name] = (weight, value)
    return {name: value for name, (_, value) in best.items()}


def _merged(ordered: Iterable[Entry], column: str) -> dict[str, Any]:
    """The column's objects joined key by key, each key by weight, then latest state.

    A customer's `identities` are joined in the same way: one event knows of Steam,
    another of Discord.
    """
    said = [entry.says[column] for entry in ordered if column in entry.says]
    joined = _joined(said)
    if "identities" in joined:
        joined["identities"] = _joined(
            [[weight, value.get("identities")] for weight, value in said]
        )
    return joined


def _joined(said: Iterable[Sequence[Any]]) -> dict[str, Any]:
    best: dict[str, tuple[int, Any]] = {}
    for weight, value in said:
        for key, item in (value or {}).items():
            if key not in best or weight >= best[key][0]:
                best[key] = (weight, item)
    return {key: best[key][1] for key in sorted(best)}


def _money(
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


def _created(ordered: Sequence[Entry]) -> datetime:
    """The earliest time that the provider gives; the arrival only if it gives none."""
    said = [e.says["created"][1] for e in ordered if "created" in e.says]
    if said:
        return datetime.fromisoformat(min(said))
    return min(entry.at or entry.received for entry in ordered)


def _paid(purchase: Sequence[Entry]) -> datetime | None:
    """The time of the first fact that says money came, from the best kind of source."""
    said = [entry.says["paid"] for entry in purchase if "paid" in entry.says]
    if not said:
        return None
    best = max(weight for weight, _ in said)
    return datetime.fromisoformat(min(when for weight, when in said if weight == best))


def _livemode(ordered: Sequence[Entry]) -> bool:
    heard = _hear(ordered)
    return bool(heard.get("livemode", True))


def _parked(ordered: Sequence[Entry]) -> bool:
    """Nothing but invoices: it may still turn out to be another row's bill."""
    return all(entry.topic in {"invoice", "link"} for entry in ordered)


def _fees(settlement: dict[str, Any] | None, currency: str) -> dict[str, Any]:
    """Fee and net in the transaction's own currency, else kept as a settlement."""
    if not settlement:
        return {"fee": None, "net": None, "settlement": None}
    if settlement.get("currency") == currency:
        return {
            "fee": settlement.get("fee"),
            "net": settlement.get("net"),
            "settlement": None,
        }
    return {"fee": None, "net": None, "settlement": settlement}


# ------------------------------------------------------------------------ statuses
@dataclass(slots=True)
class _Standing:
    """How the payment stands before refunds and disputes are counted."""

    status: Status
    word: str  # the provider-side word that the reason belongs to


def _standing(purchase: Sequence[Entry]) -> _Standing | None:
    """contract.md's precedence for the payment alone; None when no payment is known."""
    latest: dict[tuple[str, str], str] = {}
    known: dict[str, set[tuple[str, str]]] = {}
    for entry in purchase:
        thing = (entry.object_kind, entry.object_id)
        latest[thing] = entry.status
        known.setdefault(entry.status, set()).add(thing)
    for status in (Status.PAID, Status.PARTIALLY_PAID):
        if status in known:
            return _Standing(status, status)
    if Status.AUTHORIZED in known and not _let_go(known[Status.AUTHORIZED], latest):
        return _Standing(Status.AUTHORIZED, Status.AUTHORIZED)
    if RELEASED in known or Status.AUTHORIZED in known:
        return _Standing(Status.CANCELED, RELEASED)
    ends = set(latest.values()) & set(ENDED) or set(known) & set(ENDED)
    for status in (*ENDED, *OPEN):
        if status in ends or (not ends and status in known):
            return _Standing(status, status)
    return None


def _let_go(held: set[tuple[str, str]], latest: dict[tuple[str, str], str]) -> bool:
    """Whether a hold was released: by its own object's end, or another's cancellation.

    A Stripe charge still says "authorized" after its payment intent was canceled.
    """
    for thing, status in latest.items():
        if status in {RELEASED, Status.CANCELED}:
            return True
        if status == Status.EXPIRED and thing in held:
            return True
    return False


def _status(
    standing: _Standing | None,
    amount: int | None,
    refunded: int,
    refunds: dict[str, dict[str, Any]],
    disputes: dict[str, dict[str, Any]],
) -> Status:
    states = {dispute["status"] for dispute in disputes.values()}
    if DisputeStatus.LOST in states:
        return Status.CHARGED_BACK
    if DisputeStatus.OPEN in states:
        return Status.DISPUTED
    if refunded > 0:
        whole = amount is not None and refunded >= amount
        return Status.REFUNDED if whole else Status.PARTIALLY_REFUNDED
    if standing is not None:
        return standing.status
    # Only a refund or a dispute is known yet: money must have come before.
    return Status.PAID if refunds or disputes else Status.CREATED


def _reason(
    status: Status,
    standing: _Standing | None,
    purchase: Sequence[Entry],
    refunds: dict[str, dict[str, Any]],
    disputes: dict[str, dict[str, Any]],
) -> str:
    """Why the status is what it is, in the provider's words where it told us."""
    if status in {Status.CHARGED_BACK, Status.DISPUTED}:
        return _last(disputes)
    if status in {Status.REFUNDED, Status.PARTIALLY_REFUNDED}:
        return _last(
            {key: row for key, row in refunds.items() if row["status"] == "succeeded"}
        )
    if standing is None:
        return ""
    heard = _hear(entry for entry in purchase if entry.status == standing.word)
    reason = str(heard.get("reason") or "")
    return reason or ("hold released" if standing.word == RELEASED else "")


def _last(children: dict[str, dict[str, Any]]) -> str:
    """The reason of the newest of these rows that gives one."""
    said = [
        (row["created"], key, row["reason"])
        for key, row in children.items()
        if row["reason"]
    ]
    return max(said)[2] if said else ""


# --------------------------------------------------------- refunds and other children
def _refunds(ordered: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    return {key: _refund(entries) for key, entries in _group(ordered, "refund").items()}


def _refund(entries: list[Entry]) -> dict[str, Any]:
    heard = _hear(entries)
    amount, currency, verified = _money(entries, heard)
    return {
        "status": entries[-1].status,
        "amount": amount,
        "currency": currency,
        "verified": verified,
        "reason": str(heard.get("reason") or "")[:300],
        "failure_reason": str(heard.get("failure_reason") or "")[:300],
        "trace": str(heard.get("trace") or "")[:120],
        "created": _created(entries),
    }


def _disputes(ordered: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    found = {}
    for key, entries in _group(ordered, "dispute").items():
        heard = _hear(entries)
        minor, currency = heard.get("money") or (None, "")
        due = heard.get("due_by")
        found[key] = {
            "status": entries[-1].status,
            "amount": minor,
            "currency": currency,
            "reason": str(heard.get("reason") or "")[:300],
            "due_by": datetime.fromisoformat(due) if due else None,
            "created": _created(entries),
        }
    return found


def _delivery_items(ordered: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    found = {}
    for key, entries in _group(ordered, "delivery_item").items():
        heard = _hear(entries)
        expires = heard.get("expires")
        found[key] = {
            "status": entries[-1].status,
            "name": str(heard.get("name") or "")[:300],
            "reason": str(heard.get("reason") or "")[:300],
            "expires": datetime.fromisoformat(expires) if expires else None,
            "created": _created(entries),
        }
    return found


def _group(ordered: Sequence[Entry], topic: str) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in ordered:
        if entry.topic == topic:
            groups.setdefault(entry.object_id, []).append(entry)
    return groups


def _refunded(
    purchase: Sequence[Entry], refunds: dict[str, dict[str, Any]], currency: str
) -> tuple[int, str]:
    """What has been given back, and a warning about what cannot be counted.

    Succeeded refunds, plus the part of a provider's cumulative figure that no known
    refund of any state explains.
    """
    counted = [r for r in refunds.values() if not currency or r["currency"] == currency]
    succeeded = sum(
        r["amount"] or 0 for r in counted if r["status"] == RefundStatus.SUCCEEDED
    )
    explained = sum(r["amount"] or 0 for r in counted)
    strange = ""
    if len(counted) < len(refunds):
        strange = "A refund came in another currency and is not counted."
    totals: dict[tuple[str, str], int] = {}
    for entry in purchase:
        if "refunded_total" in entry.says:
            thing = (entry.object_kind, entry.object_id)
            totals[thing] = entry.says["refunded_total"][1]
    return succeeded + max(0, sum(totals.values()) - explained), strange


def _refund_pending(purchase: Sequence[Entry]) -> bool:
    """Whether an object of the purchase itself says that a refund is under way."""
    latest: dict[tuple[str, str], bool] = {}
    for entry in purchase:
        if "refund_pending" in entry.says:
            thing = (entry.object_kind, entry.object_id)
            latest[thing] = bool(entry.says["refund_pending"][1])
    return any(latest.values())


def _currency_of(*children: dict[str, dict[str, Any]]) -> str:
    """The currency of a stub that only its refunds or disputes tell of."""
    found = sorted(
        row["currency"] for rows in children for row in rows.values() if row["currency"]
    )
    return found[0] if found else ""


def _items(said: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
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
