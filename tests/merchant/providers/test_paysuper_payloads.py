"""Every payload file of PaySuper, read: one test of the same name each."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from merchant.providers import paysuper
from merchant.providers.base import Fact, Unreadable
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paysuper_cases import (
    FOLDER,
    KEYS,
    ORDER_ID,
    facts,
    load,
    raw,
    read_with,
    said,
)

CREATED = "2021-02-03T08:15:30.250000+00:00"


def only(name: str) -> Fact:
    (fact,) = facts(name)
    return fact


def test_every_payload_file_has_a_test_of_its_name() -> None:
    for path in FOLDER.glob("*.json"):
        assert f"test_{path.stem}" in globals(), f"{path.name} has no test"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_every_payload_gives_facts_of_the_contract(path) -> None:
    check_facts(facts(path.stem), paysuper)


def test_payment_success_simple() -> None:
    fact = only("payment_success_simple")
    assert (fact.topic, fact.object_kind, fact.object_id) == (
        "payment",
        "order",
        ORDER_ID,
    )
    assert (fact.status, fact.order, fact.rank) == ("paid", 0, 1)
    assert fact.references == (("order", ORDER_ID),)
    assert fact.wants == ()
    assert said(fact, "money") == [4190, "eur"]
    assert said(fact, "created") == CREATED
    assert said(fact, "paid") == CREATED
    assert said(fact, "livemode") is True
    assert said(fact, "verified") is None
    assert said(fact, "order_reference") == "VEY-5521"
    assert said(fact, "metadata") == {"invoiceId": "VEY-5521", "campaign": "harvest"}
    assert said(fact, "customer_key") == "paysuper:vey-20871"
    assert said(fact, "customer_name") == "Mina Okafor"
    assert said(fact, "customer_email") == "mina.okafor@example.net"
    assert said(fact, "customer_country") == "NL"
    assert said(fact, "customer_details") == {
        "address": {
            "city": "Utrecht",
            "postal_code": "3511 AA",
            "state": "UT",
            "country": "NL",
        },
        "ip": "203.0.113.77",
        "locale": "nl-NL",
        "external_id": "vey-20871",
        "provider_id": "5c4e1d20-9f3a-4a8e-b1c7-77d0e2f3a4b5",
    }
    assert said(fact, "method") == "card"
    assert said(fact, "method_brand") == "mastercard"
    assert said(fact, "method_last4") == "4477"
    assert said(fact, "method_details") == {
        "expires": "09/2029",
        "three_d_secure": "yes",
        "title": "Bank card",
    }
    assert said(fact, "items") is None
    assert said(fact, "settlement") is None
    assert said(fact, "receipt_url").startswith("https://checkout.pay.super.com/pay/")


def test_payment_success_key() -> None:
    fact = only("payment_success_key")
    assert said(fact, "items") == [
        {
            "key": "5fd0a1b2c3d4e5f6010203aa",
            "product": "5fd0a1b2c3d4e5f6010203aa",
            "name": "Tin Knights <Deluxe> & Map",
            "sku": "tin-knights",
            "quantity": 1,
            "amount": 3463,
            "platform": "gog",
        }
    ]


def test_payment_success_stale_status() -> None:
    assert load("payment_success_stale_status")["object"]["status"] == "created"
    assert only("payment_success_stale_status").status == "paid"
    assert only("payment_success_stale_status").identity == (
        only("payment_success_simple").identity
    )


def test_payment_success_2019() -> None:
    fact = only("payment_success_2019")
    assert said(fact, "created") == CREATED
    assert said(fact, "money") == [4190, "eur"]
    assert b"gateway-password" in raw("payment_success_2019")
    assert "gateway-password" not in everything([fact])


def test_payment_success_virtual_currency() -> None:
    fact = only("payment_success_virtual_currency")
    (item,) = said(fact, "items")
    assert item["name"] == "1200 units"
    assert item["amount"] == 3463
    assert said(fact, "order_reference") == "VC-77"


def test_payment_success_yen() -> None:
    assert said(only("payment_success_yen"), "money") == [4980, "jpy"]


def test_payment_success_dinar() -> None:
    assert said(only("payment_success_dinar"), "money") == [6105, "kwd"]


def test_payment_success_krona() -> None:
    assert said(only("payment_success_krona"), "money") == [2490, "isk"]


def test_payment_success_inexact() -> None:
    fact = only("payment_success_inexact")
    assert fact.status == "paid"
    assert said(fact, "money") is None
    assert said(fact, "currency") == "eur"
    assert said(fact, "verified") is False
    assert "41.904999999999994" in said(fact, "warning")


def test_payment_success_with_fees() -> None:
    assert said(only("payment_success_with_fees"), "settlement") == {
        "currency": "usd",
        "amount": None,
        "fee": 305,
        "net": 3820,
        "exchange_rate": None,
    }


def test_payment_success_wallet() -> None:
    fact = only("payment_success_wallet")
    assert said(fact, "livemode") is False
    assert said(fact, "method") == "qiwi"
    assert said(fact, "method_last4") is None
    assert said(fact, "method_details") == {"wallet": "QIWI", "title": "QIWI"}
    assert said(fact, "customer_key") == "mina.okafor@example.net"
    assert said(fact, "customer_email") == "Mina.Okafor@Example.net"


def test_payment_success_empty_object() -> None:
    assert facts("payment_success_empty_object") == []


def test_payment_cancel_declined() -> None:
    fact = only("payment_cancel_declined")
    assert (fact.status, fact.rank) == ("failed", 0)
    assert said(fact, "reason") == "Insufficient funds (13)"
    assert said(fact, "paid") is None


def test_payment_cancel_unknown_code() -> None:
    fact = only("payment_cancel_unknown_code")
    assert fact.status == "failed"
    assert said(fact, "reason") == "Card is blocked (77)"


def test_payment_cancel_by_customer() -> None:
    fact = only("payment_cancel_by_customer")
    assert fact.status == "canceled"
    assert said(fact, "reason") == "Cancelled by customer (02)"
    assert fact.at is not None
    assert fact.at.isoformat() == "2021-02-03T08:20:00.500000+00:00"


def test_payment_canceled() -> None:
    """The documents' spelling of the event; canceled_at alone says what it was."""
    assert only("payment_canceled").status == "canceled"


def test_payment_refund() -> None:
    payment, refund = facts("payment_refund")
    assert (payment.status, payment.rank) == ("paid", 2)
    assert said(payment, "paid") == CREATED
    assert said(payment, "refunded_total") is None
    assert (refund.topic, refund.status) == ("refund", "succeeded")
    assert refund.object_id == "602262f1c3d4e5f601020399"
    assert refund.references == (("order", ORDER_ID),)
    assert said(refund, "money") == [4190, "eur"]
    assert said(refund, "created") == "2021-02-09T11:00:01.000000+00:00"
    assert said(refund, "reason") == "Customer's request"


def test_payment_refund_other_currency() -> None:
    _, refund = facts("payment_refund_other_currency")
    assert said(refund, "money") == [4190, "eur"]
    assert said(refund, "reason") == "Customer's request (50.41 USD to the card)"


def test_payment_refund_without_details() -> None:
    _, refund = facts("payment_refund_without_details")
    assert refund.object_id == ORDER_ID
    assert said(refund, "money") == [4190, "eur"]


def test_payment_chargeback() -> None:
    payment, dispute = facts("payment_chargeback")
    assert (payment.status, payment.rank) == ("paid", 3)
    assert (dispute.topic, dispute.status) == ("dispute", "lost")
    assert said(dispute, "money") == [4190, "eur"]
    assert said(dispute, "reason") == "Card data was stolen"


def test_payment_fraud() -> None:
    """Older documents list it; no code ever sent it."""
    assert facts("payment_fraud") == []


def test_test_correct_payment() -> None:
    assert facts("test_correct_payment") == []


def test_test_existing_user() -> None:
    assert facts("test_existing_user") == []


def test_test_non_existing_user() -> None:
    assert facts("test_non_existing_user") == []


def test_test_invalid_signature() -> None:
    assert facts("test_invalid_signature") == []


def test_user_validate() -> None:
    assert facts("user_validate") == []


def test_user_validate_test() -> None:
    assert facts("user_validate_test") == []


# ------------------------------------------------------------------ what is odd
def everything(told: list[Fact]) -> str:
    said = [{name: one.value for name, one in fact.says.items()} for fact in told]
    return json.dumps([said, [(fact.summary, fact.object_id) for fact in told]])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_an_activation_key_never_becomes_a_fact(path) -> None:
    told = everything(facts(path.stem))
    assert "TINKN-IGHTS" not in told
    assert "notarealfingerprint" not in told


@pytest.mark.parametrize(
    "over",
    [
        {"amount": "41.90"},
        {"amount": "1e3"},
        {"amount": "a lot"},
        {"amount": True},
        {"amount": [41]},
        {"amount": -1},
        {"amount": Decimal("-0.01")},
        {"amount": 10**12},
        {"amount": Decimal("1e999999999")},
        {"amount": Decimal("10.00000000000000000000000000000000001")},
        {"amount": Decimal("1e-999999999")},
        {"currency": "XQZ"},
        {"currency": "EURO"},
        {"currency": 978},
        {"currency": None},
        {"currency": ""},
        {"id": None},
        {"id": ""},
        {"id": 5},
        {"id": "a\x00b"},
        {"id": "\ud800"},
        {"id": "x" * 201},
    ],
    ids=repr,
)
def test_what_cannot_be_taken_is_unreadable(over: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_with("payment_success_simple", **over)


def test_an_order_without_an_amount_is_still_an_order() -> None:
    (fact,) = read_with("payment_success_simple", amount=None)
    assert fact.status == "paid"
    assert said(fact, "money") is None
    assert said(fact, "currency") == "eur"


@pytest.mark.parametrize(
    "unset",
    [
        "",
        None,
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        {"seconds": -62135596800},
        {"seconds": 0, "nanos": 0},
        {},
        "soon",
        5,
        [],
        {"seconds": "x", "nanos": []},
        {"seconds": Decimal("1e999999999")},
    ],
    ids=repr,
)
def test_every_way_to_say_unset_is_no_time(unset: object) -> None:
    (fact,) = read_with("payment_cancel_declined", created_at=unset, canceled_at=unset)
    assert fact.status == "failed"
    assert fact.at is None
    assert said(fact, "created") is None


def test_a_receipt_that_is_no_web_address_is_left_out() -> None:
    for link in ("javascript:alert(1)", "//example.com", "https://a b", "data:x"):
        (fact,) = read_with("payment_success_simple", receipt_url=link)
        assert said(fact, "receipt_url") is None


def test_the_number_of_the_receipt_is_told() -> None:
    (fact,) = read_with("payment_success_simple", receipt_number="602262f1c3d4e5f6")
    assert said(fact, "method_details")["receipt_number"] == "602262f1c3d4e5f6"


def test_hostile_texts_are_cleaned() -> None:
    text = "<script>\x00=cmd|'x'\ud800\u202e" + "y" * 70_000
    order = load("payment_success_key")["object"]
    told = read_with(
        "payment_success_key",
        description=text,
        receipt_email=text,
        user=dict.fromkeys(order["user"], text),
        items=[dict.fromkeys(order["items"][0], text) | {"amount": text}],
        metadata={text: text, "invoiceId": text},
        method={"type": text, "card": dict.fromkeys(("brand", "last4"), text)},
    )
    check_facts(told, paysuper)
    assert len(said(told[0], "description")) <= 500


def test_a_smaller_refund_in_the_orders_currency_is_as_small_as_it_says() -> None:
    refund = {"amount": Decimal("12.5"), "currency": "EUR", "receipt_number": "r1"}
    _, fact = read_with("payment_refund", refund=refund)
    assert said(fact, "money") == [1250, "eur"]


def test_two_things_of_one_kind_are_two_lines() -> None:
    (line,) = load("payment_success_key")["object"]["items"]
    (fact,) = read_with("payment_success_key", items=[line, dict(line)])
    assert len(said(fact, "items")) == 2


def test_a_line_in_another_currency_has_no_amount() -> None:
    (line,) = load("payment_success_key")["object"]["items"]
    (fact,) = read_with("payment_success_key", items=[line | {"currency": "USD"}])
    assert said(fact, "items")[0]["amount"] is None


def test_the_envelopes_time_is_nobodys() -> None:
    payload = load("payment_success_simple") | {"created_at": "2031-01-01T00:00:00Z"}
    (fact,) = paysuper.read(payload, KEYS)
    assert "2031" not in everything([fact])
    assert fact.identity == only("payment_success_simple").identity
