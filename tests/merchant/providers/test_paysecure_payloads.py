"""Every payload file of Paysecure, read: one test of the same name each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from merchant.providers import paysecure
from merchant.providers.base import Fact, Unreadable, Want
from merchant.providers.paysecure.message import opened
from merchant.providers.paysecure.reading import facts as facts_of
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paysecure_cases import (
    BRAND,
    FOLDER,
    ID,
    PAYOUT_ID,
    START,
    facts,
    load,
    read_with,
    said,
)


def only(name: str) -> Fact:
    (fact,) = facts(name)
    return fact


def confirmed(name: str, **over: Any) -> Fact:
    """The payment as the API says it, which is to be believed."""
    message = load(name)["message"] | over
    return facts_of(opened(message), fetched=True)[0]


def stamp(after: int) -> str:
    return datetime.fromtimestamp(START + after, UTC).isoformat(timespec="microseconds")


def told(name: str) -> tuple[str, int, str | None]:
    """Status, seconds since the purchase was made, and the reason."""
    fact = only(name)
    assert fact.topic == "payment"
    assert fact.references == (("purchase", ID),)
    assert fact.wants == (Want("purchase", ID),)
    assert said(fact, "verified") is False
    assert said(fact, "created") == stamp(0)
    assert {one.weight for one in fact.says.values()} == {1}
    return fact.status, fact.order - START, said(fact, "reason")


def test_every_payload_file_has_a_test_of_its_name() -> None:
    for path in FOLDER.glob("*.json"):
        assert f"test_{path.stem}" in globals(), f"{path.name} has no test"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_every_payload_gives_facts_of_the_contract(path) -> None:
    check_facts(facts(path.stem), paysecure)


def test_payin_created() -> None:
    assert told("payin_created") == ("created", 0, None)
    # Nothing is chosen yet: the method lists all on offer.
    assert said(only("payin_created"), "method") is None


def test_payin_pending_execute() -> None:
    assert told("payin_pending_execute") == ("pending", 14, None)


def test_payin_payment_in_process() -> None:
    assert told("payin_payment_in_process") == ("pending", 30, None)


def test_payin_payment_in_process_with_spaces() -> None:
    name = "payin_payment_in_process"
    assert only(f"{name}_with_spaces").identity == only(name).identity


def test_payin_overdue() -> None:
    assert told("payin_overdue") == ("overdue", 7200, None)


def test_payin_hold() -> None:
    assert told("payin_hold") == ("authorized", 60, None)


def test_payin_preauthorized() -> None:
    assert told("payin_preauthorized") == ("authorized", 60, None)


def test_payin_capture_in_process() -> None:
    assert told("payin_capture_in_process") == ("pending", 90, None)


def test_payin_void_in_process() -> None:
    assert told("payin_void_in_process") == ("authorized", 90, None)


def test_payin_released() -> None:
    assert told("payin_released") == ("released", 120, "hold released")


def test_payin_cancelled() -> None:
    assert told("payin_cancelled") == ("canceled", 45, None)


def test_payin_cancelled_after_hold() -> None:
    assert told("payin_cancelled_after_hold") == ("released", 120, "hold released")


def test_payin_expired() -> None:
    assert told("payin_expired") == ("expired", 86400, None)


def test_payin_expired_after_hold() -> None:
    assert told("payin_expired_after_hold") == ("released", 604800, "hold released")


def test_payin_error() -> None:
    assert told("payin_error") == ("failed", 40, "Insufficient fund")


def test_payin_error_told_by_the_attempt() -> None:
    name = "payin_error_told_by_the_attempt"
    assert told(name) == ("failed", 40, "Do not honour")


def test_payin_partial_paid() -> None:
    status, _, reason = told("payin_partial_paid")
    assert status == "partially_paid"
    assert reason == "paid in part: 20.25 EUR came"
    fact = only("payin_partial_paid")
    assert said(fact, "money") == [3750, "eur"]
    assert said(fact, "method") == "crypto-usdt"
    assert said(fact, "paid") is None


def test_payin_over_paid() -> None:
    assert told("payin_over_paid") == ("paid", 60, "over paid: 40.00 EUR came")
    assert said(only("payin_over_paid"), "money") == [3750, "eur"]


def test_payin_partially_captured() -> None:
    fact = only("payin_partially_captured")
    assert fact.status == "paid"
    assert said(fact, "money") == [3000, "eur"]
    assert said(fact, "paid") == stamp(90)


def test_payin_paid() -> None:
    assert told("payin_paid") == ("paid", 60, None)
    fact = only("payin_paid")
    assert said(fact, "money") == [3750, "eur"]
    assert said(fact, "paid") == stamp(60)
    assert said(fact, "livemode") is True
    assert said(fact, "refund_pending") is False
    assert said(fact, "refunded_total") is None
    assert said(fact, "order_reference") == "LAMP-3307"
    assert said(fact, "account") == BRAND
    assert said(fact, "callbacks") == {
        "success": "https://lamps.example.com/hooks/in",
        "failure": "https://lamps.example.com/hooks/in",
    }
    assert said(fact, "customer_key") == "ines.duarte@example.org"
    assert said(fact, "customer_email") == "Ines.Duarte@example.org"
    assert said(fact, "customer_name") == "Inês Duarte"
    assert said(fact, "customer_country") == "PT"
    assert said(fact, "customer_details") == {
        "address": {
            "line1": "Rua das Flores 12",
            "city": "Porto",
            "postal_code": "4050-262",
            "state": "13",
            "country": "PT",
        },
        "ip": "198.51.100.23",
    }
    assert said(fact, "method") == "card"
    assert said(fact, "method_brand") == "mastercard"
    assert said(fact, "method_last4") == "9021"
    assert said(fact, "method_details") == {"country": "PT", "holder": "INES DUARTE"}
    assert said(fact, "settlement") == {
        "currency": "eur",
        "amount": 3750,
        "fee": 112,
        "net": 3638,
        "exchange_rate": None,
    }
    first, second = said(fact, "items")
    assert (first["name"], first["quantity"], first["amount"]) == (
        "Brass lamp",
        2,
        3450,
    )
    assert (second["name"], second["quantity"], second["amount"]) == ("Wick", 1, 300)
    assert (first["key"], first["product"]) == ("0", "")


def test_payin_paid_bare() -> None:
    assert only("payin_paid_bare").identity == only("payin_paid").identity


def test_payin_paid_without_root_status() -> None:
    name = "payin_paid_without_root_status"
    assert only(name).identity == only("payin_paid").identity


def test_payin_paid_test() -> None:
    fact = only("payin_paid_test")
    assert said(fact, "livemode") is False
    # Paysecure repeats its own id where the shop gave no number.
    assert said(fact, "order_reference") is None


def test_payin_paid_minor_lines() -> None:
    """As in the documented example: lines in minor units, the total in major ones."""
    fact = confirmed("payin_paid_minor_lines")
    assert said(fact, "money") == [3750, "eur"]
    assert said(fact, "verified") is True
    assert [item["amount"] for item in said(fact, "items")] == [3450, 300]


def test_payin_paid_minor_doubtful() -> None:
    fact = confirmed("payin_paid_minor_doubtful")
    assert said(fact, "money") == [375000, "eur"]
    assert said(fact, "verified") is False
    assert "minor units" in said(fact, "warning")


def test_payin_paid_yen() -> None:
    fact = only("payin_paid_yen")
    assert said(fact, "money") == [5200, "jpy"]
    assert said(fact, "settlement")["fee"] == 156


def test_payin_paid_dinar() -> None:
    fact = only("payin_paid_dinar")
    assert said(fact, "money") == [11005, "kwd"]
    assert said(fact, "settlement")["net"] == 10675


def test_payin_paid_krona() -> None:
    assert said(only("payin_paid_krona"), "money") == [5490, "isk"]


def test_payin_paid_inexact() -> None:
    for fact in (only("payin_paid_inexact"), confirmed("payin_paid_inexact")):
        assert fact.status == "paid"
        assert said(fact, "money") is None
        assert said(fact, "verified") is False
        assert "37.505 EUR" in said(fact, "warning")


def test_payin_refund_in_process() -> None:
    assert told("payin_refund_in_process") == ("paid", 3600, None)
    fact = only("payin_refund_in_process")
    assert said(fact, "refund_pending") is True
    assert said(fact, "refunded_total") is None
    assert said(fact, "paid") == stamp(60)


def test_payin_paid_again() -> None:
    """The refund failed. Only the API's word takes a figure back."""
    assert said(only("payin_paid_again"), "refunded_total") is None
    assert said(confirmed("payin_paid_again"), "refunded_total") == 0
    assert said(only("payin_paid_again"), "refund_pending") is False
    assert said(only("payin_paid_again"), "paid") == stamp(60)


def test_payin_partial_refunded() -> None:
    assert told("payin_partial_refunded") == ("paid", 3608, None)
    assert said(only("payin_partial_refunded"), "refunded_total") == 1200


def test_payin_partial_refunded_by_attempts() -> None:
    name = "payin_partial_refunded_by_attempts"
    assert said(only(name), "refunded_total") == 1200


def test_payin_refunded() -> None:
    assert told("payin_refunded") == ("paid", 3608, None)
    fact = only("payin_refunded")
    assert said(fact, "refunded_total") == 3750
    # paid_on has moved to the refund's time; the history has not.
    assert said(fact, "paid") == stamp(60)


def test_payin_fraud_refunded() -> None:
    assert told("payin_fraud_refunded") == ("paid", 3608, None)
    assert said(only("payin_fraud_refunded"), "refunded_total") == 3750


def test_payin_chargeback() -> None:
    payment, dispute = facts("payin_chargeback")
    assert payment.status == "paid"
    assert (dispute.topic, dispute.status, dispute.object_id) == ("dispute", "lost", ID)
    assert dispute.references == (("purchase", ID),)
    assert said(dispute, "money") == [3750, "eur"]
    assert said(dispute, "created") == stamp(864000)


# ------------------------------------------------------------------------ payouts
def paid_out(name: str) -> tuple[str, int, str | None]:
    fact = only(name)
    assert (fact.topic, fact.object_id) == ("payout", PAYOUT_ID)
    assert fact.references == ()
    assert fact.wants == (Want("payout", PAYOUT_ID),)
    assert said(fact, "money") == [12540, "eur"]
    assert said(fact, "verified") is False
    return fact.status, fact.order - START, said(fact, "reason")


def test_payout_created() -> None:
    assert paid_out("payout_created") == ("created", 0, None)


def test_payout_in_process() -> None:
    assert paid_out("payout_in_process") == ("pending", 20, None)


def test_payout_pending_review() -> None:
    assert paid_out("payout_pending_review") == ("pending", 10, None)


def test_payout_paid() -> None:
    assert paid_out("payout_paid") == ("paid", 400, None)
    fact = only("payout_paid")
    assert said(fact, "arrives") == stamp(400)
    assert said(fact, "method") == "payout-sepa"
    assert said(fact, "details") == {
        "payee": "Tomas Lind",
        "reference": "WD-0091",
        "purpose": "Withdrawal",
    }


def test_payout_error() -> None:
    reason = "Currency account has insufficient balance."
    assert paid_out("payout_error") == ("failed", 400, reason)


def test_payout_expired() -> None:
    assert paid_out("payout_expired") == ("failed", 86400, None)


# ------------------------------------------------------------------ what is odd
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
