"""The samples that pages show and tests send: one story, told for every event."""

from __future__ import annotations

import json

import pytest

from transactions import rendering
from transactions.models import Dispute, Payout, Refund, Subscription, Transaction
from webhooks import samples
from webhooks.catalogue import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_every_event_has_a_sample(name: str) -> None:
    payload = samples.sample(name)
    assert json.loads(json.dumps(payload)) == payload
    assert payload["object"]["object"] == KINDS[name].subject
    assert set(payload) == {
        "object",
        "part",
        "references",
        "connection",
        "brand",
        "details",
    }


def test_the_names_are_those_of_the_catalogue() -> None:
    assert list(samples.NAMES) == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_nobody_in_it_is_real(name: str) -> None:
    text = json.dumps(samples.sample(name))
    assert text.count("@") == text.count("@example.com")
    assert '"livemode": false' in text


def test_a_sample_is_the_same_every_time_and_nobodys_to_change() -> None:
    once = samples.sample("payment.refund")
    once["object"]["items"].clear()
    once["object"]["refunds"][0]["amount"] = 1
    assert samples.sample("payment.refund")["object"]["items"]
    assert samples.sample("payment.refund")["object"]["refunds"][0]["amount"] == 5950


@pytest.mark.django_db
def test_a_purchase_has_the_fields_of_the_api() -> None:
    told = rendering.transaction_object(Transaction(connection_id=None))
    assert set(samples.sample("payment.success")["object"]) == set(told)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("refund.succeeded", rendering.refund_object(Refund(created=None))),
        ("dispute.opened", rendering.dispute_object(Dispute(created=None))),
    ],
)
def test_its_refunds_and_disputes_too(name: str, told: dict[str, object]) -> None:
    assert set(samples.sample(name)["part"]) == set(told)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("subscription.renewed", Subscription(created=None, updated=None)),
        ("trial.activated", Subscription(created=None, updated=None)),
        ("payout.paid", Payout(created=None, updated=None)),
    ],
)
def test_subscriptions_and_payouts_too(name: str, row: Subscription | Payout) -> None:
    assert set(samples.sample(name)["object"]) == set(rendering.standing_object(row))


def test_it_can_be_of_another_provider_and_project() -> None:
    payload = samples.sample("payment.success", project="ours", provider="paynow")
    assert payload["object"]["project"] == "ours"
    assert payload["object"]["provider_id"] == payload["references"]["order"][0]
