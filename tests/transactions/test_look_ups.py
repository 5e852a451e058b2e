"""Asking providers what webhooks left out: answered, put off, refused, asked again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from merchant import connections
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import (
    Fact,
    Refused,
    Unreachable,
    Unreadable,
    Want,
    say,
    stamp,
)
from tests import factories
from transactions import invoices, jobs, ledger, look_ups, poll
from transactions.models import LookUp, Transaction

pytestmark = pytest.mark.django_db
State = LookUp.State
WANT = Want("purchase", "p1")


def purchase(status: str, *, confirmed: bool = False, **columns: Any) -> Fact:
    weight = 2 if confirmed else 1
    return Fact(
        topic="payment",
        object_kind="purchase",
        object_id="p1",
        status=status,
        order=2 if confirmed else 1,
        references=(("purchase", "p1"),),
        says=say(
            weight,
            created=stamp(timezone.now()),
            money=[2000 if confirmed else 999_999, "eur"],
            verified=confirmed,
            **columns,
        ),
        wants=() if confirmed else (WANT,),
    )


@pytest.fixture
def connection(db: None) -> Connection:
    connection = factories.make_connection(provider="paysecure")
    connections.set_api_key(connection, "a-key-for-calls")
    return connection


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Says what the provider answers from now on: facts, or an error to raise."""

    def say_so(answered: Any) -> None:
        def fetch(*_: Any) -> list[Fact]:
            if isinstance(answered, Exception):
                raise answered
            return list(answered)

        monkeypatch.setattr(PROVIDERS["paysecure"], "fetch", fetch)

    return say_so


def told(connection: Connection, fact: Fact) -> LookUp:
    ledger.record(connection, [fact], source="webhook")
    return LookUp.objects.get()


def test_the_answer_confirms_the_amount(
    connection: Connection, answer: Callable[[Any], None]
) -> None:
    told(connection, purchase("paid"))
    row = Transaction.objects.get()
    assert (row.amount, row.verified) == (999_999, False)
    answer([purchase("paid", confirmed=True)])
    assert jobs.drain_look_ups() == 1
    row.refresh_from_db()
    assert (row.amount, row.verified) == (2000, True)
    assert LookUp.objects.get().state == State.DONE


@pytest.mark.parametrize("after", [None, 500.0])
def test_no_answer_is_put_off(
    connection: Connection, answer: Callable[[Any], None], after: float | None
) -> None:
    told(connection, purchase("paid"))
    answer(Unreachable("nobody there", after=after))
    assert jobs.drain_look_ups() == 0
    question = LookUp.objects.get()
    assert (question.state, question.tries) == (State.WAITING, 1)
    wait = (question.due - timezone.now()).total_seconds()
    assert wait == pytest.approx(after or look_ups.AGAIN[0], abs=2)
    assert question.error == "nobody there"


@pytest.mark.parametrize("error", [Refused("no such purchase"), Unreadable("a page")])
def test_a_no_is_final_and_keeps_the_providers_words(
    connection: Connection, answer: Callable[[Any], None], error: Exception
) -> None:
    told(connection, purchase("paid"))
    answer(error)
    jobs.drain_look_ups()
    question = LookUp.objects.get()
    assert question.state == State.REFUSED
    assert str(error) in question.error


def test_a_bug_while_asking_is_tried_again(
    connection: Connection, answer: Callable[[Any], None]
) -> None:
    told(connection, purchase("paid"))
    answer(KeyError("a bug"))
    jobs.drain_look_ups()
    assert LookUp.objects.get().state == State.WAITING


def test_an_answer_that_cannot_be_entered_is_put_off_alone(
    connection: Connection,
    answer: Callable[[Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(connection, purchase("paid"))
    good = LookUp.objects.create(connection=connection, kind="purchase", want="p2")
    whole = ledger.record_all

    def choke(letters: list[ledger.Letter]) -> ledger.Outcome:
        if any(fact.object_id == "p1" for letter in letters for fact in letter.facts):
            raise ValueError("a bug of ours")
        return whole(letters)

    def fetch(want: Want, *_: Any) -> list[Fact]:
        return [purchase("paid", confirmed=True)] if want == WANT else []

    monkeypatch.setattr(PROVIDERS["paysecure"], "fetch", fetch)
    monkeypatch.setattr(ledger, "record_all", choke)
    assert jobs.drain_look_ups() == 1
    bad = LookUp.objects.exclude(pk=good.pk).get()
    assert (bad.state, bad.tries) == (State.WAITING, 1)
    good.refresh_from_db()
    assert good.state == State.DONE


def test_a_late_writer_whose_lease_is_lost_writes_nothing(
    connection: Connection,
) -> None:
    question = told(connection, purchase("paid"))
    LookUp.objects.update(lease=uuid4())
    question.lease = uuid4()
    assert look_ups._enter([(question, [purchase("paid", confirmed=True)])]) == 0
    assert Transaction.objects.get().verified is False


def test_what_is_leased_is_left_alone(
    connection: Connection, answer: Callable[[Any], None]
) -> None:
    told(connection, purchase("paid"))
    LookUp.objects.update(leased_until=timezone.now() + timedelta(seconds=60))
    answer([purchase("paid", confirmed=True)])
    assert jobs.drain_look_ups() == 0


def test_a_key_that_comes_later_opens_what_waited(
    connection: Connection, answer: Callable[[Any], None]
) -> None:
    connections.set_api_key(connection, "")
    connection.refresh_from_db()
    assert told(connection, purchase("paid")).state == State.NEEDS_KEY
    answer([purchase("paid", confirmed=True)])
    assert jobs.drain_look_ups() == 0
    connections.set_api_key(connection, "a-key-for-calls")
    assert jobs.drain_look_ups() == 1


@pytest.mark.parametrize(
    ("fact", "seconds"),
    [
        (purchase("pending", confirmed=True), 60),
        (purchase("paid", confirmed=True, refund_pending=True), 3600),
    ],
)
def test_an_open_purchase_is_asked_for_again(
    connection: Connection,
    answer: Callable[[Any], None],
    fact: Fact,
    seconds: int,
) -> None:
    told(connection, purchase("created"))
    answer([fact])
    jobs.drain_look_ups()
    question = LookUp.objects.get()
    assert question.state == State.WAITING
    wait = (question.due - timezone.now()).total_seconds()
    assert wait == pytest.approx(seconds, abs=2)


def test_a_poll_enters_what_webhooks_missed(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []

    def listed(since: datetime, *_: Any) -> Any:
        asked.append(since)
        yield [purchase("paid", confirmed=True)]

    monkeypatch.setattr(PROVIDERS["paysecure"], "poll", listed)
    assert poll.poll_due() == 1
    assert poll.poll_due() == 0
    assert len(asked) == 1  # not again before its time
    assert Transaction.objects.get().timeline.get().source == "poll"


# ------------------------------------------------------------------------- invoices
def invoice(number: int, *, email: str = "mira@example.com") -> Fact:
    when = stamp(datetime(2026, 11, 1, tzinfo=UTC))
    return Fact(
        topic="invoice",
        object_kind="invoice",
        object_id=f"in_{number}",
        status="paid",
        references=(("invoice", f"in_{number}"),),
        says=say(
            5,
            created=when,
            paid=when,
            money=[1900, "eur"],
            customer_email=email,
        ),
    )


def ripen() -> None:
    Transaction.objects.update(updated=timezone.now() - timedelta(minutes=11))


@pytest.fixture
def stripe(db: None) -> Connection:
    return factories.make_connection(provider="stripe")


def test_a_lone_paid_invoice_becomes_an_unverified_transaction(
    stripe: Connection,
) -> None:
    ledger.record(stripe, [invoice(1)], source="webhook")
    assert Transaction.objects.get().parked
    assert invoices.adopt() == 0  # not before its time
    ripen()
    assert invoices.adopt() == 1
    row = Transaction.objects.get()
    assert (row.parked, row.status, row.verified) == (False, "paid", False)
    assert (row.provider_id, row.amount) == ("in_1", 1900)


def test_an_invoice_with_a_twin_stays_hidden(stripe: Connection) -> None:
    twin = Fact(
        topic="payment",
        object_kind="charge",
        object_id="ch_1",
        status="paid",
        references=(("charge", "ch_1"),),
        says=invoice(0).says,
    )
    ledger.record(stripe, [invoice(1), twin], source="webhook")
    ripen()
    assert invoices.adopt() == 0
    assert Transaction.objects.filter(parked=False).count() == 1


def test_a_link_that_comes_late_confirms_an_adopted_invoice(
    stripe: Connection,
) -> None:
    ledger.record(stripe, [invoice(1)], source="webhook")
    ripen()
    invoices.adopt()
    link = Fact(
        topic="payment",
        object_kind="charge",
        object_id="ch_1",
        status="paid",
        references=(("charge", "ch_1"), ("invoice", "in_1")),
        says=say(40, money=[1900, "eur"], created=stamp(timezone.now())),
    )
    ledger.record(stripe, [link], source="webhook")
    row = Transaction.objects.get()
    assert (row.verified, row.provider_id) == (True, "ch_1")
