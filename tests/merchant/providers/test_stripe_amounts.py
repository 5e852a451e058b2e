"""Amounts of Stripe: its own table of decimals, which of several speaks, odd ones."""

from __future__ import annotations

from typing import Any

import pytest

from merchant.providers.base import Fact, Unreadable
from tests.merchant.providers.stripe_cases import only, read_with, said

#: (currency, what Stripe sends, ISO minor units)
SENT = [
    ("jpy", 5000, 5000),
    ("krw", 12_000, 12_000),
    ("bif", 7, 7),
    ("xpf", 900, 900),
    ("kwd", 12_340, 12_340),
    ("tnd", 1_000, 1_000),
    ("isk", 50_000, 500),
    ("ugx", 500, 5),
    ("mga", 700, 70_000),
    ("huf", 129_900, 129_900),
    ("twd", 30_000, 30_000),
    ("usd", 1, 1),
    ("eur", 0, 0),
]


@pytest.mark.parametrize(("currency", "sent", "minor"), SENT)
def test_amounts_become_iso_minor_units(currency: str, sent: int, minor: int) -> None:
    over: dict[str, Any] = {"amount_total": sent, "currency": currency}
    (fact,) = read_with("checkout.session.completed", **over)
    assert said(fact, "money") == [minor, currency]


def test_capitals_name_the_same_currency() -> None:
    (fact,) = read_with("charge.succeeded", currency="EUR")
    assert said(fact, "money") == [5980, "eur"]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("charge.succeeded", "amount_captured"),
        ("payment_intent.succeeded", "amount_received"),
        ("checkout.session.completed", "amount_total"),
        ("refund.created__partial", "amount"),
        ("payout.paid", "amount"),
    ],
)
def test_what_is_not_exact_is_flagged_and_not_said(name: str, column: str) -> None:
    (fact,) = read_with(name, **{column: 550, "currency": "isk"})
    assert said(fact, "money") is None
    assert said(fact, "verified") is False
    if fact.topic == "payment":
        assert "550 ISK" in said(fact, "warning")


def test_an_inexact_dispute_has_no_amount() -> None:
    (fact,) = read_with("charge.dispute.created", amount=550, currency="isk")
    assert said(fact, "money") is None


@pytest.mark.parametrize(
    "odd", [-1, "5980", 59.8, True, [5980], {"a": 1}, 10**14, "", -(10**20)]
)
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("charge.succeeded", "amount_captured"),
        ("payment_intent.succeeded", "amount_received"),
        ("checkout.session.completed", "amount_total"),
        ("invoice.paid", "amount_paid"),
        ("refund.created__partial", "amount"),
        ("charge.dispute.created", "amount"),
        ("charge.refunded__partial", "amount_refunded"),
    ],
)
def test_what_is_no_amount_is_quarantined(name: str, column: str, odd: Any) -> None:
    with pytest.raises(Unreadable):
        read_with(name, **{column: odd})


@pytest.mark.parametrize("currency", [None, "", "zzz", 978, "eu", "€"])
def test_an_unknown_currency_is_quarantined(currency: Any) -> None:
    with pytest.raises(Unreadable):
        read_with("charge.succeeded", currency=currency)


def test_the_surest_amount_weighs_most() -> None:
    names = (
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
        "invoice.paid",
        "invoice_payment.paid",
        "invoice.payment_failed",
    )
    weights = [weight(only(name)) for name in names]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(weights)


def weight(fact: Fact) -> int:
    return fact.says["money"].weight


def test_nothing_captured_yet_does_not_outweigh_the_price() -> None:
    held, asked = only("charge.succeeded__held"), only("payment_intent.created")
    assert said(held, "money") == [5980, "eur"]
    assert weight(held) == weight(asked)
    assert weight(only("payment_intent.processing")) == weight(asked)


def test_a_charge_without_the_captured_figure_says_its_amount() -> None:
    (fact,) = read_with("charge.succeeded", amount_captured=None)
    assert said(fact, "money") == [5980, "eur"]
    assert said(fact, "refunded_total") == 0


def test_the_refunded_figure_is_converted_as_well() -> None:
    over = {"currency": "isk", "amount": 50_000, "amount_captured": 50_000}
    (fact,) = read_with("charge.refunded__partial", **over, amount_refunded=20_000)
    assert said(fact, "refunded_total") == 200


@pytest.mark.parametrize(("quantity", "amount"), [(0, 0), (3, 4350)])
def test_a_subscriptions_price_counts_its_quantity(quantity: int, amount: int) -> None:
    items = {"data": [item("eur", 1450, quantity)]}
    (fact,) = read_with("customer.subscription.created", items=items)
    assert said(fact, "money") == [amount, "eur"]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [("eur", None, 1)],  # tiers have no unit amount
        [("eur", 100, 1), ("usd", 100, 1)],
        [("isk", 550, 1)],
    ],
)
def test_a_price_that_is_no_plain_amount_is_not_said(items: list[Any]) -> None:
    listed = {"data": [item(*one) for one in items]}
    (fact,) = read_with("customer.subscription.created", items=listed)
    assert said(fact, "money") is None


def item(currency: str, amount: int | None, quantity: int) -> dict[str, Any]:
    recurring = {"interval": "month", "interval_count": 1}
    price = {"currency": currency, "unit_amount": amount, "recurring": recurring}
    return {"id": "si_1", "price": price, "quantity": quantity}
