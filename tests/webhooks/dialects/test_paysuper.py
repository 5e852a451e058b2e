"""PaySuper's dialect, verified and read by our own intake of PaySuper."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from merchant.providers import paysuper as reader
from merchant.providers.base import BadSignature, Fact, Incoming, Keys
from tests.webhooks.dialects import payloads
from webhooks import samples
from webhooks.dialects import paysuper
from webhooks.dialects.base import News, SigningKeys

SECRET = "ps-demo-secret-key-01"

#: Keys of an order that PaySuper always sends, in its order.
ORDER = """
id transaction object status description canceled cancellation refunded receipt_email
receipt_phone receipt_number receipt_url agreement_version agreement_accepted
notify_sale notify_sale_email issuer amount currency user billing_address tax method
items refund metadata original_amount country type platform_id receipt_id
virtual_currency_amount is_buy_for_virtual_currency charge_currency charge_amount
vat_payer is_production testing_case form_mode merchant_info net_revenue fee recurring
recurring_id recurring_subscription_id recurring_plan_id created_at canceled_at
refunded_at
"""


def _body(news: News) -> bytes:
    body = paysuper.body(news)
    assert body
    return body


def _read(news: News) -> list[Fact]:
    return reader.read(_parsed(_body(news)), Keys())


def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _incoming(body: bytes, headers: Any) -> Incoming:
    lower = {name.lower(): value for name, value in headers.items()}
    return Incoming(body, lower, payloads.AT)


def test_the_signature_is_the_hash_of_body_and_secret() -> None:
    news = samples.sample_news("payment.success")
    body = _body(news)
    headers = paysuper.sign(news, body, SigningKeys((SECRET,)), payloads.AT)
    expected = hashlib.sha256(body + SECRET.encode()).hexdigest()
    assert headers["Authorization"] == f"Signature {expected}"


def test_the_known_example() -> None:
    body = b'{"id":"e1","type":"notification","event":"payment.success","live":false}'
    news = samples.sample_news("payment.success")
    assert paysuper.sign(news, body, SigningKeys((SECRET,)), payloads.AT)[
        "Authorization"
    ] == ("Signature bc62e34133ff8411363f264c513692fea82d2467b2aca8679c59779236c885a2")


def test_an_old_secret_takes_every_second_try_during_an_overlap() -> None:
    news = samples.sample_news("payment.success")
    keys = SigningKeys(("the new secret key", "the old secret key"))
    taken = []
    for attempt in (1, 2):
        told = replace(news, attempt=attempt)
        body = _body(told)
        incoming = _incoming(body, paysuper.sign(told, body, keys, payloads.AT))
        try:
            reader.verify(incoming, Keys(secrets=("the old secret key",)))
            taken.append(attempt)
        except BadSignature:
            pass
    assert taken == [2]


def test_the_envelope_is_the_reference_pages() -> None:
    told = json.loads(_body(samples.sample_news("payment.success")))
    assert list(told) == [
        "id", "type", "event", "live", "created_at", "expires_at", "delivery_try",
        "object",
    ]  # fmt: skip
    assert told["type"] == "notification"
    assert told["live"] is False
    assert told["delivery_try"] == 1


def test_only_the_try_changes_from_one_try_to_the_next() -> None:
    news = samples.sample_news("payment.success")
    once = json.loads(_body(news))
    again = json.loads(_body(replace(news, attempt=3)))
    assert again.pop("delivery_try") == 3
    once.pop("delivery_try")
    assert once == again


def test_an_order_has_every_key_in_its_place() -> None:
    order = json.loads(_body(samples.sample_news("payment.success")))["object"]
    assert " ".join(order) == " ".join(ORDER.split())
    assert order["amount"] == 59.5
    assert order["currency"] == "EUR"
    assert order["metadata"]["invoiceId"] == "ORDER-10045"


def test_signs_are_escaped_as_paysuper_escapes_them() -> None:
    news = samples.sample_news("payment.success")
    news.payload["object"]["description"] = "<b>Zoë & 日本</b>"
    body = _body(news)
    assert "\\u003cb\\u003eZoë \\u0026 日本".encode() in body
    assert json.loads(body)["object"]["description"] == "<b>Zoë & 日本</b>"


def test_no_key_of_a_game_is_sent() -> None:
    news = samples.sample_news("payment.success", provider="paysuper")
    items = json.loads(_body(news))["object"]["items"]
    assert {item["code"] for item in items} == {""}


def test_pieces_stand_one_by_one_and_add_up() -> None:
    news = samples.sample_news("payment.success")
    news.payload["object"]["items"] = [
        {"product": "p", "name": "Pass", "sku": "", "quantity": 3, "amount": 1000}
    ]
    items = json.loads(_body(news))["object"]["items"]
    assert [item["amount"] for item in items] == [3.34, 3.33, 3.33]


@pytest.mark.parametrize(
    ("name", "over", "status", "reason"),
    [
        ("payment.success", {}, "paid", None),
        (
            "payment.failed",
            {"status_reason": "Insufficient funds (13)"},
            "failed",
            "Insufficient funds (13)",
        ),
        ("payment.failed", {"status_reason": "Declined"}, "failed", "Declined"),
        ("payment.cancel", {}, "canceled", None),
        ("payment.expired", {}, "canceled", None),
        ("payment.released", {}, "canceled", "hold released"),
    ],
)
def test_our_own_reader_finds_the_same_status(
    name: str, over: dict[str, Any], status: str, reason: str | None
) -> None:
    news = samples.sample_news(name)
    news.payload["object"] |= over
    fact = _read(news)[0]
    assert fact.status == status
    assert (fact.says["reason"].value if "reason" in fact.says else None) == reason


def test_tests_make_no_purchase() -> None:
    assert _read(samples.sample_news("endpoint.test")) == []


@payloads.examples
@given(object=payloads.transactions())
def test_our_own_reader_finds_the_same_purchase(object: dict[str, Any]) -> None:
    news = payloads.news_of("payment.success", payloads.payload_of(object))
    keys = Keys(secrets=(SECRET,))
    body = _body(news)
    headers = paysuper.sign(news, body, SigningKeys(keys.secrets), payloads.AT)
    incoming = _incoming(body, headers)
    reader.verify(incoming, keys)
    envelope = reader.identify(incoming, _parsed(body))
    assert envelope.event_id == news.key
    assert envelope.livemode is object["livemode"]
    fact = _read(news)[0]
    said = {column: s.value for column, s in fact.says.items()}
    assert said["money"] == [object["amount"], object["currency"]]
    own = object["provider"] == "paysuper"
    assert fact.references == (
        ("order", object["provider_id"] if own else object["id"]),
    )
    lines = said.get("items", [])
    known = [i["amount"] for i in object["items"] if i["amount"] is not None]
    assert sum(i["amount"] or 0 for i in lines) == sum(known)


@payloads.examples
@given(object=payloads.transactions())
def test_our_own_reader_finds_refunds_and_chargebacks(object: dict[str, Any]) -> None:
    object |= {"amount_refunded": object["amount"], "status": "refunded"}
    part = payloads.part_of("refund", object)
    news = payloads.news_of("payment.refund", payloads.payload_of(object, part))
    _, refund = _read(news)
    assert (refund.topic, refund.status) == ("refund", "succeeded")
    assert refund.says["money"].value == [object["amount"], object["currency"]]
    lost = payloads.part_of("dispute", object, status="lost")
    news = payloads.news_of("dispute.closed", payloads.payload_of(object, lost))
    _, dispute = _read(news)
    assert (dispute.topic, dispute.status) == ("dispute", "lost")
