"""Every payload file of PayNow, read: one test of the same name each."""

from __future__ import annotations

import json

import pytest

from merchant.providers import paynow
from merchant.providers.base import Fact, Keys, Unreadable, Want
from merchant.providers.paynow.events import READERS
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paynow_cases import (
    FOLDER,
    KEYS,
    ORDER_ID,
    PAYMENT_ID,
    PURCHASE,
    facts,
    load,
    read_with,
    said,
)


def only(name: str) -> Fact:
    (fact,) = facts(name)
    return fact


def test_every_payload_file_has_a_test_of_its_name() -> None:
    tests = {name.removeprefix("test_") for name in globals()}
    for path in FOLDER.glob("on_*.json"):
        assert path.stem in tests, f"{path.name} has no test"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("on_*.json")), ids=lambda p: p.stem)
def test_every_payload_gives_facts_of_the_contract(path) -> None:
    check_facts(facts(path.stem), paynow)


def test_on_order_completed() -> None:
    fact = only("on_order_completed")
    assert (fact.topic, fact.status) == ("payment", "paid")
    assert fact.references == (("order", ORDER_ID),)
    assert fact.order == int(load("on_order_completed")["event_id"])
    assert said(fact, "money") == [3960, "usd"]
    assert said(fact, "created") == "2026-10-05T18:20:00.000000+00:00"
    assert said(fact, "paid") == "2026-10-05T18:20:41.000000+00:00"
    assert said(fact, "customer_name") == "mira_s"
    assert said(fact, "customer_email") == "Mira@Example.com"
    assert said(fact, "customer_key") == "mira@example.com"
    assert said(fact, "customer_country") == "NO"
    assert said(fact, "description") == "Lantern Pass, 500 Coins"
    assert said(fact, "metadata") == {"campaign": "harvest"}
    assert said(fact, "method_details") == {"holder": "Mira Solberg"}
    assert said(fact, "customer_details")["identities"] == {
        "steam": {"id": "76561190000000042", "name": "mira_s"}
    }
    assert said(fact, "livemode") is True


def test_the_lines_of_an_order() -> None:
    lines = said(only("on_order_completed"), "items")
    assert [line["name"] for line in lines] == ["Lantern Pass", "500 Coins"]
    assert [line["sku"] for line in lines] == ["LAN-PASS", "coins-500"]
    assert [line["quantity"] for line in lines] == [1, 2]
    assert [line["amount"] for line in lines] == [2640, 1320]
    sent = load("on_order_completed")["body"]["lines"]
    assert [line["key"] for line in lines] == [line["id"] for line in sent]
    assert [line["product"] for line in lines] == [line["product_id"] for line in sent]


def test_on_order_completed__guide_shape() -> None:
    fact = only("on_order_completed__guide_shape")
    assert fact.references == (("order", "order-77"),)
    assert (fact.status, fact.order) == ("paid", 0)
    assert said(fact, "money") == [1250, "usd"]
    assert said(fact, "created") == "2026-10-05T18:20:00.000000+00:00"
    assert said(fact, "customer_key") == "paynow:customer-31"
    identities = said(fact, "customer_details")["identities"]
    assert identities == {"steam": {"id": "76561190000000077", "name": ""}}
    (line,) = said(fact, "items")
    assert (line["key"], line["product"]) == ("0", "product-8")
    assert (line["name"], line["amount"]) == ("Sample Crate", 1250)


def test_on_payment_completed() -> None:
    fact = only("on_payment_completed")
    assert (fact.topic, fact.object_kind, fact.status) == ("payment", "payment", "paid")
    assert fact.references == PURCHASE
    assert fact.wants == (Want("payment", PAYMENT_ID),)
    assert said(fact, "money") == [3960, "usd"]
    assert said(fact, "settlement") == {
        "currency": "usd", "amount": 3960, "fee": 145 + 155, "net": 3300,
    }  # fmt: skip
    assert said(fact, "method_details") == {"gateway": "stripe"}


def test_an_orders_total_counts_more_than_its_payment() -> None:
    order, payment = only("on_order_completed"), only("on_payment_completed")
    assert order.says["money"].weight > payment.says["money"].weight


def test_an_order_and_its_payment_agree_on_the_customer() -> None:
    order, payment = only("on_order_completed"), only("on_payment_completed")
    assert order.says["customer_key"].weight > payment.says["customer_key"].weight


def test_on_payment_failed() -> None:
    fact = only("on_payment_failed")
    assert fact.status == "failed"
    assert said(fact, "reason") == "Insufficient funds"
    assert said(fact, "paid") is None
    assert said(fact, "settlement") is None
    assert dict(fact.references)["order"] != ORDER_ID


def test_a_decline_that_nobody_knows_is_shown_readable() -> None:
    (fact,) = read_with("on_payment_failed", failure_code="moon_was_full")
    assert said(fact, "reason") == "Moon was full"


def test_on_refund() -> None:
    refund, payment = facts("on_refund")
    assert (refund.topic, refund.status) == ("refund", "succeeded")
    assert refund.references == PURCHASE
    assert refund.wants == (Want("payment", PAYMENT_ID),)
    assert said(refund, "money") == [3960, "usd"]
    assert said(refund, "verified") is None
    assert (payment.object_id, payment.status) == (PAYMENT_ID, "paid")
    assert said(payment, "money") == [3960, "usd"]
    assert payment.says["money"].weight == 0


def test_on_refund__partial() -> None:
    refund, payment = facts("on_refund__partial")
    assert said(refund, "money") == [1320, "usd"]
    assert said(refund, "verified") is False
    assert said(payment, "money") == [3960, "usd"]


def test_on_refund__rest() -> None:
    refund, _ = facts("on_refund__rest")
    assert said(refund, "money") == [2640, "usd"]
    assert said(refund, "verified") is False


def test_a_share_that_does_not_come_out_even_is_rounded_down() -> None:
    refund, _ = read_with("on_refund", store_refund_amount=1001)
    assert said(refund, "money") == [3960 * 1001 // 3300, "usd"]
    assert said(refund, "verified") is False


def test_a_refund_without_the_stores_share_has_no_amount() -> None:
    refund, _ = read_with("on_refund", store_refund_amount=None)
    assert said(refund, "money") is None
    assert said(refund, "verified") is False


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("created", "pending"), ("approved", "pending"), ("processing", "pending"),
        ("completed", "succeeded"), ("canceled", "canceled"), ("failed", "failed"),
        (None, "succeeded"), ("paused", "pending"),
    ],
)  # fmt: skip
def test_a_refunds_words_are_ours(word: str | None, status: str) -> None:
    refund, _ = read_with("on_refund", status=word)
    assert refund.status == status


def test_on_chargeback() -> None:
    dispute, payment = facts("on_chargeback")
    assert (dispute.topic, dispute.status) == ("dispute", "open")
    assert dispute.object_id == PAYMENT_ID
    assert dispute.references == PURCHASE
    assert said(dispute, "money") == [3960, "usd"]
    assert said(dispute, "created") == "2026-10-12T07:30:00.000000+00:00"
    assert payment.status == "paid"


def test_on_chargeback_closed() -> None:
    dispute, _ = facts("on_chargeback_closed")
    assert dispute.status == "won"
    assert dispute.order > facts("on_chargeback")[0].order


def test_on_chargeback_closed__lost() -> None:
    dispute, _ = facts("on_chargeback_closed__lost")
    assert dispute.status == "lost"


@pytest.mark.parametrize("word", ["pending", "none", None, "draw"])
def test_a_closed_chargeback_without_a_winner_is_looked_up(word: str | None) -> None:
    dispute, _ = read_with("on_chargeback_closed", chargeback_status=word)
    assert dispute.status == "open"
    assert dispute.wants == (Want("payment", PAYMENT_ID),)


def item(name: str, status: str) -> Fact:
    fact = only(name)
    assert (fact.topic, fact.status) == ("delivery_item", status)
    assert fact.references == (("order", ORDER_ID),)
    assert said(fact, "name") == "Lantern Pass"
    return fact


def test_on_delivery_item_added() -> None:
    fact = item("on_delivery_item_added", "usable")
    assert said(fact, "created") == "2026-10-05T18:20:41.000000+00:00"


def test_on_delivery_item_activated() -> None:
    fact = item("on_delivery_item_activated", "active")
    assert said(fact, "expires") == "2026-11-05T18:25:00.000000+00:00"


def test_on_delivery_item_used() -> None:
    item("on_delivery_item_used", "used")


def test_on_delivery_item_renewed() -> None:
    fact = item("on_delivery_item_renewed", "renewed")
    assert said(fact, "expires") == "2026-12-05T18:25:00.000000+00:00"


def test_on_delivery_item_expired() -> None:
    """The item's own state still says active: there is no word "expired"."""
    assert load("on_delivery_item_expired")["body"]["state"] == "active"
    item("on_delivery_item_expired", "expired")


def test_on_delivery_item_revoked() -> None:
    fact = item("on_delivery_item_revoked", "revoked")
    assert said(fact, "reason") == "Refund"


def test_on_delivery_item_added__by_hand() -> None:
    """A grant by hand belongs to no purchase."""
    assert facts("on_delivery_item_added__by_hand") == []


def test_an_items_states_are_in_order_without_numbers() -> None:
    names = ("added", "activated", "renewed", "used", "expired", "revoked")
    ranks = [only(f"on_delivery_item_{name}").rank for name in names]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_on_subscription_activated() -> None:
    fact = only("on_subscription_activated")
    assert (fact.topic, fact.status) == ("subscription", "active")
    assert fact.references == ()
    assert said(fact, "money") == [2975, "eur"]
    assert said(fact, "customer_name") == "Otto_the_Builder"
    assert said(fact, "customer_email") == "otto@example.org"
    assert said(fact, "product") == "Lantern Pass"
    assert said(fact, "interval") == "month"
    assert said(fact, "period_end") == "2026-10-01T12:00:00.000000+00:00"


def test_on_subscription_renewed() -> None:
    fact = only("on_subscription_renewed")
    assert fact.status == "active"
    assert fact.identity != only("on_subscription_activated").identity
    assert said(fact, "period_end") == "2026-11-01T12:00:00.000000+00:00"
    assert said(fact, "details")["period"] == "2"


def test_on_subscription_canceled() -> None:
    fact = only("on_subscription_canceled")
    assert fact.status == "canceled"
    assert said(fact, "ends") == "2026-10-15T08:00:00.000000+00:00"
    assert said(fact, "reason") == "Customer request"


def test_on_trial_activated() -> None:
    fact = only("on_trial_activated")
    assert (fact.topic, fact.status) == ("trial", "trialing")
    assert said(fact, "interval") == "7 days"
    assert said(fact, "period_start") == "2026-08-10T10:00:00.000000+00:00"


def test_on_trial_completed() -> None:
    assert only("on_trial_completed").status == "completed"


def test_on_trial_canceled() -> None:
    fact = only("on_trial_canceled")
    assert fact.status == "canceled"
    assert said(fact, "ends") == "2026-08-12T10:00:00.000000+00:00"


def test_on_discord_account_linked_to_checkout() -> None:
    order, link = facts("on_discord_account_linked_to_checkout")
    assert order.identity == only("on_order_completed").identity
    assert (link.topic, link.status) == ("link", "linked")
    assert link.references == (("order", ORDER_ID),)
    assert said(link, "customer_details")["identities"] == {
        "steam": {"id": "76561190000000042", "name": "mira_s"},
        "discord": {"id": "987654321098765432", "name": "mira.sol"},
    }


def test_the_connections_mode_is_the_facts_mode() -> None:
    (fact,) = facts("on_order_completed", Keys(livemode=False))
    assert said(fact, "livemode") is False


def test_the_same_change_under_a_new_event_id_is_one_fact() -> None:
    payload = load("on_refund")
    again = payload | {"event_id": str(int(payload["event_id"]) + 9)}
    first, second = paynow.read(payload, KEYS), paynow.read(again, KEYS)
    assert [f.identity for f in first] == [f.identity for f in second]


def test_every_published_event_has_a_payload_file() -> None:
    told = {
        json.loads(path.read_bytes())["event_type"] for path in FOLDER.glob("on_*.json")
    }
    assert told == set(READERS)
    assert len(READERS) == 19


@pytest.mark.parametrize("value", [-1, "3960", 39.6, True, [], 10**14, {}])
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("on_order_completed", "total_amount"),
        ("on_payment_completed", "amount"),
        ("on_payment_completed", "gateway_fee_amount"),
        ("on_refund", "store_refund_amount"),
        ("on_chargeback", "amount"),
        ("on_subscription_renewed", "total_amount"),
    ],
)
def test_what_is_no_amount_is_unreadable(name: str, column: str, value: object) -> None:
    with pytest.raises(Unreadable):
        read_with(name, **{column: value})


@pytest.mark.parametrize("currency", [None, "", "DOLLARS", "XXQ", 840, "U$D", "us"])
def test_an_unknown_currency_is_unreadable(currency: object) -> None:
    with pytest.raises(Unreadable):
        read_with("on_order_completed", currency=currency)


@pytest.mark.parametrize(
    ("code", "minor"), [("JPY", 3960), ("kwd", 3960), ("Isk", 3960)]
)
def test_amounts_are_iso_minor_units_already(code: str, minor: int) -> None:
    (fact,) = read_with("on_order_completed", currency=code)
    assert said(fact, "money") == [minor, code.lower()]


@pytest.mark.parametrize("quantity", [0, -1, "2", 1.5, True, 10**7])
def test_what_is_no_quantity_is_unreadable(quantity: object) -> None:
    line = {"product_id": "1", "quantity": quantity, "price": 5}
    with pytest.raises(Unreadable):
        read_with("on_order_completed", lines=[line])


def test_a_free_order_is_paid_with_nothing() -> None:
    (fact,) = read_with("on_order_completed", total_amount=0, lines=[])
    assert (fact.status, said(fact, "money")) == ("paid", [0, "usd"])


def test_an_order_of_nulls_is_still_an_order() -> None:
    body = dict.fromkeys(load("on_order_completed")["body"]) | {"id": "55"}
    payload = {"event_type": "ON_ORDER_COMPLETED", "event_id": "1", "body": body}
    (fact,) = paynow.read(payload, KEYS)
    assert (fact.status, fact.object_id) == ("paid", "55")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("on_*.json")), ids=lambda p: p.stem)
def test_no_event_needs_more_than_its_ids(path) -> None:
    payload = load(path.stem)
    ids = ("id", "order_id", "payment_id", "discord_user_id")
    payload["body"] = {n: v for n, v in payload["body"].items() if n in ids}
    check_facts(paynow.read(payload, KEYS), paynow)


@pytest.mark.parametrize("id", [None, "", " ", [], {}, True, 1.5])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("on_*.json")), ids=lambda p: p.stem)
def test_an_object_without_an_id_is_unreadable(path, id: object) -> None:
    payload = load(path.stem)
    key = "discord_user_id" if "discord" in path.stem else "id"
    payload["body"][key] = id
    with pytest.raises(Unreadable):
        paynow.read(payload, KEYS)


def test_hostile_texts_are_cleaned() -> None:
    text = "<script>\x00=cmd|'x'\ud800\u202e" + "y" * 70_000
    (fact,) = read_with(
        "on_order_completed", billing_name=text, billing_email=text, product_names=text
    )
    check_facts([fact], paynow)
    assert len(said(fact, "description")) <= 500
    assert len(said(fact, "customer_email")) <= 320


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon", 5, {}]
)
def test_a_time_out_of_this_world_is_no_time(when: object) -> None:
    (fact,) = read_with("on_order_completed", created_at=when, completed_at=when)
    # The ids carry times of their own.
    assert said(fact, "created").startswith("2026-10-05T18:20:00")
    assert said(fact, "paid").startswith("2026-10-05T18:20:42")


@pytest.mark.parametrize("id", ["9" * 19, "9" * 40, "0", "-5", "1e5"])
def test_an_event_id_beyond_63_bits_has_no_place(id: str) -> None:
    payload = load("on_order_completed") | {"event_id": id}
    (fact,) = paynow.read(payload, KEYS)
    assert fact.order == 0


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("on_refund", ("order_id", "payment_id")),
        ("on_discord_account_linked_to_checkout", ("order_id", "order")),
    ],
)
def test_what_belongs_to_no_purchase_is_unreadable(
    name: str, without: tuple[str, ...]
) -> None:
    with pytest.raises(Unreadable):
        read_with(name, **dict.fromkeys(without))


def test_a_refund_that_names_its_order_alone_is_a_refund() -> None:
    (refund,) = read_with("on_refund", payment_id=None)
    assert refund.references == (("order", ORDER_ID),)
    assert refund.wants == ()
