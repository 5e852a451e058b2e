"""PaySuper's words: its envelope with an order, and `Authorization: Signature`.

https://docs.pay.super.com/api/#webhooks. It tells of paid, of not paid, of whole
refunds and of lost disputes; nothing else of ours has a name there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from merchant.providers import paysuper
from merchant.providers.base import Keys
from merchant.providers.paysuper.words import DECLINES
from webhooks.catalogue import KINDS, TEST
from webhooks.dialects import wire
from webhooks.dialects.base import News, SigningKeys
from webhooks.dialects.purchase import Line, Purchase, whole

#: How PaySuper's services write a time that is not set.
UNSET = "0001-01-01T00:00:00Z"
#: What its tester sends as a payment that is to be taken.
CORRECT_PAYMENT = "correct_payment"

#: Event of ours -> the order's status.
_STATUSES = {
    "payment.success": "processed",
    "payment.failed": "rejected",
    "payment.cancel": "canceled",
    "payment.expired": "canceled",
    "payment.released": "canceled",
    "payment.refund": "refunded",
    "dispute.closed": "chargeback",
}
_METHODS = {"card": "BANKCARD"}
#: A line of so many pieces stands there piece by piece; PaySuper knows no quantities.
MOST_PIECES = 100
#: Where the customer came from, which nobody has told us.
_ISSUER = {
    "url": "",
    "embedded": False,
    "reference": "",
    "reference_type": "",
    "utm_source": "",
    "utm_medium": "",
    "utm_campaign": "",
    "referrer_host": "",
}
_CODE = re.compile(r"(?P<words>.*?)\s*\((?P<code>[0-9]{2})\)")


def word(news: News) -> str:
    """PaySuper's event; "" for what it does not tell."""
    story = Purchase(news.payload, news.name)
    if news.name == "payment.refund" and not story.is_refunded_whole:
        return ""
    if news.name == "dispute.closed" and story.part.get("status") != "lost":
        return ""
    return KINDS[news.name].paysuper


def body(news: News) -> bytes | None:
    """The envelope; only `delivery_try` changes between tries."""
    told = word(news)
    if not told:
        return None
    return envelope(news, told, order(news))


def envelope(news: News, event: str, object: dict[str, Any]) -> bytes:
    """The bytes of an envelope, as Go's encoder escapes them."""
    return wire.compact(
        {
            "id": news.key,
            "type": "notification",
            "event": event,
            "live": news.livemode,
            "created_at": wire.iso_of(news.created),
            "expires_at": wire.iso_of(news.expires) if news.expires else None,
            "delivery_try": news.attempt,
            "object": object,
        },
        escaped=True,
    )


def sign(news: News, body: bytes, keys: SigningKeys, at: datetime) -> dict[str, str]:
    """The header has room for one signature: live secrets take turns, try by try."""
    turn = keys.turn(news.attempt)
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        **paysuper.sign(body, Keys(secrets=turn.secrets), at),
    }


# ------------------------------------------------------------------------------ order
def order(news: News) -> dict[str, Any]:
    """The order, keys in the order in which PaySuper sends them."""
    story = Purchase(news.payload, news.name)
    currency, amount = story.currency.upper(), wire.major(story.amount, story.currency)
    status = _STATUSES.get(news.name, "")
    ended = story.time("updated")
    back = status in {"refunded", "chargeback"}
    platform = next((line.platform for line in story.lines if line.platform), "")
    found = {
        "id": story.own_id("paysuper", "order") or story.id,
        "transaction": "" if story.came_from("paysuper") else _their_id(story),
        "object": "order" if status else "",
        "status": status,
        "description": story.text("description"),
        "canceled": False,  # PaySuper says so of canceled orders, too
        "cancellation": _cancellation(story) if _is_over(status) else None,
        "refunded": back,
        "receipt_email": _text(story.customer.get("email")),
        "receipt_phone": story.phone,
        "receipt_number": _text(story.method_details.get("receipt_number")),
        "receipt_url": "",
        "agreement_version": "",
        "agreement_accepted": False,
        "notify_sale": False,
        "notify_sale_email": "",
        "issuer": _ISSUER,
        "amount": amount,
        "currency": currency,
        "user": _user(story),
        "billing_address": {"country": story.country} if story.country else None,
        "tax": {"type": "", "rate": None, "amount": None, "currency": currency},
        "method": _method(story),
        "items": _items(story) or None,
        "refund": _refund(story) if back else None,
        "metadata": _metadata(story),
        "original_amount": amount,
        "country": story.country,
        "type": _type(story, platform),
        "platform_id": platform,
        "receipt_id": "",
        "virtual_currency_amount": 0,
        "is_buy_for_virtual_currency": False,
        "charge_currency": currency,
        "charge_amount": amount,
        "vat_payer": "",
        "is_production": news.livemode,
        "testing_case": CORRECT_PAYMENT if news.name == TEST.name else "",
        "form_mode": "",
        "merchant_info": None,
        **_settled(story),
        "recurring": False,
        "recurring_id": "",
        "recurring_subscription_id": "",
        "recurring_plan_id": "",
        "created_at": wire.iso(story.time("created")) or UNSET,
        "canceled_at": _or_unset(ended if status == "canceled" else None),
        "refunded_at": _or_unset(ended if back else None),
    }
    return {**found, "verified": False} if story.is_unverified else found


def _is_over(status: str) -> bool:
    return status in {"canceled", "rejected"}


def _their_id(story: Purchase) -> str:
    """What the payment is called where it was made."""
    return story.text("provider_id")


def _cancellation(story: Purchase) -> dict[str, str]:
    """Code and reason; PaySuper's own are taken apart again."""
    found = _CODE.fullmatch(story.reason)
    if found and found["code"] in DECLINES:
        return {"code": found["code"], "reason": found["words"]}
    return {"code": "", "reason": story.reason}


def _user(story: Purchase) -> dict[str, Any]:
    address, person = story.address, story.person
    name, email = story.customer.get("name"), story.customer.get("email")
    own = person.get("provider_id") if story.came_from("paysuper") else None
    places = ("country", "city", "postal_code", "state")
    return {
        "external_id": _text(person.get("external_id")),
        "name": _text(name),
        "email": _text(email),
        "email_verified": False,
        "phone": story.phone,
        "phone_verified": False,
        "ip": _text(person.get("ip")),
        "locale": _text(person.get("locale")),
        "address": {place: address[place] for place in places if address.get(place)},
        "metadata": None,
        "id": _text(own or story.customer.get("id")),
    }


def _method(story: Purchase) -> dict[str, Any] | None:
    kind = _text(story.method.get("type"))
    if not kind:
        return None
    told = story.method_details
    external = _METHODS.get(kind, kind.upper())
    is_card = external == "BANKCARD"
    brand = _text(story.method.get("brand")).upper()
    return {
        "title": _text(told.get("title")) or ("Bank card" if is_card else kind),
        "external_id": external,
        "payment_system_id": "",
        "type": external,
        "saved": False,
        "card": _card(story, brand) if is_card else None,
        "wallet": {"brand": brand, "account": ""} if brand and not is_card else None,
        "crypto_currency": None,
        "handler": "",
        "refund_allowed": not story.is_refunded_whole,
        "recurring_allowed": False,
    }


def _card(story: Purchase, brand: str) -> dict[str, Any]:
    month, year = story.expires
    last4 = _text(story.method.get("last4"))
    secure = story.method_details.get("three_d_secure")
    return {
        "first6": "",
        "last4": last4,
        "masked": f"......{last4}" if last4 else "",
        "expiry_month": month,
        "expiry_year": year,
        "brand": brand,
        "fingerprint": "",
        "secure3d": secure in {"yes", "authenticated"} if secure else None,
    }


def _items(story: Purchase) -> list[dict[str, Any]]:
    pieces = [piece for line in story.lines for piece in _pieces(line)]
    if len(pieces) > MOST_PIECES:
        pieces = [(line, line.amount) for line in story.lines]
    when = wire.iso(story.time("created")) or UNSET
    return [
        {
            "id": line.product,
            "object": "key_product" if line.platform else "product",
            "sku": line.sku,
            "name": line.name,
            "description": "",
            "amount": wire.major(amount, story.currency),
            "currency": story.currency.upper(),
            "images": [],
            "url": "",
            "metadata": None,
            "platform_id": line.platform,
            # A key is never sent: whoever may hand it out fetches it.
            "code": "",
            "created_at": when,
            "updated_at": when,
        }
        for line, amount in pieces
    ]


def _pieces(line: Line) -> Iterator[tuple[Line, int | None]]:
    """The line piece by piece; what does not divide goes to the first ones."""
    count = min(line.quantity, MOST_PIECES + 1)
    each, rest = divmod(line.amount or 0, count)
    for number in range(count):
        amount = None if line.amount is None else each + (number < rest)
        yield line, amount


def _type(story: Purchase, platform: str) -> str:
    if platform:
        return "key"
    return "product" if story.lines else "simple"


def _refund(story: Purchase) -> dict[str, Any]:
    """What went back; refunds are whole here, so it is the whole price."""
    return {
        "amount": wire.major(story.amount, story.currency),
        "currency": story.currency.upper(),
        "reason": _text(story.part.get("reason")),
        "code": "",
        "receipt_number": story.part_id("paysuper"),
        "receipt_url": "",
    }


def _metadata(story: Purchase) -> dict[str, str] | None:
    """The shop's own, with its order number where PaySuper's handlers look for it."""
    found, number = story.metadata, story.text("order_reference")
    if number and not {"invoiceId", "order_identifier"} & found.keys():
        found = {**found, "invoiceId": number}
    return found or None


def _settled(story: Purchase) -> dict[str, Any]:
    settled = wire.mapping(story.object.get("settlement"))
    currency = settled.get("currency")
    if not isinstance(currency, str):
        return {"net_revenue": None, "fee": None}
    return {
        name: {
            "currency": currency.upper(),
            "amount": wire.major(whole(settled.get(ours)), currency),
        }
        for name, ours in (("net_revenue", "net"), ("fee", "fee"))
    }


def _or_unset(seconds: int | None) -> str:
    return wire.iso(seconds) or UNSET


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
