"""A purchase or payout as the imitated Paysecure shows it, anywhere in its story."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from merchant.sandbox import wire
from merchant.sandbox.story import Purchase, Step

BRAND_ID = "8e0f6f5a-2d9c-4c37-9d0e-6a5b1c7d4f21"

#: What Paysecure passes through before a step's own status, and how long before.
_ON_THE_WAY = {
    "paid": (("pending_execute", 14), ("payment_in_process", 7)),
    "failed": (("pending_execute", 7),),
    "authorized": (("pending_execute", 14), ("payment_in_process", 7)),
}
#: step -> status afterwards; refunds are worked out.
STATUSES = {
    "created": "created",
    "pending": "payment_in_process",
    "authorized": "hold",
    "released": "released",
    "overdue": "overdue",
    "partially_paid": "partial_paid",
    "paid": "paid",
    "failed": "error",
    "canceled": "cancelled",
    "expired": "expired",
    "refund": "refund_in_process",
    "refund_failed": "paid",
    "dispute": "chargeback",
    "dispute_lost": "chargeback",
}
_ERRORS = {
    "insufficient_funds": "Insufficient fund",
    "expired_card": "Expired card",
    "fraudulent": "Suspected fraud",
}
_WALLETS = {"apple_pay": "APPLEPAY", "google_pay": "GOOGLEPAY"}
_PREFIX, _PAYOUT_PREFIX = "6b1f42c0", "6b1f42c1"

#: Seconds from the request of a refund to its end.
REFUND_TAKES = timedelta(seconds=8)

#: (status, when)
History = list[tuple[str, datetime]]


def purchase_id(purchase: Purchase) -> str:
    """24 hex digits, the purchase's number at their end."""
    return f"{_PREFIX}{purchase.number:016x}"


def payout_id(purchase: Purchase) -> str:
    return f"{_PAYOUT_PREFIX}{purchase.number:016x}"


def number_of(id: str) -> int | None:
    """The purchase's number in an id of a purchase or payout."""
    found = re.fullmatch(f"(?:{_PREFIX}|{_PAYOUT_PREFIX})([0-9a-f]{{16}})", id)
    return int(found[1], 16) if found else None


def history(purchase: Purchase, told: list[Step]) -> History:
    """Every status that the purchase had after these steps, oldest first."""
    passed: History = []
    if not told or told[0].kind != "created":
        passed.append(("created", purchase.steps[0].at - timedelta(seconds=30)))
    for step in told:
        if step.kind not in STATUSES or (passed and passed[-1][0] == "chargeback"):
            continue  # a chargeback is told once, when the money goes
        for status, before in _ON_THE_WAY.get(step.kind, ()):
            passed.append((status, step.at - timedelta(seconds=before)))
        passed.append((STATUSES[step.kind], step.at))
        if step.kind == "refund" and not _fails(purchase, step):
            whole = _returned(purchase, told, step) >= purchase.total
            status = "refunded" if whole else "partial_refunded"
            passed.append((status, step.at + REFUND_TAKES))
    return passed


def now(purchase: Purchase, at: datetime) -> dict[str, Any]:
    """The purchase as it stands at this time: refunds asked for take a while."""
    ahead = {
        step.at + REFUND_TAKES
        for step in purchase.told
        if step.kind == "refund" and step.asked and step.at + REFUND_TAKES > at
    }
    passed = [p for p in history(purchase, purchase.told) if p[1] not in ahead]
    return purchase_body(purchase, purchase.told, passed)


def _fails(purchase: Purchase, refund: Step) -> bool:
    """Whether the story has this refund come back."""
    return any(
        step.kind == "refund_failed" and step.number == refund.number
        for step in purchase.steps
    )


def _returned(purchase: Purchase, told: list[Step], until: Step) -> int:
    """Minor units that the refunds up to this one give back."""
    return sum(
        step.amount
        for step in told
        if step.kind == "refund" and step.at <= until.at and not _fails(purchase, step)
    )


def purchase_body(
    purchase: Purchase, told: list[Step], passed: History
) -> dict[str, Any]:
    """The purchase in the last of these statuses, keys as real ones have them."""
    status, updated = passed[-1]
    times = [(word, wire.seconds(when)) for word, when in passed]
    paid = next((when for word, when in times if word == "paid"), 0)
    total = wire.major(purchase.total, purchase.currency)
    left = _left(purchase, told, status)
    return {
        "purchaseId": purchase_id(purchase),
        "client": _client(purchase),
        "updated_on": wire.seconds(updated),
        "type": "purchase",
        "paymentMethod": _method(purchase),
        "amountUnit": "MAJOR",
        "errorMsg": _error(told, status),
        "errorCode": "NA",
        "force_recurring": False,
        "created_on": times[0][1],
        "merchantRef": f"GS-{purchase.number}",
        "merchantName": "harbor_games",
        "purchase": {
            "currency": purchase.currency.upper(),
            "products": _products(purchase),
            "total": total,
            "requestAmount": total,
            "language": "en",
            "notes": "",
            "debt": 0,
            "total_formatted": 1,
            "taxAmount": 0.0,
            "taxPercent": 0.0,
            "request_client_details": [],
            "email_message": "",
        },
        "payment": _payment(purchase, paid),
        "transaction_data": {
            "payment_method": "",
            "flow": "payform",
            "extra": {},
            "country": "",
            "attempts": _attempts(purchase, told, status, times),
        },
        "status": status.upper(),
        "status_history": [{"status": word, "timestamp": when} for word, when in times],
        "is_test": not purchase.livemode,
        "brand_id": BRAND_ID,
        "send_receipt": False,
        "is_recurring_token": False,
        "skip_capture": any(word == "hold" for word, _ in times),
        "reference_generated": f"PS{200_000 + purchase.number}",
        "issued": passed[0][1].date().isoformat(),
        "due": times[0][1],
        "refund_upto": paid + 15_552_000 if paid else 0,
        "fraudScore": "0",
        "trustScore": "3",
        "extraFee": "0",
        "paidOn": 0,
        "receivedAmt": _received(purchase, told),
        "taxAmount": 0.0,
        "surcharge": 0.0,
        "surchargeType": "",
        "sessionId": "",
        "refund_availability": "FULL_ONLY" if status == "paid" else "NONE",
        "refundable_amount": wire.major(left, purchase.currency),
        "success_redirect": "https://shop.example.com/thanks",
        "failure_redirect": "https://shop.example.com/again",
        "pending_redirect": "https://shop.example.com/wait",
        "cancel_redirect": "",
        "success_callback": purchase.callbacks.get("success", ""),
        "failure_callback": purchase.callbacks.get("failure", ""),
        "platform": "API",
        "created_from_ip": "203.0.113.20",
        "checkout_url": "https://pay.example.com/payments/"
        f"{wire.invented('paysecure checkout', purchase.number, length=32)}/",
        "payoutProcess": False,
    }


def _left(purchase: Purchase, told: list[Step], status: str) -> int:
    """Minor units that could still be refunded."""
    if status not in {"paid", "partial_refunded"}:
        return 0
    refunds = [step for step in told if step.kind == "refund"]
    given = _returned(purchase, told, refunds[-1]) if refunds else 0
    return max(0, purchase.total - given)


def _received(purchase: Purchase, told: list[Step]) -> int | float:
    came = sum(step.amount for step in told if step.kind == "partially_paid")
    return wire.major(came, purchase.currency)


def _error(told: list[Step], status: str) -> str:
    if status == "error":
        return _ERRORS.get(told[-1].reason, "Do not honor")
    return "Transaction succeeded-APPROVED" if status == "paid" else ""


def _client(purchase: Purchase) -> dict[str, Any]:
    buyer = purchase.buyer
    return {
        "customerId": "NA",
        "email": buyer.email,
        "phone": buyer.phone,
        "full_name": buyer.name,
        "date_of_birth": "1990-01-01",
        "street_address": "Harbor Street 1",
        "country": buyer.country,
        "city": buyer.city,
        "zip_code": f"{10_000 + purchase.number % 80_000}",
        "cc": [],
        "bcc": [],
        "stateCode": "",
    }


def _method(purchase: Purchase) -> str:
    return _WALLETS.get(purchase.method, purchase.method.upper())


def _products(purchase: Purchase) -> list[dict[str, Any]]:
    return [
        {
            "name": line.article.name,
            "quantity": float(line.quantity),
            "price": wire.major(
                line.article.prices[purchase.currency], purchase.currency
            ),
            "discount": 0,
            "tax_percent": "0.00",
        }
        for line in purchase.lines
    ]


def _payment(purchase: Purchase, paid: int) -> dict[str, Any]:
    total = wire.major(purchase.total, purchase.currency)
    return {
        "is_outgoing": False,
        "payment_type": "PURCHASE",
        "amount": total,
        "currency": purchase.currency.upper(),
        "net_amount": total,
        "fee_amount": 0.0,
        "pending_amount": 0.0,
        "pending_unfreeze_on": None,
        "description": "",
        "paid_on": paid,
        "remote_paid_on": paid,
    }


def _attempts(
    purchase: Purchase, told: list[Step], status: str, times: list[tuple[str, int]]
) -> list[dict[str, Any]]:
    tried = next((when for word, when in times if word == "pending_execute"), 0)
    if not tried:
        return []
    attempt: dict[str, Any] = {
        "client_ip": f"198.51.100.{purchase.number % 254 + 1}",
        "type": "execute",
        "payment_method": _method(purchase),
        "flow": "payform",
        "successful": status != "error",
        "country": purchase.buyer.country,
        "processing_time": tried,
        "extra": _card(purchase),
    }
    if status == "error":
        message = _error(told, status)
        attempt["error"] = {"message": message, "code": "transaction_error"}
    return [attempt]


def _card(purchase: Purchase) -> dict[str, Any]:
    if not purchase.last4:
        return {"amount": wire.major(purchase.total, purchase.currency)}
    brand = "MASTERCARD" if purchase.method == "mastercard" else "VISA"
    return {
        "amount": wire.major(purchase.total, purchase.currency),
        "masked_pan": f"487839XXXXXX{purchase.last4}",
        "card_brand": brand,
        "card_issuer_country": purchase.buyer.country,
        "cardholder_name": purchase.buyer.name,
    }


#: step -> the statuses that a payout passes through with it
PAYOUTS = {
    "payout": ("created", "payout_in_process"),
    "payout_paid": ("paid",),
    "payout_failed": ("error",),
}


def payout_body(purchase: Purchase, told: list[Step], status: str) -> dict[str, Any]:
    """The payout in this status, which it reached with the last of its steps."""
    steps = [step for step in told if step.kind in PAYOUTS]
    begun, last = steps[0], steps[-1]
    made = wire.seconds(begun.at) - 60
    updated = made if status == "created" else wire.seconds(last.at)
    return {
        "payoutId": payout_id(purchase),
        "type": "Payout",
        "status": status.upper(),
        "payoutMethod": "PAYOUT-BANK-TRANSFER",
        "amount": wire.major(begun.amount, purchase.currency),
        "amountUnit": "MAJOR",
        "currency": purchase.currency.upper(),
        "client": {
            "customerId": "NA",
            "email": "treasury@example.com",
            "full_name": "Harbor Games",
            "country": "DE",
        },
        "merchantRef": f"GS-PAYOUT-{purchase.number}",
        "purpose": "Settlement",
        "payOutDetails": {"name": "BANK TRANSFER"},
        "errorMsg": last.reason.replace("_", " ").capitalize(),
        "pendingReview": "No",
        "transFees": "0.3",
        "fx_Currency": "",
        "fx_Amount": "",
        "created_on": made,
        "updated_on": updated,
        "paymentOn": updated if status == "paid" else 0,
        "status_history": [{"status": "created", "timestamp": made}],
        "success_callback": "",
        "failure_callback": "",
    }
