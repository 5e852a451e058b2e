"""Stripe's stories told in every order end in the same rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from merchant.providers import stripe
from merchant.providers.base import Answer, Fact, Keys, Want
from merchant.sandbox import shop
from merchant.sandbox import stripe as sandbox
from tests import factories
from tests.merchant.providers import stripe_cases
from tests.merchant.providers.stripe_cases import raw
from tests.transactions.any_order import arrivals, in_one_go, snapshot, told
from transactions import ledger
from transactions.models import Subscription, Transaction

#: One purchase by three objects: tried, paid, given back, not given back, disputed.
PURCHASE = (
    "payment_intent.created",
    "charge.failed",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "charge.succeeded",
    "checkout.session.completed",
    "charge.updated",
    "review.opened",
    "review.closed__approved",
    "refund.created__partial",
    "charge.refunded__partial",
    "refund.updated",
    "refund.created__rest",
    "charge.refunded__rest",
    "refund.failed",
    "charge.refund.updated",
    "radar.early_fraud_warning.created",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
)
LOST = (*PURCHASE, "charge.dispute.closed__lost")
WON = (*PURCHASE, "charge.dispute.funds_reinstated", "charge.dispute.closed__won")
#: A subscription, its bills, and the purchase that the first of them turns out to be.
MONTHLY = (
    "customer.subscription.created",
    "invoice.created",
    "payment_intent.succeeded__of_a_bill",
    "charge.succeeded__of_a_bill",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
    "checkout.session.completed__subscription",
    "invoice.payment_failed",
    "customer.subscription.updated__past_due",
    "invoice.overdue",
    "customer.subscription.updated__active_again",
    "customer.subscription.deleted",
    "payout.created",
    "payout.paid",
    "payout.failed",
)
#: Held and let go; paid after days; what is known only by pointing at it.
OTHERS = (
    "payment_intent.amount_capturable_updated",
    "charge.succeeded__held",
    "charge.expired",
    "refund.created__hold_ran_out",
    "payment_intent.canceled",
    "payment_intent.processing",
    "charge.pending",
    "checkout.session.completed__unpaid",
    "checkout.session.async_payment_succeeded",
    "charge.succeeded__after_days",
    "payment_intent.succeeded__of_2022-08-01",
    "charge.refunded__of_2022-08-01",
    "checkout.session.completed__of_2020-08-27",
    "checkout.session.expired",
    "checkout.session.completed__free",
    "v1.checkout.session.completed__thin",
    "lighthouse.lit",
)
STORIES = {"lost": LOST, "won": WON, "monthly": MONTHLY, "others": OTHERS}

pytestmark = pytest.mark.django_db

GENTLY = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
@GENTLY
@given(data=st.data())
def test_any_order_any_duplicates_any_batching_give_the_same_rows(
    story: tuple[str, ...], data: st.DataObject
) -> None:
    bodies = [raw(name) for name in story]
    batches = data.draw(arrivals(len(story)))
    assert told("stripe", bodies, batches) == in_one_go("stripe", bodies)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_backwards_and_all_at_once(story: tuple[str, ...]) -> None:
    bodies = [raw(name) for name in story]
    whole = list(range(len(bodies)))
    expected = in_one_go("stripe", bodies)
    for batches in (
        [whole],
        [[index] for index in reversed(whole)],
        [whole, whole[::-1]],
    ):
        assert told("stripe", bodies, batches) == expected


@pytest.mark.parametrize("ending", sorted(shop.endings_at("stripe")[0]))
def test_the_sandboxs_stories_backwards(ending: str) -> None:
    start = datetime(2026, 11, 1, 8, tzinfo=UTC)
    purchase = shop.plan(5, 17, start, "stripe", ending=ending)
    bodies = []
    for step in purchase.steps:
        purchase.told.append(step)
        bodies += [event.body for event in sandbox.events(purchase, step)]
    backwards = [[index] for index in reversed(range(len(bodies)))]
    expected = in_one_go("stripe", bodies)
    assert told("stripe", bodies, backwards) == expected


# ------------------------------------------------------------------- how they end
def test_a_lost_dispute_after_a_refund_that_failed() -> None:
    row = Transaction.objects.get(project=enter(LOST))
    assert (row.status, row.status_reason) == ("charged_back", "product not received")
    assert (row.amount, row.currency, row.amount_refunded) == (5980, "eur", 1980)
    assert row.provider_id == "pi_3LanternA"
    assert row.order_reference == "basket-77120"
    assert row.customer_name == "Ingrid Vik"
    assert row.customer is not None
    assert row.customer.key == "ingrid.vik@example.org"
    assert (row.method_brand, row.method_last4) == ("mastercard", "0044")
    assert "made with stolen card" in row.warning
    assert row.created == datetime(2026, 11, 6, 21, 20, tzinfo=UTC)
    assert row.paid == datetime(2026, 11, 6, 21, 21, 36, tzinfo=UTC)
    assert row.metadata == {
        "campaign": "first-snow",
        "order_id": "L-2041",
        "shelf": "window",
    }
    assert not row.parked
    assert row.verified
    refunds = {refund.provider_id: refund for refund in row.refunds.all()}
    assert refunds["re_3LanternA1"].status == "succeeded"
    assert refunds["re_3LanternA1"].trace == "74201126310000000012345"
    assert refunds["re_3LanternA2"].status == "failed"
    assert refunds["re_3LanternA2"].failure_reason == "expired or canceled card"


def test_a_won_dispute_leaves_the_refund() -> None:
    row = Transaction.objects.get(project=enter(WON))
    assert (row.status, row.amount_refunded) == ("partially_refunded", 1980)


def test_a_bill_turns_out_to_be_its_intents_purchase() -> None:
    project = enter(MONTHLY)
    row = Transaction.objects.get(project=project, parked=False)
    assert (row.provider_id, row.status, row.amount) == ("pi_3LanternS", "paid", 2900)
    assert row.customer_email == "tone.berg@example.net"
    assert [item.product.key for item in row.items.all()] == ["prod_LanternClub"]
    kinds = set(row.references.values_list("kind", flat=True))
    names = ("payment_intent", "charge", "session", "invoice")
    assert kinds == {f"stripe.{name}" for name in names}
    parked = Transaction.objects.get(project=project, parked=True)
    assert parked.provider_id == "in_1LanternS2"
    club = Subscription.objects.get(project=project)
    assert (club.status, club.amount, club.interval) == ("canceled", 2900, "3 months")


def test_how_the_others_end() -> None:
    rows = {
        row.provider_id: row
        for row in Transaction.objects.filter(project=enter(OTHERS))
    }
    held = rows["pi_3LanternC"]
    assert (held.status, held.amount, held.amount_refunded) == ("canceled", 5980, 0)
    late = rows["pi_3LanternB"]
    assert (late.status, late.method) == ("paid", "sepa_debit")
    assert late.paid == datetime(2026, 11, 10, 19, 46, 40, tzinfo=UTC)
    old = rows["pi_3LanternOld"]
    assert (old.status, old.amount_refunded) == ("partially_refunded", 980)
    assert rows["cs_live_LanternD"].status == "expired"
    free = rows["cs_live_LanternE"]
    assert (free.status, free.amount, free.status_reason) == ("paid", 0, "free")


@GENTLY
@given(order=st.permutations(range(6)))
def test_what_the_api_says_fits_in_at_any_place(order: list[int]) -> None:
    parts = [
        stripe_cases.facts(name)
        for name in ("charge.updated", "checkout.session.completed", "charge.succeeded")
    ]
    parts += [
        asked("line_items", "cs_live_LanternA", "api_checkout_session"),
        asked("balance_transaction", "txn_3LanternA", "api_balance_transaction"),
        stripe_cases.facts("charge.refunded__partial"),
    ]
    project = record([parts[index] for index in order])
    row = Transaction.objects.get(project=project)
    assert (row.status, row.amount_refunded) == ("partially_refunded", 1980)
    assert (row.fee, row.net, row.settlement) == (198, 5782, None)
    assert [item.amount for item in row.items.all()] == [3980, 2000]
    assert snapshot(project) == snapshot(record(parts))


def asked(kind: str, id: str, name: str) -> list[Fact]:
    """What a look-up brings."""
    body = raw(name)
    keys = Keys(api_key="sk_test_1")
    return stripe.fetch(Want(kind, id), keys, lambda *a, **k: Answer(200, {}, body))


def enter(story: tuple[str, ...]) -> Project:
    return record([stripe_cases.facts(name) for name in story])


def record(parts: list[list[Fact]]) -> Project:
    """The facts in the books of a fresh project."""
    project = factories.make_project()
    connection = factories.make_connection(provider="stripe", project=project)
    for facts in parts:
        ledger.record(connection, facts, source="webhook")
    return project
