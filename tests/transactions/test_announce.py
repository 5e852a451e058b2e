"""What changes in the books is announced in the same commit, as what it came to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction as database
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from merchant.models import Connection, Project
from merchant.providers.base import Fact, say, stamp
from tests import factories
from tests.transactions.any_order import arrivals
from tests.transactions.sales import NOON
from transactions import callbacks, fulfilment, ledger, outgoing, rendering
from transactions.models import HeldNews, Transaction
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Connection:
    return factories.make_connection("stripe")


def payment(status: str, at: int = 0, *, weight: int = 20, **told: Any) -> Fact:
    when = NOON + timedelta(minutes=at)
    columns = {"money": [1999, "eur"], "created": stamp(NOON)} | told
    if status == "paid":
        columns.setdefault("paid", stamp(when))
    return Fact(
        topic="payment",
        object_kind="payment_intent",
        object_id="pi_1",
        status=status,
        order=at,
        at=when,
        references=(("payment_intent", "pi_1"),),
        says=say(weight, **columns),
    )


def part(topic: Any, status: str, at: int, id: str, **told: Any) -> Fact:
    when = NOON + timedelta(minutes=at)
    return Fact(
        topic=topic,
        object_kind=topic,
        object_id=id,
        status=status,
        order=at,
        at=when,
        references=(("payment_intent", "pi_1"),),
        says=say(20, **{"created": stamp(when)} | told),
    )


def sword(product: str, key: str = "1") -> dict[str, Any]:
    bought = {"name": "Sword", "sku": "", "quantity": 1, "amount": 1999}
    return {"key": key, "product": product, "platform": "", **bought}


def tell(till: Connection, *facts: Fact) -> None:
    ledger.record(till, facts, source="webhook")


def names(project: Project) -> list[str]:
    events = Event.objects.filter(project=project).order_by("id")
    return list(events.values_list("name", flat=True))


# ----------------------------------------------------------------------- one purchase
def test_each_status_that_a_row_reaches_is_one_event(till: Connection) -> None:
    for at, status in enumerate(["created", "pending", "authorized", "paid"]):
        tell(till, payment(status, at))
    assert names(till.project) == [
        "payment.created",
        "payment.pending",
        "payment.authorized",
        "payment.success",
    ]


def test_a_batch_from_nothing_to_paid_is_a_success_only(till: Connection) -> None:
    tell(till, payment("created"), payment("pending", 1), payment("paid", 2))
    assert names(till.project) == ["payment.success"]


def test_the_event_carries_the_apis_object_as_it_is_after_the_commit(
    till: Connection,
) -> None:
    items = [sword("prod_1"), sword("", key="2")]
    told = {"customer_name": "Ada Byron", "metadata": {"order": "7"}, "items": items}
    tell(till, payment("paid", **told))
    event, row = Event.objects.get(), Transaction.objects.get()
    assert event.subject == row.pk
    assert event.sequence == row.sequence
    object = event.payload["object"]
    assert object["id"] == str(row.pk)
    money = (object["amount"], object["currency"], object["status"])
    assert money == (1999, "eur", "paid")
    assert object["metadata"] == {"order": "7"}
    assert event.payload["references"] == {"payment_intent": ["pi_1"]}
    assert list(event.payload["products"].values()) == ["prod_1"]


def test_what_is_known_already_is_not_news(till: Connection) -> None:
    tell(till, payment("paid"))
    tell(till, payment("paid"))
    assert names(till.project) == ["payment.success"]


def test_another_change_is_one_update_for_a_batch(till: Connection) -> None:
    tell(till, payment("paid"))
    tell(
        till,
        payment("paid", 1, description="A sword", paid=stamp(NOON)),
        payment("paid", 2, order_reference="10293", paid=stamp(NOON)),
    )
    assert names(till.project) == ["payment.success", "payment.updated"]


@pytest.mark.parametrize(
    "status, name",
    [
        ("failed", "payment.failed"),
        ("canceled", "payment.cancel"),
        ("expired", "payment.expired"),
        ("overdue", "payment.overdue"),
    ],
)
def test_other_ends(till: Connection, status: str, name: str) -> None:
    tell(till, payment("created"))
    tell(till, payment(status, 1))
    assert names(till.project) == ["payment.created", name]


def test_a_hold_that_is_let_go_is_released_and_not_canceled(till: Connection) -> None:
    tell(till, payment("authorized"))
    tell(till, payment("released", 1))
    assert names(till.project) == ["payment.authorized", "payment.released"]


# ----------------------------------------------------------------- refunds and disputes
def test_every_partial_refund_is_told_twice_over(till: Connection) -> None:
    tell(till, payment("paid"))
    tell(till, part("refund", "pending", 1, "re_1", money=[500, "eur"]))
    tell(till, part("refund", "succeeded", 2, "re_1", money=[500, "eur"]))
    tell(till, part("refund", "succeeded", 3, "re_2", money=[1499, "eur"]))
    assert names(till.project) == [
        "payment.success",
        "refund.requested",
        "refund.succeeded",
        "payment.refund",
        "refund.succeeded",
        "payment.refund",
    ]
    parts = [e.payload["part"] for e in Event.objects.order_by("id")]
    assert [p and p["amount"] for p in parts] == [None, 500, 500, 500, 1499, 1499]


def test_a_refund_that_fails_later_is_no_second_success(till: Connection) -> None:
    tell(till, payment("paid"))
    tell(till, part("refund", "succeeded", 1, "re_1", money=[1999, "eur"]))
    tell(till, part("refund", "failed", 2, "re_1", money=[1999, "eur"]))
    assert names(till.project)[-1] == "refund.failed"
    assert names(till.project).count("payment.success") == 1
    assert Transaction.objects.get().status == "paid"


def refunding(pending: bool, at: int, **told: Any) -> Fact:
    said = {"paid": stamp(NOON), "refund_pending": pending} | told
    return payment("paid", at, weight=20 + at, **said)


def test_a_refund_that_only_the_status_tells_of_is_asked_for_and_fails(
    till: Connection,
) -> None:
    tell(till, payment("paid"))
    tell(till, refunding(True, 1))
    tell(till, refunding(True, 2))
    tell(till, refunding(False, 3))
    assert names(till.project) == [
        "payment.success",
        "refund.requested",
        "refund.failed",
    ]


def test_a_refund_that_only_the_status_tells_of_comes_about(till: Connection) -> None:
    tell(till, payment("paid"), refunding(True, 1))
    tell(till, refunding(False, 2, refunded_total=1999))
    assert names(till.project) == [
        "payment.success",
        "refund.requested",
        "payment.refund",
    ]


def test_a_purchase_that_begins_with_a_part_of_the_money_is_told(
    till: Connection,
) -> None:
    tell(till, payment("partially_paid"))
    tell(till, payment("paid", 1))
    assert names(till.project) == ["payment.updated", "payment.success"]


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        # Its figure is all that there ever is: each growth is a refund.
        ("paysecure", ["refund.succeeded", "payment.refund"] * 2),
        # A refund with an id follows, and is told then.
        ("stripe", ["payment.refund"] * 2),
    ],
)
def test_refunds_of_which_only_the_sum_is_known(provider: str, told: list[str]) -> None:
    till = factories.make_connection(provider)
    tell(till, payment("paid"))
    tell(till, payment("paid", 1, weight=21, paid=stamp(NOON), refunded_total=500))
    tell(till, payment("paid", 2, weight=22, paid=stamp(NOON), refunded_total=700))
    assert names(till.project) == ["payment.success", *told]


def test_a_dispute_opens_and_closes(till: Connection) -> None:
    tell(till, payment("paid"))
    tell(till, part("dispute", "open", 1, "dp_1", money=[1999, "eur"]))
    tell(till, part("dispute", "won", 2, "dp_1", money=[1999, "eur"]))
    assert names(till.project) == [
        "payment.success",
        "dispute.opened",
        "dispute.closed",
    ]


def test_handing_over_is_announced_with_the_rest(till: Connection) -> None:
    user = factories.make_member("owner", merchant=till.project.merchant).user
    tell(till, payment("paid", items=[sword("p")]))
    fulfilment.mark_done(user, [Transaction.objects.get().pk])
    assert names(till.project) == ["payment.success", "fulfilment.done"]


# ------------------------------------------------------------------- not announced
def test_folding_again_announces_nothing(till: Connection) -> None:
    tell(till, payment("paid"))
    Transaction.objects.update(description="spoilt", status="created")
    ledger.refold([Transaction.objects.get().pk])
    assert names(till.project) == ["payment.success"]


def test_an_old_payment_is_news_when_its_provider_tells_of_it(till: Connection) -> None:
    shop = endpoint(till.project, created=NOON + timedelta(days=1))
    tell(till, payment("paid"))
    assert told(shop) == ["payment.success"]


def test_what_came_before_the_endpoint_is_history_to_it(till: Connection) -> None:
    """Also where it was read later; and what a poll turns up is as old as it says."""
    now = timezone.now()
    letter = factories.make_inbound_event(
        connection=till, received=now - timedelta(hours=1)
    )
    shop = endpoint(till.project, created=now)
    ledger.record(till, [payment("pending")], source="webhook", inbound=letter)
    ledger.record(till, [payment("paid", 1)], source="poll")
    assert names(till.project) == ["payment.pending", "payment.success"]
    assert told(shop) == []


def test_made_up_history_announces_nothing(till: Connection) -> None:
    letter = ledger.Letter(till, [payment("paid")], "webhook")
    ledger.record_all([letter], announce=False)
    assert names(till.project) == []


def test_a_change_that_is_rolled_back_leaves_no_event(till: Connection) -> None:
    with pytest.raises(ZeroDivisionError), database.atomic():
        tell(till, payment("paid"))
        raise ZeroDivisionError
    assert names(till.project) == []


# -------------------------------------------------------------------------- to whom
def endpoint(project: Project, **over: Any) -> Endpoint:
    given = {"url": "https://shop.example.com/hooks", "created": NOON} | over
    return Endpoint.objects.create(project=project, **given)


def told(to: Endpoint) -> list[str]:
    rows = Delivery.objects.filter(endpoint=to).order_by("id")
    return list(rows.values_list("name", flat=True))


def test_an_endpoint_is_told_what_it_asks_for(till: Connection) -> None:
    everything = endpoint(till.project)
    group = endpoint(till.project, events=["refund.*"])
    one = endpoint(till.project, events=["payment.success"])
    test_mode = endpoint(till.project, livemode=False)
    elsewhere = endpoint(factories.make_project())
    tell(till, payment("paid"))
    tell(till, part("refund", "succeeded", 1, "re_1", money=[500, "eur"]))
    news = ["payment.success", "refund.succeeded", "payment.refund"]
    assert told(everything) == news
    assert told(group) == ["refund.succeeded"]
    assert told(one) == ["payment.success"]
    assert told(test_mode) == told(elsewhere) == []


def test_a_paused_endpoints_letters_are_held(till: Connection) -> None:
    paused = endpoint(till.project, state="paused")
    tell(till, payment("paid"))
    assert Delivery.objects.get(endpoint=paused).state == "held"


def test_a_callback_of_its_own_wins_for_its_outcome_only(till: Connection) -> None:
    everything = endpoint(till.project)
    key, _text = factories.make_api_key(till.project)
    tell(till, payment("created"))
    row = Transaction.objects.get()
    callbacks.set_for(row, "success", "https://shop.example.com/paid", key)
    tell(till, payment("paid", 1))
    tell(till, part("refund", "succeeded", 2, "re_1", money=[500, "eur"]))
    own = Endpoint.objects.get(kind="callback")
    assert told(own) == ["payment.success"]
    assert told(everything) == ["payment.created", "refund.succeeded", "payment.refund"]


# --------------------------------------------------- amounts that nobody confirmed yet
@pytest.fixture
def keyed() -> Connection:
    return factories.make_connection("paysecure", api_key="a-key-of-theirs")


def unsigned(status: str = "paid", at: int = 0, **told: Any) -> Fact:
    return payment(status, at, verified=False, **told)


def test_without_a_key_it_is_told_at_once_as_unverified(till: Connection) -> None:
    tell(till, unsigned())
    assert Event.objects.get().payload["object"]["verified"] is False


def test_with_a_key_it_waits_for_the_confirmation(keyed: Connection) -> None:
    tell(keyed, unsigned())
    assert names(keyed.project) == []
    confirmed = payment("paid", 1, weight=40, verified=True, paid=stamp(NOON))
    ledger.record(keyed, [confirmed], source="look_up")
    assert names(keyed.project) == ["payment.success"]
    assert Event.objects.get().payload["object"]["verified"] is True
    assert not HeldNews.objects.exists()


def test_it_waits_ten_minutes_at_most(keyed: Connection) -> None:
    tell(keyed, unsigned())
    assert outgoing.tell_overdue() == 0
    assert HeldNews.objects.get().due <= timezone.now() + timedelta(minutes=10)
    HeldNews.objects.update(due=timezone.now())
    assert outgoing.tell_overdue() == 1
    assert names(keyed.project) == ["payment.success"]
    assert Event.objects.get().payload["object"]["verified"] is False
    assert outgoing.tell_overdue() == 0


def test_what_failed_meanwhile_is_not_told_as_paid(keyed: Connection) -> None:
    tell(keyed, unsigned())
    tell(keyed, part("refund", "succeeded", 2, "re_1", money=[1999, "eur"]))
    assert "payment.success" not in names(keyed.project)
    assert not HeldNews.objects.exists()


# ------------------------------------------------------------------------ in any order
STORY = [
    payment("created"),
    payment("pending", 1),
    payment("paid", 2, customer_email="ada@example.com"),
    part("refund", "pending", 3, "re_1", money=[500, "eur"]),
    part("refund", "succeeded", 4, "re_1", money=[500, "eur"]),
    part("dispute", "open", 5, "dp_1", money=[1499, "eur"]),
    part("dispute", "won", 6, "dp_1", money=[1499, "eur"]),
]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(arrivals(len(STORY)))
def test_in_any_order_nothing_is_told_twice_and_the_last_word_is_the_row(
    batches: list[list[int]],
) -> None:
    till = factories.make_connection("stripe")
    for batch in batches:
        tell(till, *(STORY[index] for index in batch))
    row = Transaction.objects.get(project=till.project)
    events = list(Event.objects.filter(project=till.project).order_by("id"))
    heard = [event.name for event in events]
    assert len([n for n in heard if n == "payment.success"]) <= 1
    assert heard.count("refund.succeeded") == 1
    assert heard.count("dispute.closed") == 1
    assert heard.count("payment.refund") == 1
    sequences = [event.sequence for event in events]
    assert sequences == sorted(sequences)
    last = events[-1].payload["object"]
    assert last["status"] == "partially_refunded"
    told_by_the_api = rendering.transaction_object(row)
    if last["sequence"] == row.sequence:
        assert last == told_by_the_api
    else:  # what came last changed nothing that the object shows
        ignored = {"sequence": None, "updated": None}
        assert {**last, **ignored} == {**told_by_the_api, **ignored}


# ---------------------------------------------------------------- beside the purchases
def standing(topic: Any, status: str, at: int, **told: Any) -> Fact:
    when = NOON + timedelta(minutes=at)
    return Fact(
        topic=topic,
        object_kind=topic,
        object_id=f"{topic}_1",
        status=status,
        order=at,
        at=when,
        says=say(20, **{"created": stamp(NOON), "money": [999, "eur"]} | told),
        occurrence=str(at),
    )


def test_a_subscription_begins_goes_on_and_ends(till: Connection) -> None:
    month = timedelta(days=30)
    for at, status in enumerate(["active", "active", "past_due", "active", "canceled"]):
        until = stamp(NOON + month * (at + 1))
        tell(till, standing("subscription", status, at, period_end=until))
    assert names(till.project) == [
        "subscription.activated",
        "subscription.renewed",
        "subscription.past_due",
        "subscription.renewed",
        "subscription.canceled",
    ]
    event = Event.objects.order_by("id")[0]
    assert event.subject_kind == event.payload["object"]["object"] == "subscription"
    assert event.payload["object"]["amount"] == 999


def test_a_payout_and_a_trial(till: Connection) -> None:
    for at, status in enumerate(["created", "pending", "paid", "paid"]):
        tell(till, standing("payout", status, at))
    for at, status in enumerate(["trialing", "completed"]):
        tell(till, standing("trial", status, at))
    assert names(till.project) == [
        "payout.created",
        "payout.pending",
        "payout.paid",
        "trial.activated",
        "trial.completed",
    ]
