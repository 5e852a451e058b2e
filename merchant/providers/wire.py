"""Single values off a provider's wire: amounts in major units, ids, countries, links.

For providers that send money as decimal numbers. A value that a purchase cannot be
without raises; one that only adds to it is left out when it is odd.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from merchant.money import Inexact, Money, NotMoney, currency_code
from merchant.providers.base import Unreadable, text

_COUNTRY = re.compile("[A-Z]{2}")
_LINK = re.compile("https?://[^\\s\"'<>\\\\]+")
_LAST4 = re.compile("[0-9]{4}")
#: Quantities fit a database's small whole number.
_MOST = 10**9


def price(amount: object, currency: object) -> tuple[Money | None, str]:
    """What a purchase costs, from a JSON number of major units.

    None with a warning in words when the number has more decimals than the currency.
    Raises Unreadable for anything that is no amount: a text, a negative number, an
    unknown currency, more than anybody can have paid.
    """
    if isinstance(amount, str):
        raise Unreadable("The amount is a text and not a number.")
    try:
        money = Money.from_major(amount, currency)
    except Inexact as error:
        return None, f"Not taken as money: {error}."
    except NotMoney as error:
        raise Unreadable(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    if money.minor < 0:
        raise Unreadable("The amount is negative.")
    return money, ""


def known_currency(value: object) -> str | None:
    """The currency in lower case; None when there is none. Raises Unreadable."""
    if value is None or value == "":
        return None
    try:
        return currency_code(value)
    except NotMoney as error:
        raise Unreadable(f"Its currency is unknown: {error}.") from error


def part(amount: object, currency: object) -> int | None:
    """Minor units of an amount beside the price (a fee, a line); None when odd."""
    try:
        minor = Money.from_major(amount, currency).minor
    except NotMoney:
        return None
    return minor if minor >= 0 else None


def whole(value: object) -> int | None:
    """A count: 2 or 2.0, at least 1; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    if not 1 <= value <= _MOST or value != int(value):
        return None
    return int(value)


def number(value: object) -> Decimal | None:
    """A number that can be calculated with; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    if not found.is_finite() or abs(found.adjusted()) > 14:
        return None
    return found


def identifier(value: object, most: int = 200) -> str | None:
    """An id as it came; None when it is no clean text of a believable length."""
    if not isinstance(value, str) or not 0 < len(value) <= most:
        return None
    return value if text(value, most) == value else None


def country(*values: object) -> str | None:
    """The first that is an ISO 3166 alpha-2 code, in capitals."""
    for value in values:
        code = value.strip().upper() if isinstance(value, str) else ""
        if _COUNTRY.fullmatch(code):
            return code
    return None


def link(value: object) -> str | None:
    """A web address that may stand in a page; None for anything else."""
    found = text(value, 500)
    return found if found and _LINK.fullmatch(found) else None


def last4(value: object) -> str | None:
    """The last four digits of a card's masked number; None when they are masked."""
    digits = value[-4:] if isinstance(value, str) else ""
    return digits if _LAST4.fullmatch(digits) else None


def filled(values: dict[str, Any]) -> dict[str, Any] | None:
    """The object without its empty parts; None when nothing is left."""
    kept = {name: value for name, value in values.items() if value}
    return kept or None
