"""By which rule a purchase is handed over: set from a day on, reached by the worker."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant import queue
from merchant.models import AuditEntry, Connection, Member, Project
from tests.factories import make_connection, make_member, make_project
from tests.transactions.staff import dispute, enter, item, payment, states
from transactions import fulfilment, fulfilment_rules, ledger, reach, refold
from transactions.models import FulfilmentRule, Product, Transaction

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
BY_RULE = {"manual": "waiting", "external": "done", "none": "not_needed"}


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def till(project: Project) -> Connection:
    return make_connection("stripe", project=project)


@pytest.fixture
def say(owner: Member, project: Project):  # noqa: ANN201
    """say(rule, product, since): an owner sets it, and the worker applies it."""

    def say(
        rule: str,
        product: Product | None = None,
        since: datetime | None = None,
        apply: bool = True,
    ) -> FulfilmentRule:
        row = fulfilment_rules.set(owner, project, product, rule, since=since)
        if apply:
            applied()
        return row

    return say


def applied() -> None:
    while reach.apply_rules():
        pass


def sell(till: Connection, number: int, days: int, name: str = "Sword") -> Transaction:
    return enter(till, payment(number, items=[item("1", name)], at=ago(days)))


def product_of(row: Transaction) -> Product:
    return row.items.get().product


def state(row: Transaction) -> str:
    row.refresh_from_db()
    return row.fulfilment


# -------------------------------------------------------------------------- what holds
def test_what_nobody_spoke_of_is_handed_over_by_hand(till: Connection) -> None:
    assert state(sell(till, 1, days=1)) == "waiting"


def test_a_rule_from_now_on_leaves_older_purchases(till: Connection, say) -> None:  # noqa: ANN001
    old = sell(till, 1, days=2)
    say("none", since=ago(1))
    new = sell(till, 2, days=0)
    assert (state(old), state(new)) == ("waiting", "not_needed")


@pytest.mark.parametrize("rule", list(BY_RULE))
def test_a_rule_for_all_reaches_what_was_sold(till: Connection, say, rule: str) -> None:  # noqa: ANN001
    rows = [sell(till, number, days=number) for number in range(1, 4)]
    say(rule)
    assert {state(row) for row in rows} == {BY_RULE[rule]}


def test_a_rule_since_a_day_reaches_back_to_it(till: Connection, say) -> None:  # noqa: ANN001
    rows = [sell(till, number, days=number) for number in range(1, 5)]
    say("external", since=ago(2))
    assert [state(row) for row in rows] == ["done", "done", "waiting", "waiting"]


def test_the_word_said_last_holds_though_it_reaches_further_back(
    till: Connection, say
) -> None:  # noqa: ANN001
    new = sell(till, 1, days=1)
    say("external", since=ago(2))
    say("none", since=ago(5))
    assert state(new) == "not_needed"


def test_a_products_rule_goes_before_the_projects(till: Connection, say) -> None:  # noqa: ANN001
    sword, shield = sell(till, 1, 1, "Sword"), sell(till, 2, 1, "Shield")
    say("external")
    say("none", product_of(sword))
    assert (state(sword), state(shield)) == ("not_needed", "done")


def test_a_product_goes_back_to_the_projects_rule(till: Connection, say) -> None:  # noqa: ANN001
    row = sell(till, 1, days=1)
    say("external")
    say("none", product_of(row))
    say("project", product_of(row))
    assert state(row) == "done"


def test_what_staff_decided_stays(till: Connection, say, owner: Member) -> None:  # noqa: ANN001
    row = sell(till, 1, days=1)
    fulfilment.mark_done(owner.user, [row.pk], item="1", note="By phone")
    say("none")
    assert states(row) == {"1": "done"}


def test_a_purchase_without_items_goes_by_the_project_alone(
    till: Connection, say
) -> None:  # noqa: ANN001
    say("none")
    assert state(enter(till, payment(1, at=ago(1)))) == "not_needed"


def test_money_without_a_time_goes_by_when_it_was_created(
    till: Connection, say, project: Project
) -> None:  # noqa: ANN001
    """A lost dispute that came before its payment: the rule of now must not count."""
    say("external")
    row = enter(till, dispute(1, "lost", at=ago(3)))
    assert (row.paid, state(row)) == (None, "done")
    say("none", since=NOW)
    assert state(row) == "done"
    assert refold.refold(project)["changed"] == 0


def test_what_was_created_long_before_it_was_paid_is_reached(
    till: Connection, say
) -> None:  # noqa: ANN001
    open_ = payment(1, "pending", items=[item("1")], at=ago(40))
    row = enter(till, open_, payment(1, items=[item("1")], at=ago(2)))
    row.refresh_from_db()
    assert row.paid_late
    say("none", since=ago(10))
    assert state(row) == "not_needed"
    say("external", product_of(row), since=ago(10))
    assert state(row) == "done"


def test_another_project_is_not_touched(
    till: Connection, say, project: Project
) -> None:  # noqa: ANN001
    other = make_project(merchant=project.merchant)
    row = sell(make_connection("stripe", project=other), 1, days=1)
    say("none")
    assert state(row) == "waiting"


# ------------------------------------------------------------------------- setting it
def test_who_set_it_is_written_down(owner: Member, till: Connection, say) -> None:  # noqa: ANN001
    product = product_of(sell(till, 1, days=1))
    row = say("none", product, since=ago(1))
    entry = AuditEntry.objects.get(verb="fulfilment_rule.set")
    assert (entry.actor, entry.subject_id) == (owner.user, str(product.pk))
    assert entry.detail == {"rule": "none", "since": ago(1).isoformat()}
    assert row.set_by == owner.user


def test_the_history_has_the_last_word_first(till: Connection, say, project) -> None:  # noqa: ANN001
    for rule in ("none", "external", "manual"):
        say(rule)
    rows = fulfilment_rules.history(project, None)
    assert [row.rule for row in rows] == ["manual", "external", "none"]


@pytest.mark.parametrize(
    ("rule", "of_product", "since"),
    [
        ("project", False, None),
        ("nonsense", True, None),
        ("", False, None),
        ("none", True, NOW + timedelta(days=2)),
    ],
)
def test_what_is_no_rule_is_not_set(
    till: Connection, owner: Member, project: Project, rule: str, of_product: bool,
    since: datetime | None,
) -> None:  # fmt: skip
    product = product_of(sell(till, 1, days=1)) if of_product else None
    with pytest.raises(fulfilment_rules.NotARule):
        fulfilment_rules.set(owner, project, product, rule, since=since)
    assert not FulfilmentRule.objects.exists()


# -------------------------------------------------------------------- reaching back
@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "BATCH", {"postgresql": 2, "sqlite": 2})


def test_it_goes_on_where_it_was_cut_off(
    till: Connection, say, small_batches: None
) -> None:  # noqa: ANN001
    rows = [sell(till, number, days=number) for number in range(1, 6)]
    rule = say("none", apply=False)
    fold, calls = ledger.refold, iter([True, False])

    def cut_off(ids: list[Any]) -> set[Any]:
        if next(calls):
            return fold(ids)
        raise OperationalError("the server went away")

    with mock.patch.object(ledger, "refold", cut_off), pytest.raises(OperationalError):
        reach.apply_rules()
    rule.refresh_from_db()
    assert (rule.applied, rule.checked, rule.changed) == (False, 2, 2)
    assert [state(row) for row in rows[:3]] == ["not_needed", "not_needed", "waiting"]
    applied()
    rule.refresh_from_db()
    assert (rule.applied, rule.checked, rule.changed) == (True, 5, 5)
    assert {state(row) for row in rows} == {"not_needed"}


def test_the_newest_are_reached_first(
    till: Connection, say, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:  # noqa: ANN001
    monkeypatch.setattr(reach, "AT_ONCE", 1)
    rows = [sell(till, number, days=number) for number in range(1, 4)]
    say("none", product_of(rows[0]), apply=False)
    assert reach.apply_rules() == 2
    assert [state(row) for row in rows] == ["not_needed", "not_needed", "waiting"]


def test_one_that_cannot_be_folded_keeps_nobody_waiting(
    till: Connection, say, caplog: pytest.LogCaptureFixture
) -> None:  # noqa: ANN001
    rows = [sell(till, number, days=number) for number in range(1, 4)]
    rule = say("none", apply=False)
    fold, bad = ledger.refold, rows[1].pk

    def folded(ids: list[Any]) -> set[Any]:
        if bad in ids:
            raise ValueError("a riddle")
        return fold(ids)

    with mock.patch.object(ledger, "refold", folded):
        applied()
    rule.refresh_from_db()
    assert rule.applied
    assert [state(row) for row in rows] == ["not_needed", "waiting", "not_needed"]
    assert str(bad) in caplog.text


def test_two_lines_of_the_product_are_one_purchase(till: Connection, say) -> None:  # noqa: ANN001
    lines = [item("1", "Sword"), item("2", "Sword")]
    row = enter(till, payment(1, items=lines, at=ago(1)))
    rule = say("none", row.items.first().product)
    rule.refresh_from_db()
    assert (rule.checked, states(row)) == (1, {"1": "not_needed", "2": "not_needed"})


def test_drain_applies_rules(till: Connection, say) -> None:  # noqa: ANN001
    row = sell(till, 1, days=1)
    say("none", apply=False)
    assert queue.drain()["rules"] == 1
    assert state(row) == "not_needed"


def test_nothing_to_apply_costs_one_question(
    db: None, django_assert_num_queries
) -> None:  # noqa: ANN001
    with django_assert_num_queries(1):
        assert reach.apply_rules() == 0


# ------------------------------------------------------------------------ determinism
WORDS = st.tuples(
    st.sampled_from(["project", "manual", "external", "none"]),
    st.sampled_from(["Sword", "Shield", ""]),
    st.one_of(st.none(), st.integers(0, 12)),
)
SALES = st.tuples(st.integers(1, 12), st.sampled_from(["Sword", "Shield", ""]))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SALES, min_size=1, max_size=5), st.lists(WORDS, max_size=5), SALES)
def test_whatever_was_said_a_fold_gives_what_the_last_word_says(
    db: None, sales: list, words: list, later: tuple
) -> None:
    project = make_project()
    by = make_member("owner", merchant=project.merchant)
    till = make_connection("stripe", project=project)
    rows = [_sold(till, number, *sale) for number, sale in enumerate(sales)]
    said: list[tuple[str, datetime | None, str]] = []
    for rule, name, days in words:
        product = Product.objects.filter(project=project, name=name).first()
        if (rule == "project") > (product is not None) or (name and not product):
            continue
        since = None if days is None else ago(days)
        fulfilment_rules.set(by, project, product, rule, since=since)
        said.append((name, since, rule))
    rows.append(_sold(till, 99, *later))
    applied()
    for row, (days, name) in zip(rows, [*sales, later], strict=True):
        wanted = BY_RULE[_holds(said, name, ago(days))]
        assert state(row) == wanted, (days, name, said)
    assert refold.refold(project)["changed"] == 0


def _sold(till: Connection, number: int, days: int, name: str) -> Transaction:
    if name:
        return sell(till, number, days, name)
    return enter(till, payment(number, at=ago(days)))


def _holds(said: list, name: str, paid: datetime) -> str:
    for place in dict.fromkeys([name, ""]):
        rules = [
            r for n, since, r in said if n == place and (not since or since <= paid)
        ]
        if rules and rules[-1] != "project":
            return str(rules[-1])
    return "manual"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_rule_waits_for_batches_that_read_the_ones_before(project: Project) -> None:
    reads, ends = threading.Event(), threading.Event()

    def batch() -> None:
        with transaction.atomic():
            fulfilment_rules.of([(project.pk, None)])
            reads.set()
            ends.wait(20)
        connection.close()

    worker = threading.Thread(target=batch)
    worker.start()
    assert reads.wait(20)
    assert not _could_set()
    ends.set()
    worker.join(20)
    assert _could_set()


def _could_set() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [fulfilment_rules._LOCK])
        return bool(cursor.fetchone()[0])
