"""What needs me now: what waits for a person, whose it is, and where a line leads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Connection, Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_dispute,
    make_inbound_event,
    make_item,
    make_member,
    make_project,
    make_transaction,
)
from tests.transactions.home_page import rows_at, text_of
from transactions import totals
from transactions.models import Dispute, LookUp, Transaction
from webhooks.models import Endpoint, Refusal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def connection(project: Project) -> Connection:
    """Heard just now, so that it is not silent."""
    return make_connection("stripe", project=project, heard=timezone.now())


def waits(client: Client, query: str = "") -> list[str]:
    return [
        f"{line.count} {line.words}"
        for line in client.get(f"/{query}").context["lines"]
    ]


def line_about(client: Client, words: str, query: str = ""):  # noqa: ANN201
    lines = client.get(f"/{query}").context["lines"]
    return next(line for line in lines if words in line.words)


def dispute(sale: Transaction, **over: Any) -> Dispute:
    given = {
        "transaction": sale, "provider_id": "dp_1", "status": "open", "amount": 1999,
        "currency": "eur", "created": sale.created,
    }  # fmt: skip
    return make_dispute(**given | over)


def test_nothing_to_do_is_said_calmly(
    connection: Connection, owner_client: Client
) -> None:
    make_transaction(connection=connection)
    assert waits(owner_client) == []
    assert "Nothing needs you now." in text_of(owner_client.get("/"))


def test_what_is_paid_waits_to_be_handed_over(
    connection: Connection, owner_client: Client
) -> None:
    for day in (4, 3):
        make_transaction(
            connection=connection, fulfilment="waiting",
            created=datetime(2026, 11, day, 9, 30, tzinfo=UTC),
        )  # fmt: skip
    line = line_about(owner_client, "handed over")
    assert (line.count, line.note) == ("2", "the oldest since 3 Nov, 09:30")


def test_counting_stops_at_a_thousand(
    connection: Connection, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.needs.MOST_COUNTED", 2)
    for _ in range(3):
        make_transaction(connection=connection, fulfilment="waiting")
    assert line_about(owner_client, "handed over").count == "2+"


def test_disputes_say_until_when_to_answer(
    connection: Connection, owner_client: Client
) -> None:
    now = timezone.now()
    for ahead in (30, 9, -2, None):
        sale = make_transaction(connection=connection, status="disputed")
        due = None if ahead is None else now + ahead * DAY
        dispute(sale, due_by=due)
    line = line_about(owner_client, "disputes are open")
    assert (line.count, line.note) == ("4", "1 is overdue")
    assert [one.late for one in line.named] == [True, False, False]
    assert line.named[0].note.startswith("EUR 19.99 · was due ")
    assert line.named[1].note.startswith("EUR 19.99 · answer by ")


def test_a_closed_dispute_waits_for_nobody(
    connection: Connection, owner_client: Client
) -> None:
    dispute(make_transaction(connection=connection), status="won")
    assert waits(owner_client) == []


def test_after_a_chargeback_it_asks_to_revoke(
    connection: Connection, owner_client: Client
) -> None:
    sale = make_transaction(
        connection=connection, status="charged_back", to_revoke=True, fulfilment="done"
    )
    line = line_about(owner_client, "revoke what was delivered?")
    assert [one.url for one in line.named] == [f"/transactions/{sale.pk}/"]


def test_amounts_that_nobody_vouches_for_wait(
    connection: Connection, owner_client: Client
) -> None:
    make_transaction(connection=connection, verified=False)
    make_transaction(connection=connection, verified=False, status="failed")
    make_transaction(connection=connection, verified=False, accepted=timezone.now())
    assert waits(owner_client) == ["1 amount is not confirmed"]


def test_refunds_on_their_way_are_told(
    connection: Connection, owner_client: Client
) -> None:
    make_transaction(connection=connection, refund_pending=True)
    assert waits(owner_client) == ["1 refund is on its way"]


def post(connection: Connection, **over: Any) -> None:
    """An unread event, a refused delivery, and a question without a key."""
    make_inbound_event(connection=connection, state="failed", **over)
    make_inbound_event(connection=connection, state="quarantined", **over)
    now = timezone.now()
    Refusal.objects.create(
        connection=connection, code="mismatch", hour=now, count=14, first=now, last=now
    )
    LookUp.objects.create(
        connection=connection, kind="event", want="x", state="needs_key"
    )


def test_what_waits_at_the_door_is_told(
    connection: Connection, developer_client: Client
) -> None:
    make_transaction(connection=connection)
    post(connection)
    assert waits(developer_client) == [
        "2 inbound events could not be read",
        "14 deliveries were refused today",
        "1 question to a provider needs an API key",
    ]


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_who_may_not_see_the_door_hears_nothing_of_it(
    connection: Connection, role: str
) -> None:
    make_transaction(connection=connection)
    post(connection)
    assert (
        waits(client_of(make_member(role, merchant=connection.project.merchant))) == []
    )


def test_refusals_of_yesterday_are_not_todays(
    connection: Connection, owner_client: Client
) -> None:
    make_transaction(connection=connection)
    then = timezone.now() - 2 * DAY
    Refusal.objects.create(
        connection=connection, code="mismatch", hour=then, first=then, last=then
    )
    assert waits(owner_client) == []


def test_a_silent_connection_is_told(project: Project, owner_client: Client) -> None:
    heard = timezone.now() - 7 * timedelta(hours=1)
    connection = make_connection(project=project, heard=heard, usual_gap=7200)
    make_transaction(connection=connection)
    line = line_about(owner_client, "silent for unusually long")
    assert line.url == f"/connections/{connection.pk}/"
    assert re.fullmatch(
        r"nothing since .*; usually 2 hours at most", line.named[0].note
    )


def test_a_connection_that_never_sent_anything_is_told(
    project: Project, owner_client: Client
) -> None:
    old = make_connection(project=project, created=timezone.now() - 2 * DAY)
    make_transaction(connection=old)
    line = line_about(owner_client, "silent")
    assert line.named[0].note == "has never sent anything"


def endpoint(project: Project, **over: Any) -> Endpoint:
    given = {"project": project, "url": "https://shop.example.com/hooks"}
    return Endpoint.objects.create(**given | over)


def test_an_endpoint_that_is_not_reached_is_told(
    connection: Connection, project: Project, owner_client: Client
) -> None:
    make_transaction(connection=connection)
    long = timezone.now() - timedelta(hours=2)
    failing = endpoint(project, description="Shop server", failing=long)
    line = line_about(owner_client, "not reached")
    assert (line.count, line.words) == ("1", "webhook endpoint is not reached")
    assert line.url == f"/webhooks/{failing.pk}/"
    (named,) = line.named
    assert named.words == "Shop server"
    assert named.note.startswith("failing since")
    endpoint(project, state="disabled", reason="It answered 410.", livemode=True)
    line = line_about(owner_client, "not reached")
    assert (line.count, line.url) == ("2", "/webhooks/?livemode=true")
    assert {named.note.partition(" ")[0] for named in line.named} == {
        "failing", "disabled:",
    }  # fmt: skip


def test_an_endpoint_may_rest_or_stumble(
    connection: Connection, project: Project, owner_client: Client,
    viewer_client: Client, stranger: Member,
) -> None:  # fmt: skip
    make_transaction(connection=connection)
    endpoint(project, failing=timezone.now())
    endpoint(project, state="paused")
    endpoint(project, state="disabled", livemode=False)
    endpoint(project, state="disabled", kind="callback")
    endpoint(make_project(merchant=stranger.merchant), state="disabled")
    assert not [line for line in waits(owner_client) if "not reached" in line]
    assert [x for x in waits(owner_client, "?livemode=false") if "not reached" in x]
    endpoint(project, state="disabled")
    assert [line for line in waits(owner_client) if "not reached" in line]
    assert not [line for line in waits(viewer_client) if "not reached" in line]


def test_a_closed_connection_may_be_silent(
    project: Project, owner_client: Client
) -> None:
    then = timezone.now() - 2 * DAY
    make_transaction(
        connection=make_connection(project=project, created=then, closed=then)
    )
    assert waits(owner_client) == []


def test_test_and_live_wait_apart(connection: Connection, owner_client: Client) -> None:
    make_transaction(connection=connection)
    make_transaction(connection=connection, livemode=False, refund_pending=True)
    post(connection, livemode=False)
    assert waits(owner_client) == [
        "14 deliveries were refused today",
        "1 question to a provider needs an API key",
    ]
    assert waits(owner_client, "?livemode=false") == [
        "1 refund is on its way",
        "2 inbound events could not be read",
    ]


def test_nothing_of_another_merchant_or_project_waits(
    connection: Connection, stranger: Member
) -> None:
    sale = make_transaction(
        connection=connection, status="disputed", fulfilment="waiting", verified=False,
        refund_pending=True, to_revoke=True,
    )  # fmt: skip
    dispute(sale)
    post(connection)
    elsewhere = make_project(merchant=connection.project.merchant)
    held = make_member("owner", merchant=elsewhere.merchant, projects=[elsewhere])
    for member in (stranger, held):
        project = (
            elsewhere if member is held else make_project(merchant=member.merchant)
        )
        make_transaction(connection=make_connection(project=project))
        assert waits(client_of(member)) == []


@pytest.mark.parametrize("line", ["amount", "refund", "dispute", "charged back"])
def test_a_line_leads_to_its_rows(
    connection: Connection, owner: Member, line: str
) -> None:
    make_transaction(connection=connection)
    sale = make_transaction(
        connection=connection, status="charged_back", verified=False, to_revoke=True,
        refund_pending=True, fulfilment="done",
    )  # fmt: skip
    dispute(sale)
    found = line_about(client_of(owner), line)
    assert [row.pk for row in rows_at(owner, found.url)] == [sale.pk]


def test_names_from_outside_are_text(connection: Connection, owner: Member) -> None:
    sale = make_transaction(
        connection=connection, customer_name="<b>Bob</b>", to_revoke=True
    )
    make_item(sale, "<script>x</script>")
    totals.recount(connection.project)
    html = client_of(owner).get("/?from=2026-03-01&to=2026-03-01").content.decode()
    assert "<bdi>&lt;b&gt;Bob&lt;/b&gt;</bdi>" in html
    assert "<bdi>&lt;script&gt;x&lt;/script&gt;</bdi>" in html
