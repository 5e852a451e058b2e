"""/v1/webhook_endpoints: Stripe's words, driven by its own client as well."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
import stripe
from django.test import Client

from merchant import keys
from merchant.models import AuditEntry, Project, RememberedAnswer
from tests.factories import make_project
from tests.transactions.api_client import key_client
from tests.webhooks.telling import make_endpoint
from webhooks.models import Endpoint, EndpointSecret

pytestmark = pytest.mark.django_db

PATH, URL = "/v1/webhook_endpoints", "https://shop.example.com/hooks"
NEW = {"url": URL, "enabled_events": ["payment.success"]}


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project, "read", "write")


def send(
    client: Client, method: str, path: str = "", status: int = 200, **body: Any
) -> dict[str, Any]:
    answer = client.generic(
        method, f"{PATH}{path}", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def create(client: Client, **over: Any) -> dict[str, Any]:
    return send(client, "POST", **NEW | over)


# -------------------------------------------------------------------------- set one up
def test_a_new_one_is_told_with_its_secret_once(
    client: Client, project: Project
) -> None:
    told = create(client, description="Shop", metadata={"team": "a"}, rate=5)
    row = Endpoint.objects.get()
    assert told == {
        "id": str(row.pk), "object": "webhook_endpoint", "api_version": None,
        "application": None, "created": int(row.created.timestamp()),
        "description": "Shop", "enabled_events": ["payment.success"],
        "livemode": None, "metadata": {"team": "a"}, "status": "enabled", "url": URL,
        "project": str(project.pk), "dialect": "standard", "rate": 5, "reason": None,
        "secret": EndpointSecret.objects.get().open(),
    }  # fmt: skip
    assert told["secret"].startswith("whsec_")
    again = send(client, "GET", f"/{row.pk}")
    assert again == {name: told[name] for name in told if name != "secret"}
    assert send(client, "GET")["data"] == [again]


def test_a_form_says_the_same(client: Client) -> None:
    answer = client.post(
        PATH,
        f"url={URL}&enabled_events[0]=charge.refunded&enabled_events[1]=payment.*"
        "&metadata[team]=a&livemode=true&disabled=true&dialect=paynow&rate=7",
        content_type="application/x-www-form-urlencoded",
    )
    told = answer.json()
    assert (told["dialect"], told["rate"], told["livemode"]) == ("paynow", 7, True)
    assert (told["status"], told["metadata"]) == ("disabled", {"team": "a"})
    assert told["enabled_events"] == ["payment.*"]


@pytest.mark.parametrize(
    ("names", "kept", "told"),
    [
        (["*"], [], ["*"]),
        (["payment.success", "*"], [], ["*"]),
        (["payment.*"], ["payment.*"], ["payment.*"]),
        (["charge.refunded"], ["payment.refund"], ["charge.refunded"]),
        (["payment_intent.canceled"], ["payment.released", "payment.cancel"],
         ["payment_intent.canceled"]),
        (["charge.dispute.*"], ["dispute.opened", "dispute.closed"],
         ["charge.dispute.created", "charge.dispute.closed"]),
    ],
)  # fmt: skip
def test_names_of_anybodys(
    client: Client, names: list[str], kept: list[str], told: list[str]
) -> None:
    answer = create(client, enabled_events=names, dialect="stripe")
    assert answer["enabled_events"] == told
    assert Endpoint.objects.get().events == kept


def test_who_speaks_stripes_words_is_answered_in_them(client: Client) -> None:
    assert create(client)["dialect"] == "standard"
    assert create(client, enabled_events=["*"])["dialect"] == "standard"
    assert create(client, enabled_events=["charge.refunded"])["dialect"] == "stripe"
    assert create(client, api_version="2026-10-28.endive")["dialect"] == "stripe"
    assert create(client, dialect="paysuper")["dialect"] == "paysuper"
    client.defaults["HTTP_USER_AGENT"] = "Stripe/v1 PythonBindings/5.5.0"
    assert create(client, enabled_events=["*"])["dialect"] == "stripe"


def test_a_key_pair_is_no_secret(client: Client, project: Project) -> None:
    assert "secret" not in create(client, dialect="paysecure")
    assert project.signing_keys.count() == 1


def test_a_secret_that_the_receiver_has_already(client: Client) -> None:
    secret = "whsec_" + "a" * 32
    assert create(client, dialect="stripe", secret=secret)["secret"] == secret


@pytest.mark.parametrize(
    ("over", "param"),
    [
        ({"url": ""}, "url"), ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": 7}, "url"),
        ({"enabled_events": []}, "enabled_events"),
        ({"enabled_events": None}, "enabled_events"),
        ({"enabled_events": ["payment.succes"]}, "enabled_events"),
        ({"enabled_events": [{}]}, "enabled_events"),
        ({"dialect": "paypal"}, "dialect"), ({"rate": 0}, "rate"),
        ({"rate": 1.5}, "rate"), ({"secret": "short"}, "secret"),
        ({"metadata": [1]}, "metadata"), ({"description": "x" * 201}, "description"),
        ({"livemode": "perhaps"}, "livemode"), ({"disabled": 3}, "disabled"),
        ({"enabled_event": ["*"]}, "enabled_event"),
    ],
)  # fmt: skip
def test_a_wrong_term_is_named(
    client: Client, over: dict[str, Any], param: str
) -> None:
    error = send(client, "POST", "", 400, **NEW | over)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert not Endpoint.objects.exists()


def test_a_repeated_request_makes_one(client: Client) -> None:
    answers = [
        client.post(
            PATH, json.dumps(NEW | {"description": words}), "application/json",
            headers={"Idempotency-Key": "k1"},
        )
        for words in ("Shop", "Shop", "Other")
    ]  # fmt: skip
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert answers[2].json()["error"]["type"] == "idempotency_error"
    assert Endpoint.objects.count() == 1
    kept = json.dumps(RememberedAnswer.objects.get().body)
    assert answers[0].json()["secret"] not in kept


# ----------------------------------------------------------------------- change and end
def test_what_is_given_is_changed(client: Client) -> None:
    first = create(client, metadata={"a": "1", "b": "2"}, description="Shop")
    path = f"/{first['id']}"
    told = send(client, "POST", path, metadata={"b": "", "c": "3"}, rate=9)
    same = {name for name in told if told[name] == first[name]}
    assert set(told) - same == {"metadata", "rate"}
    assert (told["metadata"], told["rate"]) == ({"a": "1", "c": "3"}, 9)
    told = send(client, "POST", path, enabled_events=["*"], livemode=False, metadata="")
    assert (told["enabled_events"], told["livemode"]) == (["*"], False)
    assert told["metadata"] == {}
    assert send(client, "POST", path, livemode=None)["livemode"] is None


def test_disabled_pauses_it(client: Client) -> None:
    path = f"/{create(client)['id']}"
    assert send(client, "POST", path, disabled=True)["status"] == "disabled"
    assert Endpoint.objects.get().state == "paused"
    assert send(client, "POST", path, rate=3)["status"] == "disabled"
    assert send(client, "POST", path, disabled=False)["status"] == "enabled"


def test_one_that_ends_is_gone(client: Client) -> None:
    id = create(client)["id"]
    told = send(client, "DELETE", f"/{id}")
    assert told == {"id": id, "object": "webhook_endpoint", "deleted": True}
    for method in ("GET", "POST", "DELETE"):
        error = send(client, method, f"/{id}", 404)["error"]
        assert (error["code"], error["param"]) == ("resource_missing", "id")


def test_the_audit_log_knows_the_key(client: Client) -> None:
    id = create(client)["id"]
    send(client, "POST", f"/{id}", rate=3)
    send(client, "DELETE", f"/{id}")
    notes = AuditEntry.objects.filter(verb__startswith="endpoint.").order_by("id")
    verbs = [note.verb for note in notes]
    assert verbs == ["endpoint.created", "endpoint.changed", "endpoint.deleted"]
    assert all(note.actor_label.startswith("API key mk_…") for note in notes)


# ----------------------------------------------------------------------- list and whose
def test_the_list_is_paged_both_ways(client: Client, project: Project) -> None:
    rows = [str(make_endpoint(project).pk) for _ in range(12)][::-1]
    told = send(client, "GET")
    assert [row["id"] for row in told["data"]] == rows[:10]
    assert told["has_more"] is True
    told = send(client, "GET", f"?starting_after={rows[9]}")
    assert ([row["id"] for row in told["data"]], told["has_more"]) == (rows[10:], False)
    told = send(client, "GET", f"?ending_before={rows[5]}&limit=2")
    assert ([row["id"] for row in told["data"]], told["has_more"]) == (rows[3:5], True)


def test_callbacks_and_laptops_are_not_listed(client: Client, project: Project) -> None:
    for kind in ("callback", "forward"):
        row = make_endpoint(project, kind=kind)
        send(client, "GET", f"/{row.pk}", 404)
    assert send(client, "GET")["data"] == []


def test_another_projects_are_not_there(client: Client, project: Project) -> None:
    for shop in (make_project(), make_project(merchant=project.merchant)):
        row = make_endpoint(shop)
        for method in ("GET", "POST", "DELETE"):
            send(client, method, f"/{row.pk}", 404)
        send(client, "GET", f"?starting_after={row.pk}", 404)
    send(client, "GET", "/nothing", 404)
    send(client, "GET", f"/{uuid4()}", 404)
    assert send(client, "GET")["data"] == []
    assert Endpoint.objects.count() == 2


def test_changes_need_the_scope(project: Project) -> None:
    row = make_endpoint(project)
    reader = key_client(project, "read", "refund")
    for method, path in (
        ("POST", ""),
        ("POST", f"/{row.pk}"),
        ("DELETE", f"/{row.pk}"),
    ):
        error = send(reader, method, path, 403)["error"]
        assert error["code"] == "scope_missing"
    writer = key_client(project, "write")
    for path in ("", f"/{row.pk}"):
        assert send(writer, "GET", path, 403)["error"]["code"] == "scope_missing"


# ------------------------------------------------------------------ Stripe's own client
@pytest.mark.django_db(transaction=True)
def test_stripes_own_client_manages_endpoints(live_server: Any) -> None:
    project = make_project()
    _key, text = keys.issue(project, ["read", "write"])
    client = stripe.StripeClient(
        text, base_addresses={"api": live_server.url}, max_network_retries=0
    )
    room = client.v1.webhook_endpoints
    made = room.create(
        {
            "url": URL,
            "enabled_events": ["charge.refunded", "checkout.session.completed"],
            "api_version": "2026-10-28.endive",
            "description": "Shop",
            "metadata": {"team": "a"},
        }
    )
    assert isinstance(made, stripe.WebhookEndpoint)
    assert made.secret and made.secret.startswith("whsec_")
    assert (made.status, made["dialect"]) == ("enabled", "stripe")
    assert set(made.enabled_events) == {"charge.refunded", "checkout.session.completed"}
    assert made.last_response.idempotency_key
    changed = room.update(
        made.id, {"enabled_events": ["*"], "disabled": True, "metadata": {"x": "1"}}
    )
    assert (changed.status, changed.enabled_events) == ("disabled", ["*"])
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"team": "a", "x": "1"}
    for _ in range(11):
        room.create({"url": URL, "enabled_events": ["*"]})
    listed = list(room.list({"limit": 5}).auto_paging_iter())
    assert len(listed) == 12 and listed[-1].id == made.id
    assert room.retrieve(made.id).url == URL
    assert room.delete(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        room.retrieve(made.id)
    assert refused.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        room.create({"url": "http://10.0.0.1/", "enabled_events": ["*"]})
    assert refused.value.param == "url"
