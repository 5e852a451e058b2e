"""Inbound events on pages: who sees them, what they say, how they are filtered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from merchant.models import Connection, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_inbound_event,
    make_member,
    make_project,
    make_transaction,
)
from transactions.models import TimelineEntry
from webhooks.models import InboundEvent, Refusal

pytestmark = pytest.mark.django_db

INBOX = "/inbound/"
PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


def page_of(event: InboundEvent) -> str:
    return reverse("webhooks:inbound", args=[event.pk])


def keys_on(response) -> set[str]:
    return {row.event_key for row in response.context["rows"]}


# ------------------------------------------------------------------------- who sees
def test_the_list_shows_what_came(owner_client: Client, connection) -> None:
    make_inbound_event(connection=connection, event_type="charge.refunded")
    response = owner_client.get(INBOX)
    assert response.status_code == 200
    assert b"charge.refunded" in response.content


def test_a_developer_sees_it(developer_client: Client, connection) -> None:
    event = make_inbound_event(connection=connection)
    assert developer_client.get(INBOX).status_code == 200
    assert developer_client.get(page_of(event)).status_code == 200


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_see_none_of_it(role: str, connection: Connection) -> None:
    member = make_member(role, merchant=connection.project.merchant)
    client = client_of(member)
    event = make_inbound_event(connection=connection)
    for path in (INBOX, "/inbound/refused/", page_of(event)):
        assert client.get(path).status_code == 403
    for verb in ("read-again", "accept"):
        assert client.post(f"{page_of(event)}{verb}/").status_code == 403


def test_a_stranger_sees_nothing(stranger_client: Client, connection) -> None:
    event = make_inbound_event(connection=connection, event_type="secret.thing")
    Refusal.objects.create(
        connection=connection, code="missing", hour=event.received, reason="Missing"
    )
    assert stranger_client.get(page_of(event)).status_code == 404
    for verb in ("read-again", "accept"):
        assert stranger_client.post(f"{page_of(event)}{verb}/").status_code == 404
    assert b"secret.thing" not in stranger_client.get(INBOX).content
    page = stranger_client.get(f"/inbound/refused/?connection={connection.pk}")
    assert b"Missing" not in page.content


def test_nobody_gets_in_without_a_login(connection: Connection) -> None:
    event = make_inbound_event(connection=connection)
    for path in (INBOX, "/inbound/refused/", page_of(event)):
        response = Client().get(path)
        assert response.status_code == 302
        assert response.url.startswith("/login/")


def test_a_member_of_one_project_sees_only_that(connection: Connection) -> None:
    other = make_project(merchant=connection.project.merchant)
    make_inbound_event(connection=connection, event_key="ours")
    make_inbound_event(
        connection=make_connection("paynow", project=other), event_key="theirs"
    )
    member = make_member(
        "developer", merchant=connection.project.merchant, projects=[connection.project]
    )
    assert keys_on(client_of(member).get(INBOX)) == {"ours"}


# --------------------------------------------------------------------------- filters
@pytest.fixture
def three(connection: Connection) -> None:
    other = make_connection("paynow", project=connection.project, livemode=False)
    make_inbound_event(connection=connection, event_key="a", event_type="charge.failed")
    make_inbound_event(
        connection=connection, event_key="b", event_type="payout.paid", state="failed"
    )
    make_inbound_event(
        connection=other, event_key="c", event_type="ON_REFUND", state="quarantined"
    )


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", "abc"),
        ("state=failed", "b"),
        ("state=failed&state=quarantined", "bc"),
        ("type=charge", "a"),
        ("type=CHARGE.", "a"),
        ("type=", "abc"),
        ("type=nothing", ""),
        ("livemode=false", "c"),
        ("livemode=true", "ab"),
        ("project=dragon-shop&type=on_", "c"),
    ],
)
def test_filters_narrow_the_list(
    owner_client: Client, three: None, query: str, keys: str
) -> None:
    assert keys_on(owner_client.get(f"{INBOX}?{query}")) == set(keys)


def test_the_connection_filters(owner_client: Client, connection, three) -> None:
    response = owner_client.get(f"{INBOX}?connection={connection.pk}")
    assert keys_on(response) == {"a", "b"}
    chip = response.context["chips"][0]
    assert chip["value"] == str(connection)
    assert chip["url"] == INBOX


@pytest.mark.parametrize(
    "query",
    ["state=lost", "connection=1", "connection=%00", "livemode=perhaps", "project=x"],
)
def test_a_filter_that_means_nothing_shows_nothing(
    owner_client: Client, three: None, query: str
) -> None:
    response = owner_client.get(f"{INBOX}?{query}")
    assert response.status_code == 422
    assert response.context["rows"] == []
    assert b"cannot be read" in response.content


def test_another_merchants_connection_is_no_choice(
    owner_client: Client, three: None
) -> None:
    foreign = make_connection("stripe")
    make_inbound_event(connection=foreign, event_key="foreign")
    response = owner_client.get(f"{INBOX}?connection={foreign.pk}")
    assert response.status_code == 422
    assert str(foreign.project) not in response.content.decode()


def test_htmx_gets_the_results_only(owner_client: Client, three: None) -> None:
    response = owner_client.get(f"{INBOX}?state=failed&type=", headers=PARTIAL)
    assert b"<html" not in response.content
    assert b'id="results"' in response.content
    assert response.headers["HX-Push-Url"] == f"{INBOX}?state=failed"
    assert "HX-Request" in response.headers["Vary"]


# ---------------------------------------------------------------------------- paging
def test_pages_follow_each_other_without_gaps(
    owner_client: Client, connection: Connection
) -> None:
    other = make_connection("paynow", project=connection.project)
    made = [
        make_inbound_event(connection=(connection, other)[n % 2], event_key=f"{n:03}")
        for n in range(60)
    ]
    seen: list[str] = []
    path = INBOX
    while path:
        response = owner_client.get(path)
        seen += [row.event_key for row in response.context["rows"]]
        last, path = path, response.context["older_url"]
    assert seen == [event.event_key for event in reversed(made)]
    up = owner_client.get(owner_client.get(last).context["newer_url"])
    assert [row.event_key for row in up.context["rows"]] == seen[25:50]


def test_the_top_of_the_list_is_a_whole_page(
    owner_client: Client, connection: Connection
) -> None:
    made = [
        make_inbound_event(connection=connection, event_key=f"{n:03}")
        for n in range(30)
    ]
    response = owner_client.get(f"{INBOX}?before={made[20].pk}")
    assert len(response.context["rows"]) == 25
    assert response.context["newer_url"] == ""


@pytest.mark.parametrize("cursor", ["x", "%00", "1" * 400])
def test_a_broken_cursor_is_the_first_page(
    owner_client: Client, three: None, cursor: str
) -> None:
    response = owner_client.get(f"{INBOX}?after={cursor}")
    assert keys_on(response) == set("abc")


def test_the_list_costs_the_same_for_one_or_many(
    owner_client: Client, connection: Connection, django_assert_max_num_queries
) -> None:
    for n in range(30):
        make_inbound_event(connection=connection, event_key=str(n), body=b"x" * 9999)
    with django_assert_max_num_queries(16) as asked:
        owner_client.get(INBOX)
    assert not any('"body"' in query["sql"] for query in asked.captured_queries)


def test_the_list_says_what_each_event_changed(
    owner_client: Client, connection: Connection
) -> None:
    event = make_inbound_event(connection=connection, state="done", note="Entered.")
    sale = make_transaction(connection=connection)
    for number, summary in enumerate(["Charge: paid", "Fees are known"]):
        TimelineEntry.objects.create(
            connection=connection, identity=str(number), transaction=sale,
            inbound=event, source="webhook", topic="payment", object_kind="charge",
            object_id="ch_1", status="paid", summary=summary,
        )  # fmt: skip
    page = owner_client.get(INBOX).content.decode()
    assert "Charge: paid, +1 more" in page


def test_the_list_says_why_one_was_refused(
    owner_client: Client, connection: Connection
) -> None:
    make_inbound_event(connection=connection, state="refused", verdict="it is late")
    assert "It is late" in owner_client.get(INBOX).content.decode()


def test_what_came_through_a_test_connection_is_called_test(
    owner_client: Client, project: Project
) -> None:
    connection = make_connection("paynow", project=project, livemode=False)
    make_inbound_event(connection=connection)
    assert "test-mark" in owner_client.get(INBOX).content.decode()


# ------------------------------------------------------------------------- one event
def test_one_event_shows_all_that_is_known(
    owner_client: Client, connection: Connection
) -> None:
    event = make_inbound_event(
        connection=connection,
        body=b'{"id":"evt_1","amount":12.30}',
        verdict="The newest secret fits",
        headers={"stripe-signature": "t=1790… (92 characters)"},
        note="Entered.",
    )
    page = owner_client.get(page_of(event)).content.decode()
    assert "t=1790… (92 characters)" in page
    assert "The newest secret fits" in page
    assert "Entered." in page
    assert "29 bytes" in page
    assert "12.30" in page


def test_a_hostile_body_is_only_text(owner_client: Client, connection) -> None:
    event = make_inbound_event(
        connection=connection,
        body=b'{"a":"</pre><script>alert(1)</script>"}',
        event_type="<b>x</b>",
        verdict="<i>y</i>",
        headers={"user-agent": "<u>z</u>"},
    )
    for path in (page_of(event), INBOX):
        page = owner_client.get(path).content
        for tag in (b"<script>alert", b"<b>x", b"<i>y", b"<u>z"):
            assert tag not in page


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"[" * 150_000, b'{"a":' * 30_000, b"\x00" * 100, b'"'],
)
def test_any_body_can_be_looked_at(owner_client: Client, connection, body) -> None:
    event = make_inbound_event(connection=connection, body=body, state="quarantined")
    response = owner_client.get(page_of(event))
    assert response.status_code == 200
    assert len(response.content) < 40_000_000


def test_what_it_changed_leads_to_the_card(owner_client: Client, connection) -> None:
    event = make_inbound_event(connection=connection, state="done")
    sale = make_transaction(connection=connection)
    TimelineEntry.objects.create(
        connection=connection,
        identity="1",
        transaction=sale,
        inbound=event,
        source="webhook",
        topic="payment",
        object_kind="charge",
        object_id="ch_1",
        status="paid",
        summary="Paid by card",
    )
    page = owner_client.get(page_of(event)).content.decode()
    assert "Paid by card" in page
    assert reverse("transactions:card", args=[sale.pk]) in page


@pytest.mark.parametrize("state", InboundEvent.State.values)
def test_buttons_stand_where_they_work(
    owner_client: Client, connection: Connection, state: str
) -> None:
    event = make_inbound_event(connection=connection, state=state)
    page = owner_client.get(page_of(event)).content.decode()
    assert (f"{page_of(event)}accept/" in page) == (state == "refused")
    readable = state not in {"refused", "conflict"}
    assert (f"{page_of(event)}read-again/" in page) == readable


def test_an_unknown_event_is_404(owner_client: Client) -> None:
    path = "/inbound/00000000-0000-4000-8000-000000000000/"
    assert owner_client.get(path).status_code == 404


# --------------------------------------------------------------------------- refusals
def test_refusals_are_summed_by_reason(owner_client: Client, connection) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for back in range(3):
        Refusal.objects.create(
            connection=connection,
            code="mismatch",
            hour=hour - timedelta(hours=back),
            reason=f"The secret of {back} hours ago does not fit",
            count=7,
            sample=b"<script>",
            address="203.0.113.9",
        )
    page = owner_client.get("/inbound/refused/").content.decode()
    assert "The secret of 0 hours ago does not fit" in page
    assert "of 1 hours ago" not in page
    assert "<dd>21 times</dd>" in page
    assert "203.0.113.9" in page
    assert "<script>" not in page.split("<main")[1].split("</main")[0]


def test_refusals_of_one_connection(owner_client: Client, connection) -> None:
    other = make_connection("paynow", project=connection.project)
    for row, words in ((connection, "Our reason"), (other, "Their reason")):
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        Refusal.objects.create(connection=row, code="x", hour=hour, reason=words)
    page = owner_client.get(f"/inbound/refused/?connection={other.pk}").content
    assert b"Their reason" in page
    assert b"Our reason" not in page
