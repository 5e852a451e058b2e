"""GET /v1/transactions: the envelope, the order, the cursors, the cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import stripe
from django.test import Client

from merchant import keys
from merchant.models import Project
from tests.factories import (
    make_dispute,
    make_item,
    make_project,
    make_refund,
    make_transaction,
)
from tests.transactions.api_client import key_client, listed
from transactions.models import Transaction, TransactionAlias

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


@pytest.fixture
def rows(project: Project) -> list[str]:
    """Seven purchases, newest first; three of them at one moment, and one is a test."""
    hours = [0, 1, 2, 2, 2, 3, 4]
    made = [
        make_transaction(
            project=project, created=NOON + timedelta(hours=hour), livemode=hour != 1
        )
        for hour in hours
    ]
    made.sort(key=lambda row: (row.created, row.pk), reverse=True)
    return [str(row.pk) for row in made]


def test_an_empty_list_is_a_list(client: Client) -> None:
    answer = client.get("/v1/transactions")
    assert answer.json() == {
        "object": "list",
        "url": "/v1/transactions",
        "has_more": False,
        "data": [],
    }
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Request-Id"].startswith("req_")


def test_the_newest_come_first_live_and_test(client: Client, rows: list[str]) -> None:
    assert listed(client) == rows


def test_livemode_chooses(client: Client, rows: list[str]) -> None:
    assert listed(client, livemode="false") == [rows[5]]
    assert listed(client, livemode="true") == rows[:5] + rows[6:]


def test_starting_after_goes_older(client: Client, rows: list[str]) -> None:
    query = {"limit": 2, "starting_after": rows[2]}
    answer = client.get("/v1/transactions", query).json()
    assert [row["id"] for row in answer["data"]] == rows[3:5]
    assert answer["has_more"] is True


def test_ending_before_goes_newer_in_the_same_order(
    client: Client, rows: list[str]
) -> None:
    query = {"limit": 2, "ending_before": rows[4]}
    answer = client.get("/v1/transactions", query).json()
    assert [row["id"] for row in answer["data"]] == rows[2:4]
    assert answer["has_more"] is True


def test_has_more_is_false_on_the_last_page(client: Client, rows: list[str]) -> None:
    for query in (
        {"limit": 7},
        {"limit": 2, "starting_after": rows[4]},
        {"limit": 2, "ending_before": rows[2]},
    ):
        assert client.get("/v1/transactions", query).json()["has_more"] is False


def test_every_row_comes_once_going_down(client: Client, rows: list[str]) -> None:
    seen: list[str] = []
    while page := listed(
        client, limit=2, **({"starting_after": seen[-1]} if seen else {})
    ):
        seen += page
    assert seen == rows


def test_a_cursor_need_not_pass_the_filter(client: Client, rows: list[str]) -> None:
    assert listed(client, livemode="false", starting_after=rows[1]) == [rows[5]]


def test_a_row_that_was_joined_still_is_a_cursor(
    client: Client, rows: list[str]
) -> None:
    gone = "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11"
    TransactionAlias.objects.create(id=gone, transaction_id=rows[3])
    assert listed(client, starting_after=gone) == rows[4:]


@pytest.mark.parametrize("param", ["starting_after", "ending_before"])
@pytest.mark.parametrize("id", ["nonsense", "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11"])
def test_an_unknown_cursor_is_an_error(client: Client, param: str, id: str) -> None:
    answer = client.get("/v1/transactions", {param: id})
    assert answer.status_code == 404
    assert answer.json()["error"]["param"] == param


def test_two_cursors_are_an_error(client: Client, rows: list[str]) -> None:
    query = {"starting_after": rows[0], "ending_before": rows[1]}
    answer = client.get("/v1/transactions", query)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "ending_before"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", "9" * 40, "١"])
def test_a_limit_out_of_range_is_an_error(client: Client, limit: str) -> None:
    answer = client.get("/v1/transactions", {"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "limit"


def test_twenty_five_come_unless_asked_otherwise(
    client: Client, project: Project
) -> None:
    for _ in range(27):
        make_transaction(project=project)
    assert len(listed(client)) == 25
    assert len(listed(client, limit=27)) == 27


def test_a_parked_row_is_not_shown(client: Client, project: Project) -> None:
    make_transaction(project=project, parked=True)
    assert listed(client) == []


def test_a_long_list_costs_as_many_queries_as_a_short_one(
    client: Client, project: Project, django_assert_max_num_queries
) -> None:
    for number in range(12):
        row = make_transaction(project=project)
        make_item(row)
        make_refund(row, status="pending")
        make_dispute(
            transaction=row, provider_id=f"dp_{number}", status="open", created=NOON
        )
    listed(client)
    # The key, live and test rows, and three kinds of children.
    with django_assert_max_num_queries(6):
        assert len(listed(client)) == 12


def test_a_slash_at_the_end_makes_no_difference(
    client: Client, rows: list[str]
) -> None:
    answer = client.get("/v1/transactions/")
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["data"]] == rows


@pytest.mark.django_db(transaction=True)
def test_stripes_own_client_can_read_and_understands_refusals(live_server) -> None:
    stripe.enable_telemetry = False
    project = make_project()
    row = make_transaction(project=project)
    _, text = keys.issue(project)

    def ask(key: str, path: str) -> stripe.StripeObject:
        client = stripe.StripeClient(key, base_addresses={"api": live_server.url})
        return client.deserialize(client.raw_request("get", path).data, api_mode="V1")

    assert ask(text, "/v1/transactions?limit=1").data[0].id == str(row.pk)
    assert ask(text, f"/v1/transactions/{row.pk}").amount == 1999
    with pytest.raises(stripe.InvalidRequestError) as wrong:
        ask(text, "/v1/transactions?status=payed")
    assert wrong.value.param == "status"
    with pytest.raises(stripe.AuthenticationError):
        ask("mk_nobody", "/v1/transactions")


# -------------------------------------------------------------------------- strangers
def test_a_stranger_sees_nothing_of_ours(rows: list[str]) -> None:
    stranger = key_client(make_project())
    assert listed(stranger) == []
    for query in (
        {"q": rows[0]},
        {"q": "Ada Byron"},
        {"customer": Transaction.objects.get(pk=rows[0]).customer_email},
    ):
        assert listed(stranger, **query) == []
    for param in ("starting_after", "ending_before"):
        answer = stranger.get("/v1/transactions", {param: rows[3]})
        assert answer.status_code == 404


def test_a_strangers_project_is_no_filter(rows: list[str], project: Project) -> None:
    stranger = key_client(make_project())
    for name in (project.slug, str(project.pk)):
        answer = stranger.get("/v1/transactions", {"project": name})
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "project"
        assert name not in answer.content.decode()


def test_a_key_does_not_see_the_merchants_other_projects(
    rows: list[str], project: Project
) -> None:
    sister = make_project(merchant=project.merchant)
    _, text = keys.issue(sister)
    answer = Client().get(
        "/v1/transactions", headers={"authorization": f"Bearer {text}"}
    )
    assert answer.json()["data"] == []
