"""GET /v1/transactions/{id}: the object of the contract, to the minor unit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from merchant.models import Project
from tests.factories import (
    make_dispute,
    make_item,
    make_project,
    make_refund,
    make_transaction,
)
from tests.transactions.api_client import key_client
from transactions.models import Customer, TransactionAlias

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNIX = 1772366400


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


def test_everything_that_is_known_is_told(client: Client, project: Project) -> None:
    customer = Customer.objects.create(project=project, key="player-7")
    row = make_transaction(
        project=project,
        provider_id="pi_1",
        status="partially_refunded",
        status_reason="The buyer asked for a part of it.",
        refund_pending=True,
        verified=False,
        amount_refunded=500,
        fee=89,
        net=1910,
        settlement={"currency": "usd", "amount": 2200, "exchange_rate": "1.1005"},
        description="Iron Sword",
        customer=customer,
        customer_email="ada@example.com",
        order_reference="A-1042",
        metadata={"campaign": "spring"},
        sequence=4,
        fulfilment="done",
        updated=NOON,
    )
    item = make_item(row, sku="SWORD-1", quantity=2, platform="steam")
    refund = make_refund(
        row,
        provider_id="re_1",
        status="succeeded",
        amount=500,
        currency="eur",
        created=NOON,
    )
    dispute = make_dispute(
        transaction=row,
        provider_id="dp_1",
        status="open",
        amount=1999,
        currency="eur",
        reason="fraudulent",
        due_by=NOON,
        created=NOON,
    )
    assert client.get(f"/v1/transactions/{row.pk}").json() == {
        "id": str(row.pk),
        "object": "transaction",
        "project": str(project.pk),
        "provider": "stripe",
        "provider_id": "pi_1",
        "livemode": True,
        "status": "partially_refunded",
        "status_reason": "The buyer asked for a part of it.",
        "refund_pending": True,
        "verified": False,
        "amount": 1999,
        "currency": "eur",
        "amount_refunded": 500,
        "fee": 89,
        "net": 1910,
        "settlement": {
            "currency": "usd",
            "amount": 2200,
            "fee": None,
            "net": None,
            "exchange_rate": "1.1005",
        },
        "description": "Iron Sword",
        "customer": {
            "id": str(customer.pk),
            "name": "Ada Byron",
            "email": "ada@example.com",
            "country": "GB",
        },
        "payment_method": {"type": "card", "brand": "visa", "last4": "4242"},
        "items": [
            {
                "product": str(item.product_id),
                "name": "Iron Sword",
                "sku": "SWORD-1",
                "quantity": 2,
                "amount": 1999,
                "platform": "steam",
            }
        ],
        "refunds": [
            {
                "id": str(refund.pk),
                "object": "refund",
                "transaction": str(row.pk),
                "amount": 500,
                "currency": "eur",
                "status": "succeeded",
                "reason": None,
                "provider_id": "re_1",
                "created": UNIX,
            }
        ],
        "disputes": [
            {
                "id": str(dispute.pk),
                "object": "dispute",
                "transaction": str(row.pk),
                "amount": 1999,
                "currency": "eur",
                "status": "open",
                "reason": "fraudulent",
                "due_by": UNIX,
                "provider_id": "dp_1",
                "created": UNIX,
            }
        ],
        "fulfilment": {"status": "done"},
        "order_reference": "A-1042",
        "metadata": {"campaign": "spring"},
        "sequence": 4,
        "created": UNIX,
        "paid": UNIX,
        "updated": UNIX,
    }


def test_what_is_not_known_is_null(client: Client, project: Project) -> None:
    row = make_transaction(
        project=project,
        status="created",
        amount=None,
        currency="",
        customer_name="",
        customer_email="",
        customer_country="",
        method="",
        method_brand="",
        method_last4="",
        paid=None,
    )
    told = client.get(f"/v1/transactions/{row.pk}").json()
    unknown = (
        "status_reason amount currency fee net settlement description customer "
        "payment_method order_reference paid"
    )
    assert {name: told[name] for name in unknown.split()} == dict.fromkeys(
        unknown.split()
    )
    assert told["items"] == told["refunds"] == told["disputes"] == []
    assert told["amount_refunded"] == 0
    assert told["metadata"] == {}


def test_half_a_second_does_not_round_up(client: Client, project: Project) -> None:
    late = NOON.replace(microsecond=999_999)
    row = make_transaction(project=project, created=late)
    assert client.get(f"/v1/transactions/{row.pk}").json()["created"] == UNIX


def test_the_id_of_a_joined_row_answers_with_the_survivor(
    client: Client, project: Project
) -> None:
    row = make_transaction(project=project)
    alias = TransactionAlias.objects.create(
        id="0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11", transaction=row
    )
    assert client.get(f"/v1/transactions/{alias.pk}").json()["id"] == str(row.pk)
    stranger = key_client(make_project())
    assert stranger.get(f"/v1/transactions/{alias.pk}").status_code == 404


def test_a_stranger_is_told_that_there_is_nothing(project: Project) -> None:
    row = make_transaction(project=project)
    absent = key_client(make_project())
    answer = absent.get(f"/v1/transactions/{row.pk}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_missing"
    assert answer.json()["error"]["param"] == "id"


def test_a_parked_row_is_not_there(client: Client, project: Project) -> None:
    row = make_transaction(project=project, parked=True)
    assert client.get(f"/v1/transactions/{row.pk}").status_code == 404


@pytest.mark.parametrize(
    "id", ["1", "pi_1", "%00", "..", "{}", "é", "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b1z"]
)
def test_what_is_no_id_is_not_there(client: Client, id: str) -> None:
    answer = client.get(f"/v1/transactions/{id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_one_costs_five_queries(
    client: Client, project: Project, django_assert_max_num_queries
) -> None:
    row = make_transaction(project=project)
    make_item(row)
    client.get(f"/v1/transactions/{row.pk}")
    with django_assert_max_num_queries(5):
        client.get(f"/v1/transactions/{row.pk}")
