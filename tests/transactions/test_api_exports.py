"""Exports through the API: asked for, looked after, fetched with the same key."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from merchant.models import Project
from tests.factories import (
    make_changes,
    make_connection,
    make_dispute,
    make_payout,
    make_project,
    make_refund,
    make_transaction,
)
from tests.transactions.api_client import key_client, listed
from transactions import exporting
from transactions.models import Export

MARCH, APRIL = (datetime(2026, month, 15, tzinfo=UTC) for month in (3, 4))

pytestmark = pytest.mark.django_db(transaction=True)


def ask(client: Client, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post("/v1/exports", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def fetch(client: Client, url: str) -> list[list[str]]:
    answer = client.get(url.partition("/v1/")[2].join(["/v1/", ""]))
    assert answer.status_code == 200, answer.content
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_file_is_the_list(project: Project) -> None:
    for number in range(3):
        make_transaction(project=project, status="paid" if number else "failed")
    make_transaction(project=make_project(merchant=project.merchant))
    client = key_client(project)
    told = ask(client, {"filters": {"status": "paid"}})
    assert (told["object"], told["status"]) == ("export", "ready")
    assert (told["rows_done"], told["rows_total"]) == (2, 2)
    head, *rows = fetch(client, told["url"])
    assert head[0] == "id"
    assert [row[0] for row in rows] == listed(client, status="paid")


def test_the_receipt_has_the_sums_and_the_digest(project: Project) -> None:
    make_transaction(project=project, amount=1999)
    client = key_client(project)
    told = ask(client, {"style": "programs", "columns": ["id", "amount"]})
    answer = client.get(f"/v1/exports/{told['id']}/file")
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"id,amount,currency\r\n")
    assert told["receipt"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["receipt"]["sums"][0]["amount"] == 1999


def test_balance_changes_go_by_when_they_happened(project: Project) -> None:
    bought = make_transaction(project=project, created=MARCH, paid=MARCH, amount=1999)
    make_refund(bought, amount=500, created=APRIL)
    make_transaction(project=project, created=APRIL, paid=APRIL)
    make_changes(*project.transactions.all())
    client = key_client(project)
    body = {"rows": "balance", "style": "programs", "columns": ["kind", "transaction"]}
    body |= {"filters": {"created": {"gte": "2026-04-01"}}}
    others = str(project.transactions.exclude(pk=bought.pk).get().pk)
    refund, sale = ["refund", str(bought.pk)], ["sale", others]
    assert sorted(fetch(client, ask(client, body)["url"])[1:]) == [refund, sale]
    told = ask(client, body | {"period_by": "purchase"})
    assert fetch(client, told["url"])[1:] == [sale]


def test_what_the_period_goes_by_is_said_of_balance_changes_only(
    project: Project,
) -> None:
    client = key_client(project)
    for body in ({"period_by": "happened"}, {"rows": "balance", "period_by": "odd"}):
        error = ask(client, body, 400)["error"]
        assert error["param"] == "period_by"


def test_it_is_a_download_that_nobody_keeps(project: Project) -> None:
    client = key_client(project)
    told = ask(client, {"format": "xls"})
    assert told["format"] == "xlsx"
    answer = client.get(f"/v1/exports/{told['id']}/file")
    assert answer["Content-Disposition"].startswith('attachment; filename="transact')
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_large_one_is_looked_after(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    make_transaction(project=project)
    client = key_client(project)
    told = ask(client, {"format": "jsonl"})
    assert (told["status"], told["url"]) == ("pending", None)
    path = f"/v1/exports/{told['id']}"
    assert client.get(f"{path}/file").status_code == 410
    exporting.run_due()
    told = client.get(path).json()
    assert (told["status"], told["rows_done"]) == ("ready", 1)
    assert client.get(f"{path}/file").status_code == 200


def test_filters_are_spelled_as_in_a_query_or_nested(project: Project) -> None:
    make_transaction(project=project)
    client = key_client(project)
    for filters in (
        {"created[gte]": "2020-01-01", "status": ["paid", "failed"]},
        {"created": {"gte": "2020-01-01"}, "status": "paid,failed", "livemode": True},
    ):
        assert ask(client, {"filters": filters})["rows_done"] == 1
    nothing = ask(client, {"filters": {"created": {"gte": "2999-01-01"}}})
    assert nothing["rows_done"] == 0


def test_a_form_asks_for_the_same(project: Project) -> None:
    make_transaction(project=project)
    make_transaction(project=project, status="failed")
    form = (
        "style=programs&columns[]=id&columns[]=amount"
        "&filters[status][]=paid&filters[created][gte]=2020-01-01"
    )
    kind = "application/x-www-form-urlencoded"
    answer = key_client(project).post("/v1/exports", form, content_type=kind)
    told = answer.json()
    assert (told["rows_done"], told["columns"]) == (1, ["id", "amount"])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"format": "doc"}, "format"),
        ({"style": "poems"}, "style"),
        ({"columns": ["secret"]}, "columns"),
        ({"columns": 7}, "columns"),
        ({"columns": {}}, "columns"),
        ({"columns": False}, "columns"),
        ({"filters": "x"}, "filters"),
        ({"filters": {"odd": "x"}}, "odd"),
        ({"filters": {"status": "odd"}}, "status"),
        ({"filters": {"amount[gte]": 10.5}}, "amount[gte]"),
        ({"filters": {"status": {"a": {"b": 1}}}}, "status[a]"),
        ({"rows": "odd"}, "rows"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"odd": 1}, "odd"),
    ],
)
def test_what_cannot_be_names_itself(
    project: Project, body: dict[str, Any], param: str
) -> None:
    told = ask(key_client(project), body, 400)
    assert told["error"]["param"] == param
    assert not Export.objects.exists()


def test_another_projects_key_finds_nothing(project: Project) -> None:
    told = ask(key_client(project), {})
    other = key_client(make_project(merchant=project.merchant))
    for path in (f"/v1/exports/{told['id']}", f"/v1/exports/{told['id']}/file"):
        assert other.get(path).status_code == 404
        assert Client().get(path).status_code == 401


def test_a_key_that_may_not_read_gets_none(project: Project) -> None:
    ask(key_client(project, "write"), {}, 403)


def test_a_revoked_key_makes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    make_transaction(project=project)
    client = key_client(project)
    told = ask(client, {})
    project.api_keys.update(revoked="2026-01-01T00:00Z")
    exporting.run_due()
    assert Export.objects.get(pk=told["id"]).state == Export.State.FAILED
    assert client.get(f"/v1/exports/{told['id']}").status_code == 401


@pytest.mark.parametrize("rows", ["refunds", "disputes", "payouts"])
def test_what_follows_a_sale_is_a_file_too(project: Project, rows: str) -> None:
    """As the page of the list shows it, of the key's project alone; test and live
    until one is asked for."""
    other = make_project(merchant=project.merchant)
    made = {}
    for shop, livemode in ((project, True), (project, False), (other, True)):
        sale = make_transaction(project=shop, livemode=livemode)
        refund = make_refund(sale, status="failed")
        dispute = make_dispute(sale, status="lost")
        payout = make_payout(
            make_connection(project=shop), status="failed", livemode=livemode
        )
        row = {"refunds": refund, "disputes": dispute, "payouts": payout}[rows]
        made[shop, livemode] = str(row.pk)
    client = key_client(project)
    state = {"refunds": "failed", "disputes": "lost", "payouts": "failed"}[rows]
    told = ask(client, {"rows": rows, "filters": {"state": state}})
    head, *lines = fetch(client, told["url"])
    assert head[0] == "id"
    mine = {made[project, True], made[project, False]}
    assert {line[0] for line in lines} == mine
    live = ask(client, {"rows": rows, "filters": {"livemode": True, "state": state}})
    assert [line[0] for line in fetch(client, live["url"])[1:]] == [made[project, True]]


@pytest.mark.parametrize(
    "body",
    [
        {"rows": "customers"},
        {"rows": "disputes", "filters": {"product": "Sword"}},
        {"rows": "disputes", "filters": {"created": {"gt": "2026-03-01"}}},
        {"rows": "payouts", "filters": {"state": "won"}},
        {"rows": "payouts", "columns": ["customer"]},
    ],
)
def test_what_a_list_cannot_be_asked_is_refused(
    project: Project, body: dict[str, Any]
) -> None:
    error = ask(key_client(project), body, 400)["error"]
    assert error["type"] == "invalid_request_error"
    assert not Export.objects.exists()
