"""Money is a whole number of minor units and a currency; no float, no rounding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from babel import Locale

#: ISO 4217 currencies whose minor unit is not a hundredth.
ISO_EXPONENTS = {
    **dict.fromkeys(
        [
            "bif",
            "clp",
            "djf",
            "gnf",
            "isk",
            "jpy",
            "kmf",
            "krw",
            "pyg",
            "rwf",
            "ugx",
            "uyi",
            "vnd",
            "vuv",
            "xaf",
            "xof",
            "xpf",
        ],
        0,
    ),
    **dict.fromkeys(["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"], 3),
    **dict.fromkeys(["clf", "uyw"], 4),
}

#: Above this many minor units an amount is not believable, and sums could overflow.
BELIEVABLE = 10**13


class NotMoney(ValueError):
    """An amount or currency that cannot be taken as it stands; the message says why."""


class Inexact(NotMoney):
    """The amount has more decimals than its currency; it is flagged, never rounded."""


@cache
def known_currencies() -> frozenset[str]:
    """Every currency code that has a name, in lower case."""
    return frozenset(str(code).lower() for code in Locale("en").currencies)


def currency_code(value: object) -> str:
    """The currency in lower case. Raises NotMoney when nobody knows it."""
    code = value.strip().lower() if isinstance(value, str) else ""
    if code not in known_currencies():
        raise NotMoney(f"the currency {str(value)[:12]!r} is not known")
    return code


def exponent(currency: str) -> int:
    """How many decimals the currency has in ISO 4217: jpy 0, eur 2, kwd 3."""
    return ISO_EXPONENTS.get(currency, 2)


def believable(minor: int) -> int:
    """The same amount, or NotMoney when it is too large to be one."""
    if abs(minor) > BELIEVABLE:
        raise NotMoney(f"the amount {minor} is larger than anybody can have paid")
    return minor


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` whole ISO 4217 minor units of `currency` (lower case)."""

    minor: int
    currency: str

    @classmethod
    def from_major(cls, value: object, currency: object) -> Money:
        """From decimal major units: 19.99 eur -> 1999.

        Takes Decimal, int or a decimal text. Raises Inexact for 19.995 eur and
        NotMoney for what is no number, too large, or in an unknown currency.
        """
        code = currency_code(currency)
        return cls(_whole(_decimal(value).scaleb(exponent(code)), value, code), code)

    @classmethod
    def from_minor(
        cls, value: object, currency: object, wire: dict[str, int] | None = None
    ) -> Money:
        """From a provider's own minor units.

        `wire` holds the exponents in which the provider differs from ISO 4217:
        Stripe sends 500 for 5 ISK. Raises as `from_major` does.
        """
        code = currency_code(currency)
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotMoney(f"the amount {str(value)[:40]!r} is not a whole number")
        sent = (wire or {}).get(code, exponent(code))
        scaled = Decimal(believable(value)).scaleb(exponent(code) - sent)
        return cls(_whole(scaled, value, code), code)

    @property
    def major(self) -> Decimal:
        """Decimal major units: 1999 eur -> Decimal('19.99')."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise NotMoney(f"the amount {str(value)[:40]!r} is not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise NotMoney(f"the amount {str(value)[:40]!r} is not a number") from None
    # More digits than a Decimal calculates with would be rounded without a word.
    if not number.is_finite() or number.adjusted() > 14 or _is_long(number):
        raise NotMoney(f"the amount {str(value)[:40]} is not believable")
    return number


def _is_long(number: Decimal) -> bool:
    _, digits, places = number.as_tuple()
    return len(digits) > 24 or int(places) < -24


def _whole(scaled: Decimal, value: object, code: str) -> int:
    if scaled != scaled.to_integral_value():
        raise Inexact(f"the amount {value} {code.upper()} has too many decimals")
    return believable(int(scaled))
