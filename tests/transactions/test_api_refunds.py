"""Refunds by the API: one effect per key, and Stripe's own SDK can drive it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import stripe
from django.test import Client
from django.utils import timezone

from merchant.models import Project, RememberedAnswer
from tests.factories import make_api_key, make_project, make_refund, make_transaction
from tests.transactions.api_client import key_client
from tests.transactions.refunding import make_sale
from transactions.models import Refund, RefundLimit, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_sale(project)


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project, "read", "refund")


def post(client: Client, key: str | None = "k1", **body: Any) -> Any:
    headers = {"idempotency-key": key} if key is not None else {}
    return client.post(
        "/v1/refunds", json.dumps(body), "application/json", headers=headers
    )


def error(answer: Any) -> dict[str, Any]:
    return answer.json()["error"]


# ---------------------------------------------------------------------------- asking
def test_a_refund_is_asked_for(client: Client, sale: Transaction) -> None:
    answer = post(client, transaction=str(sale.pk), amount=500, reason="duplicate")
    assert answer.status_code == 200
    told = answer.json()
    row = Refund.objects.get()
    assert told == {
        "id": str(row.pk), "object": "refund", "transaction": str(sale.pk),
        "amount": 500, "currency": "eur", "status": "requested",
        "reason": "duplicate", "provider_id": None,
        "created": int(row.created.timestamp()),
    }  # fmt: skip
    assert (row.asked_by, row.asker[:7]) == (None, "API key")
    assert row.due is not None


def test_without_an_amount_all_that_is_left_goes_back(
    client: Client, sale: Transaction
) -> None:
    post(client, "k1", transaction=str(sale.pk), amount=500)
    assert post(client, "k2", transaction=str(sale.pk)).json()["amount"] == 1499


def test_a_form_is_as_good_as_json(client: Client, sale: Transaction) -> None:
    answer = client.post(
        "/v1/refunds",
        f"charge={sale.pk}&amount=500",
        "application/x-www-form-urlencoded",
        headers={"idempotency-key": "k1"},
    )
    assert answer.json()["amount"] == 500
    assert post(client, charge=str(sale.pk), amount=500).status_code == 200


def test_the_providers_id_names_it_too(client: Client, sale: Transaction) -> None:
    assert post(client, payment_intent="pi_1").json()["transaction"] == str(sale.pk)


def test_two_names_must_mean_one_payment(
    client: Client, project: Project, sale: Transaction
) -> None:
    make_sale(project, "pi_2")
    answer = post(client, transaction=str(sale.pk), payment_intent="pi_2")
    assert (answer.status_code, error(answer)["param"]) == (400, "transaction")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "transaction"),
        ({"transaction": 5}, "transaction"),
        ({"amount": -1}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": 5.0}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": 10**20}, "amount"),
        ({"amount": 2000}, "amount"),
        ({"reason": "because"}, "reason"),
        ({"reason": ["duplicate"]}, "reason"),
        ({"metadata": {"a": "b"}}, "metadata"),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, sale: Transaction, body: dict[str, Any], param: str
) -> None:
    named = {} if not body else {"transaction": str(sale.pk)}
    answer = post(client, **named | body)
    assert (answer.status_code, error(answer)["param"]) == (400, param)
    assert not Refund.objects.exists()


@pytest.mark.parametrize("text", ["[]", "7", "null", "{", "\x00"])
def test_what_is_no_object_is_told(client: Client, text: str) -> None:
    answer = client.post(
        "/v1/refunds", text, "application/json", headers={"idempotency-key": "k"}
    )
    assert answer.status_code == 400
    assert error(answer)["code"] == "request_unreadable"


def test_a_key_needs_the_scope(project: Project, sale: Transaction) -> None:
    answer = post(key_client(project, "read", "write"), transaction=str(sale.pk))
    assert answer.status_code == 403
    assert not Refund.objects.exists()


def test_another_projects_payment_is_not_there(sale: Transaction) -> None:
    stranger = key_client(make_project(), "read", "refund")
    assert post(stranger, transaction=str(sale.pk)).status_code == 404
    assert post(stranger, "k2", payment_intent="pi_1").status_code == 404
    assert not Refund.objects.exists()


def test_above_the_limit_of_keys_it_waits(
    client: Client, project: Project, sale: Transaction
) -> None:
    RefundLimit.objects.create(
        project=project, role="api_key", currency="eur", each=1000
    )
    waits = post(client, "k1", transaction=str(sale.pk), amount=1001).json()
    assert waits["status"] == "awaiting_approval"
    assert Refund.objects.get().due is None
    assert post(client, "k2", payment_intent="pi_1").json()["amount"] == 998


# --------------------------------------------------------------------- twice is once
def test_the_same_key_and_body_get_the_same_answer(
    client: Client, sale: Transaction
) -> None:
    first = post(client, transaction=str(sale.pk), amount=500)
    Refund.objects.update(status="succeeded")
    second = post(client, transaction=str(sale.pk), amount=500)
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Refund.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(
    client: Client, sale: Transaction
) -> None:
    post(client, transaction=str(sale.pk), amount=500)
    answer = post(client, transaction=str(sale.pk), amount=501)
    assert (answer.status_code, error(answer)["type"]) == (400, "idempotency_error")
    assert Refund.objects.count() == 1


def test_while_it_is_worked_on_the_same_key_has_to_wait(
    client: Client, sale: Transaction
) -> None:
    post(client, transaction=str(sale.pk))
    RememberedAnswer.objects.update(status=None)
    answer = post(client, transaction=str(sale.pk))
    assert answer.status_code == 409
    assert error(answer)["code"] == "idempotency_key_in_use"
    assert answer["Retry-After"] == "1"


def test_where_a_request_died_the_next_goes_on(
    client: Client, sale: Transaction
) -> None:
    first = post(client, transaction=str(sale.pk)).json()
    past = timezone.now() - timedelta(seconds=1)
    RememberedAnswer.objects.update(status=None, leased_until=past)
    assert post(client, transaction=str(sale.pk)).json() == first
    assert Refund.objects.count() == 1


def test_a_no_is_repeated_as_well(client: Client, sale: Transaction) -> None:
    post(client, "k1", transaction=str(sale.pk))
    first = post(client, "k2", transaction=str(sale.pk))
    assert (first.status_code, error(first)["code"]) == (400, "not_refundable")
    Refund.objects.update(status="failed")
    assert post(client, "k2", transaction=str(sale.pk)).json() == first.json()


def test_a_mistake_in_the_request_does_not_use_the_key_up(
    client: Client, sale: Transaction
) -> None:
    assert post(client, transaction=str(uuid4())).status_code == 404
    assert post(client, transaction=str(sale.pk)).status_code == 200


def test_a_key_of_one_project_is_not_anothers(
    client: Client, project: Project, sale: Transaction
) -> None:
    other = make_project()
    their_sale = make_sale(other, "pi_2")
    post(client, transaction=str(sale.pk))
    answer = post(key_client(other, "refund"), transaction=str(their_sale.pk))
    assert answer.status_code == 200
    assert Refund.objects.count() == 2


@pytest.mark.parametrize("key", [None, "", "x" * 256])
def test_without_a_key_nothing_happens(
    client: Client, sale: Transaction, key: str | None
) -> None:
    answer = post(client, key, transaction=str(sale.pk))
    assert (answer.status_code, error(answer)["param"]) == (400, "Idempotency-Key")


# --------------------------------------------------------------------------- reading
def test_a_refund_is_found_by_either_id(client: Client, sale: Transaction) -> None:
    refund = make_refund(sale, provider_id="re_7")
    for id in (refund.pk, "re_7"):
        assert client.get(f"/v1/refunds/{id}").json()["id"] == str(refund.pk)
    assert client.get(f"/v1/refunds/{uuid4()}").status_code == 404
    stranger = key_client(make_project())
    assert stranger.get(f"/v1/refunds/{refund.pk}").status_code == 404


def test_the_list_is_walked_both_ways(client: Client, sale: Transaction) -> None:
    rows = [
        make_refund(
            sale, created=sale.created + timedelta(seconds=n), livemode=bool(n % 2)
        )
        for n in range(7)
    ]
    newest = [str(row.pk) for row in reversed(rows)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = client.get("/v1/refunds", {"limit": 3, **after}).json()
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        after = {"starting_after": seen[-1]}
    assert seen == newest
    back = client.get("/v1/refunds", {"limit": 3, "ending_before": newest[4]}).json()
    assert [row["id"] for row in back["data"]] == newest[1:4]
    assert back["has_more"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"status": "failed"}, 1),
        ({"status": "failed,succeeded"}, 2),
        ({"payment_intent": "pi_1"}, 2),
        ({"created[gte]": "2030-01-01"}, 0),
        ({"created[lt]": "2030-01-01"}, 2),
        ({"livemode": "false"}, 0),
    ],
)
def test_the_list_is_filtered(
    client: Client, sale: Transaction, query: dict[str, str], count: int
) -> None:
    make_refund(sale)
    make_refund(sale, status="failed")
    make_refund(make_transaction())
    assert len(client.get("/v1/refunds", query).json()["data"]) == count


@pytest.mark.parametrize(
    "query",
    [
        {"state": "failed"}, {"status": "lost"}, {"livemode": "x"}, {"limit": "0"},
        {"created[gte]": "soon"}, {"transaction": "tx_none"}, {"starting_after": "x"},
    ],
)  # fmt: skip
def test_a_wrong_filter_is_told(client: Client, query: dict[str, str]) -> None:
    answer = client.get("/v1/refunds", query)
    assert answer.status_code in {400, 404}
    assert error(answer)["param"] == next(iter(query))


# ----------------------------------------------------------------------- Stripe's SDK
@pytest.mark.django_db(transaction=True)
def test_stripes_own_client_gives_money_back(live_server: Any) -> None:
    project = make_project()
    sale = make_sale(project)
    _, text = make_api_key(project, ("read", "refund"))
    client = stripe.StripeClient(
        text, base_addresses={"api": live_server.url}, max_network_retries=0
    )
    made = client.v1.refunds.create(
        {"payment_intent": "pi_1", "amount": 500, "reason": "duplicate"}
    )
    assert (made.object, made.amount, made.status) == ("refund", 500, "requested")
    again = client.v1.refunds.create({"charge": str(sale.pk)}, {"idempotency_key": "a"})
    same = client.v1.refunds.create({"charge": str(sale.pk)}, {"idempotency_key": "a"})
    assert (again.id, again.amount) == (same.id, 1499)
    assert client.v1.refunds.retrieve(made.id).id == made.id
    listed = client.v1.refunds.list({"payment_intent": "pi_1", "limit": 1})
    assert [refund.id for refund in listed.auto_paging_iter()] == [again.id, made.id]
    with pytest.raises(stripe.InvalidRequestError) as no:
        client.v1.refunds.create({"charge": "pi_1", "amount": 1})
    assert "Everything was given back" in str(no.value)
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create({"charge": "pi_1"}, {"idempotency_key": "a"})
