"""PayNow's stories told in every order end in the same rows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.providers import paynow
from merchant.providers.base import Answer, Fact, Keys, Want
from tests import factories
from tests.merchant.providers import paynow_cases
from tests.merchant.providers.paynow_cases import ORDER_ID, PAYMENT_ID, raw
from tests.transactions.any_order import arrivals, in_one_go, snapshot, told
from transactions import ledger
from transactions.models import Transaction

#: One purchase from beginning to end, and what stands beside it.
STORY = (
    "on_payment_failed",
    "on_order_completed",
    "on_payment_completed",
    "on_delivery_item_added",
    "on_delivery_item_activated",
    "on_discord_account_linked_to_checkout",
    "on_refund__partial",
    "on_refund__rest",
    "on_delivery_item_revoked",
    "on_chargeback",
    "on_chargeback_closed",
    "on_subscription_activated",
    "on_subscription_renewed",
    "on_subscription_canceled",
    "on_trial_activated",
    "on_trial_completed",
    "on_delivery_item_added__by_hand",
    "on_order_completed__guide_shape",
)
LOST = tuple(n.replace("_closed", "_closed__lost") for n in STORY)

pytestmark = pytest.mark.django_db


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(batches=arrivals(len(STORY)), story=st.sampled_from([STORY, LOST]))
def test_any_order_any_duplicates_any_batching_give_the_same_rows(
    batches: list[list[int]], story: tuple[str, ...]
) -> None:
    bodies = [raw(name) for name in story]
    assert told("paynow", bodies, batches) == in_one_go("paynow", bodies)


@pytest.mark.parametrize("story", [STORY, LOST], ids=["won", "lost"])
def test_backwards_and_all_at_once(story: tuple[str, ...]) -> None:
    bodies = [raw(name) for name in story]
    whole = list(range(len(bodies)))
    expected = in_one_go("paynow", bodies)
    assert told("paynow", bodies, [whole]) == expected
    assert told("paynow", bodies, [[index] for index in reversed(whole)]) == expected
    assert told("paynow", bodies, [whole, whole[::-1]]) == expected


def test_the_end_of_the_story() -> None:
    project = enter([read(name) for name in STORY])
    row = Transaction.objects.get(project=project, provider_id=ORDER_ID)
    assert (row.status, row.amount, row.currency) == ("refunded", 3960, "usd")
    assert (row.amount_refunded, row.verified) == (3960, False)
    assert (row.fee, row.net) == (300, 3300)
    assert row.customer_email == "Mira@Example.com"
    assert row.customer is not None
    assert row.customer.key == "mira@example.com"
    assert set(row.customer_details["identities"]) == {"steam", "discord"}
    assert [item.amount for item in row.items.all()] == [2640, 1320]
    assert [dispute.status for dispute in row.disputes.all()] == ["won"]
    assert [item.status for item in row.delivery_items.all()] == ["revoked"]
    assert Transaction.objects.filter(project=project).count() == 3


def test_a_lost_chargeback_is_charged_back() -> None:
    project = enter([read(name) for name in LOST])
    row = Transaction.objects.get(project=project, provider_id=ORDER_ID)
    assert row.status == "charged_back"


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(range(7)))
def test_what_the_api_says_fits_in_at_any_place(order: list[int]) -> None:
    names = ("on_order_completed", "on_payment_completed")
    parts = [read(name) for name in (*names, "on_refund__partial", "on_refund__rest")]
    parts += [asked("payment", PAYMENT_ID), asked("order", ORDER_ID)]
    parts += [read("on_chargeback")]
    project = enter([parts[index] for index in order])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.amount_refunded, row.verified) == ("disputed", 3960, True)
    assert (row.method, row.method_brand, row.method_last4) == ("card", "visa", "4242")
    assert row.amount == 3960
    assert snapshot(project) == snapshot(enter(parts))


def read(name: str) -> list[Fact]:
    return paynow_cases.facts(name)


def asked(kind: str, id: str) -> list[Fact]:
    """What a look-up brings."""
    body = paynow_cases.raw(f"api_{kind}")
    keys = Keys(api_key="pn_key", account="1")
    return paynow.fetch(Want(kind, id), keys, lambda *a, **k: Answer(200, {}, body))


def enter(parts: list[list[Fact]]) -> Project:
    """The facts in the books of a fresh project."""
    project = factories.make_project()
    connection = factories.make_connection(provider="paynow", project=project)
    for facts in parts:
        ledger.record(connection, facts, source="webhook")
    return project
