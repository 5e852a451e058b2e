"""PayNow's dialect, verified and read by our own intake of PayNow."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant.providers import paynow as reader
from merchant.providers.base import Fact, Incoming, Keys
from tests.webhooks.dialects import payloads
from webhooks import dialects, samples
from webhooks.catalogue import KINDS
from webhooks.dialects import paynow
from webhooks.dialects.base import News, SigningKeys

SECRET = "your-webhook-secret"


def _body(news: News) -> bytes:
    body = paynow.body(news)
    assert body
    return body


def _read(news: News) -> list[Fact]:
    return reader.read(json.loads(_body(news)), Keys(livemode=news.livemode))


def _headers(news: News, *secrets: str) -> dict[str, str]:
    signed = paynow.sign(news, _body(news), SigningKeys(secrets), payloads.AT)
    return {name.lower(): value for name, value in signed.items()}


def test_a_receiver_of_either_scheme_is_content() -> None:
    news = samples.sample_news("payment.success")
    body, headers = _body(news), _headers(news, SECRET)
    stamp = headers["paynow-timestamp"]
    assert int(stamp) == int(payloads.AT.timestamp() * 1000)
    live = hmac.digest(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    assert headers["paynow-signature"] == base64.b64encode(live).decode()
    guide = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-paynow-signature"] == guide


def test_each_try_is_stamped_anew_with_the_same_body() -> None:
    news = samples.sample_news("payment.success")
    again = replace(news, attempt=2)
    assert _body(news) == _body(again)
    later = paynow.sign(
        again, _body(again), SigningKeys((SECRET,)), payloads.AT + timedelta(hours=2)
    )
    assert later["PayNow-Timestamp"] != _headers(news, SECRET)["paynow-timestamp"]


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.paynow])
def test_the_envelope_has_exactly_three_keys(name: str) -> None:
    news = samples.sample_news(name)
    told = json.loads(_body(news))
    assert list(told) == ["event_type", "event_id", "body"]
    assert told["event_type"] == KINDS[name].paynow
    incoming = Incoming(_body(news), _headers(news, SECRET), payloads.AT)
    reader.verify(incoming, Keys(secrets=(SECRET,)))
    assert reader.identify(incoming, told).event_id == told["event_id"]
    assert reader.read(told, Keys())


def test_the_fields_that_the_guide_reads_are_there() -> None:
    order = json.loads(_body(samples.sample_news("payment.success")))["body"]
    assert order["customer"]["name"] == "Ada Example"
    assert order["customer_id"] == order["customer"]["id"]
    assert order["total_amount"] == 5950
    assert order["currency"] == "EUR"
    assert [line["product_name"] for line in order["lines"]] == [
        "Snow Defender",
        "Season pass",
    ]
    assert [line["price"] for line in order["lines"]] == [4950, 500]
    item = json.loads(_body(samples.sample_news("delivery_item.added")))["body"]
    assert item["customer"]["steam_id"] == "76561190000000001"
    assert item["product"]["name"] == "Season pass"
    linked = json.loads(_body(samples.sample_news("customer.linked")))["body"]
    assert linked["discord_user_id"] == "123456789012345678"
    assert linked["product"]["name"] == "Snow Defender"
    opened = json.loads(_body(samples.sample_news("dispute.opened")))["body"]
    assert opened["chargeback_status"] == "pending"
    assert opened["order_id"]


def test_ids_of_a_test_cannot_be_taken_for_real_ones() -> None:
    told = json.loads(_body(samples.sample_news("endpoint.test")))
    assert told["event_id"].startswith("test-")
    assert told["body"]["id"].startswith("test-")
    assert all(line["id"].startswith("test-") for line in told["body"]["lines"])


def test_the_providers_own_ids_come_back() -> None:
    news = samples.sample_news("payment.success", provider="paynow")
    order = json.loads(_body(news))["body"]
    assert order["id"] == "626805379694596112"
    assert order["store_id"] == "411486491630370816"
    dispute = samples.sample_news("dispute.opened", provider="paynow")
    assert json.loads(_body(dispute))["body"]["id"] == "626805379694596113"


def test_the_providers_own_product_ids_come_back_where_they_are_known() -> None:
    news = samples.sample_news("payment.success", provider="paynow")
    ours = news.payload["object"]["items"][0]["product"]
    news.payload["products"] = {ours: "515476010565636100"}
    lines = json.loads(_body(news))["body"]["lines"]
    assert lines[0]["product_id"] == lines[0]["product"]["id"] == "515476010565636100"


@pytest.mark.parametrize(
    ("name", "topic", "status"),
    [
        ("payment.success", "payment", "paid"),
        ("payment.failed", "payment", "failed"),
        ("payment.refund", "refund", "succeeded"),
        ("dispute.opened", "dispute", "open"),
        ("dispute.closed", "dispute", "lost"),
        ("subscription.activated", "subscription", "active"),
        ("subscription.canceled", "subscription", "canceled"),
        ("trial.activated", "trial", "trialing"),
        ("trial.completed", "trial", "completed"),
        ("trial.canceled", "trial", "canceled"),
        ("delivery_item.added", "delivery_item", "usable"),
        ("delivery_item.activated", "delivery_item", "active"),
        ("delivery_item.used", "delivery_item", "used"),
        ("delivery_item.renewed", "delivery_item", "renewed"),
        ("delivery_item.revoked", "delivery_item", "revoked"),
        ("delivery_item.expired", "delivery_item", "expired"),
    ],
)
def test_our_own_reader_finds_the_same_status(
    name: str, topic: str, status: str
) -> None:
    fact = _read(samples.sample_news(name))[0]
    assert (fact.topic, fact.status) == (topic, status)


def test_a_reason_of_paynows_own_is_told_by_its_code() -> None:
    news = samples.sample_news("payment.failed")
    body = json.loads(_body(news))["body"]
    assert body["failure_code"] == "insufficient_funds"
    assert _read(news)[0].says["reason"].value == "Insufficient funds"


@payloads.examples
@given(object=payloads.transactions())
def test_our_own_reader_finds_the_same_purchase(object: dict[str, Any]) -> None:
    news = payloads.news_of("payment.success", payloads.payload_of(object))
    incoming = Incoming(_body(news), _headers(news, SECRET), payloads.AT)
    reader.verify(incoming, Keys(secrets=(SECRET,)))
    (fact,) = _read(news)
    said = {column: s.value for column, s in fact.says.items()}
    assert said["money"] == [object["amount"], object["currency"]]
    assert said.get("order_reference") == object["order_reference"]
    own = object["provider"] == "paynow"
    assert fact.references == (
        ("order", object["provider_id"] if own else object["id"]),
    )
    assert [(i["quantity"], i["amount"]) for i in said.get("items", [])] == [
        (i["quantity"], i["amount"]) for i in object["items"]
    ]


@payloads.examples
@given(object=payloads.transactions(), share=st.integers(1, 100))
def test_our_own_reader_finds_what_went_back(object: Any, share: int) -> None:
    back = max(1, object["amount"] * share // 100)
    object |= {"amount_refunded": back, "status": "partially_refunded"}
    part = payloads.part_of("refund", object, amount=back)
    news = payloads.news_of("payment.refund", payloads.payload_of(object, part))
    refund = _read(news)[0]
    assert refund.says["money"].value == [back, object["currency"]]


def test_every_secret_gets_its_turn() -> None:
    news = samples.sample_news("payment.success")
    for attempt, secret in ((1, "the newer secret"), (2, "the older secret")):
        told = replace(news, attempt=attempt)
        headers = _headers(told, "the newer secret", "the older secret")
        incoming = Incoming(_body(told), headers, payloads.AT)
        reader.verify(incoming, Keys(secrets=(secret,)))


def test_what_paynow_does_not_tell_is_not_sent() -> None:
    keys = SigningKeys((SECRET,))
    for name in ("payment.created", "refund.requested", "payout.paid"):
        news = samples.sample_news(name)
        assert dialects.compose("paynow", news, keys, payloads.AT) is None
