"""Believable payloads of every event: for pages, "send test" and developers' tests.

The people are invented, and their addresses are at example.com. Every sample is of one
story: Ada buys two games for 59.50 EUR, and something becomes of it.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from webhooks.catalogue import KINDS, TEST
from webhooks.dialects.base import News

#: When the purchase was begun: 2026-11-18 14:03:10 UTC.
BEGUN = 1795010590
PAID = BEGUN + 21

#: Names the samples' rows, so that each is always the same.
_ROOM = UUID("5d4e6f0a-7b1c-4c56-9a53-0f5d1c2b3a41")

#: Event -> what the transaction says after it.
_AFTER: dict[str, dict[str, Any]] = {
    "payment.created": {"status": "created", "paid": None},
    "payment.pending": {"status": "pending", "paid": None},
    "payment.authorized": {"status": "authorized", "paid": None},
    "payment.released": {
        "status": "canceled",
        "status_reason": "hold released",
        "paid": None,
    },
    "payment.overdue": {"status": "overdue", "paid": None},
    "payment.failed": {
        "status": "failed",
        "status_reason": "Insufficient funds",
        "paid": None,
    },
    "payment.cancel": {"status": "canceled", "paid": None},
    "payment.expired": {"status": "expired", "paid": None},
    "payment.refund": {"status": "refunded", "amount_refunded": 5950},
    "payment.updated": {"fee": 250, "net": 5700},
    "refund.requested": {"refund_pending": True},
    "refund.succeeded": {"status": "refunded", "amount_refunded": 5950},
    "dispute.opened": {"status": "disputed"},
    "dispute.closed": {"status": "charged_back"},
    "fulfilment.done": {"fulfilment": {"status": "done"}},
    "fulfilment.revoked": {"fulfilment": {"status": "revoked"}},
}
_UNPAID = frozenset({"created", "pending", "authorized", "overdue"})
_REFUND_STATES = {
    "payment.refund": "succeeded",
    "refund.requested": "submitted",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
}
_ITEM_STATES = {
    "added": "usable",
    "activated": "active",
    "used": "used",
    "renewed": "renewed",
    "revoked": "revoked",
    "expired": "expired",
}
_STANDING_STATES = {
    "subscription.activated": "active",
    "subscription.renewed": "active",
    "subscription.canceled": "canceled",
    "subscription.past_due": "past_due",
    "trial.activated": "trialing",
    "trial.completed": "completed",
    "trial.canceled": "canceled",
}


def sample(name: str, *, project: str = "", provider: str = "stripe") -> dict[str, Any]:
    """An event's payload, as webhooks.models.Event keeps it.

    `name`: one of webhooks.catalogue, endpoint.test too. `project`: its id, for tests
    that are sent to somebody. Raises KeyError for a name that is none.
    """
    kind = KINDS[name]
    project = project or _id("project")
    if kind.subject == "export":
        return {**_about(provider), "object": _export()}
    if kind.subject == "payout":
        return {**_about("stripe"), "object": _payout(name, project)}
    if kind.subject == "subscription":
        maker = "paynow" if kind.group == "trial" else "stripe"
        return {**_about(maker), "object": _standing(name, project, maker)}
    if kind.group in {"delivery_item", "customer"}:
        provider = "paynow"
    object = _purchase(project, provider) | copy.deepcopy(_AFTER.get(name, {}))
    if object["status"] in _UNPAID:
        object["fulfilment"] = {"status": "not_needed"}
    part = _part(name)
    for listed, kind_of in (("refunds", "refund"), ("disputes", "dispute")):
        object[listed] = [part] if part and part["object"] == kind_of else []
    return {**_about(provider), "object": object, "part": part}


def sample_news(
    name: str, *, key: str = "", at: datetime | None = None, **over: Any
) -> News:
    """The sample as a dialect takes it; `over` goes to `sample`."""
    return News(
        key=key or f"msg_sample{uuid5(_ROOM, name).hex[:16]}",
        name=name,
        livemode=False,
        subject_kind=KINDS[name].subject,
        payload=sample(name, **over),
        created=at or datetime.fromtimestamp(PAID, UTC),
    )


# ------------------------------------------------------------------------ the purchase
def _purchase(project: str, provider: str) -> dict[str, Any]:
    return {
        "id": _id("transaction"),
        "object": "transaction",
        "project": project,
        "provider": provider,
        "provider_id": _reference(provider),
        "livemode": False,
        "status": "paid",
        "status_reason": None,
        "refund_pending": False,
        "verified": True,
        "amount": 5950,
        "currency": "eur",
        "amount_refunded": 0,
        "fee": None,
        "net": None,
        "settlement": None,
        "description": "Two games",
        "customer": {
            "id": _id("customer"),
            "name": "Ada Example",
            "email": "ada@example.com",
            "country": "DE",
        },
        "payment_method": {"type": "card", "brand": "visa", "last4": "4242"},
        "items": [
            _item("Snow Defender", "SNOW-DEFENDER-STD", 1, 4950, "steam"),
            _item("Season pass", "SEASON-PASS", 2, 1000, None),
        ],
        "refunds": [],
        "disputes": [],
        "fulfilment": {"status": "waiting"},
        "order_reference": "ORDER-10045",
        "metadata": {"campaign": "autumn"},
        "sequence": 7,
        "created": BEGUN,
        "paid": PAID,
        "updated": PAID,
    }


def _item(
    name: str, sku: str, quantity: int, amount: int, platform: str | None
) -> dict[str, Any]:
    return {
        "product": _id(sku),
        "name": name,
        "sku": sku,
        "quantity": quantity,
        "amount": amount,
        "platform": platform,
    }


def _part(name: str) -> dict[str, Any] | None:
    group, _, what = name.partition(".")
    if name in _REFUND_STATES:
        return {
            "id": _id("refund"),
            "object": "refund",
            "transaction": _id("transaction"),
            "amount": 5950,
            "currency": "eur",
            "status": _REFUND_STATES[name],
            "reason": "requested by customer",
            "provider_id": "re_sample1",
            "created": PAID + 3600,
        }
    if group == "dispute":
        return {
            "id": _id("dispute"),
            "object": "dispute",
            "transaction": _id("transaction"),
            "amount": 5950,
            "currency": "eur",
            "status": "open" if what == "opened" else "lost",
            "reason": "fraudulent",
            "due_by": PAID + 14 * 86400,
            "provider_id": "dp_sample1",
            "created": PAID + 7200,
        }
    if group == "delivery_item":
        return {
            "id": _id("delivery_item"),
            "object": "delivery_item",
            "transaction": _id("transaction"),
            "name": "Season pass",
            "status": _ITEM_STATES[what],
            "reason": "refunded" if what == "revoked" else None,
            "provider_id": "626805597798404117",
            "expires": PAID + 30 * 86400,
            "created": PAID,
        }
    return None


def _about(provider: str) -> dict[str, Any]:
    """What stands beside the object: ids, the brand, and the customer's details."""
    references = {
        "stripe": {
            "session": ["cs_test_sample1"],
            "payment_intent": ["pi_sample1"],
            "charge": ["ch_sample1"],
        },
        "paynow": {"order": ["626805379694596112"], "payment": ["626805379694596113"]},
        "paysuper": {"order": [_id("order")]},
        "paysecure": {"purchase": ["6a1d26a3d373e5fd3c44ae15"]},
    }
    brands = {
        "paynow": "411486491630370816",
        "paysecure": "59c5ed48-caf9-464a-ba54-26e1e02bc1bc",
    }
    return {
        "part": None,
        "references": references.get(provider, {}),
        "connection": _id("connection"),
        "brand": brands.get(provider, ""),
        "details": {
            "customer": {
                "address": {
                    "line1": "Musterstr. 1",
                    "city": "Berlin",
                    "postal_code": "10115",
                    "country": "DE",
                },
                "ip": "203.0.113.10",
                "locale": "de",
                "identities": {
                    "steam": {"id": "76561190000000001", "name": "ada"},
                    "discord": {"id": "123456789012345678", "name": "ada_example"},
                },
            },
            "method": {"expires": "12/2030", "country": "DE", "holder": "Ada Example"},
            "phone": "+4930123456",
        },
    }


# ------------------------------------------------------------------ what stands beside
def _standing(name: str, project: str, provider: str) -> dict[str, Any]:
    trial = name.startswith("trial.")
    status = _STANDING_STATES[name]
    return {
        "id": _id("trial" if trial else "subscription"),
        "object": "subscription",
        "kind": "trial" if trial else "subscription",
        "project": project,
        "provider": provider,
        "provider_id": "626411995922436123" if trial else "sub_sample1",
        "livemode": False,
        "status": status,
        "status_reason": "customer request" if status == "canceled" else None,
        "amount": None if trial else 1900,
        "currency": None if trial else "eur",
        "customer": {"name": "Ada Example", "email": "ada@example.com"},
        "product": "Season pass",
        "interval": "7 days" if trial else "month",
        "period_start": BEGUN,
        "period_end": BEGUN + (7 if trial else 30) * 86400,
        "ends": BEGUN + 86400 if status == "canceled" else None,
        "sequence": 2,
        "created": BEGUN,
        "updated": PAID,
    }


def _payout(name: str, project: str) -> dict[str, Any]:
    status = name.partition(".")[2]
    return {
        "id": _id("payout"),
        "object": "payout",
        "project": project,
        "provider": "stripe",
        "provider_id": "po_sample1",
        "livemode": False,
        "status": status,
        "status_reason": "Account closed" if status == "failed" else None,
        "amount": 123456,
        "currency": "eur",
        "verified": True,
        "method": "bank_account",
        "arrives": BEGUN + 2 * 86400,
        "sequence": 1,
        "created": BEGUN,
        "updated": PAID,
    }


def _reference(provider: str) -> str:
    names = {"stripe": "payment_intent", "paysecure": "purchase"}
    ids = _about(provider)["references"].get(names.get(provider, "order"))
    return str(ids[0]) if ids else ""


def _export() -> dict[str, Any]:
    """As GET /v1/exports/{id} tells it."""
    id = _id("export")
    return {
        "id": id,
        "object": "export",
        "status": "ready",
        "format": "csv",
        "livemode": False,
        "rows_done": 2473,
        "rows_total": 2473,
        "receipt": {"object": "export_receipt", "rows": 2473},
        "url": f"https://merchant.example/v1/exports/{id}/file",
        "created": BEGUN,
        "expires": PAID + 7 * 24 * 3600,
    }


def _id(what: str) -> str:
    return str(uuid5(_ROOM, what))


#: Every event that a page lists, in its order; the test comes last.
NAMES: tuple[str, ...] = (*(name for name in KINDS if name != TEST.name), TEST.name)
