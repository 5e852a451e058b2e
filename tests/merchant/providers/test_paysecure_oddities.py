"""Paysecure's payloads gone wrong: what is left out, and what is not taken at all."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from merchant.providers import paysecure
from merchant.providers.base import Unreadable
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paysecure_cases import (
    FOLDER,
    confirmed,
    facts,
    load,
    only,
    read_with,
    said,
)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_secrets_and_birthdays_never_become_facts(path) -> None:
    text = json.dumps(
        [{n: s.value for n, s in f.says.items()} for f in facts(path.stem)]
    )
    for secret in ("otter-99", "first pet", "SE00000", "1988-07-19"):
        assert secret not in text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_a_summary_names_no_person(path) -> None:
    for fact in facts(path.stem):
        assert fact.summary
        for private in ("Duarte", "example.org", "Flores", "Lind"):
            assert private not in fact.summary


@pytest.mark.parametrize(
    "bill",
    [
        {"total": "37.50", "currency": "EUR"},
        {"total": "lots", "currency": "EUR"},
        {"total": -1, "currency": "EUR"},
        {"total": True, "currency": "EUR"},
        {"total": [1], "currency": "EUR"},
        {"total": 10**12, "currency": "EUR"},
        {"total": Decimal("1e999999999"), "currency": "EUR"},
        {"total": 5, "currency": "XQZ"},
        {"total": 5, "currency": None},
        {"total": 5},
    ],
    ids=repr,
)
def test_an_amount_that_is_none_is_unreadable(bill: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_with("payin_paid", purchase=bill)


def test_a_purchase_without_its_amount_is_told_with_a_warning() -> None:
    (fact,) = read_with("payin_paid", purchase={})
    assert fact.status == "paid"
    assert said(fact, "money") is None
    assert "without an amount" in said(fact, "warning")


def test_a_confirmed_amount_takes_the_warning_back() -> None:
    assert confirmed("payin_paid").says["warning"].value == ""
    assert confirmed("payin_paid").says["warning"].weight == 2


def test_the_confirmed_report_of_a_moment_is_the_later_one() -> None:
    claim, proof = only("payin_paid"), confirmed("payin_paid")
    assert claim.order == proof.order
    assert proof.rank == claim.rank + 1
    assert proof.wants == ()
    assert {one.weight for one in proof.says.values()} == {2}


@pytest.mark.parametrize("junk", [None, "soon", -5, [], True, Decimal("1e999999999")])
def test_junk_times_are_no_times(junk: Any) -> None:
    (fact,) = read_with(
        "payin_paid",
        updated_on=junk,
        created_on=junk,
        status_history=junk,
        payment=junk,
    )
    assert (fact.order, fact.at) == (0, None)
    assert said(fact, "created") is None
    assert said(fact, "paid") is None


@pytest.mark.parametrize(
    "left", [None, 0, 37.5, 99, "half", Decimal("0.001"), [], True], ids=repr
)
def test_a_part_that_cannot_be_worked_out_is_not_said(left: Any) -> None:
    left = Decimal(str(left)) if isinstance(left, float) else left
    (fact,) = read_with("payin_partial_refunded", refundable_amount=left)
    assert said(fact, "refunded_total") is None


def test_lines_that_do_not_come_out_even_have_no_amount() -> None:
    lines = [
        {"name": "a", "quantity": Decimal("0.333"), "price": Decimal("1.01")},
        {"name": "b", "quantity": 2, "price": "4.5"},
        {"name": "c", "quantity": 1, "price": 5, "discount": 9},
        {"name": "d", "quantity": Decimal("1e999999999"), "price": 5},
        {"name": "e", "quantity": None, "price": 5},
        {"quantity": 1, "price": Decimal("0.001")},
    ]
    bill = {"total": 5, "currency": "EUR", "products": lines}
    (fact,) = read_with("payin_paid", purchase=bill)
    amounts = [item["amount"] for item in said(fact, "items")]
    assert amounts == [None, 900, None, None, None, None]
    assert [item["quantity"] for item in said(fact, "items")] == [1, 2, 1, 1, 1, 1]


def test_hostile_texts_are_cleaned() -> None:
    text = "<script>\x00=cmd|'x'\ud800\u202e" + "y" * 70_000
    purchase = load("payin_paid")["message"]
    (fact,) = read_with(
        "payin_error",
        client=dict.fromkeys(purchase["client"], text),
        errorMsg=text,
        merchantRef=text,
        paymentMethod=text,
        success_callback=f"javascript:{text}",
    )
    check_facts([fact], paysecure)
    assert said(fact, "callbacks").keys() == {"failure"}
    assert len(said(fact, "reason")) <= 300


@pytest.mark.parametrize("status", ["viewed", "SETTLED", "paused"])
def test_a_status_that_nobody_knows_says_nothing(status: str) -> None:
    payload = load("payin_paid")
    assert paysecure.read(payload["message"] | {"status": status}, None) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chosen", "method", "brand"),
    [
        ("VISA", "card", "mastercard"),  # the attempt knows better
        ("PIX", "pix", "mastercard"),
        ("AMERICAN EXPRESS", "card", "mastercard"),
        ("VISA,PIX", None, "mastercard"),
        ("", None, "mastercard"),
        (None, None, "mastercard"),
    ],
)
def test_the_method_is_what_was_chosen(
    chosen: str | None, method: str | None, brand: str
) -> None:
    (fact,) = read_with("payin_paid", paymentMethod=chosen)
    assert said(fact, "method") == method
    assert said(fact, "method_brand") == brand


def test_without_an_attempt_the_methods_name_is_the_brand() -> None:
    (fact,) = read_with("payin_paid", paymentMethod="VISA", transaction_data=None)
    assert said(fact, "method_brand") == "visa"
    assert said(fact, "method_last4") is None


def test_what_stands_on_the_buyers_statement_is_told() -> None:
    (fact,) = read_with("payin_paid", cc_descriptor="LANTERNS*SHOP")
    assert said(fact, "method_details")["statement"] == "LANTERNS*SHOP"
