"""A worker that dies at any step: one effect at most, and the books come right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from merchant.models import Member
from merchant.providers import PROVIDERS
from merchant.providers.base import Receipt, Refused, Unreachable
from tests import factories
from tests.transactions.refunding import make_sale, now_due
from tests.transactions.till import Killed, Till, lost, till  # noqa: F401 - a fixture
from transactions import ledger, refunds
from transactions.models import Refund, TimelineEntry, Transaction
from transactions.refunds import sending

pytestmark = pytest.mark.django_db


@pytest.fixture
def sale(db: None) -> Transaction:
    return make_sale(factories.make_project())


@pytest.fixture
def asked(sale: Transaction) -> Refund:
    person = factories.make_member("finance", merchant=sale.merchant)
    return refunds.request(person, sale, amount=500)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider without idempotency keys: nothing may be sent twice."""
    calm = replace(PROVIDERS["stripe"].refunds, replays=timedelta(0))
    monkeypatch.setattr(PROVIDERS["stripe"], "refunds", calm)


def die(*_: Any, **__: Any) -> Any:
    raise Killed


def kill_at(step: str, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The worker dies there, once."""
    with monkeypatch.context() as patch:
        if step == "claimed":
            patch.setattr(sending, "_begin", die)
        elif step == "written down":
            patch.setattr(sending, "ask", die)
        elif step == "before the effect":
            patch.setattr(till, "before", die)
        elif step == "after the effect":
            patch.setattr(till, "after", die)
        elif step == "answer in hand":
            patch.setattr(sending, "enter", die)
        elif step == "half entered":
            patch.setattr("transactions.ledger.record", die)
        with pytest.raises(Killed):
            refunds.submit_due()


STEPS = {
    "claimed": 0,
    "written down": 0,
    "before the effect": 0,
    "after the effect": 1,
    "answer in hand": 1,
    "half entered": 1,
}


@pytest.mark.parametrize("step", STEPS)
def test_with_a_key_it_always_ends_once(
    till: Till,  # noqa: F811
    asked: Refund,
    sale: Transaction,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill_at(step, till, monkeypatch)
    assert len(till.effects) == STEPS[step]
    assert refunds.submit_due() == 0  # the lease is still the dead one's
    for _ in range(3):
        now_due(asked)
        refunds.submit_due()
    asked.refresh_from_db()
    sale.refresh_from_db()
    assert (asked.status, sale.amount_refunded) == ("succeeded", 500)
    assert len(till.effects) == 1
    assert asked.due is None


@pytest.mark.parametrize("step", STEPS)
def test_without_a_key_it_is_never_sent_twice(
    till: Till,  # noqa: F811
    asked: Refund,
    sale: Transaction,
    step: str,
    once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kill_at(step, till, monkeypatch)
    for _ in range(4):
        now_due(asked)
        refunds.submit_due()
    asked.refresh_from_db()
    sale.refresh_from_db()
    assert len(till.asked) <= 1
    gone = step in ("written down", "before the effect")
    assert asked.status == ("unknown" if gone else "succeeded")
    assert refunds.left_of(sale, sale.refunds.all()) <= 1499


@pytest.mark.parametrize("step", ["before the effect", "after the effect"])
def test_dying_in_a_look_up_costs_nothing(
    till: Till,  # noqa: F811
    asked: Refund,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    till.after = lost
    refunds.submit_due()
    till.after = lambda kind: None
    now_due(asked)
    kill_at("before the effect", till, monkeypatch)
    now_due(asked)
    refunds.submit_due()
    asked.refresh_from_db()
    assert (asked.status, len(till.effects)) == ("succeeded", 1)


# ----------------------------------------------------------------- frozen, then thawed
def frozen(asked: Refund) -> sending.Task:
    """A worker that has claimed the refund, written it down, and stood still."""
    (claimed,) = sending._claim()
    task = sending._begin(claimed)
    assert task is not None
    now_due(asked)
    return task


def test_a_thawed_worker_sends_nothing(till: Till, asked: Refund) -> None:  # noqa: F811
    task = replace(frozen(asked), began=-1000.0)
    outcome = sending.ask(task)
    assert isinstance(outcome, Unreachable)
    assert outcome.unsent
    assert not till.asked


@pytest.mark.parametrize(
    "late", [Refused("no"), Unreachable("gone", unsent=True), Unreachable("lost"), None]
)
def test_a_thawed_workers_guess_does_not_count(
    till: Till,  # noqa: F811
    asked: Refund,
    late: Any,
) -> None:
    task = frozen(asked)
    refunds.submit_due()  # the other one looks, and sends with the same key
    now_due(asked)
    refunds.submit_due()
    asked.refresh_from_db()
    assert asked.status == "succeeded"
    sending.enter(task, late)
    asked.refresh_from_db()
    assert (asked.status, asked.due, asked.unsent) == ("succeeded", None, False)


def test_a_thawed_workers_receipt_is_true_all_the_same(
    till: Till,  # noqa: F811
    asked: Refund,
    once: None,
) -> None:
    task = frozen(asked)
    refunds.submit_due()
    asked.refresh_from_db()
    assert asked.status == "unknown"
    receipt = sending.ask(task)
    assert isinstance(receipt, Receipt)
    sending.enter(task, receipt)
    asked.refresh_from_db()
    assert (asked.status, len(till.effects)) == ("succeeded", 1)


def test_one_that_cannot_be_begun_keeps_no_other_waiting(
    till: Till,  # noqa: F811
    asked: Refund,
    sale: Transaction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = factories.make_member("finance", merchant=sale.merchant)
    other = refunds.request(person, sale, amount=100)
    begin = sending._begin

    def sometimes(claimed: Refund) -> Any:
        if claimed.pk == asked.pk:
            raise RuntimeError
        return begin(claimed)

    monkeypatch.setattr(sending, "_begin", sometimes)
    refunds.submit_due()
    asked.refresh_from_db()
    other.refresh_from_db()
    assert (asked.status, other.status) == ("requested", "succeeded")
    assert "RuntimeError" in asked.error


# ------------------------------------------------------------------- what is looked up
def test_the_look_ups_get_rarer() -> None:
    waits = [sending.seconds_to_look(n) for n in range(80)]
    assert waits[:7] == [3, 10, 30, 120, 600, 1800, 3600]
    assert waits[6:78] == [3600] * 72
    assert waits[78:] == [86_400] * 2


def test_after_a_day_a_lost_one_is_not_sent_again(
    till: Till,  # noqa: F811
    asked: Refund,
) -> None:
    till.before = lost
    refunds.submit_due()
    till.before = lambda kind: None
    entry = TimelineEntry.objects.get(status="sent", topic="refund")
    entry.at -= timedelta(hours=23, minutes=1)
    entry.save()
    ledger.refold([asked.transaction_id])
    for _ in range(3):
        now_due(asked)
        refunds.submit_due()
    asked.refresh_from_db()
    assert (asked.status, len(till.asked)) == ("unknown", 1)
    assert "no such refund" in asked.error


def test_a_member_who_looked_may_close_it(
    till: Till,  # noqa: F811
    asked: Refund,
    sale: Transaction,
    once: None,
) -> None:
    owner: Member = factories.make_member("owner", merchant=sale.merchant)
    till.before = lost
    refunds.submit_due()
    with pytest.raises(refunds.NotNow, match="half an hour"):
        refunds.give_up(owner, asked.pk, note="looked")
    Refund.objects.filter(pk=asked.pk).update(sent=asked.created - timedelta(hours=1))
    closed = refunds.give_up(owner, asked.pk, note="The dashboard has none.")
    assert closed.status == "canceled"
    sale.refresh_from_db()
    assert not sale.refund_pending
    assert refunds.left_of(sale, sale.refunds.all()) == sale.amount
