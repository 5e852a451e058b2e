"""An order as the imitated PaySuper shows it, at any point of its story."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from merchant.sandbox import wire
from merchant.sandbox.story import Purchase, Step

#: The project that all orders of the sandbox belong to.
PROJECT_ID = "5fb1c0de9d8a7e0001f0a4d2"

_UNSET = "0001-01-01T00:00:00Z"
#: An order is made when the form opens, a little before anything happens to it.
_BEFORE = timedelta(seconds=75)

#: step -> status of the order afterwards.
STATUSES = {
    "paid": "processed",
    "failed": "rejected",
    "canceled": "canceled",
    "refund": "refunded",
    "dispute": "chargeback",
    "dispute_lost": "chargeback",
}
#: The reasons that the shop's story knows, in PaySuper's codes.
_DECLINES = {
    "insufficient_funds": ("13", "Insufficient funds"),
    "expired_card": ("15", "Incorrect card data"),
    "fraudulent": ("16", "Declined by bank's antifraud"),
}
_DECLINED = ("11", "Common decline by bank")
_RETURNS = {
    "fraudulent": "Card data was stolen",
    "product_not_received": "Purchase not provided",
}
_WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay", "paypal": "PayPal"}


def order_id(purchase: Purchase) -> str:
    """A uuid with the purchase's number at its end."""
    name = wire.invented("paysuper order", purchase.number)
    parts = name[:8], name[8:12], f"4{name[12:15]}", f"8{name[15:18]}"
    return f"{'-'.join(parts)}-{purchase.number:012x}"


def number_of(order: str) -> int | None:
    """The purchase's number in an order's id."""
    found = re.fullmatch(r"[0-9a-f-]{24}([0-9a-f]{12})", order)
    return int(found[1], 16) if found else None


def made(purchase: Purchase) -> datetime:
    """When the order was made."""
    return purchase.steps[0].at - _BEFORE


def order(purchase: Purchase, told: list[Step]) -> dict[str, Any]:
    """The order after these steps, keys as real ones have them."""
    known = [step for step in told if step.kind in STATUSES]
    last = known[-1] if known else None
    status = STATUSES[last.kind] if last else "created"
    back = next((step for step in known if status_is_back(step)), None)
    amount = wire.major(purchase.total, purchase.currency)
    currency = purchase.currency.upper()
    receipt = wire.invented("paysuper receipt", purchase.number, length=32)
    return {
        "id": order_id(purchase),
        "transaction": str(2_900_000 + purchase.number) if last else "",
        "object": "order",
        "status": status,
        "description": f"Payment by order # {_hex('order', purchase)}",
        "canceled": False,
        "cancellation": _cancellation(last),
        "refunded": back is not None,
        "receipt_email": purchase.buyer.email,
        "receipt_phone": "",
        "receipt_number": "",
        "receipt_url": f"https://checkout.example.com/pay/receipt/purchase/{receipt}"
        if last and status not in {"rejected", "canceled"}
        else "",
        "agreement_version": "",
        "agreement_accepted": False,
        "notify_sale": False,
        "notify_sale_email": "",
        "issuer": _issuer(),
        "amount": amount,
        "currency": currency,
        "user": _user(purchase),
        "billing_address": {"country": purchase.buyer.country},
        "tax": {"type": "vat", "rate": 0, "amount": 0, "currency": currency},
        "method": _method(purchase) if last else None,
        "items": _items(purchase),
        "refund": _refund(purchase, back),
        "metadata": {"invoiceId": f"GS-{purchase.number}"},
        "original_amount": amount,
        "country": purchase.buyer.country,
        "type": "key" if _platform(purchase) else "product",
        "platform_id": _platform(purchase),
        "receipt_id": receipt,
        "virtual_currency_amount": 0,
        "is_buy_for_virtual_currency": False,
        "charge_currency": currency,
        "charge_amount": amount,
        "vat_payer": "nobody",
        "is_production": purchase.livemode,
        "testing_case": "",
        "form_mode": "embed",
        "merchant_info": {"company_name": "Harbor Games", "agreement_number": ""},
        "net_revenue": None,
        "fee": None,
        "recurring": False,
        "recurring_id": "",
        "recurring_subscription_id": "",
        "recurring_plan_id": "",
        "created_at": wire.iso(made(purchase)),
        "canceled_at": wire.iso(last.at)
        if last and last.kind == "canceled"
        else _UNSET,
        "refunded_at": wire.iso(back.at) if back else _UNSET,
    }


def status_is_back(step: Step) -> bool:
    """Whether the step takes the money back."""
    return STATUSES.get(step.kind) in {"refunded", "chargeback"}


def _hex(what: str, purchase: Purchase) -> str:
    """24 hex digits, as PaySuper's own ids have."""
    return wire.invented("paysuper", what, purchase.number)


def refund_id(purchase: Purchase) -> str:
    return _hex("refund", purchase)


def _cancellation(last: Step | None) -> dict[str, str] | None:
    if last is None or last.kind not in {"failed", "canceled"}:
        return None
    code, reason = _DECLINES.get(last.reason, _DECLINED)
    if last.kind == "canceled":
        code, reason = "02", "Cancelled by customer"
    return {"code": code, "reason": reason}


def _issuer() -> dict[str, Any]:
    return {
        "url": "https://shop.example.com/buy?from=store&lang=en",
        "embedded": True,
        "reference": "",
        "reference_type": "",
        "utm_source": "",
        "utm_medium": "",
        "utm_campaign": "",
        "referrer_host": "shop.example.com",
    }


def _user(purchase: Purchase) -> dict[str, Any]:
    buyer = purchase.buyer
    return {
        "external_id": buyer.key,
        "name": buyer.name,
        "email": buyer.email,
        "email_verified": True,
        "phone": buyer.phone,
        "phone_verified": False,
        "ip": f"198.51.100.{purchase.number % 254 + 1}",
        "locale": "en-US",
        "address": {"country": buyer.country, "city": buyer.city},
        "metadata": {"steam_id": buyer.steam_id},
        "id": wire.invented("paysuper user", buyer.key),
    }


def _method(purchase: Purchase) -> dict[str, Any]:
    wallet = _WALLETS.get(purchase.method)
    card = {
        "first6": "400000",
        "last4": purchase.last4,
        "masked": f"400000...{purchase.last4}",
        "expiry_month": "12",
        "expiry_year": "2031",
        "brand": "VISA" if wallet else purchase.method.upper(),
        "fingerprint": "",
        "secure3d": purchase.number % 3 > 0,
    }
    by_card = wallet is None and purchase.method != "sepa_debit"
    kind = "BANKCARD" if by_card else purchase.method.upper()
    return {
        "title": "Bank card" if by_card else wallet or "SEPA Direct Debit",
        "external_id": kind,
        "payment_system_id": "5fb1c0de9d8a7e0001f0a4e0",
        "type": kind,
        "saved": False,
        "card": card if by_card else None,
        "wallet": {"brand": wallet, "account": ""} if wallet else None,
        "crypto_currency": None,
        "handler": "cardpay",
        "refund_allowed": True,
        "recurring_allowed": False,
    }


def _items(purchase: Purchase) -> list[dict[str, Any]]:
    """A line for every single thing: an order's items have no quantity."""
    made_at = "2026-01-05T10:00:00Z"
    return [
        {
            "id": wire.invented("paysuper item", line.article.key),
            "object": "key_product" if line.article.platform else "product",
            "sku": line.article.sku,
            "name": line.article.name,
            "description": "",
            "amount": wire.major(
                line.article.prices[purchase.currency], purchase.currency
            ),
            "currency": purchase.currency.upper(),
            "images": [],
            "url": "",
            "metadata": None,
            "platform_id": line.article.platform,
            "code": "",
            "created_at": made_at,
            "updated_at": made_at,
        }
        for line in purchase.lines
        for _ in range(line.quantity)
    ]


def _platform(purchase: Purchase) -> str:
    return purchase.lines[0].article.platform


def _refund(purchase: Purchase, back: Step | None) -> dict[str, Any] | None:
    """PaySuper knows whole refunds only, and calls a chargeback one, too."""
    if back is None:
        return None
    return {
        "amount": wire.major(purchase.total, purchase.currency),
        "currency": purchase.currency.upper(),
        "reason": _RETURNS.get(back.reason, "Customer's request"),
        "code": "",
        "receipt_number": refund_id(purchase),
        "receipt_url": "",
    }
