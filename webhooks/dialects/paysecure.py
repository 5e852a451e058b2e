"""Paysecure's words: a purchase or payout, signed with the project's own RSA key.

https://developers.paysecure.net (webhooks). The signature covers id, status and brand
alone, in two headers that differ in one sign, because receivers look for either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from merchant.providers.paysecure.words import CARDS
from webhooks.catalogue import KINDS, TEST
from webhooks.dialects import rsa, wire
from webhooks.dialects.base import News, SigningKeys
from webhooks.dialects.purchase import Line, Purchase, whole

#: Our status of a purchase -> Paysecure's, for the status check.
_STATUSES = {
    "created": "CREATED",
    "pending": "PAYMENT_IN_PROCESS",
    "authorized": "HOLD",
    "overdue": "OVERDUE",
    "partially_paid": "PARTIAL_PAID",
    "paid": "PAID",
    "partially_refunded": "PARTIAL_REFUNDED",
    "refunded": "REFUNDED",
    "disputed": "PAID",  # it has no word for a dispute that is not lost
    "charged_back": "CHARGEBACK",
    "failed": "ERROR",
    "canceled": "CANCELLED",
    "expired": "EXPIRED",
}
_UNDER_WAY = "REFUND_IN_PROCESS"
_RELEASED = "RELEASED"
#: Money has come; a refund of it can be under way.
_CAME = frozenset({"PAID", "PARTIAL_REFUNDED"})
_PAID = _CAME | {"REFUNDED", "CHARGEBACK", _UNDER_WAY}
_NOTHING = "NA"


def word(news: News) -> str:
    """The status that is told; "" for what Paysecure has no status for."""
    story = Purchase(news.payload, news.name)
    if news.name == "payment.refund":
        return "REFUNDED" if story.is_refunded_whole else "PARTIAL_REFUNDED"
    if news.name == "dispute.closed" and story.part.get("status") != "lost":
        return ""
    return KINDS[news.name].paysecure


def body(news: News) -> bytes | None:
    """The purchase twice: in a wrapper, as live deliveries have it, and bare, as the
    reference page reads. Both spell the status alike, since it is what is signed."""
    status = word(news)
    if not status:
        return None
    if news.subject_kind == "payout":
        told = payout(news.object, news.payload, status)
        return wire.compact({**told, "payload": told})
    told = purchase(news.object, news.payload, status)
    if news.name == TEST.name:
        told["is_test"] = True
    return wire.compact({**told, "message": told})


def sign(news: News, body: bytes, keys: SigningKeys, at: datetime) -> dict[str, str]:
    """Both spellings of the header, one value. Live keys take turns, try by try."""
    turn = keys.turn(news.attempt)
    value = rsa.sign(turn.private_key, signed_text(json.loads(body)))
    return {
        "Content-Type": "application/json",
        "paysecure_sign": value,
        "paysecure-sign": value,
    }


def signed_text(told: Mapping[str, Any]) -> bytes:
    """What is signed of a purchase or payout: id and status, a purchase's brand too."""
    if "payoutId" in told:
        return f"{told['payoutId']}|{told['status']}".encode()
    return f"{told['purchaseId']}|{told['status']}|{told['brandId']}".encode()


# --------------------------------------------------------------------------- purchase
def purchase(
    object: Mapping[str, Any], payload: Mapping[str, Any], status: str = ""
) -> dict[str, Any]:
    """A purchase as the webhook and the status check tell it.

    `object`: the API's transaction; `payload`: an event's payload about it, for what
    the API does not show. `status`: Paysecure's word, from the object when "".
    """
    story = Purchase.of(object, payload)
    status = status or standing(story)
    id = story.own_id("paysecure", "purchase") or story.id
    brand = story.account("paysecure") or story.text("project")
    updated, created = story.time("updated"), story.time("created")
    kind = _payment_method(story)
    found = {
        "purchaseId": id,
        "client": _client(story),
        "updated_on": updated,
        "type": "purchase",
        "paymentMethod": kind,
        "amountUnit": "MAJOR",
        "errorMsg": story.reason if status == "ERROR" else "",
        "errorCode": _NOTHING,
        "created_on": created,
        "merchantRef": story.text("order_reference") or id,
        "merchantName": "",
        "purchase": _bill(story),
        "payment": _payment(story) if status in _PAID else None,
        "issuer_details": None,
        "transaction_data": {
            "payment_method": kind,
            "flow": "",
            "extra": {},
            "country": _text(story.method_details.get("country")),
            "attempts": _attempts(story, kind, status),
        },
        "status": status,
        "status_history": _history(story, status),
        "is_test": not story.livemode,
        "brand_id": brand,
        "brandId": brand,
        "send_receipt": False,
        "is_recurring_token": False,
        "skip_capture": status in {"HOLD", _RELEASED},
        "reference_generated": "",
        "issued": _day(created),
        "due": created,
        "refund_upto": 0,
        "cc_descriptor": _text(story.method_details.get("statement")),
        "fraudScore": "",
        "trustScore": "",
        "extraFee": "0",
        "paidOn": story.time("paid") or 0,
        "receivedAmt": 0,
        "taxAmount": 0,
        "surcharge": 0,
        "surchargeType": "",
        "sessionId": "",
        "refund_availability": "FULL_ONLY"
        if _left(story) and status in _CAME
        else "NONE",
        "refundable_amount": wire.major(_left(story), story.currency)
        if status in _PAID
        else 0,
        "success_redirect": "",
        "failure_redirect": "",
        "pending_redirect": "",
        "cancel_redirect": "",
        "success_callback": "",
        "failure_callback": "",
        "platform": "",
        "created_from_ip": _text(story.person.get("ip")),
        "checkout_url": "",
        "payoutProcess": False,
    }
    return {**found, "verified": False} if story.is_unverified else found


def standing(story: Purchase) -> str:
    """Paysecure's status of a purchase as it stands."""
    status = _STATUSES.get(story.status, "CREATED")
    if status in _CAME and story.refund_is_under_way:
        return _UNDER_WAY
    if status == "CANCELLED" and story.reason == "hold released":
        return _RELEASED
    return status


def _client(story: Purchase) -> dict[str, Any]:
    where = story.address
    own = story.person.get("provider_id") if story.came_from("paysecure") else None
    return {
        "customerId": _text(own) or _NOTHING,
        "email": _text(story.customer.get("email")),
        "phone": story.phone,
        "full_name": _text(story.customer.get("name")),
        "date_of_birth": None,
        "street_address": _text(where.get("line1")),
        "country": story.country,
        "city": _text(where.get("city")),
        "zip_code": _text(where.get("postal_code")),
        "stateCode": _text(where.get("state")),
        "cc": [],
        "bcc": [],
    }


def _bill(story: Purchase) -> dict[str, Any]:
    total = wire.major(story.amount, story.currency)
    return {
        "currency": story.currency.upper(),
        "products": [_product(line, story.currency) for line in story.lines],
        "total": total,
        "requestAmount": total,
        "language": _text(story.person.get("locale")),
        "notes": story.text("description"),
        "debt": 0,
        "taxAmount": 0,
        "taxPercent": 0,
    }


def _product(line: Line, currency: str) -> dict[str, Any]:
    each, discount = wire.unit_price(line.amount, line.quantity)
    return {
        "name": line.name,
        "quantity": line.quantity,
        "price": wire.major(each, currency),
        "discount": wire.major(discount, currency),
        "tax_percent": "0.00",
    }


def _payment(story: Purchase) -> dict[str, Any]:
    """What came, and what is left of it: of another currency than the price's, too."""
    settled = wire.mapping(story.object.get("settlement"))
    currency = settled.get("currency")
    if not isinstance(currency, str):
        currency, settled = story.currency, story.object
    figures = {name: whole(settled.get(name)) for name in ("amount", "net", "fee")}
    return {
        "is_outgoing": False,
        "payment_type": "PURCHASE",
        "amount": wire.major(figures["amount"], currency),
        "currency": currency.upper(),
        "net_amount": wire.major(figures["net"], currency),
        "fee_amount": wire.major(figures["fee"], currency),
        "pending_amount": 0,
        "pending_unfreeze_on": None,
        "description": story.text("description"),
        "paid_on": story.time("paid") or 0,
        "remote_paid_on": story.time("paid") or 0,
    }


def _attempts(story: Purchase, kind: str, status: str) -> list[dict[str, Any]]:
    """The one try that is known of, where there was one."""
    if not kind:
        return []
    last4 = _text(story.method.get("last4"))
    return [
        {
            "client_ip": _text(story.person.get("ip")),
            "type": "execute",
            "payment_method": kind,
            "flow": "",
            "successful": status in _PAID or status == "HOLD",
            "country": _text(story.method_details.get("country")),
            "processing_time": story.time("paid") or story.time("updated"),
            "extra": {
                "amount": wire.major(story.amount, story.currency),
                "masked_pan": f"XXXXXXXXXXXX{last4}" if last4 else "",
                "card_brand": _text(story.method.get("brand")).upper(),
                "card_issuer_country": _text(story.method_details.get("country")),
                "cardholder_name": _text(story.method_details.get("holder")),
            },
        }
    ]


def _payment_method(story: Purchase) -> str:
    """The brand for cards, as Paysecure names them."""
    kind = _text(story.method.get("type"))
    brand = _text(story.method.get("brand"))
    return (brand if kind == "card" and brand.lower() in CARDS else kind).upper()


def _history(story: Purchase, status: str) -> list[dict[str, Any]]:
    """What is known of the way here, oldest first, in the lower case that it has."""
    passed = [("CREATED", story.time("created"))]
    if status in _PAID and story.time("paid") is not None:
        passed.append(("PAID", story.time("paid")))
    if passed[-1][0] != status:
        passed.append((status, story.time("updated")))
    return [{"status": told.lower(), "timestamp": when} for told, when in passed]


def _left(story: Purchase) -> int:
    """What can still be given back, minor units."""
    if story.status == "charged_back":
        return 0
    return max(0, (story.amount or 0) - story.refunded)


def _day(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


# ----------------------------------------------------------------------------- payout
def payout(
    object: Mapping[str, Any], payload: Mapping[str, Any], status: str
) -> dict[str, Any]:
    """A payout; `status` is Paysecure's word."""
    story = Purchase.of(object, payload)
    told = wire.mapping(payload.get("details"))
    own = story.text("provider_id") if story.came_from("paysecure") else ""
    id = own or story.id
    return {
        "payoutId": id,
        "type": "Payout",
        "status": status,
        "payoutMethod": story.text("method").upper(),
        "amount": wire.major(story.amount, story.currency),
        "amountUnit": "MAJOR",
        "currency": story.currency.upper(),
        "client": {
            "customerId": _NOTHING,
            "email": "",
            "phone": "",
            "full_name": _text(told.get("payee")),
            "country": "",
        },
        "merchantRef": _text(told.get("reference")) or id,
        "purpose": _text(told.get("purpose")),
        "payOutDetails": None,
        "errorMsg": story.reason if status == "ERROR" else "",
        "pendingReview": "No",
        "transFees": "",
        "fx_Currency": "",
        "fx_Amount": "",
        "created_on": story.time("created"),
        "updated_on": story.time("updated"),
        "paymentOn": story.time("arrives") or 0,
        "status_history": _history(story, status),
        "success_callback": "",
        "failure_callback": "",
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
