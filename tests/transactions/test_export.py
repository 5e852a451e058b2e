"""Asking for an export: what is in it, who gets it, and when it is there."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.factories import (
    make_member,
    make_merchant,
    make_project,
    make_refund,
    make_transaction,
)
from transactions import exporting
from transactions.exporting import LISTS, NotPossible, Wish
from transactions.exports.lists import TABLES
from transactions.models import Customer, Export, Transaction

# A file is a picture that a connection of its own takes, so rows must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finance(project: Project) -> Member:
    return make_member("finance", merchant=project.merchant)


def lines_of(by: Member, export: Export) -> list[dict[str, str]]:
    opened = exporting.open_file(by, export)
    with opened.file:
        text = opened.file.read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def wish(**over: object) -> Wish:
    return Wish(**{"livemode": True, "style": "programs", **over})  # type: ignore[arg-type]


def test_a_small_one_is_ready_at_once(project: Project, finance: Member) -> None:
    row = make_transaction(project=project)
    export = exporting.start(finance, wish())
    assert export.state == Export.State.READY
    assert (export.rows_done, export.rows_total) == (1, 1)
    assert [line["id"] for line in lines_of(finance, export)] == [str(row.pk)]
    assert export.receipt is not None
    assert export.receipt["sha256"] == export.sha256


def test_it_holds_what_the_filter_shows(project: Project, finance: Member) -> None:
    make_transaction(project=project, status="failed")
    make_transaction(project=project, livemode=False)
    paid = make_transaction(project=project, status="paid")
    export = exporting.start(finance, wish(query="status=paid"))
    assert [line["id"] for line in lines_of(finance, export)] == [str(paid.pk)]
    assert export.described == "Status: Paid"


@pytest.mark.parametrize(
    ("listing", "table"),
    [(name, table) for name, listed in LISTS.items() for table in listed.tables],
)
def test_every_list_in_every_way(
    project: Project, owner: Member, listing: str, table: str
) -> None:
    make_refund(make_transaction(project=project))
    columns = tuple(TABLES[table].columns)
    export = exporting.start(owner, wish(listing=listing, table=table, columns=columns))
    assert export.state == Export.State.READY, export.error
    lines_of(owner, export)


def test_the_order_is_the_lists(project: Project, finance: Member) -> None:
    rows = [make_transaction(project=project, amount=amount) for amount in (5, 9, 7)]
    export = exporting.start(finance, wish(query="currency=eur&sort=-amount"))
    found = [line["id"] for line in lines_of(finance, export)]
    assert found == [str(rows[at].pk) for at in (1, 2, 0)]


def test_customers_of_test_payments_stand_as_in_their_list(
    project: Project, finance: Member
) -> None:
    early, late = (timezone.now() - timedelta(days=days) for days in (2, 1))
    for key, live, test in (("a", late, early), ("b", early, late)):
        Customer.objects.create(
            project=project, key=key, name=key, latest_live=live, latest_test=test
        )
    for livemode, names in ((True, ["a", "b"]), (False, ["b", "a"])):
        export = exporting.start(finance, wish(listing="customers", livemode=livemode))
        lines = lines_of(finance, export)
        assert [line["name"] for line in lines] == names
        assert {line["latest"] for line in lines} == {
            f"{when:%Y-%m-%dT%H:%M:%S.%f}Z" for when in (early, late)
        }


def test_the_mode_is_told_once(project: Project, owner: Member) -> None:
    for listing in LISTS:
        export = exporting.start(owner, wish(listing=listing, livemode=False))
        assert export.receipt is not None
        assert export.receipt["filters"] == "Test payments; Everything", listing


def test_more_rows_wait_for_the_worker(
    project: Project, finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 1)
    for _number in range(3):
        make_transaction(project=project)
    export = exporting.start(finance, wish())
    assert export.state == Export.State.PENDING
    assert exporting.run_due() == 1
    export.refresh_from_db()
    assert (export.state, export.rows_done) == (Export.State.READY, 3)
    assert len(lines_of(finance, export)) == 3


def test_what_takes_too_long_is_left_to_the_worker(
    project: Project, finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.running.SECONDS_AT_ONCE", -1.0)
    make_transaction(project=project)
    export = exporting.start(finance, wish())
    assert export.state == Export.State.PENDING
    exporting.run_due()
    export.refresh_from_db()
    assert export.state == Export.State.READY


def test_rows_of_projects_that_are_not_the_members_are_not_in_it(
    project: Project,
) -> None:
    other = make_project(merchant=project.merchant)
    mine = make_transaction(project=project)
    make_transaction(project=other)
    make_transaction(project=make_project(merchant=make_merchant()))
    member = make_member("finance", merchant=project.merchant)
    member.projects.set([project])
    export = exporting.start(member, wish())
    assert [line["id"] for line in lines_of(member, export)] == [str(mine.pk)]


def test_it_changes_nothing_and_stands_in_the_audit_log(
    project: Project, finance: Member
) -> None:
    row = make_transaction(project=project)
    before = Transaction.objects.values().get(pk=row.pk)
    lines_of(finance, exporting.start(finance, wish(query="status=paid")))
    assert Transaction.objects.values().get(pk=row.pk) == before
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["export.started", "export.downloaded"]
    detail = AuditEntry.objects.get(verb="export.started").detail
    assert (detail["rows"], detail["filter"]) == ("1", "Status: Paid")


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_who_may_not_export_gets_none(project: Project, role: str) -> None:
    member = make_member(role, merchant=project.merchant)
    with pytest.raises(PermissionError):
        exporting.start(member, wish())
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"query": "status=nonsense"}, "status"),
        ({"format": "doc"}, "format"),
        ({"style": "poems"}, "style"),
        ({"columns": ("secret",)}, "columns"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"table": "refunds"}, "table"),
        ({"listing": "secrets"}, "listing"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    finance: Member, over: dict[str, object], field: str
) -> None:
    with pytest.raises(NotPossible) as refused:
        exporting.start(finance, wish(**over))
    assert refused.value.field == field
    assert not Export.objects.exists()


def test_too_many_at_a_time_are_refused(
    finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", -1)
    monkeypatch.setattr("transactions.exporting.asking.MOST_UNDER_WAY", 2)
    for _number in range(2):
        exporting.start(finance, wish())
    with pytest.raises(NotPossible) as refused:
        exporting.start(finance, wish())
    assert refused.value.code == "too_many"


def test_xls_means_xlsx(finance: Member) -> None:
    assert exporting.start(finance, wish(format="xls")).format == "xlsx"


def test_again_is_the_same_of_today(project: Project, finance: Member) -> None:
    first = exporting.start(finance, wish(columns=("id", "amount")))
    make_transaction(project=project)
    second = exporting.again(finance, first)
    assert (first.rows_done, second.rows_done) == (0, 1)
    assert second.columns == first.columns


def test_json_lines_are_json(project: Project, finance: Member) -> None:
    row = make_transaction(project=project, amount=1999)
    export = exporting.start(finance, wish(format="jsonl", columns=("id", "amount")))
    opened = exporting.open_file(finance, export)
    with opened.file:
        told = json.loads(opened.file.readline())
    assert told["id"] == str(row.pk)
    assert told["amount"] == 1999
