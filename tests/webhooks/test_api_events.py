"""GET /v1/events: Stripe's list contract, polled by its own client."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from django.db import connection, transaction
from django.test import Client

from merchant import keys
from merchant.models import Project
from tests.factories import make_project
from tests.transactions.api_client import key_client
from tests.webhooks.telling import make_delivery, make_endpoint, make_event
from webhooks.api import event_list
from webhooks.catalogue import KINDS, TEST
from webhooks.models import Event

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = [name for name in KINDS if name != TEST.name]


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


def ask(client: Client, query: str = "", status: int = 200) -> dict[str, Any]:
    answer = client.get(f"/v1/events?{query}")
    assert answer.status_code == status, answer.content
    return answer.json()


def ids(client: Client, query: str = "") -> list[str]:
    return [event["id"] for event in ask(client, query)["data"]]


def names(client: Client, query: str) -> set[str]:
    found = Event.objects.filter(key__in=ids(client, f"limit=100&{query}"))
    return set(found.values_list("name", flat=True))


# ------------------------------------------------------------------------- the list
def test_an_empty_list_is_a_list(client: Client) -> None:
    assert ask(client) == {
        "object": "list",
        "url": "/v1/events",
        "has_more": False,
        "data": [],
    }


def test_events_are_told_as_stripe_tells_them(client: Client, project: Project) -> None:
    row = make_event(project, created=NOON)
    (event,) = ask(client)["data"]
    assert event == client.get(f"/v1/events/{row.key}").json()
    assert (event["id"], event["object"]) == (row.key, "event")
    assert event["type"] == "checkout.session.completed"
    assert event["created"] == int(NOON.timestamp())
    assert event["data"]["object"]["object"] == "checkout.session"
    assert event["data"]["object"]["payment_status"] == "paid"


def test_ten_are_listed_newest_first(client: Client, project: Project) -> None:
    rows = [make_event(project).key for _ in range(12)][::-1]
    told = ask(client)
    assert [event["id"] for event in told["data"]] == rows[:10]
    assert told["has_more"] is True
    assert ids(client, f"starting_after={rows[9]}") == rows[10:]


def test_newer_pages_lie_beside_their_cursor(client: Client, project: Project) -> None:
    rows = [make_event(project).key for _ in range(7)][::-1]
    told = ask(client, f"ending_before={rows[6]}&limit=3")
    assert [event["id"] for event in told["data"]] == rows[3:6]
    assert told["has_more"] is True
    told = ask(client, f"ending_before={rows[3]}&limit=3")
    assert [event["id"] for event in told["data"]] == rows[:3]
    assert told["has_more"] is False
    assert ids(client, f"ending_before={rows[0]}") == []


@pytest.mark.parametrize("name", ALL)
def test_every_event_can_be_polled(client: Client, project: Project, name: str) -> None:
    row = make_event(project, name)
    (event,) = ask(client, f"type={name}")["data"]
    assert event["id"] == row.key
    assert event["type"] == (KINDS[name].stripe or name)
    assert event["data"]["object"]["object"]


def test_a_test_is_listed_for_those_who_ask(client: Client, project: Project) -> None:
    row = make_event(project, TEST.name)
    assert ids(client) == []
    assert ids(client, f"type={TEST.name}") == [row.key]


# ---------------------------------------------------------------------------- filters
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("type=payment.success", {"payment.success"}),
        ("type=checkout.session.completed", {"payment.success"}),
        ("type=payment_intent.canceled", {"payment.released", "payment.cancel"}),
        ("type=checkout.%2A", {"payment.success", "payment.expired"}),
        ("type=refund.*", {"refund.requested", "refund.succeeded", "refund.failed"}),
        ("type=charge.dispute.*", {"dispute.opened", "dispute.closed"}),
        ("types[]=charge.refunded&types[]=payout.paid",
         {"payment.refund", "payout.paid"}),
        ("types%5B0%5D=trial.*&types%5B1%5D=payment.overdue",
         {"trial.activated", "trial.completed", "trial.canceled", "payment.overdue"}),
        ("type=invoice.paid", set()),
        ("types[]=invoice.paid&types[]=payout.paid", {"payout.paid"}),
    ],
)  # fmt: skip
def test_types_of_stripe_and_ours(
    client: Client, project: Project, query: str, wanted: set[str]
) -> None:
    for name in ALL:
        make_event(project, name)
    assert names(client, query) == wanted


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ("created[gte]={0}", [1, 2]), ("created[gt]={0}", [2]),
        ("created[lt]={0}", [0]), ("created[lte]={0}", [0, 1]),
        ("created={0}", [1]), ("created%5Bgt%5D={0}&created%5Blt%5D={0}", []),
    ],
)  # fmt: skip
def test_created(
    client: Client, project: Project, query: str, hours: list[int]
) -> None:
    """An event belongs to the whole second that it shows."""
    half = timedelta(milliseconds=500)
    rows = [make_event(project, created=NOON + timedelta(hours=h) + half).key
            for h in range(3)]  # fmt: skip
    second = int((NOON + timedelta(hours=1)).timestamp())
    assert ids(client, query.format(second)) == [rows[hour] for hour in hours][::-1]


def test_delivery_success(client: Client, project: Project) -> None:
    one, two = make_endpoint(project), make_endpoint(project)
    rows = {}
    for state in ("delivered", "pending", "held", "exhausted", "dropped"):
        rows[state] = make_event(project)
        make_delivery(rows[state], one, state="delivered")
        make_delivery(rows[state], two, state=state)
    nobody = make_event(project)
    failed = {rows[state].key for state in ("pending", "held", "exhausted")}
    assert set(ids(client, "delivery_success=false")) == failed
    fine = {nobody.key, rows["delivered"].key, rows["dropped"].key}
    assert set(ids(client, "delivery_success=true")) == fine
    told = {event["id"]: event["pending_webhooks"] for event in ask(client)["data"]}
    assert told[rows["pending"].key] == told[rows["held"].key] == 1
    assert told[rows["exhausted"].key] == told[nobody.key] == 0


def test_livemode_chooses(client: Client, project: Project) -> None:
    live, test = make_event(project, livemode=True), make_event(project)
    assert ids(client, "livemode=true") == [live.key]
    assert ids(client, "livemode=false") == [test.key]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"),
        ("type=payment.success&types[]=payout.paid", "types"),
        ("&".join(["types[]=payout.paid"] * 21), "types"),
        ("type=a&type=b", "type"), ("type=Payment", "type"), ("types[]=%00", "types"),
        ("created=2026-01-01", "created"), ("created[gte]=-1", "created[gte]"),
        ("created[gt]=9" + "9" * 20, "created[gt]"),
        ("delivery_success=maybe", "delivery_success"), ("livemode=1", "livemode"),
        ("typ=x", "typ"), ("created[eq]=1", "created[eq]"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(client: Client, query: str, param: str) -> None:
    error = ask(client, query, 400)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


def test_two_cursors_are_one_too_many(client: Client, project: Project) -> None:
    key = make_event(project).key
    error = ask(client, f"starting_after={key}&ending_before={key}", 400)["error"]
    assert error["param"] == "ending_before"


# --------------------------------------------------------------------------- whose
def test_another_project_sees_nothing_of_it(project: Project) -> None:
    row = make_event(project)
    others = [make_project(), make_project(merchant=project.merchant)]
    for client in map(key_client, others):
        assert ids(client) == []
        for query in ("starting_after", "ending_before"):
            error = ask(client, f"{query}={row.key}", 404)["error"]
            assert (error["code"], error["param"]) == ("resource_missing", query)
        answer = client.get(f"/v1/events/{row.key}")
        assert answer.status_code == 404
        assert answer.json()["error"]["param"] == "id"


def test_reading_needs_the_scope(project: Project) -> None:
    make_event(project)
    client = key_client(project, "write")
    assert ask(client, status=403)["error"]["code"] == "scope_missing"


def test_a_page_costs_the_same_whatever_it_holds(
    client: Client, project: Project, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_event(project)
    with django_assert_max_num_queries(8):
        ask(client, "limit=30")


# ------------------------------------------------------------- events that come late
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_late_event_is_not_skipped() -> None:
    """One transaction draws the smaller number and is committed after the other."""
    project = make_project()
    first = make_event(project)
    drawn, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            make_event(project, "payment.failed")
            drawn.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    try:
        assert drawn.wait(20)
        make_event(project, "payout.paid")
        client = key_client(project)
        assert ids(client, f"ending_before={first.key}") == []
    finally:
        go_on.set()
        thread.join()
    told = [Event.objects.get(key=key).name for key in ids(client)]
    assert told == ["payout.paid", "payment.failed", "payment.success"]
    assert len(ids(client, f"ending_before={first.key}")) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_older_events_are_listed_while_somebody_writes() -> None:
    project = make_project()
    old = make_event(project, created=datetime.now(UTC) - timedelta(minutes=1))
    drawn, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            make_event(project)
            drawn.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert drawn.wait(20)
        rows = event_list.settled(event_list.of_project(project))
        assert list(rows) == [old]
    finally:
        go_on.set()
        thread.join()


# ------------------------------------------------------------------ Stripe's own client
@pytest.mark.django_db(transaction=True)
def test_stripes_own_client_polls_both_ways(live_server: Any) -> None:
    project = make_project()
    rows = [make_event(project, name) for name in ALL * 5]
    _key, text = keys.issue(project, ["read"])
    client = stripe.StripeClient(
        text, base_addresses={"api": live_server.url}, max_network_retries=0
    )
    newest = [row.key for row in rows][::-1]
    found = client.v1.events.list({"limit": 50})
    assert [event.id for event in found.auto_paging_iter()] == newest
    assert all(isinstance(event, stripe.Event) for event in found.data)
    after = client.v1.events.list({"ending_before": rows[2].key, "limit": 50})
    assert [event.id for event in after.auto_paging_iter()] == newest[:-3][::-1]
    some = client.v1.events.list(
        {
            "types": ["checkout.session.completed", "payout.*"],
            "created": {"gte": int(rows[0].created.timestamp())},
            "delivery_success": True,
            "limit": 100,
        }
    )
    assert {event.type for event in some.auto_paging_iter()} == {
        "checkout.session.completed",
        *(KINDS[name].stripe for name in ALL if name.startswith("payout.")),
    }
    one = client.v1.events.retrieve(rows[0].key)
    assert (one.id, one.type) == (rows[0].key, KINDS[ALL[0]].stripe)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.events.retrieve("evt_nothing")
    assert (refused.value.code, refused.value.param) == ("resource_missing", "id")
