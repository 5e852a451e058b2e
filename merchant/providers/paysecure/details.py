"""The parts of a Paysecure purchase: lines, customer, payment method.

Never read: date of birth, bank details, answers to secret questions.
"""

from __future__ import annotations

from typing import Any

from merchant.money import NotMoney, believable
from merchant.providers import wire
from merchant.providers.base import Said, first, mapping, rows, say, text
from merchant.providers.paysecure.words import CARDS, normal


def attempts(purchase: dict[str, Any]) -> list[dict[str, Any]]:
    """The tries to pay or refund, oldest first."""
    return rows(mapping(purchase.get("transaction_data")).get("attempts"))


def items(purchase: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The lines; they have no ids, so a product is known by its name."""
    bill = mapping(purchase.get("purchase"))
    minor = normal(purchase.get("amountUnit")) == "minor"
    lines = [
        {
            "key": str(position),
            "product": "",
            "name": text(line.get("name"), 300) or "",
            "sku": "",
            "quantity": wire.whole(line.get("quantity")) or 1,
            "amount": _line_amount(line, bill.get("currency"), minor),
            "platform": "",
        }
        for position, line in enumerate(rows(bill.get("products")))
    ]
    return lines or None


def _line_amount(line: dict[str, Any], currency: object, minor: bool) -> int | None:
    """price * quantity - discount in minor units; None when that is not exact."""
    price, quantity = wire.number(line.get("price")), wire.number(line.get("quantity"))
    discount = wire.number(line.get("discount") or 0)
    if price is None or quantity is None or discount is None:
        return None
    amount = price * quantity - discount
    if not minor:
        return wire.part(amount, currency)
    if amount != amount.to_integral_value() or amount < 0:
        return None
    try:
        return believable(int(amount))
    except NotMoney:
        return None


def customer(purchase: dict[str, Any], weight: int) -> dict[str, Said]:
    client = mapping(purchase.get("client"))
    email = text(client.get("email"), 320)
    own = text(client.get("customerId"), 100)
    own = None if own and own.upper() == "NA" else own
    country = wire.country(client.get("country"))
    tried = [attempt.get("client_ip") for attempt in attempts(purchase)]
    address = {
        "line1": text(client.get("street_address"), 200),
        "city": text(client.get("city"), 120),
        "postal_code": text(client.get("zip_code"), 40),
        "state": text(client.get("stateCode"), 80),
        "country": country,
    }
    return say(
        weight,
        customer_key=email.lower() if email else own and f"paysecure:{own}",
        customer_name=text(client.get("full_name"), 200),
        customer_email=email,
        customer_phone=text(client.get("phone"), 60),
        customer_country=country,
        customer_details=wire.filled(
            {
                "address": wire.filled(address),
                "ip": text(first(*reversed(tried)), 60),
                "provider_id": own,
            }
        ),
    )


def method(purchase: dict[str, Any], weight: int) -> dict[str, Said]:
    """How it was paid, by the last attempt to pay.

    Before the customer chooses, paymentMethod lists everything on offer. For cards it
    names the brand.
    """
    tried = [one for one in attempts(purchase) if one.get("type") != "refund"]
    last = tried[-1] if tried else {}
    extra = mapping(last.get("extra"))
    chosen = text(purchase.get("paymentMethod"), 200) or ""
    kind = "" if "," in chosen else chosen[:60].lower()
    is_card = kind.replace(" ", "_") in CARDS
    brand = text(extra.get("card_brand"), 60) or (kind if is_card else None)
    return say(
        weight,
        method="card" if is_card else kind,
        method_brand=brand and brand.lower(),
        method_last4=wire.last4(extra.get("masked_pan")),
        method_details=wire.filled(
            {
                "country": wire.country(
                    extra.get("card_issuer_country"), last.get("country")
                ),
                "holder": text(extra.get("cardholder_name"), 200),
                "statement": text(purchase.get("cc_descriptor"), 60),
            }
        ),
    )
