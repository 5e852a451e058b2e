"""Who bought, where it goes, and how it was paid, as several objects tell it."""

from __future__ import annotations

from merchant.providers.base import Said, first, mapping, say, text
from merchant.providers.stripe.reading import Body, country, id_of, texts
from merchant.providers.stripe.words import Weight

_ADDRESS = ("line1", "line2", "city", "postal_code", "state", "country")


def customer(
    weight: int,
    *,
    name: object = None,
    email: object = None,
    phone: object = None,
    address: object = None,
    shipping: object = None,
    number: object = None,
    locale: object = None,
) -> dict[str, Said]:
    """The columns about the customer. `number`: Stripe's cus_... or the object."""
    where = mapping(address)
    mail = text(email, 320) if isinstance(email, str) else None
    own = id_of(number)
    said = say(
        weight,
        customer_name=text(name, 200),
        customer_email=mail,
        customer_phone=text(phone, 60),
        customer_country=country(where.get("country")),
        customer_details=_details(
            address=_address(where),
            shipping=_shipping(shipping),
            provider_id=own,
            locale=text(locale, 20),
        ),
    )
    if mail:
        return said | say(weight, customer_key=mail.lower())
    # A number alone must not part a customer from what e-mail ties together.
    return said | say(Weight.HINT, customer_key=f"stripe:{own}" if own else None)


def _details(**parts: object) -> dict[str, object] | None:
    found = {name: part for name, part in parts.items() if part}
    return found or None


def _address(where: Body) -> dict[str, str] | None:
    return texts(**{name: where.get(name) for name in _ADDRESS})


def _shipping(value: object) -> dict[str, object] | None:
    sent = mapping(value)
    named = texts(name=sent.get("name"), phone=sent.get("phone")) or {}
    found = {**named, **(_address(mapping(sent.get("address"))) or {})}
    return dict(found) or None


def method(weight: int, details: object) -> dict[str, Said]:
    """The columns about the method, from payment_method_details or a method itself."""
    sent = mapping(details)
    kind = text(sent.get("type"), 60)
    if kind is None:
        return {}
    own = mapping(sent.get(kind))
    checks = mapping(own.get("checks"))
    last4 = text(first(own.get("last4"), own.get("iban_last4")), 20)
    return say(
        weight,
        method=kind.lower(),
        method_brand=text(own.get("brand"), 60),
        method_last4=last4 if last4 and len(last4) <= 4 else None,
        method_details=texts(
            wallet=mapping(own.get("wallet")).get("type"),
            network=own.get("network"),
            funding=own.get("funding"),
            country=country(own.get("country")),
            expires=_expires(own),
            three_d_secure=mapping(own.get("three_d_secure")).get("result"),
            issuer=first(own.get("issuer"), own.get("bank_name"), own.get("bank_code")),
            cvc_check=checks.get("cvc_check"),
            address_check=checks.get("address_line1_check"),
            postal_code_check=checks.get("address_postal_code_check"),
        ),
    )


def only_method(offered: object) -> dict[str, Said]:
    """The method, where just one was on offer."""
    if not isinstance(offered, list) or len(offered) != 1:
        return {}
    kind = text(offered[0], 60)
    return say(Weight.HINT, method=kind.lower() if kind else None)


def _expires(card: Body) -> str | None:
    month, year = card.get("exp_month"), card.get("exp_year")
    if type(month) is not int or type(year) is not int:
        return None
    return f"{month:02d}/{year}" if 1 <= month <= 12 and 1 <= year <= 9999 else None
