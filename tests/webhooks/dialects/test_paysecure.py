"""Paysecure's dialect, verified and read by our own intake of Paysecure."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from merchant.providers import paysecure as reader
from merchant.providers.base import Fact, Incoming, Keys
from tests.factories import rsa_pair
from tests.webhooks.dialects import payloads
from webhooks import samples
from webhooks.catalogue import KINDS
from webhooks.dialects import paysecure, rsa
from webhooks.dialects.base import News, SigningKeys

#: Event -> what our own reader makes of the letter.
READ = {
    "payment.created": "created",
    "payment.pending": "pending",
    "payment.authorized": "authorized",
    "payment.released": "released",
    "payment.overdue": "overdue",
    "payment.success": "paid",
    "payment.failed": "failed",
    "payment.cancel": "canceled",
    "payment.expired": "expired",
    "payment.refund": "paid",
    "refund.requested": "paid",
    "refund.failed": "paid",
}


def _body(news: News) -> bytes:
    body = paysecure.body(news)
    assert body
    return body


def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _read(news: News) -> list[Fact]:
    return reader.read(_parsed(_body(news)), Keys())


def _incoming(news: News) -> Incoming:
    keys = SigningKeys(private_key=rsa_pair()[1])
    headers = paysecure.sign(news, _body(news), keys, payloads.AT)
    header = {"paysecure-sign": headers["paysecure_sign"]}
    return Incoming(_body(news), header, payloads.AT)


def _fits(signature: str, text: str) -> bool:
    key = reader.load_public_key(rsa_pair()[0])
    try:
        key.verify(
            base64.b64decode(signature, validate=True),
            text.encode(),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
    except InvalidSignature:
        return False
    return True


def test_both_spellings_of_the_header_are_sent() -> None:
    news = samples.sample_news("payment.success")
    keys = SigningKeys(private_key=rsa_pair()[1])
    headers = paysecure.sign(news, _body(news), keys, payloads.AT)
    assert headers["paysecure_sign"] == headers["paysecure-sign"]
    assert len(headers["paysecure_sign"]) == 344


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.paysecure])
def test_a_handler_verifies_what_it_reads_wherever_it_reads(name: str) -> None:
    """In the wrapper of live deliveries, and bare as the reference page has it."""
    news = samples.sample_news(name)
    told = json.loads(_body(news))
    signature = _incoming(news).headers["paysecure-sign"]
    wrapped = told["payload" if news.subject_kind == "payout" else "message"]
    for read in (told, wrapped):
        if news.subject_kind == "payout":
            text = f"{read['payoutId']}|{read['status']}"
            assert _fits(signature, text)
        else:
            for brand in (read["brandId"], read["brand_id"]):
                assert _fits(
                    signature, f"{read['purchaseId']}|{read['status']}|{brand}"
                )
    assert not _fits(signature, "another|PAID|brand")
    reader.verify(_incoming(news), Keys(public_keys=(rsa_pair()[0],)))


@pytest.mark.parametrize("name", READ)
def test_our_own_reader_finds_the_same_status(name: str) -> None:
    fact = _read(samples.sample_news(name))[0]
    assert fact.status == READ[name]
    assert fact.says["money"].value == [5950, "eur"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payout.created", "created"),
        ("payout.pending", "pending"),
        ("payout.paid", "paid"),
        ("payout.failed", "failed"),
    ],
)
def test_our_own_reader_finds_the_same_payout(name: str, status: str) -> None:
    (fact,) = _read(samples.sample_news(name))
    assert (fact.topic, fact.status) == ("payout", status)
    assert fact.says["money"].value == [123456, "eur"]


@payloads.examples
@given(object=payloads.transactions())
def test_our_own_reader_finds_the_same_purchase(object: dict[str, Any]) -> None:
    news = payloads.news_of("payment.success", payloads.payload_of(object))
    incoming = _incoming(news)
    reader.verify(incoming, Keys(public_keys=(rsa_pair()[0],)))
    envelope = reader.identify(incoming, _parsed(incoming.body))
    assert envelope.livemode is object["livemode"]
    fact = _read(news)[0]
    said = {column: s.value for column, s in fact.says.items()}
    assert said["money"] == [object["amount"], object["currency"]]
    assert said["paid"]
    own = object["provider"] == "paysecure"
    assert fact.references == (
        ("purchase", object["provider_id"] if own else object["id"]),
    )
    assert said["account"] == ("411486491630370816" if own else object["project"])
    assert said.get("order_reference") == object["order_reference"]
    assert [(i["quantity"], i["amount"]) for i in said.get("items", [])] == [
        (i["quantity"], i["amount"]) for i in object["items"]
    ]


@payloads.examples
@given(object=payloads.transactions(), share=st.integers(1, 99))
def test_our_own_reader_finds_what_went_back(object: Any, share: int) -> None:
    object["amount"] += 1  # a part of one unit would be all of it
    back = max(1, object["amount"] * share // 100)
    object |= {"amount_refunded": back, "status": "partially_refunded"}
    news = payloads.news_of("payment.refund", payloads.payload_of(object))
    fact = _read(news)[0]
    assert fact.says["refunded_total"].value == back


def test_an_old_key_takes_every_second_try_during_an_overlap() -> None:
    news, new = samples.sample_news("payment.success"), rsa.new_pair()[0]
    keys = SigningKeys(private_key=new, older_private_keys=(rsa_pair()[1],))
    fits = []
    for attempt in (1, 2, 3):
        told = replace(news, attempt=attempt)
        body = _body(told)
        text = paysecure.signed_text(json.loads(body)).decode()
        signed = paysecure.sign(told, body, keys, payloads.AT)["paysecure-sign"]
        fits.append(_fits(signed, text))
    assert fits == [False, True, False]


# -------------------------------------------------------------------- the status check
@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"status": "created"}, "CREATED"),
        ({"status": "pending"}, "PAYMENT_IN_PROCESS"),
        ({"status": "authorized"}, "HOLD"),
        ({"status": "overdue"}, "OVERDUE"),
        ({"status": "partially_paid"}, "PARTIAL_PAID"),
        ({"status": "paid"}, "PAID"),
        ({"status": "paid", "refund_pending": True}, "REFUND_IN_PROCESS"),
        ({"status": "partially_refunded"}, "PARTIAL_REFUNDED"),
        ({"status": "refunded"}, "REFUNDED"),
        ({"status": "disputed"}, "PAID"),
        ({"status": "charged_back"}, "CHARGEBACK"),
        ({"status": "failed"}, "ERROR"),
        ({"status": "canceled"}, "CANCELLED"),
        ({"status": "canceled", "status_reason": "hold released"}, "RELEASED"),
        ({"status": "expired"}, "EXPIRED"),
    ],
)
def test_the_status_check_knows_every_status(over: Any, status: str) -> None:
    payload = samples.sample("payment.success")
    told = paysecure.purchase(payload["object"] | over, payload)
    assert told["status"] == status


def test_a_refund_that_waits_for_approval_is_not_under_way() -> None:
    payload = samples.sample("payment.success")
    waiting = {"status": "awaiting_approval"}
    object = payload["object"] | {"refund_pending": True, "refunds": [waiting]}
    assert paysecure.purchase(object, payload)["status"] == "PAID"


@pytest.mark.parametrize("name", [n for n in READ if n != "payment.released"])
def test_the_status_check_answers_exactly_what_the_webhook_said(name: str) -> None:
    news = samples.sample_news(name)
    told = json.loads(_body(news))["message"]
    asked = paysecure.purchase(news.object, news.payload)
    assert json.loads(json.dumps(asked)) == told


def test_a_status_check_needs_no_more_than_the_object() -> None:
    object = samples.sample("payment.success")["object"]
    assert paysecure.purchase(object, {})["purchaseId"] == object["id"]
