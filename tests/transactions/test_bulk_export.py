"""Exporting what was chosen: exactly those rows, in the member's columns, and safe."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from merchant.models import AuditEntry, Member, Project
from tests.conftest import client_of
from tests.factories import make_item, make_member, make_project, make_transaction
from transactions import layouts
from transactions.exports import kinds
from transactions.models import BulkAction, Export, Transaction

# A file is a picture that a connection of its own takes, so rows must be committed.
pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def finance(project: Project) -> Client:
    return client_of(make_member("finance", merchant=project.merchant))


def chosen(client: Client, rows: list[Transaction]) -> str:
    """The address of a draft of these rows."""
    form = {"act": "export", "id": [str(row.pk) for row in rows]}
    answer = client.post("/transactions/bulk/", form)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def exported(client: Client, address: str) -> HttpResponse:
    """The answer to the dialog's form, as it is filled in."""
    id = address.strip("/").rpartition("/")[2]
    form = {"listing": "transactions", "bulk": id, "columns": "screen", "mark": "1"}
    return client.post("/exports/new/", form)


def table(client: Client, address: str) -> list[list[str]]:
    answer = exported(client, address)
    assert answer.status_code == 302, answer.content.decode()
    file = client.get(f"{answer['Location']}file/")
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_file_holds_the_rows_that_were_chosen(
    project: Project, finance: Client
) -> None:
    rows = [
        make_transaction(
            project=project, amount=1234567, created=NOON + timedelta(minutes=number)
        )
        for number in range(3)
    ]
    make_item(rows[0], "Iron Sword", quantity=2)
    head, *lines = table(finance, chosen(finance, rows[:2]))
    assert head == [
        "id", "Customer", "Product", "Status", "Method", "Provider", "Created (UTC)",
        "Amount", "Currency",
    ]  # fmt: skip
    assert [line[0] for line in lines] == [str(rows[1].pk), str(rows[0].pk)]
    assert lines[1][1:] == [
        "Ada Byron", "2 × Iron Sword", "Paid", "visa 4242", "Stripe",
        "2026-03-01T12:00:00+00:00", "12345.67", "EUR",
    ]  # fmt: skip


def test_all_that_match_are_all_that_match(project: Project, finance: Client) -> None:
    for number in range(60):
        make_transaction(project=project, status="paid" if number % 2 else "failed")
    page = finance.get("/transactions/?status=paid").content.decode()
    shown = re.search(r'name="shown" value="([^"]+)"', page)
    assert shown is not None
    form = {"act": "export", "all": "1", "shown": shown[1]}
    answer = finance.post("/transactions/bulk/", form)
    draft = finance.get(answer["Location"]).content.decode()
    assert "Export 30 rows..." in draft
    _head, *lines = table(finance, answer["Location"])
    paid = Transaction.objects.filter(status="paid").values_list("pk", flat=True)
    assert {UUID(line[0]) for line in lines} == set(paid)


def test_a_selection_can_be_any_format(project: Project, finance: Client) -> None:
    address = chosen(finance, [make_transaction(project=project)])
    page = finance.get(address).content.decode()
    dialog = finance.get(
        html.unescape(re.findall(r'href="(/exports/new/[^"]+)"', page)[0])
    )
    assert 'value="xlsx"' in dialog.content.decode()


def test_the_columns_are_those_of_the_members_list(project: Project) -> None:
    member = make_member("finance", merchant=project.merchant)
    layouts.keep(member, ["customer", "net", "order_reference", "amount"], "roomy")
    row = make_transaction(project=project, net=1900, order_reference="A-1")
    client = client_of(member)
    head, line = table(client, chosen(client, [row]))
    assert head == [
        "id", "Customer", "Net", "Currency", "Order reference", "Amount"
    ]  # fmt: skip
    assert line[2:] == ["19.00", "EUR", "A-1", "19.99"]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(
    project: Project, finance: Client, evil: str
) -> None:
    row = make_transaction(project=project, customer_name=evil)
    _head, line = table(finance, chosen(finance, [row]))
    assert line[1] == f"'{evil}"


@given(st.text(max_size=60))
def test_what_is_written_can_be_read_again(text: str) -> None:
    guarded = kinds.guarded(text)
    assert guarded.removeprefix("'" if guarded != text else "") == text
    assert guarded.lstrip(" \u00a0\ufeff")[:1] not in kinds.DANGEROUS


def test_it_changes_nothing_and_stands_in_the_audit_log(
    project: Project, finance: Client
) -> None:
    row = make_transaction(project=project)
    before = Transaction.objects.values().get(pk=row.pk)
    table(finance, chosen(finance, [row]))
    assert Transaction.objects.values().get(pk=row.pk) == before
    assert AuditEntry.objects.get(verb="export.started").detail["rows"] == "1"


def test_who_may_not_export_gets_no_file(project: Project, viewer: Member) -> None:
    row = make_transaction(project=project)
    form = {"act": "export", "id": [str(row.pk)]}
    assert client_of(viewer).post("/transactions/bulk/", form).status_code == 403


def test_another_act_is_no_file(project: Project, owner_client: Client) -> None:
    row = make_transaction(project=project, fulfilment="waiting")
    form = {"act": "fulfil", "id": [str(row.pk)]}
    address = owner_client.post("/transactions/bulk/", form)["Location"]
    assert exported(owner_client, address).status_code == 422
    assert not Export.objects.exists()


def test_rows_that_the_member_may_not_see_any_more_are_left_out(
    project: Project,
) -> None:
    other = make_project(merchant=project.merchant)
    member = make_member("finance", merchant=project.merchant)
    client = client_of(member)
    rows = [make_transaction(project=project), make_transaction(project=other)]
    address = chosen(client, rows)
    member.projects.set([project])
    _head, *lines = table(client, address)
    assert [line[0] for line in lines] == [str(rows[0].pk)]


def test_a_stranger_gets_nothing(project: Project, finance: Client) -> None:
    address = chosen(finance, [make_transaction(project=project)])
    stranger = client_of(make_member("finance"))
    assert exported(stranger, address).status_code == 422
    assert not Export.objects.exists()


def test_a_draft_of_a_file_cannot_be_started(project: Project, finance: Client) -> None:
    address = chosen(finance, [make_transaction(project=project)])
    finance.post(f"{address}start/")
    assert BulkAction.objects.get().state == BulkAction.State.DRAFT
