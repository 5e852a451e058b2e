"""Handing over by hand: what staff may say about a purchase, and what comes of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections as databases
from django.utils import timezone

from merchant.models import Connection, Member, Project, User
from tests import factories
from tests.transactions.staff import (
    WHEN,
    acts_of,
    dispute,
    enter,
    item,
    payment,
    refund,
    states,
)
from transactions import acceptance, acts, fulfilment, ledger, refold
from transactions.models import FulfilmentRule, LineItem, Product, Transaction
from transactions.rendering import CHILDREN, transaction_object
from transactions.statuses import Act

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(project: Project) -> Connection:
    return factories.make_connection("stripe", project=project)


@pytest.fixture
def ana(support: Member) -> User:
    return support.user


@pytest.fixture
def bea(project: Project) -> User:
    return factories.make_member("admin", merchant=project.merchant).user


@pytest.fixture
def sale(connection: Connection) -> Transaction:
    """Paid, with one line."""
    return enter(connection, payment(items=[item("a")]))


@pytest.fixture
def basket(connection: Connection) -> Transaction:
    """Paid, with three lines."""
    return enter(connection, payment(items=[item("a"), item("b"), item("c")]))


def fresh(row: Transaction) -> Transaction:
    return Transaction.objects.get(pk=row.pk)


def rule(row: Transaction, word: str, *, key: str = "", **over: object) -> None:
    product = row.items.get(key=key).product if key else None
    FulfilmentRule.objects.create(
        project=row.project, product=product, rule=word, **over
    )
    ledger.refold([row.pk])


# ----------------------------------------------------------------------- when it waits
def test_what_is_paid_waits(sale: Transaction) -> None:
    assert sale.fulfilment == "waiting"


@pytest.mark.parametrize(
    "status",
    [
        "created", "pending", "authorized", "overdue", "partially_paid", "failed",
        "canceled", "expired",
    ],
)  # fmt: skip
def test_what_is_not_paid_does_not_wait(
    connection: Connection, ana: User, status: str
) -> None:
    row = enter(connection, payment(status=status, items=[item("a")]))
    assert row.fulfilment == "not_needed"
    assert fulfilment.mark_done(ana, [row.pk]) == {
        row.pk: f"The payment is {row.get_status_display().lower()}."
    }
    assert acts_of(row) == []


def test_an_unconfirmed_amount_does_not_wait(connection: Connection, ana: User) -> None:
    row = enter(connection, payment(items=[item("a")], verified=False))
    assert row.fulfilment == "not_needed"
    refused = fulfilment.mark_done(ana, [row.pk])
    assert refused == {row.pk: "The amount is not confirmed."}


@pytest.mark.parametrize("what", ["open", "lost"])
def test_a_disputed_one_does_not_wait(connection: Connection, what: str) -> None:
    row = enter(connection, payment(items=[item("a")]), dispute(1, what))
    assert row.fulfilment == "not_needed"


def test_a_won_dispute_lets_it_wait_again(connection: Connection) -> None:
    row = enter(connection, payment(items=[item("a")]), dispute(1, "open"))
    assert enter(connection, payment(), dispute(1, "won")).fulfilment == "waiting"
    assert row.fulfilment == "not_needed"


def test_a_refunded_one_does_not_wait(connection: Connection) -> None:
    row = enter(connection, payment(items=[item("a")]), refund(1))
    assert (row.status, row.fulfilment) == ("refunded", "not_needed")


def test_a_partly_refunded_one_still_waits(connection: Connection) -> None:
    row = enter(connection, payment(items=[item("a")]), refund(1, 500))
    assert (row.status, row.fulfilment) == ("partially_refunded", "waiting")


def test_without_known_items_the_purchase_itself_waits(
    connection: Connection, ana: User
) -> None:
    row = enter(connection, payment())
    assert row.fulfilment == "waiting"
    assert fulfilment.mark_done(ana, [row.pk]) == {}
    assert fresh(row).fulfilment == "done"


# ------------------------------------------------------------------------------- rules
def test_what_others_deliver_is_done_with_the_payment(sale: Transaction) -> None:
    rule(sale, "external")
    assert fresh(sale).fulfilment == "done"


def test_what_needs_nothing_never_waits(sale: Transaction) -> None:
    rule(sale, "none")
    assert fresh(sale).fulfilment == "not_needed"


def test_a_products_rule_goes_before_the_projects(basket: Transaction) -> None:
    rule(basket, "none")
    rule(basket, "manual", key="b")
    assert states(basket) == {"a": "not_needed", "b": "waiting", "c": "not_needed"}
    assert fresh(basket).fulfilment == "waiting"


def test_a_rule_holds_for_what_was_paid_from_then_on(
    sale: Transaction, connection: Connection
) -> None:
    rule(sale, "none", since=WHEN + timedelta(hours=1))
    assert fresh(sale).fulfilment == "waiting"
    later = payment(2, items=[item("a")], at=WHEN + timedelta(hours=2))
    assert enter(connection, later).fulfilment == "not_needed"


def test_what_staff_did_stays_under_another_rule(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    rule(sale, "none", key="a")
    assert fresh(sale).fulfilment == "done"


# -------------------------------------------------------------------------------- done
def test_done_is_on_the_timeline_with_the_persons_name(
    sale: Transaction, ana: User
) -> None:
    fulfilment.mark_done(ana, [sale.pk], note="By mail", reference="KEY-1")
    entry = sale.timeline.get(source="staff")
    assert (entry.actor, entry.status, entry.topic) == (ana, "done", "fulfilment")
    assert entry.summary == "Handed over · KEY-1 · By mail"
    assert entry.says["reference"] == [0, "KEY-1"]


def test_done_once_is_done(sale: Transaction, ana: User, bea: User) -> None:
    assert fulfilment.mark_done(ana, [sale.pk]) == {}
    refused = fulfilment.mark_done(bea, [sale.pk])
    assert refused == {sale.pk: "It is handed over already."}
    assert acts_of(sale) == ["done"]


def test_one_line_can_be_done_alone(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk], item="b")
    assert states(basket) == {"a": "waiting", "b": "done", "c": "waiting"}
    assert fresh(basket).fulfilment == "waiting"
    assert basket.timeline.get(source="staff").says["item"] == [0, "Item b"]


def test_when_the_last_line_is_done_all_is(basket: Transaction, ana: User) -> None:
    for key in "abc":
        assert fulfilment.mark_done(ana, [basket.pk], item=key) == {}
    assert fresh(basket).fulfilment == "done"


def test_a_line_is_not_done_twice(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk], item="b")
    refused = fulfilment.mark_done(ana, [basket.pk], item="b")
    assert refused == {basket.pk: "The state of this item is: done."}


def test_an_unknown_line_is_refused(basket: Transaction, ana: User) -> None:
    refused = fulfilment.mark_done(ana, [basket.pk], item="z")
    assert refused == {basket.pk: "This item is not a part of the purchase any more."}


def test_marking_all_leaves_what_was_taken_back(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk], item="b")
    fulfilment.revoke(ana, [basket.pk], item="b")
    fulfilment.mark_done(ana, [basket.pk])
    assert states(basket) == {"a": "done", "b": "revoked", "c": "done"}


def test_a_line_that_arrives_later_waits_for_itself(
    connection: Connection, ana: User
) -> None:
    row = enter(connection, payment(items=[item("a")]))
    fulfilment.mark_done(ana, [row.pk])
    enter(connection, payment(items=[item("a"), item("b")], weight=9, at=WHEN))
    assert states(row) == {"a": "done", "b": "waiting"}
    assert fresh(row).fulfilment == "waiting"


def test_lines_that_arrive_after_the_whole_was_done_are_done(
    connection: Connection, ana: User
) -> None:
    row = enter(connection, payment())
    fulfilment.mark_done(ana, [row.pk])
    enter(connection, payment(items=[item("a"), item("b")], weight=9))
    assert states(row) == {"a": "done", "b": "done"}


def test_lines_under_other_keys_are_the_same_purchase(
    connection: Connection, ana: User
) -> None:
    row = enter(connection, payment(items=[item("0"), item("1")]))
    fulfilment.mark_done(ana, [row.pk])
    enter(connection, payment(items=[item("x"), item("y")], weight=9))
    assert states(row) == {"x": "done", "y": "done"}


def test_several_at_once_say_each_for_itself(
    sale: Transaction, connection: Connection, ana: User
) -> None:
    other = enter(connection, payment(2, status="pending", items=[item("a")]))
    gone = uuid4()
    refused = fulfilment.mark_done(ana, [sale.pk, other.pk, gone])
    assert refused == {
        other.pk: "The payment is pending.",
        gone: "It is a part of another transaction now.",
    }
    assert fresh(sale).fulfilment == "done"


def test_a_refund_after_it_was_done_leaves_it_done(
    sale: Transaction, connection: Connection, ana: User
) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    row = enter(connection, payment(items=[item("a")]), refund(1))
    assert (row.status, row.fulfilment) == ("refunded", "done")


# -------------------------------------------------------------------------------- undo
def test_undone_waits_again(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    assert fulfilment.undo(ana, [sale.pk]) == {}
    assert fresh(sale).fulfilment == "waiting"
    assert acts_of(sale) == ["done", "undone"]


def test_taking_back_undone_is_handed_over(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    fulfilment.revoke(ana, [sale.pk])
    revoked = sale.timeline.get(status="revoked")
    assert fulfilment.undo(ana, [sale.pk], of=revoked.identity) == {}
    assert fresh(sale).fulfilment == "done"


def test_the_same_act_is_not_undone_twice(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    fulfilment.revoke(ana, [sale.pk])
    revoked = sale.timeline.get(status="revoked").identity
    fulfilment.undo(ana, [sale.pk], of=revoked)
    refused = fulfilment.undo(ana, [sale.pk], of=revoked)
    assert refused == {sale.pk: "That was undone already."}
    assert fresh(sale).fulfilment == "done"


def test_undoing_all_takes_every_line(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk], item="a")
    fulfilment.mark_done(ana, [basket.pk])
    fulfilment.undo(ana, [basket.pk])
    assert set(states(basket).values()) == {"waiting"}


def test_one_line_of_several_can_be_undone(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk])
    assert fulfilment.undo(ana, [basket.pk], item="b") == {}
    assert states(basket) == {"a": "done", "b": "waiting", "c": "done"}


def test_what_nobody_did_cannot_be_undone(sale: Transaction, ana: User) -> None:
    assert fulfilment.undo(ana, [sale.pk]) == {sale.pk: "It is not handed over."}


def test_what_a_rule_did_cannot_be_undone(sale: Transaction, ana: User) -> None:
    rule(sale, "external")
    assert fulfilment.undo(ana, [sale.pk]) == {
        sale.pk: "It is handed over elsewhere, by the rule of its product."
    }


def test_undoing_all_does_not_bring_back_what_was_taken_back(
    sale: Transaction, ana: User
) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    fulfilment.revoke(ana, [sale.pk])
    refused = fulfilment.undo(ana, [sale.pk])
    assert refused == {sale.pk: "It was taken back from the customer."}


# ------------------------------------------------------------------- taking it back
def test_taken_back_is_revoked(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    fulfilment.revoke(ana, [sale.pk], note="Key disabled")
    assert fresh(sale).fulfilment == "revoked"


def test_what_others_delivered_can_be_taken_back(sale: Transaction, ana: User) -> None:
    rule(sale, "external")
    assert fulfilment.revoke(ana, [sale.pk]) == {}
    assert fresh(sale).fulfilment == "revoked"


def test_what_waits_cannot_be_taken_back(sale: Transaction, ana: User) -> None:
    assert fulfilment.revoke(ana, [sale.pk]) == {sale.pk: "It is not handed over."}


def test_taking_back_leaves_the_lines_that_wait(basket: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [basket.pk], item="a")
    fulfilment.revoke(ana, [basket.pk])
    assert states(basket) == {"a": "revoked", "b": "waiting", "c": "waiting"}


# ------------------------------------------------------------------------- chargebacks
@pytest.fixture
def lost(sale: Transaction, connection: Connection, ana: User) -> Transaction:
    """Handed over, then charged back."""
    fulfilment.mark_done(ana, [sale.pk])
    return enter(connection, payment(items=[item("a")]), dispute(1, "lost"))


def test_a_chargeback_asks_whether_to_take_it_back(lost: Transaction) -> None:
    assert (lost.status, lost.fulfilment, lost.to_revoke) == (
        "charged_back", "done", True,
    )  # fmt: skip


def test_a_chargeback_of_what_was_not_handed_over_asks_nothing(
    connection: Connection,
) -> None:
    row = enter(connection, payment(items=[item("a")]), dispute(1, "lost"))
    assert not row.to_revoke


def test_taking_it_back_answers(lost: Transaction, ana: User) -> None:
    fulfilment.revoke(ana, [lost.pk])
    assert (fresh(lost).fulfilment, fresh(lost).to_revoke) == ("revoked", False)


def test_leaving_it_answers(lost: Transaction, ana: User) -> None:
    fulfilment.keep(ana, [lost.pk], note="A regular")
    assert (fresh(lost).fulfilment, fresh(lost).to_revoke) == ("done", False)


def test_an_answer_undone_asks_again(lost: Transaction, ana: User) -> None:
    fulfilment.keep(ana, [lost.pk])
    kept = lost.timeline.get(status="kept")
    fulfilment.undo(ana, [lost.pk], of=kept.identity)
    assert fresh(lost).to_revoke


def test_leaving_what_nobody_asks_about_is_refused(
    sale: Transaction, ana: User
) -> None:
    assert fulfilment.keep(ana, [sale.pk]) == {
        sale.pk: "Nothing of it waits to be taken back."
    }


# ------------------------------------------------------------------------------ claims
def later(row: Transaction, **span: int) -> None:
    """Lets time pass since the row was claimed."""
    entry = row.timeline.filter(status="claimed").latest("order")
    passed = timezone.now() - timedelta(**span) + fulfilment.CLAIM
    entry.says["until"] = [0, passed.isoformat()]
    entry.save()
    ledger.refold([row.pk])


def test_who_is_on_it_keeps_others_away(
    sale: Transaction, ana: User, bea: User
) -> None:
    assert fulfilment.claim(ana, [sale.pk]) == {}
    assert fulfilment.claim(bea, [sale.pk]) == {sale.pk: f"{ana} is on it."}
    assert fulfilment.mark_done(bea, [sale.pk]) == {sale.pk: f"{ana} is on it."}
    assert fulfilment.mark_done(ana, [sale.pk]) == {}
    assert fresh(sale).claimed_by is None


def test_a_claim_ends_after_a_while(sale: Transaction, ana: User, bea: User) -> None:
    fulfilment.claim(ana, [sale.pk])
    later(sale, minutes=16)
    assert not fulfilment.is_claimed(fresh(sale))
    assert fulfilment.claim(bea, [sale.pk]) == {}
    assert fresh(sale).claimed_by == bea


def test_a_claim_can_be_taken_over(sale: Transaction, ana: User, bea: User) -> None:
    fulfilment.claim(ana, [sale.pk])
    assert fulfilment.claim(bea, [sale.pk], take_over=True) == {}
    assert fresh(sale).claimed_by == bea
    assert fulfilment.mark_done(ana, [sale.pk]) == {sale.pk: f"{bea} is on it."}


def test_a_claim_pressed_twice_is_one(sale: Transaction, ana: User) -> None:
    fulfilment.claim(ana, [sale.pk])
    assert fulfilment.claim(ana, [sale.pk]) == {}
    assert acts_of(sale) == ["claimed"]


def test_a_claim_is_made_longer_by_who_has_it(sale: Transaction, ana: User) -> None:
    fulfilment.claim(ana, [sale.pk])
    later(sale, minutes=10)
    before = fresh(sale).claimed_until
    fulfilment.claim(ana, [sale.pk])
    assert fresh(sale).claimed_until > before


def test_released_is_free(sale: Transaction, ana: User, bea: User) -> None:
    fulfilment.claim(ana, [sale.pk])
    assert fulfilment.release(ana, [sale.pk]) == {}
    assert fulfilment.claim(bea, [sale.pk]) == {}


def test_nobody_releases_what_another_is_on(
    sale: Transaction, ana: User, bea: User
) -> None:
    fulfilment.claim(ana, [sale.pk])
    assert fulfilment.release(bea, [sale.pk]) == {sale.pk: f"{ana} is on it."}


def test_releasing_what_nobody_is_on_changes_nothing(
    sale: Transaction, ana: User
) -> None:
    assert fulfilment.release(ana, [sale.pk]) == {}
    assert acts_of(sale) == []


def test_what_does_not_wait_is_not_claimed(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    assert fulfilment.claim(ana, [sale.pk]) == {sale.pk: "It is handed over already."}


def test_a_claim_of_who_has_left_says_somebody(
    sale: Transaction, ana: User, bea: User
) -> None:
    fulfilment.claim(ana, [sale.pk])
    ana.delete()
    assert fulfilment.claim(bea, [sale.pk]) == {sale.pk: "Somebody is on it."}


# ----------------------------------------------------------------- what others hear
def test_the_api_object_changes_in_its_fulfilment_alone(
    sale: Transaction, ana: User
) -> None:
    def told() -> dict:
        row = Transaction.objects.prefetch_related(*CHILDREN).get(pk=sale.pk)
        return transaction_object(row)

    before = told()
    fulfilment.mark_done(ana, [sale.pk], note="by mail", reference="KEY-1")
    after = told()
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"updated"} == {"fulfilment", "sequence"}
    assert after["fulfilment"] == {"status": "done"}
    assert after["sequence"] == before["sequence"] + 1


def test_acts_keep_their_order_whatever_the_clocks_say(
    sale: Transaction, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    behind = timezone.now() - timedelta(minutes=5)
    monkeypatch.setattr(acts.timezone, "now", lambda: behind)
    fulfilment.revoke(ana, [sale.pk])
    assert acts_of(sale) == ["done", "revoked"]
    assert fresh(sale).fulfilment == "revoked"


def test_folding_again_changes_nothing(
    basket: Transaction, ana: User, support: Member
) -> None:
    fulfilment.claim(ana, [basket.pk])
    fulfilment.mark_done(ana, [basket.pk], item="a", note="x")
    fulfilment.mark_done(ana, [basket.pk])
    fulfilment.undo(ana, [basket.pk], item="c")
    assert refold.refold(basket.project)["changed"] == 0


def test_a_note_with_odd_signs_is_kept_clean(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk], note="a\x00b", reference="x" * 900)
    says = sale.timeline.get(source="staff").says
    assert says["note"][1] == "a\ufffdb"
    assert len(says["reference"][1]) == acts.REFERENCE


# --------------------------------------------------------------------- joining of rows
def test_two_rows_that_turn_out_to_be_one_keep_what_staff_did(
    connection: Connection, ana: User, bea: User
) -> None:
    one = enter(connection, payment(1, items=[item("a")]))
    two = enter(connection, payment(2, items=[item("a")]))
    fulfilment.mark_done(ana, [one.pk], reference="KEY-1")
    fulfilment.mark_done(bea, [two.pk], reference="KEY-2")
    tie = payment(1, items=[item("a")], order_reference="o")
    references = (("payment_intent", "pi_1"), ("payment_intent", "pi_2"))
    ledger.record(connection, [replace(tie, references=references)], source="webhook")
    row = Transaction.objects.get(project=connection.project)
    assert row.fulfilment == "done"
    assert acts_of(row) == ["done", "done"]
    fulfilment.undo(ana, [row.pk])
    assert fresh(row).fulfilment == "waiting"
    assert refold.refold(row.project)["changed"] == 0


# ------------------------------------------------------------------ two at once
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_members_at_once_only_one_marks_it_done() -> None:
    project = factories.make_project()
    connection = factories.make_connection("stripe", project=project)
    people = [
        factories.make_member("support", merchant=project.merchant).user
        for _ in range(2)
    ]
    rows = [enter(connection, payment(n, items=[item("a")])) for n in range(20)]
    barrier = threading.Barrier(2)
    refused: list[dict] = []

    def hand_over(by: User) -> None:
        try:
            for row in rows:
                barrier.wait(30)
                refused.append(fulfilment.mark_done(by, [row.pk]))
        finally:
            databases.close_all()

    workers = [threading.Thread(target=hand_over, args=(by,)) for by in people]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [acts_of(row) for row in rows] == [["done"]] * 20
    told = [sentence for each in refused for sentence in each.values()]
    assert told == ["It is handed over already."] * 20


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_act_meets_a_refund_and_neither_is_lost() -> None:
    project = factories.make_project()
    connection = factories.make_connection("stripe", project=project)
    by = factories.make_member("support", merchant=project.merchant).user
    rows = [enter(connection, payment(n, items=[item("a")])) for n in range(20)]
    barrier = threading.Barrier(2)

    def tell() -> None:
        try:
            for number in range(20):
                barrier.wait(30)
                ledger.record(connection, [refund(number, 500)], source="webhook")
        finally:
            databases.close_all()

    def hand_over() -> None:
        try:
            for row in rows:
                barrier.wait(30)
                fulfilment.mark_done(by, [row.pk])
        finally:
            databases.close_all()

    workers = [threading.Thread(target=work) for work in (tell, hand_over)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    stand = {(r.status, r.fulfilment) for r in Transaction.objects.all()}
    assert stand == {("partially_refunded", "done")}
    assert refold.refold(project)["changed"] == 0


def test_pressed_twice_is_known_as_such(sale: Transaction, ana: User) -> None:
    fulfilment.mark_done(ana, [sale.pk])
    entries = list(sale.timeline.all())
    assert fulfilment.is_again(ana, entries, Act.DONE)
    assert not fulfilment.is_again(ana, entries, Act.REVOKED)


def test_accepting_lets_it_wait(connection: Connection, owner: Member) -> None:
    row = enter(connection, payment(items=[item("a")], verified=False))
    acceptance.accept(owner, row.pk, "Seen in the provider's dashboard")
    assert fresh(row).fulfilment == "waiting"


def test_the_product_and_the_line_are_still_there(basket: Transaction) -> None:
    assert Product.objects.count() == LineItem.objects.count() == 3
