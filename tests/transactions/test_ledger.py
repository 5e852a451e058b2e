"""Facts become rows: the rules of the books, told with plain facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from merchant.models import Connection
from merchant.providers.base import Fact, Want, say, stamp
from tests import factories
from tests.transactions.any_order import arrivals, snapshot
from transactions import ledger, refold
from transactions.models import (
    Customer,
    LookUp,
    Product,
    Subscription,
    TimelineEntry,
    Transaction,
    TransactionAlias,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def intent(status: str, rank: int, minutes: int, **columns: Any) -> Fact:
    return Fact(
        topic="payment",
        object_kind="payment_intent",
        object_id="pi_1",
        status=status,
        rank=rank,
        at=at(minutes),
        references=(("payment_intent", "pi_1"),),
        says=say(20, created=stamp(at(0)), money=[4990, "eur"], **columns),
    )


def charge(status: str, rank: int, minutes: int, **columns: Any) -> Fact:
    return Fact(
        topic="payment",
        object_kind="charge",
        object_id="ch_1",
        status=status,
        rank=rank,
        at=at(minutes),
        references=(("charge", "ch_1"), ("payment_intent", "pi_1")),
        says=say(
            40,
            created=stamp(at(1)),
            money=[4990, "eur"],
            customer_email="mira@example.com",
            customer_key="mira@example.com",
            **columns,
        ),
    )


def session(status: str, minutes: int) -> Fact:
    return Fact(
        topic="payment",
        object_kind="session",
        object_id="cs_1",
        status=status,
        rank=3,
        at=at(minutes),
        references=(("session", "cs_1"), ("payment_intent", "pi_1")),
        says=say(
            30,
            created=stamp(at(-1)),
            money=[4990, "eur"],
            order_reference="order-1",
            metadata={"channel": "web"},
            items=[
                {
                    "key": "li_1",
                    "product": "prod_1",
                    "name": "Space Game",
                    "amount": 4990,
                }
            ],
        ),
        wants=(Want("line_items", "cs_1"),),
    )


def refund(name: str, status: str, rank: int, minutes: int, amount: int) -> Fact:
    return Fact(
        topic="refund",
        object_kind="refund",
        object_id=name,
        status=status,
        rank=rank,
        at=at(minutes),
        references=(("charge", "ch_1"), ("payment_intent", "pi_1")),
        says=say(
            0, money=[amount, "eur"], created=stamp(at(60)), reason="asked by customer"
        ),
    )


def dispute(status: str, rank: int, minutes: int) -> Fact:
    return Fact(
        topic="dispute",
        object_kind="dispute",
        object_id="dp_1",
        status=status,
        rank=rank,
        at=at(minutes),
        references=(("charge", "ch_1"),),
        says=say(0, money=[4990, "eur"], created=stamp(at(200)), reason="fraudulent"),
    )


STORY = [
    intent("created", 0, 0),
    charge("paid", 2, 2, paid=stamp(at(2))),
    intent("paid", 6, 2, paid=stamp(at(2))),
    session("paid", 3),
    charge("paid", 2, 90, refunded_total=1000, paid=stamp(at(2))),
    refund("re_1", "succeeded", 2, 60, 1000),
    refund("re_2", "pending", 0, 70, 3990),
    refund("re_2", "succeeded", 2, 80, 3990),
    refund("re_1", "failed", 4, 1440, 1000),
    dispute("open", 0, 200),
    dispute("lost", 2, 9000),
]


@pytest.fixture
def connection(db: None) -> Connection:
    return factories.make_connection(provider="stripe")


def enter(connection: Connection, facts: Sequence[Fact]) -> Transaction:
    ledger.record(connection, facts, source="webhook")
    return Transaction.objects.get(project=connection.project)


def test_a_full_story_is_one_row(connection: Connection) -> None:
    row = enter(connection, STORY)
    assert (row.status, row.amount, row.currency) == ("charged_back", 4990, "eur")
    assert (row.provider_id, row.order_reference) == ("pi_1", "order-1")
    assert row.amount_refunded == 3990  # the failed one left it, the other stayed
    assert (row.created, row.paid) == (at(-1), at(2))
    assert row.status_reason == "fraudulent"
    assert [item.name for item in row.items.all()] == ["Space Game"]
    assert row.sequence == len(STORY)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=arrivals(len(STORY)))
def test_any_order_any_duplicates_any_batching(
    db: None, batches: list[list[int]]
) -> None:
    told_straight = factories.make_connection(provider="stripe")
    for fact in STORY:
        ledger.record(told_straight, [fact], source="webhook")
    shuffled = factories.make_connection(provider="stripe")
    for batch in batches:
        ledger.record(shuffled, [STORY[index] for index in batch], source="webhook")
    assert snapshot(shuffled.project) == snapshot(told_straight.project)


def test_a_cumulative_figure_counts_what_no_refund_explains(
    connection: Connection,
) -> None:
    row = enter(
        connection,
        [
            charge("paid", 2, 2, refunded_total=1500),
            refund("re_1", "succeeded", 2, 60, 1000),
        ],
    )
    assert (row.amount_refunded, row.status) == (1500, "partially_refunded")


def test_a_refund_that_fails_later_leaves_the_sum(connection: Connection) -> None:
    row = enter(
        connection,
        [
            charge("paid", 2, 2, refunded_total=1000),
            refund("re_1", "succeeded", 2, 60, 1000),
            refund("re_1", "failed", 4, 90, 1000),
        ],
    )
    assert (row.amount_refunded, row.status) == (0, "paid")


def test_a_refund_alone_makes_a_stub_that_fills_later(connection: Connection) -> None:
    row = enter(connection, [refund("re_1", "succeeded", 2, 60, 1000)])
    assert (row.amount, row.currency, row.status) == (None, "eur", "partially_refunded")
    again = enter(connection, [charge("paid", 2, 2)])
    assert (again.id, again.amount, again.status) == (
        row.id,
        4990,
        "partially_refunded",
    )


def test_a_pending_refund_is_a_flag_and_no_status(connection: Connection) -> None:
    row = enter(
        connection, [charge("paid", 2, 2), refund("re_1", "pending", 0, 60, 4990)]
    )
    assert (row.status, row.refund_pending, row.amount_refunded) == ("paid", True, 0)


def test_a_won_dispute_leaves_what_the_rest_gives(connection: Connection) -> None:
    row = enter(
        connection,
        [charge("paid", 2, 2), dispute("open", 0, 200), dispute("won", 2, 300)],
    )
    assert row.status == "paid"


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["created", "failed"], "failed"),
        (["failed", "pending"], "failed"),
        (["failed", "paid"], "paid"),
        (["authorized"], "authorized"),
        (["authorized", "failed"], "authorized"),
        (["authorized", "canceled"], "canceled"),
        (["authorized", "released"], "canceled"),
        (["released", "paid"], "paid"),
        (["partially_paid", "expired"], "partially_paid"),
        (["overdue", "pending"], "overdue"),
        (["pending", "created"], "pending"),
        (["overdue", "expired"], "expired"),
    ],
)
def test_which_status_wins(
    connection: Connection, states: list[str], status: str
) -> None:
    facts = [intent(state, rank, rank) for rank, state in enumerate(states)]
    assert enter(connection, facts).status == status


def test_a_hold_is_let_go_when_another_object_says_so(connection: Connection) -> None:
    row = enter(connection, [charge("authorized", 1, 1), intent("canceled", 5, 5)])
    assert (row.status, row.status_reason) == ("canceled", "hold released")


def test_two_rows_become_one_and_the_older_keeps_its_id(
    connection: Connection,
) -> None:
    lone = Fact(
        topic="payment",
        object_kind="session",
        object_id="cs_1",
        status="created",
        at=at(0),
        references=(("session", "cs_1"),),
        says=say(0, created=stamp(at(0))),
    )
    ledger.record(connection, [lone], source="webhook")
    older = Transaction.objects.get()
    ledger.record(connection, [charge("paid", 2, 2)], source="webhook")
    younger = Transaction.objects.exclude(pk=older.pk).get()
    row = enter(connection, [session("paid", 3)])
    assert row.id == older.id
    assert TransactionAlias.objects.get().pk == younger.pk
    assert TimelineEntry.objects.filter(transaction=row).count() == 3


def test_two_reports_of_one_change_are_one_entry(connection: Connection) -> None:
    row = enter(connection, [charge("paid", 2, 5), charge("paid", 2, 3)])
    entry = TimelineEntry.objects.get(transaction=row)
    assert entry.at == at(3)


def test_the_same_facts_again_change_nothing(connection: Connection) -> None:
    before = enter(connection, STORY)
    outcome = ledger.record(connection, STORY, source="webhook")
    assert (outcome.fresh, outcome.changed) == ([], set())
    assert Transaction.objects.get().updated == before.updated


def test_a_question_without_a_key_waits_for_one(connection: Connection) -> None:
    enter(connection, [session("paid", 3)])
    assert LookUp.objects.get().state == LookUp.State.NEEDS_KEY


def test_a_refund_in_another_currency_is_not_counted(connection: Connection) -> None:
    strange = refund("re_1", "succeeded", 2, 60, 1000)
    strange.says["money"] = say(0, money=[1000, "usd"])["money"]  # type: ignore[index]
    row = enter(connection, [charge("paid", 2, 2), strange])
    assert row.amount_refunded == 0
    assert "another currency" in row.warning


def test_refold_changes_nothing_in_a_healthy_database(connection: Connection) -> None:
    row = enter(connection, STORY)
    assert ledger.refold([row.id]) == set()


def test_refold_repairs_a_row(connection: Connection) -> None:
    row = enter(connection, STORY)
    Transaction.objects.filter(pk=row.pk).update(amount=1, status="paid")
    assert ledger.refold([row.id]) == {row.id}
    row.refresh_from_db()
    assert (row.amount, row.status) == (4990, "charged_back")


def test_one_merchants_ids_never_meet_anothers(connection: Connection) -> None:
    other = factories.make_connection(provider="stripe")
    enter(connection, [charge("paid", 2, 2)])
    enter(other, [charge("failed", 1, 2)])
    assert Transaction.objects.count() == 2


def subscription(status: str, order: int) -> Fact:
    return Fact(
        topic="subscription",
        object_kind="subscription",
        object_id="sub_1",
        status=status,
        order=order,
        occurrence=str(order),
        at=at(order),
        says=say(0, money=[1900, "eur"], created=stamp(at(0)), interval="1 month"),
    )


def test_a_subscription_follows_its_latest_state(connection: Connection) -> None:
    facts = [subscription("active", 3), subscription("active", 1)]
    ledger.record(connection, facts, source="webhook")
    ledger.record(connection, [subscription("past_due", 2)], source="webhook")
    row = Subscription.objects.get()
    assert (row.status, row.amount, row.interval) == ("active", 1900, "1 month")
    assert row.timeline.count() == 3
    assert refold.refold()["changed"] == 0


def test_a_product_is_called_as_it_was_sold_last(connection: Connection) -> None:
    def sold(number: int, name: str) -> Fact:
        item = {"key": "1", "product": "prod_1", "name": name}
        return Fact(
            topic="payment",
            object_kind="session",
            object_id=f"cs_{number}",
            status="paid",
            references=(("session", f"cs_{number}"),),
            says=say(0, created=stamp(at(number)), items=[item]),
        )

    ledger.record(connection, [sold(2, "New name")], source="webhook")
    ledger.record(connection, [sold(1, "Old name")], source="webhook")
    assert Product.objects.get().name == "New name"
    ledger.record(connection, [sold(3, "Newest name")], source="webhook")
    assert Product.objects.get().name == "Newest name"


def test_a_row_that_is_joined_leaves_no_customer_behind(connection: Connection) -> None:
    def known_as(key: str, kind: str, name: str, *more: tuple[str, str]) -> Fact:
        return Fact(
            topic="payment",
            object_kind=kind,
            object_id=name,
            status="paid",
            references=((kind, name), *more),
            says=say(40 if more else 0, created=stamp(at(0)), customer_key=key),
        )

    early = known_as("stripe:cus_1", "session", "cs_1")
    other = known_as("mira@example.com", "charge", "ch_1", ("payment_intent", "pi_1"))
    ledger.record(connection, [early], source="webhook")
    ledger.record(connection, [other], source="webhook")
    ledger.record(connection, [session("paid", 3)], source="webhook")
    assert [c.key for c in Customer.objects.all()] == ["mira@example.com"]


def test_letting_a_hold_go_is_no_refund(connection: Connection) -> None:
    row = enter(
        connection,
        [
            charge("authorized", 1, 1),
            intent("canceled", 5, 5),
            refund("re_1", "succeeded", 2, 5, 4990),
        ],
    )
    assert (row.status, row.amount_refunded) == ("canceled", 0)
