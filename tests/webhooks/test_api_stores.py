"""/v1/stores/{store}/webhooks: what PayNow's own clients send, answered as they expect.

The requests are those that its TypeScript SDK and openapi-fetch were recorded to send.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from merchant import keys
from merchant.models import AuditEntry, Project
from tests.factories import make_connection, make_project
from tests.webhooks.telling import make_delivery, make_endpoint, make_event
from webhooks import words
from webhooks.api.store_history import variables
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.samples import sample_news

pytestmark = pytest.mark.django_db

URL = "https://shop.example.com/webhooks/paynow"
LIVE = {"url": URL, "subscribed_to": "OnOrderCompleted", "type": "json_v1"}
SEED = {
    "url": URL,
    "events": [
        "ON_ORDER_COMPLETED",
        "ON_SUBSCRIPTION_RENEWED",
        "ON_DELIVERY_ITEM_ADDED",
    ],
    "secret": "your-webhook-secret",
}
SHAPE = {
    "id", "url", "secret", "subscribed_to", "type", "discord_description_template",
    "discord_title", "discord_color", "discord_format", "events",
}  # fmt: skip
ITEM = {
    "id", "webhook_id", "created_at", "state", "next_retry", "event", "payload",
    "executions",
}  # fmt: skip


def paynow_client(project: Project, *scopes: str) -> Client:
    """The headers of PayNow's SDK; it says JSON even where it sends nothing."""
    _key, text = keys.issue(project, scopes or ("read", "write"))
    return Client(
        headers={"authorization": f"APIKey {text}", "accept": "application/json"}
    )


@pytest.fixture
def client(project: Project) -> Client:
    return paynow_client(project)


def send(
    client: Client,
    method: str,
    path: str = "",
    status: int = 200,
    *,
    store: str = "dragon-shop",
    **body: Any,
) -> Any:
    answer = client.generic(
        method,
        f"/v1/stores/{store}/webhooks{path}",
        json.dumps(body) if body else "",
        content_type="application/json",
    )
    assert answer.status_code == status, answer.content
    if status == 204:
        assert answer.content == b""
        return None
    told = answer.json()
    if status >= 400:
        assert set(told) == {"status", "code", "message", "trace_id", "errors"}
        assert told["status"] == status
    return told


# -------------------------------------------------------------------------- set one up
def test_the_live_shape(client: Client) -> None:
    told = send(client, "POST", **LIVE)
    row = Endpoint.objects.get()
    assert set(told) == SHAPE
    assert told["id"] == str(row.pk)
    assert told["subscribed_to"] == "OnOrderCompleted"
    assert (told["type"], told["discord_format"]) == ("json_v1", "Invalid")
    assert len(told["secret"]) >= 16
    assert (row.dialect, row.events) == ("paynow", ["payment.success"])


def test_the_shape_of_the_guide(client: Client) -> None:
    told = send(client, "POST", **SEED)
    assert set(told) == SHAPE
    assert told["secret"] == "your-webhook-secret"
    assert told["subscribed_to"] == "OnOrderCompleted"
    assert set(told["events"]) == set(SEED["events"])
    assert set(Endpoint.objects.get().events) == {
        "payment.success",
        "subscription.renewed",
        "delivery_item.added",
    }


@pytest.mark.parametrize("word", words.PAYNOW)
def test_every_event_of_paynow(client: Client, word: str) -> None:
    told = send(client, "POST", **LIVE | {"subscribed_to": words.pascal(word)})
    assert told["events"] == [word]
    assert told["subscribed_to"] == words.pascal(word)


@pytest.mark.parametrize(
    ("given", "word", "told_as"),
    [
        ("on_order_completed", "ON_ORDER_COMPLETED", "OnOrderCompleted"),
        (
            "OnDiscordOrderActionsQueued",
            "ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT",
            "OnDiscordOrderActionsQueued",
        ),
    ],
)
def test_every_spelling_of_an_event(
    client: Client, given: str, word: str, told_as: str
) -> None:
    told = send(client, "POST", **LIVE | {"subscribed_to": given})
    assert (told["events"], told["subscribed_to"]) == ([word], told_as)


@pytest.mark.parametrize(
    ("over", "path", "words_in"),
    [
        ({"subscribed_to": "OnNothing"}, "subscribed_to", "OnNothing"),
        ({"subscribed_to": None}, "subscribed_to", "missing"),
        ({"subscribed_to": "", "events": ["ON_X"]}, "events", "ON_X"),
        ({"subscribed_to": "", "events": []}, "subscribed_to", "missing"),
        ({"url": ""}, "url", "missing"),
        ({"url": "http://10.0.0.1/"}, "url", "https"),
        ({"type": "discord_v1"}, "type", "Discord"),
        ({"secret": "short"}, "secret", "16"),
    ],
)
def test_what_is_wrong_is_said_in_paynows_shape(
    client: Client, over: dict[str, Any], path: str, words_in: str
) -> None:
    told = send(client, "POST", "", 400, **LIVE | over)
    assert told["code"] == "bad-request"
    assert words_in in told["message"]
    assert told["errors"][0]["path"] == path
    assert not Endpoint.objects.exists()


def test_unknown_fields_are_passed_over(client: Client) -> None:
    send(client, "POST", **LIVE, discord_title="x", something_new={"a": 1})


def test_a_repeated_request_makes_one(client: Client) -> None:
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = "k1"
    assert send(client, "POST", **LIVE) == send(client, "POST", **LIVE)
    assert Endpoint.objects.count() == 1


# ---------------------------------------------------------------------- list and change
def test_the_list_is_bare_and_has_secrets(client: Client, project: Project) -> None:
    made = [send(client, "POST", **LIVE), send(client, "POST", **SEED)]
    make_endpoint(project, dialect="standard")
    make_endpoint(make_project(), dialect="paynow")
    assert send(client, "GET") == made
    shown = AuditEntry.objects.filter(verb="endpoint.secret_shown")
    assert shown.count() == 2
    covered = send(paynow_client(project, "read"), "GET")
    assert {row["secret"] for row in covered} == {"********"}


def test_a_change_with_a_new_secret(client: Client) -> None:
    made = send(client, "POST", **LIVE)
    url = "https://shop.example.com/other"
    told = send(
        client, "PATCH", f"/{made['id']}",
        url=url, subscribed_to="OnRefund", reset_secret=True,
    )  # fmt: skip
    assert (told["url"], told["subscribed_to"]) == (url, "OnRefund")
    assert told["secret"] not in ("", made["secret"])
    assert send(client, "GET") == [told]
    again = send(
        client, "PATCH", f"/{made['id']}",
        url=url, subscribed_to="OnRefund", reset_secret=False,
    )  # fmt: skip
    assert again == told


def test_one_that_ends_is_gone(client: Client) -> None:
    id = send(client, "POST", **LIVE)["id"]
    send(client, "DELETE", f"/{id}", 204)
    assert send(client, "DELETE", f"/{id}", 404)["code"] == "not-found"
    assert send(client, "GET") == []


def test_wrong_methods_are_told_in_its_shape(client: Client) -> None:
    id = send(client, "POST", **LIVE)["id"]
    for method, path in (("GET", f"/{id}"), ("PUT", ""), ("GET", "/resend")):
        assert send(client, method, path, 405)["code"] == "method-not-allowed"


# -------------------------------------------------------------------- history and again
@pytest.fixture
def sent(project: Project) -> dict[str, Delivery]:
    """One delivery of each state at a subscription, the newest last."""
    endpoint = make_endpoint(project, dialect="paynow", events=["payment.success"])
    rows = {}
    for state in ("delivered", "exhausted", "held", "dropped", "pending"):
        rows[state] = make_delivery(make_event(project), endpoint, state=state)
    return rows


def test_the_history(client: Client, sent: dict[str, Delivery]) -> None:
    at = timezone.now()
    row = sent["delivered"]
    for number, status in ((1, 500), (2, 200)):
        Attempt.objects.create(
            delivery=row, number=number, at=at, status=status, outcome="ok",
            total_ms=1500, answer=b"x" * 3000,
        )  # fmt: skip
    Attempt.objects.create(
        delivery=sent["exhausted"], number=1, at=at, outcome="timeout",
        error="Too late.",
    )  # fmt: skip
    told = send(client, "GET", f"/{row.endpoint_id}/history?page=0&state=all")
    assert told["page"] == 0
    assert [item["id"] for item in told["history"]] == [
        str(one.pk) for one in reversed(sent.values())
    ]
    assert all(set(item) == ITEM for item in told["history"])
    first = told["history"][-1]
    assert (first["state"], first["event"]) == ("success", "OnOrderCompleted")
    assert first["payload"]["event_type"] == "ON_ORDER_COMPLETED"
    assert first["payload"]["event_id"] == row.event.key
    assert [run["status_code"] for run in first["executions"]] == [500, 200]
    assert len(first["executions"][0]["response"]) == 2048
    failed = told["history"][-2]["executions"][0]
    assert (failed["status_code"], failed["response"]) == (0, "Too late.")
    assert told["history"][0]["next_retry"] is not None


@pytest.mark.parametrize(
    ("state", "states"),
    [
        ("success", ["delivered"]),
        ("pending", ["pending", "held"]),
        ("failed", ["dropped", "exhausted"]),
    ],
)
def test_the_history_of_a_state(
    client: Client, sent: dict[str, Delivery], state: str, states: list[str]
) -> None:
    path = f"/{sent['held'].endpoint_id}/history?state={state}"
    told = send(client, "GET", path)["history"]
    assert [item["id"] for item in told] == [str(sent[one].pk) for one in states]
    assert {item["state"] for item in told} == {state}


def test_the_history_in_pages(client: Client, project: Project) -> None:
    endpoint = make_endpoint(project, dialect="paynow")
    event = [make_event(project) for _ in range(26)]
    for one in event:
        make_delivery(one, endpoint)
    path = f"/{endpoint.pk}/history?page="
    assert len(send(client, "GET", f"{path}0")["history"]) == 25
    assert len(send(client, "GET", f"{path}1")["history"]) == 1
    assert send(client, "GET", f"{path}2") == {"page": 2, "history": []}
    for wrong in ("-1", "x", "401", "1&page=2"):
        send(client, "GET", f"{path}{wrong}", 400)
    send(client, "GET", f"/{endpoint.pk}/history?state=lost", 400)


def test_sent_again_by_the_id_of_an_item(
    client: Client, sent: dict[str, Delivery]
) -> None:
    row = sent["exhausted"]
    send(client, "POST", "/resend", 204, webhook_id=str(row.pk))
    row.refresh_from_db()
    assert row.state == "pending"


def test_sent_again_by_the_id_of_a_subscription(
    client: Client, sent: dict[str, Delivery]
) -> None:
    row = sent["exhausted"]
    send(client, "POST", "/resend", 204, webhook_id=str(row.endpoint_id))
    row.refresh_from_db()
    assert row.state == "pending"
    assert "API key" in row.asked_by


def test_what_cannot_be_sent_again(client: Client, project: Project) -> None:
    quiet = make_endpoint(project, dialect="paynow")
    other = make_project()
    strange = make_delivery(
        make_event(other), make_endpoint(other, dialect="paynow"), state="exhausted"
    )
    for id in (str(quiet.pk), str(strange.pk), str(uuid4()), "x", "9" * 30):
        told = send(client, "POST", "/resend", 404, webhook_id=id)
        assert told["code"] == "not-found"
    send(client, "POST", "/resend", 400)
    paused = make_endpoint(project, dialect="paynow", state="paused")
    held = make_delivery(make_event(project), paused, state="held")
    told = send(client, "POST", "/resend", 409, webhook_id=str(held.pk))
    assert told["code"] == "conflict"


def test_the_variables_of_each_event(client: Client) -> None:
    told = send(client, "GET", "/variables")
    assert {row["event_type"] for row in told} == set(words.PASCAL)
    order = next(row for row in told if row["event_type"] == "OnOrderCompleted")
    assert {"id", "total_amount", "customer.steam.name"} <= set(order["variables"])
    assert order["variables"] == variables(sample_news("payment.success"))


# -------------------------------------------------------------------------- whose store
def test_a_store_has_several_names(client: Client, project: Project) -> None:
    send(client, "POST", **LIVE)
    make_connection("paynow", project=project, account="411486491630370816")
    for store in ("dragon-shop", str(project.pk), "411486491630370816"):
        assert len(send(client, "GET", store=store)) == 1


def test_another_store_is_not_there(project: Project, client: Client) -> None:
    strangers = [
        make_project(merchant=project.merchant, slug="other-shop"),
        make_project(slug="strange-shop"),
    ]
    make_connection("paynow", project=strangers[1], account="500")
    make_connection(
        "paynow", project=project, account="600",
        closed=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    for store in (
        "other-shop",
        "strange-shop",
        str(strangers[0].pk),
        "500",
        "600",
        "%00",
    ):
        told = send(client, "GET", "", 404, store=store)
        assert told["code"] == "not-found"
        assert told["errors"][0]["path"] == "storeId"
        send(client, "POST", "", 404, store=store, **LIVE)


def test_another_projects_subscription_is_not_there(client: Client) -> None:
    row = make_endpoint(make_project(), dialect="paynow")
    send(client, "PATCH", f"/{row.pk}", 404, url=URL)
    send(client, "DELETE", f"/{row.pk}", 404)
    send(client, "GET", f"/{row.pk}/history", 404)
    assert Endpoint.objects.count() == 1


def test_keys_and_scopes(project: Project) -> None:
    row = make_endpoint(project, dialect="paynow")
    assert send(Client(), "GET", "", 401)["code"] == "unauthorized"
    reader = paynow_client(project, "read")
    send(reader, "POST", "", 403, **LIVE)
    send(reader, "PATCH", f"/{row.pk}", 403, url=URL)
    send(reader, "DELETE", f"/{row.pk}", 403)
    send(reader, "POST", "/resend", 403, webhook_id="1")
    assert send(reader, "GET", f"/{row.pk}/history")["history"] == []
    send(paynow_client(project, "write"), "GET", "", 403)
