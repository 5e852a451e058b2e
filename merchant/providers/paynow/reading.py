"""Small readings that all of PayNow's objects share: ids, times, money, customers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from merchant.money import Money, NotMoney
from merchant.providers.base import (
    Said,
    Unreadable,
    first,
    labels,
    mapping,
    moment,
    say,
    stamp,
    text,
)

#: How much a source is to be believed: another object's body that repeats an object,
#: the object's own webhook, the API's answer.
ECHO, WEBHOOK, API = 0, 1, 2

#: The ids are made from milliseconds since this one.
_FIRST_ID = 1_645_568_542_000
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_FLAKE = re.compile("[0-9]{16,19}")
_DIGITS = re.compile("[0-9]{1,19}")
_LARGEST = 2**63 - 1
_COUNTRY = re.compile("[A-Za-z]{2}")
_MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where an object was read: how much it counts, and its place among the states.

    `order` is None for the API, whose objects are placed by their own times.
    """

    weight: int
    livemode: bool
    order: int | None = None
    rank: int = 0
    at: datetime | None = None
    event_id: str = ""


def flake_time(id: str | None) -> datetime | None:
    """When a PayNow id was made (UTC); None for an id that is no such number."""
    if not id or not _FLAKE.fullmatch(id) or int(id) > _LARGEST:
        return None
    return _UNIX + timedelta(milliseconds=(int(id) >> 22) + _FIRST_ID)


def flake_of(when: datetime | None) -> int:
    """The number that an id made at that moment would start with; 0 for no moment."""
    if when is None:
        return 0
    milliseconds = (when - _UNIX) // timedelta(milliseconds=1) - _FIRST_ID
    return min(max(0, milliseconds) << 22, _LARGEST)


def place(id: str) -> int:
    """What an event id says about its place in time; 0 when it is no number."""
    number = int(id) if _DIGITS.fullmatch(id) else 0
    return number if number <= _LARGEST else 0


def id_of(value: object) -> str | None:
    """An id as text, whether it came as one or as a number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and abs(value) > _LARGEST:
        return None
    return text(value, 200)


def needed(body: dict[str, Any], key: str, what: str) -> str:
    """The id under `key`. Raises Unreadable when there is none."""
    found = id_of(body.get(key))
    if found is None:
        raise Unreadable(f"the {what} has no {key}")
    return found


def minor(value: object, currency: object, what: str) -> tuple[int, str] | None:
    """Whole minor units and the currency; None where no amount was sent.

    Raises Unreadable for what is no amount that somebody can pay.
    """
    if value is None:
        return None
    try:
        money = Money.from_minor(value, currency)
    except NotMoney as error:
        raise Unreadable(f"{what}: {error}") from error
    if money.minor < 0:
        raise Unreadable(f"{what}: the amount {money.minor} is below zero")
    return money.minor, money.currency


def money(value: object, currency: object, what: str) -> list[Any] | None:
    """The same as facts carry it: [minor, currency]."""
    found = minor(value, currency, what)
    return list(found) if found else None


def settlement(body: dict[str, Any]) -> dict[str, Any] | None:
    """What the store gets of a payment, from the payment's own figures."""
    currency = body.get("currency")
    amount = minor(body.get("amount"), currency, "amount")
    fees = [
        minor(body.get(name), currency, name)
        for name in ("gateway_fee_amount", "platform_fee_amount")
    ]
    net = minor_or_debt(body.get("store_net_amount"), currency)
    known = [fee[0] for fee in fees if fee]
    if amount is None or net is None or not known:
        return None
    return {"currency": amount[1], "amount": amount[0], "fee": sum(known), "net": net}


def minor_or_debt(value: object, currency: object) -> int | None:
    """What is left for the store; below zero where the fees are larger."""
    if value is None:
        return None
    try:
        return Money.from_minor(value, currency).minor
    except NotMoney as error:
        raise Unreadable(f"store_net_amount: {error}") from error


def first_time(*values: object) -> datetime | None:
    """The first of the values that is a time."""
    return next((when for value in values if (when := moment(value))), None)


# ---------------------------------------------------------------------- customers
def customer(body: dict[str, Any], weight: int) -> dict[str, Said]:
    """Who bought: columns from an object that carries a customer, an order or not."""
    person = mapping(body.get("customer"))
    id = id_of(person.get("id")) or id_of(body.get("customer_id"))
    email = text(body.get("billing_email"), 320)
    name = display_name(person) or text(body.get("billing_name"), 200)
    country = _country(
        body.get("billing_address_country") or body.get("billing_country")
    )
    details = {
        "provider_id": id,
        "ip": text(body.get("customer_ip"), 64),
        "address": {"country": country} if country else None,
        "identities": identities(person) or None,
    }
    said = say(
        weight,
        customer_name=name,
        customer_email=email,
        customer_country=country,
        customer_details={k: v for k, v in details.items() if v} or None,
    )
    if not name and id:
        said |= say(ECHO, customer_name=id)
    # The e-mail ties purchases of all providers together; an order and its payment
    # must agree, and only the order knows it.
    if email:
        said |= say(1, customer_key=email.lower())
    elif id:
        said |= say(0, customer_key=f"paynow:{id}"[:330])
    return said


def display_name(person: dict[str, Any]) -> str | None:
    """The customer's name as PayNow's own pages choose it."""
    places = (person, *(mapping(person.get(p)) for p in ("profile", *_ACCOUNTS)))
    names = (text(found.get("name"), 200) for found in places)
    return next((name for name in names if name), None)


#: account -> the key that holds its id where there is no object (API, older bodies)
_ACCOUNTS = {"steam": "steam_id", "minecraft": "minecraft_uuid", "xbox": "xbox_xuid"}


def identities(person: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The customer's accounts elsewhere: {steam: {id, name}}."""
    found = {}
    for account, flat in _ACCOUNTS.items():
        inner = mapping(person.get(account))
        id = id_of(inner.get("id")) or id_of(person.get(flat))
        if id:
            found[account] = {"id": id, "name": text(inner.get("name"), 200) or ""}
    return found


def _country(value: object) -> str | None:
    if isinstance(value, str) and _COUNTRY.fullmatch(value.strip()):
        return value.strip().upper()
    return None


# -------------------------------------------------------------------- what was bought
def items(body: dict[str, Any], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of an order. Raises Unreadable for an amount or number that is none."""
    return [_item(line, n, body.get("currency")) for n, line in enumerate(lines)]


def _item(line: dict[str, Any], number: int, currency: object) -> dict[str, Any]:
    product = mapping(line.get("product"))
    quantity = _quantity(line.get("quantity"), number)
    what = f"line {number + 1}"
    amount = minor(line.get("total_amount"), currency, what)
    price = minor(line.get("price"), currency, what)
    total = amount[0] if amount else price[0] * quantity if price else None
    sku = first(
        text(mapping(product.get("metadata")).get("sku"), 120),
        text(product.get("slug"), 120),
    )
    return {
        "key": id_of(line.get("id")) or str(number),
        "product": first(id_of(line.get("product_id")), id_of(product.get("id"))) or "",
        "name": first(text(line.get("product_name"), 300), product_name(product)) or "",
        "sku": sku or "",
        "quantity": quantity,
        "amount": total,
        "platform": "",
    }


def product_name(product: dict[str, Any]) -> str | None:
    return text(product.get("name"), 300)


def _quantity(value: object, number: int) -> int:
    if value is None:
        return 1
    if type(value) is not int or not 0 < value <= _MOST_PIECES:
        raise Unreadable(f"line {number + 1}: the quantity {str(value)[:20]} is none")
    return value


def checkout_metadata(body: dict[str, Any]) -> dict[str, str] | None:
    """What the merchant's shop noted on the checkout."""
    return labels(mapping(body.get("checkout")).get("metadata"))


def stamped(*values: object) -> str | None:
    """The first of the values that is a time, as facts carry times."""
    return stamp(first_time(*values))
