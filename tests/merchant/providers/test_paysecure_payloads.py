"""Every payload file of Paysecure, read: one test of the same name each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from merchant.providers import paysecure
from merchant.providers.base import Want
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paysecure_cases import (
    BRAND,
    FOLDER,
    ID,
    PAYOUT_ID,
    START,
    confirmed,
    facts,
    keys,
    load,
    only,
    said,
)


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


@pytest.mark.parametrize("status", ["refund_in_process", "refunded", "chargeback"])
def test_a_capture_in_part_counts_in_later_states(status: str) -> None:
    payload = load("payin_partially_captured")
    payload["message"]["status"] = payload["status"] = status
    for fact in paysecure.read(payload, keys("own")):
        assert said(fact, "money") == [3000, "eur"]


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


def test_a_payout_is_of_its_connections_mode() -> None:
    """The message itself says nothing about it."""
    test = replace(keys("own"), livemode=False)
    (fact,) = paysecure.read(load("payout_paid"), test)
    assert said(fact, "livemode") is False
    assert said(only("payout_paid"), "livemode") is None  # live
