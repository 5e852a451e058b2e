"""Whole minor units in, whole minor units out; what is not exact is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant.money import BELIEVABLE, ISO_EXPONENTS, Inexact, Money, NotMoney

CURRENCIES = st.sampled_from(["eur", "usd", "jpy", "isk", "ugx", "kwd", "bhd", "clf"])
MINOR = st.integers(min_value=-BELIEVABLE, max_value=BELIEVABLE)


@given(MINOR, CURRENCIES)
def test_formatting_and_parsing_give_the_same_money(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_major(money.major, currency) == money
    assert Money.from_major(str(money.major), currency.upper()) == money


@given(MINOR, CURRENCIES)
def test_minor_units_pass_unchanged(minor: int, currency: str) -> None:
    assert Money.from_minor(minor, currency) == Money(minor, currency)


@given(st.integers(min_value=0, max_value=10**9), CURRENCIES)
def test_a_part_of_a_minor_unit_is_never_rounded(minor: int, currency: str) -> None:
    little = Decimal(minor).scaleb(-ISO_EXPONENTS.get(currency, 2)) + Decimal("0.00001")
    with pytest.raises(Inexact):
        Money.from_major(little, currency)


@pytest.mark.parametrize(
    ("major", "currency", "minor"),
    [
        ("19.99", "EUR", 1999),
        (20, "eur", 2000),
        ("1500", "jpy", 1500),
        ("1.234", "kwd", 1234),
        ("-5.00", "usd", -500),
        (Decimal("1E+2"), "eur", 10000),
        ("0.10", "ugx", None),
    ],
)
def test_major_units_by_currency(
    major: object, currency: str, minor: int | None
) -> None:
    if minor is None:
        with pytest.raises(Inexact):
            Money.from_major(major, currency)
    else:
        assert Money.from_major(major, currency).minor == minor


def test_a_provider_with_its_own_exponent_is_converted() -> None:
    assert Money.from_minor(500, "isk", {"isk": 2}) == Money(5, "isk")
    assert Money.from_minor(5, "kwd", {"kwd": 2}) == Money(50, "kwd")


def test_a_provider_s_own_exponent_that_leaves_a_rest_is_refused() -> None:
    with pytest.raises(Inexact):
        Money.from_minor(501, "isk", {"isk": 2})


@pytest.mark.parametrize(
    "value",
    [1.5, True, None, "", "1,50", "NaN", "Infinity", "1e400", "٣x", [], {}, b"1"],
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(NotMoney):
        Money.from_major(value, "eur")


@pytest.mark.parametrize("value", [1.0, "100", True, None, Decimal(1)])
def test_minor_units_are_integers_only(value: object) -> None:
    with pytest.raises(NotMoney):
        Money.from_minor(value, "eur")


@pytest.mark.parametrize("value", [BELIEVABLE + 1, -BELIEVABLE - 1, 2**63])
def test_an_unbelievable_amount_is_refused(value: int) -> None:
    with pytest.raises(NotMoney):
        Money.from_minor(value, "eur")


@pytest.mark.parametrize("currency", ["", "eu", "euro", "zzz", None, 978, ["eur"]])
def test_an_unknown_currency_is_refused(currency: object) -> None:
    with pytest.raises(NotMoney):
        Money.from_major("1.00", currency)
