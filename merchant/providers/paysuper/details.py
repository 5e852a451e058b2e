"""The parts of a PaySuper order: lines, customer, payment method, fees, times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from merchant.providers import wire
from merchant.providers.base import Said, first, mapping, moment, rows, say, text
from merchant.providers.paysuper.words import METHODS


def settlement(order: dict[str, Any]) -> dict[str, Any] | None:
    """What PaySuper keeps and pays out, in the payout currency; often not known yet."""
    revenue, fee = mapping(order.get("net_revenue")), mapping(order.get("fee"))
    currency = revenue.get("currency")
    if not currency or fee.get("currency") != currency:
        return None
    net = wire.part(revenue.get("amount"), currency)
    taken = wire.part(fee.get("amount"), currency)
    if net is None or taken is None:
        return None
    return {
        "currency": str(currency).strip().lower(),
        "amount": None,
        "fee": taken,
        "net": net,
        "exchange_rate": None,
    }


def items(order: dict[str, Any], currency: str | None) -> list[dict[str, Any]] | None:
    """The lines, never with `code`: that is the customer's activation key."""
    lines = [
        {
            "key": text(item.get("id"), 100) or str(position),
            "product": text(item.get("id"), 200) or "",
            "name": text(item.get("name"), 300) or "",
            "sku": text(item.get("sku"), 120) or "",
            "quantity": 1,
            "amount": _line_amount(item, currency),
            "platform": text(item.get("platform_id") or order.get("platform_id"), 40)
            or "",
        }
        for position, item in enumerate(rows(order.get("items")))
    ]
    return lines or _units(order, currency)


def _line_amount(item: dict[str, Any], currency: str | None) -> int | None:
    same = str(item.get("currency") or currency).lower() == currency
    return wire.part(item.get("amount"), currency) if same else None


def _units(order: dict[str, Any], currency: str | None) -> list[dict[str, Any]] | None:
    """Virtual currency has no lines of its own: one stands for the units bought."""
    units = wire.number(order.get("virtual_currency_amount"))
    if order.get("type") != "virtual_currency" or units is None or units <= 0:
        return None
    return [
        {
            "key": "units",
            "product": "",
            "name": f"{units.normalize():f} units",
            "sku": "",
            "quantity": 1,
            "amount": wire.part(order.get("original_amount"), currency),
            "platform": "",
        }
    ]


def customer(order: dict[str, Any]) -> dict[str, Said]:
    user = mapping(order.get("user"))
    lives, billed = mapping(user.get("address")), mapping(order.get("billing_address"))
    email = text(first(user.get("email"), order.get("receipt_email")), 320)
    external = text(user.get("external_id"), 300)
    country = wire.country(
        order.get("country"), billed.get("country"), lives.get("country")
    )
    key = f"paysuper:{external}" if external else email and email.lower()
    place = billed if len(billed) > 1 else lives
    return say(
        customer_key=key,
        customer_name=text(user.get("name"), 200),
        customer_email=email,
        customer_phone=text(first(user.get("phone"), order.get("receipt_phone")), 60),
        customer_country=country,
        customer_details=wire.filled(
            {
                "address": wire.filled(
                    {
                        "city": text(place.get("city"), 120),
                        "postal_code": text(place.get("postal_code"), 40),
                        "state": text(place.get("state"), 80),
                        "country": wire.country(place.get("country")),
                    }
                ),
                "ip": text(user.get("ip"), 60),
                "locale": text(user.get("locale"), 20),
                "external_id": external,
                "provider_id": text(user.get("id"), 100),
            }
        ),
    )


def method(order: dict[str, Any]) -> dict[str, Said]:
    """How it was paid. 2019's `params`, which hold a gateway's secrets, stay unread."""
    method = mapping(order.get("method"))
    card, wallet = mapping(method.get("card")), mapping(method.get("wallet"))
    coin = mapping(method.get("crypto_currency"))
    kind = (
        text(first(method.get("type"), method.get("external_id")), 60) or ""
    ).lower()
    brand = text(first(card.get("brand"), wallet.get("brand"), coin.get("brand")), 60)
    secure = card.get("secure3d")
    return say(
        method=METHODS.get(kind, kind),
        method_brand=brand and brand.lower(),
        method_last4=wire.last4(first(card.get("last4"), card.get("masked"))),
        method_details=wire.filled(
            {
                "expires": _expiry(card),
                "three_d_secure": ("yes" if secure else "no")
                if isinstance(secure, bool)
                else None,
                "wallet": text(wallet.get("brand"), 60),
                "network": text(coin.get("brand"), 60),
                "title": text(method.get("title"), 100),
                "receipt_number": text(order.get("receipt_number"), 60),
            }
        ),
    )


def _expiry(card: dict[str, Any]) -> str | None:
    month, year = text(card.get("expiry_month"), 2), text(card.get("expiry_year"), 4)
    return f"{month}/{year}" if month and year else None


def time(value: object) -> datetime | None:
    """A time in any of PaySuper's forms; None for all of its ways to say "unset".

    Unset is "", null, the year 1, the year 1970, or 2019's {"seconds", "nanos"} of
    the year 1.
    """
    if not isinstance(value, dict):
        return moment(value) if isinstance(value, str) else None
    when, nanos = moment(value.get("seconds")), value.get("nanos")
    if when is None or not isinstance(nanos, int) or not 0 <= nanos < 10**9:
        return when
    return when.replace(microsecond=nanos // 1000)
