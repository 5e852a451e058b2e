"""What comes late is in the next file of a schedule: no change is missing or twice."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Member, Project
from merchant.providers.base import say
from tests.factories import make_connection, make_member, make_project
from tests.transactions.changing import START, ledger_net, stories
from tests.transactions.sales import sale
from tests.transactions.test_balance_changes import sums
from tests.transactions.test_export_schedules import plan, read_lines
from transactions import exporting, journal, ledger
from transactions.exporting import Wish, schedules
from transactions.exporting.wish import checked
from transactions.models import BalanceChange, Export, ExportSchedule, Transaction

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
#: When every story is over.
END = START + 25 * DAY
GENTLY = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
#: (the number of a row, what it said)
Row = tuple[int, str, int, datetime]


def scheduled(every: str = "day") -> tuple[Project, Member, ExportSchedule]:
    """Files of the balance changes, from the beginning of the stories on."""
    project = make_project()
    member = make_member("finance", merchant=project.merchant)
    wish = {"table": "balance", "zone": "UTC"}
    schedule = schedules.add(member, plan(member, every=every, wish=wish))
    ExportSchedule.objects.filter(pk=schedule.pk).update(since=START, due=START + DAY)
    return project, member, schedule


def rows_of(member: Member, export: Export) -> list[Row]:
    _wish, wanted = checked(member, Wish.of(export))
    return sorted(
        (row.pk, row.currency, row.amount, row.happened)
        for strand in wanted.strands
        for row in strand
    )


def enter(connection: Connection, facts: list[Any]) -> None:
    ledger.record(connection, facts, source="webhook")


@GENTLY
@given(facts=stories(3), data=st.data())
def test_every_change_is_in_one_file_however_late_it_comes(
    facts: list[Any], data: st.DataObject
) -> None:
    project, member, schedule = scheduled("week")
    till = make_connection("stripe", project=project)
    arrivals = data.draw(st.permutations(facts))
    made: dict[Any, list[Row]] = {}

    def begin() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schedules, "MOST_A_ROUND", 1)
            schedules.begin_due()
        for export in Export.objects.filter(schedule=schedule):
            made.setdefault(export.pk, rows_of(member, export))

    for fact in arrivals:
        if data.draw(st.booleans()):
            begin()
        enter(till, [fact])
    begin()
    while not Export.objects.filter(schedule=schedule, until__gt=END).exists():
        begin()
    exports = list(Export.objects.filter(schedule=schedule).order_by("since"))
    for export in exports:  # what a file told stays as it was
        assert rows_of(member, export) == made[export.pk]
        assert all(row[3] < export.until for row in made[export.pk])
    every = Counter(row[0] for rows in made.values() for row in rows)
    numbers = BalanceChange.objects.filter(project=project)
    assert every == Counter(numbers.values_list("pk", flat=True))
    told = BalanceChange.objects.in_bulk(list(every))
    assert sums(told.values()) == ledger_net(project)
    ExportSchedule.objects.filter(pk=schedule.pk).update(due=None)


def test_a_late_payment_is_marked_in_the_next_file() -> None:
    project, member, schedule = scheduled()
    till = make_connection("stripe", project=project)
    day = timedelta(days=1)
    ExportSchedule.objects.update(due=datetime(2026, 3, 28, 6, tzinfo=UTC))
    enter(till, [sale(at=START, money=[100, "eur"])])
    _one_period(schedule)
    late = sale(at=START + day - timedelta(seconds=1), money=[200, "eur"])
    enter(till, [late, sale(at=START + day, money=[300, "eur"])])
    _one_period(schedule)
    exporting.run_due()
    first, second = Export.objects.order_by("since")[:2]
    assert [(line["amount"], line["late"]) for line in read_lines(member, first)] == [
        ("100", "false")
    ]
    assert [(line["amount"], line["late"]) for line in read_lines(member, second)] == [
        ("300", "false"),
        ("200", "true"),
    ]
    assert second.receipt is not None
    assert second.receipt["sums"][0]["late"] == 200
    assert "became known since the file before" in second.receipt["period"]


def test_what_was_told_is_put_right_beside_it() -> None:
    project, member, schedule = scheduled()
    till = make_connection("stripe", project=project)
    first = sale(at=START, money=[1000, "eur"])
    enter(till, [first])
    _one_period(schedule)
    other = dataclasses.replace(first, order=2, says=say(90, money=[1200, "eur"]))
    enter(till, [other])
    _one_period(schedule)
    exporting.run_due()
    exports = list(Export.objects.order_by("since")[:2])
    told = [
        [(line["amount"], line["late"], line["correction"]) for line in lines]
        for lines in (read_lines(member, export) for export in exports)
    ]
    assert told == [[("1000", "false", "false")], [("200", "true", "true")]]


def test_without_a_schedule_the_row_itself_is_put_right(project: Project) -> None:
    till = make_connection("stripe", project=project)
    first = sale(at=START, money=[1000, "eur"])
    enter(till, [first])
    enter(
        till, [dataclasses.replace(first, order=2, says=say(90, money=[1200, "eur"]))]
    )
    (row,) = BalanceChange.objects.all()
    assert (row.amount, row.part) == (1200, 0)


def test_purchases_that_turn_out_to_be_one_are_told_once() -> None:
    project, member, schedule = scheduled()
    till = make_connection("stripe", project=project)
    one = sale(at=START, money=[1000, "eur"])
    two = dataclasses.replace(
        one, object_kind="charge", object_id="ch_1", references=(("charge", "ch_1"),)
    )
    enter(till, [one])
    enter(till, [two])
    assert Transaction.objects.count() == 2
    _one_period(schedule)
    both = dataclasses.replace(
        two, order=3, references=(("charge", "ch_1"), *one.references)
    )
    enter(till, [both])
    assert Transaction.objects.count() == 1
    _one_period(schedule)
    exports = list(Export.objects.order_by("since"))
    assert [sum(row[2] for row in rows_of(member, each)) for each in exports] == [
        2000,
        -1000,
    ]
    assert ledger_net(project) == {"eur": 1000}


def test_by_payment_a_late_purchase_is_in_the_next_file() -> None:
    project = make_project()
    member = make_member("finance", merchant=project.merchant)
    wish = {"zone": "UTC"}
    schedule = schedules.add(
        member, plan(member, every="day", measure="paid", wish=wish)
    )
    ExportSchedule.objects.update(since=START, due=START + DAY)
    till = make_connection("stripe", project=project)
    enter(till, [sale("Early", at=START), sale("Open", at=START, status="pending")])
    _one_period(schedule)
    enter(till, [sale("Late", at=START), sale("Next", at=START + DAY)])
    _one_period(schedule)
    _one_period(schedule)
    exporting.run_due()
    files = [
        {line["customer"] for line in read_lines(member, export)}
        for export in Export.objects.order_by("since")[:3]
    ]
    assert files == [{"Early"}, {"Late", "Next"}, set()]


def test_run_again_it_tells_the_same() -> None:
    project, member, schedule = scheduled()
    till = make_connection("stripe", project=project)
    enter(till, [sale(at=START, money=[100, "eur"])])
    _one_period(schedule)
    enter(till, [sale(at=START, money=[200, "eur"])])
    exporting.run_due()
    export = Export.objects.earliest("since")
    again = exporting.again(member, export)
    assert [line["amount"] for line in read_lines(member, again)] == ["100"]


@pytest.mark.postgres
def test_a_commit_after_the_mark_is_in_the_next_file() -> None:
    """A payment is being entered, its time behind the end of the period, while the
    file begins: the file waits for it."""
    project, member, schedule = scheduled()
    till = make_connection("stripe", project=project)
    entered, go, marked = (threading.Event() for _ in range(3))

    def slow_worker() -> None:
        try:
            with transaction.atomic():
                enter(till, [sale(at=START, money=[100, "eur"])])
                entered.set()
                go.wait(10)
        finally:
            connection.close()

    def marker() -> None:
        try:
            with transaction.atomic():
                journal.mark()
            marked.set()
        finally:
            connection.close()

    workers = [threading.Thread(target=each) for each in (slow_worker, marker)]
    workers[0].start()
    assert entered.wait(10)
    workers[1].start()
    assert not marked.wait(0.3)
    go.set()
    for worker in workers:
        worker.join()
    assert marked.is_set()
    _one_period(schedule)
    export = Export.objects.get()
    assert [row[2] for row in rows_of(member, export)] == [100]


def _one_period(schedule: ExportSchedule) -> None:
    """The file of the next period is begun, and no other."""
    made = Export.objects.count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedules, "MOST_A_ROUND", 1)
        assert schedules.begin_due() == 1
    assert Export.objects.count() == made + 1
