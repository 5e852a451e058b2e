"""Stripe's dialect, verified by Stripe's own library and read by our own reader."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe as library
from hypothesis import given
from hypothesis import strategies as st

from merchant.providers import stripe as reader
from merchant.providers.base import Fact, Incoming, Keys
from tests.webhooks.dialects import payloads
from webhooks import dialects, samples, secrets
from webhooks.catalogue import KINDS
from webhooks.dialects import stripe
from webhooks.dialects.base import News, SigningKeys

#: Event -> what our own reader makes of the letter.
READ = {
    "payment.created": "created",
    "payment.pending": "pending",
    "payment.authorized": "authorized",
    "payment.released": "canceled",
    "payment.success": "paid",
    "payment.failed": "failed",
    "payment.cancel": "canceled",
    "payment.expired": "expired",
    "payment.refund": "paid",
}


def _read(news: News) -> list[Fact]:
    body = stripe.body(news)
    assert body
    return reader.read(json.loads(body), Keys())


def _said(fact: Fact) -> dict[str, Any]:
    return {column: said.value for column, said in fact.says.items()}


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.stripe])
def test_the_library_constructs_every_event(name: str) -> None:
    secret = secrets.new_secret("stripe")
    at = datetime.now(UTC)
    news = samples.sample_news(name)
    letter = dialects.compose("stripe", news, SigningKeys((secret,)), at)
    assert letter
    event = library.Webhook.construct_event(
        letter.body, letter.headers["Stripe-Signature"], secret
    )
    assert event.id == news.key
    assert event.type == KINDS[name].stripe
    assert event["data"]["object"]["object"]
    assert event.livemode is False
    assert isinstance(event.created, int)


def test_the_library_knows_the_objects() -> None:
    told = stripe.event(samples.sample_news("payment.success"))
    event = library.Event.construct_from(told, "sk_test")
    session = event.data.object
    assert isinstance(session, library.checkout.Session)
    assert session.payment_status == "paid"
    assert session.amount_total == 5950
    assert session.customer_details and session.customer_details.email
    assert session.line_items and session.line_items.data[0].quantity == 1


def test_every_secret_is_content_during_an_overlap() -> None:
    new, old = secrets.new_secret("stripe"), secrets.new_secret("stripe")
    news = samples.sample_news("payment.success")
    letter = dialects.compose(
        "stripe", news, SigningKeys((new, old)), datetime.now(UTC)
    )
    assert letter
    header = letter.headers["Stripe-Signature"]
    assert header.count("v1=") == 2
    for secret in (new, old):
        library.Webhook.construct_event(letter.body, header, secret)
    with pytest.raises(library.SignatureVerificationError):
        library.Webhook.construct_event(
            letter.body, header, secrets.new_secret("stripe")
        )


def test_the_same_bytes_are_sent_in_every_try() -> None:
    news = samples.sample_news("payment.success")
    assert stripe.body(news) == stripe.body(replace(news, attempt=7))


@pytest.mark.parametrize("name", READ)
def test_our_own_reader_finds_the_same_status(name: str) -> None:
    fact = _read(samples.sample_news(name))[0]
    assert fact.status == READ[name]
    assert _said(fact)["money"] == [5950, "eur"]


@payloads.examples
@given(object=payloads.transactions())
def test_our_own_reader_finds_the_same_purchase(object: dict[str, Any]) -> None:
    payload = payloads.payload_of(object)
    news = payloads.news_of("payment.success", payload)
    keys = Keys(secrets=("whsec_of the endpoint",))
    body = stripe.body(news)
    assert body
    headers = stripe.sign(news, body, SigningKeys(keys.secrets), payloads.AT)
    lower = {name.lower(): value for name, value in headers.items()}
    reader.verify(Incoming(body, lower, payloads.AT), keys)
    fact = _read(news)[0]
    said = _said(fact)
    assert said["money"] == [object["amount"], object["currency"]]
    assert said["livemode"] is object["livemode"]
    assert said.get("order_reference") == object["order_reference"]
    assert [i["amount"] for i in said.get("items", [])] == [
        i["amount"] for i in object["items"]
    ]
    if object["provider"] == "stripe":
        assert ("session", "cs_test_1") in fact.references
        assert ("payment_intent", "pi_1") in fact.references


@payloads.examples
@given(object=payloads.transactions(), share=st.integers(1, 100))
def test_our_own_reader_finds_what_went_back(object: Any, share: int) -> None:
    back = max(1, object["amount"] * share // 100)
    object |= {"amount_refunded": back, "status": "partially_refunded"}
    part = payloads.part_of("refund", object, amount=back)
    payload = payloads.payload_of(object, part)
    charge = _said(_read(payloads.news_of("payment.refund", payload))[0])
    assert charge["refunded_total"] == back
    refund = _read(payloads.news_of("refund.succeeded", payload))[0]
    assert (refund.topic, refund.status) == ("refund", "succeeded")
    assert _said(refund)["money"] == [back, object["currency"]]


@pytest.mark.parametrize(
    ("currency", "minor", "sent"),
    [
        ("isk", 500, 50000),  # two decimals on Stripe's wire
        ("ugx", 500, 50000),
        ("jpy", 500, 500),
        ("kwd", 1500, 1500),
        ("eur", 500, 500),
        ("mga", 500, 5),  # none on Stripe's wire
        ("mga", 550, None),  # which it cannot say exactly
    ],
)
def test_amounts_are_in_stripes_own_units(
    currency: str, minor: int, sent: int | None
) -> None:
    news = samples.sample_news("payment.success")
    news.payload["object"] |= {"amount": minor, "currency": currency}
    assert stripe.event(news)["data"]["object"]["amount_total"] == sent


def test_a_purchase_from_elsewhere_gets_ids_in_stripes_form() -> None:
    news = samples.sample_news("payment.success", provider="paynow")
    session = stripe.event(news)["data"]["object"]
    # Success pages look a session up by exactly this form.
    assert session["id"].startswith("cs_test_")
    assert session["id"].removeprefix("cs_test_").isalnum()
    refund = stripe.event(samples.sample_news("payment.refund", provider="paynow"))
    assert refund["data"]["object"]["payment_intent"] == session["payment_intent"]


def test_a_refund_tells_how_much_went_back_before() -> None:
    news = samples.sample_news("payment.refund")
    news.payload["object"] |= {
        "status": "partially_refunded",
        "amount_refunded": 1500,
    }
    news.payload["part"] |= {"amount": 500}
    data = stripe.event(news)["data"]
    assert data["object"]["amount_refunded"] == 1500
    assert data["object"]["refunded"] is False
    assert data["previous_attributes"] == {"amount_refunded": 1000}


def test_an_amount_that_nobody_has_confirmed_is_marked() -> None:
    news = samples.sample_news("payment.success")
    assert "verified" not in stripe.event(news)["data"]["object"]
    news.payload["object"]["verified"] = False
    assert stripe.event(news)["data"]["object"]["verified"] is False


def test_a_connected_account_is_named() -> None:
    news = samples.sample_news("payment.success")
    assert "account" not in stripe.event(news)
    news.payload["brand"] = "acct_1"
    assert stripe.event(news)["account"] == "acct_1"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("subscription.activated", "active"),
        ("subscription.renewed", "active"),
        ("subscription.canceled", "canceled"),
    ],
)
def test_our_own_reader_finds_the_same_subscription(name: str, status: str) -> None:
    fact = _read(samples.sample_news(name))[0]
    assert (fact.topic, fact.object_id, fact.status) == (
        "subscription",
        "sub_sample1",
        status,
    )
    said = _said(fact)
    assert said["money"] == [1900, "eur"]
    assert said["interval"] == "month"


def test_a_payment_that_is_past_due_names_its_subscription() -> None:
    told = stripe.event(samples.sample_news("subscription.past_due"))["data"]["object"]
    details = told["parent"]["subscription_details"]
    assert details["subscription"] == "sub_sample1"
    assert told["amount_due"] == 1900


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payout.created", "pending"),
        ("payout.paid", "paid"),
        ("payout.failed", "failed"),
    ],
)
def test_our_own_reader_finds_the_same_payout(name: str, status: str) -> None:
    fact = _read(samples.sample_news(name))[0]
    assert (fact.topic, fact.object_id, fact.status) == ("payout", "po_sample1", status)
    assert _said(fact)["money"] == [123456, "eur"]


@pytest.mark.parametrize(
    ("name", "status", "reason", "told"),
    [
        ("dispute.opened", "open", "fraudulent", "needs_response"),
        ("dispute.opened", "open", "inquiry: general", "warning_needs_response"),
        ("dispute.closed", "won", "fraudulent", "won"),
        ("dispute.closed", "won", "inquiry", "warning_closed"),
        ("dispute.closed", "lost", "fraudulent", "lost"),
    ],
)
def test_disputes_and_inquiries(name: str, status: str, reason: str, told: str) -> None:
    news = samples.sample_news(name)
    news.payload["part"] |= {"status": status, "reason": reason}
    dispute = stripe.event(news)["data"]["object"]
    assert dispute["status"] == told
    assert dispute["amount"] == 5950
    assert _read(news)[0].status == status


@pytest.mark.parametrize(
    ("name", "object"),
    [
        ("payment.overdue", "transaction"),
        ("trial.activated", "subscription"),
        ("delivery_item.added", "delivery_item"),
        ("customer.linked", "transaction"),
    ],
)
def test_what_stripe_has_no_name_for_is_listed_and_not_sent(
    name: str, object: str
) -> None:
    news = samples.sample_news(name)
    assert stripe.body(news) is None
    told = stripe.event(news)
    assert (told["type"], told["data"]["object"]["object"]) == (name, object)
