"""GET /v1/purchases/{id}: what the webhook says, for those who ask after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from merchant.models import Connection, Project
from tests.factories import make_connection, make_project
from tests.transactions.api_client import key_client
from tests.transactions.staff import item, payment, refund
from transactions import ledger
from transactions.models import Transaction, TransactionAlias
from webhooks.dialects import DIALECTS
from webhooks.models import Event
from webhooks.outbox import news_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


@pytest.fixture
def sale(connection: Connection) -> Transaction:
    facts = [payment(items=[item("a")], order_reference="A-1")]
    ledger.record(connection, facts, source="webhook")
    return Transaction.objects.get(project=connection.project)


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


def check(client: Client, id: object) -> dict[str, Any]:
    answer = client.get(f"/v1/purchases/{id}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def told_last(sale: Transaction, name: str) -> dict[str, Any]:
    """What the webhook of this event says of the purchase."""
    event = Event.objects.filter(subject=sale.pk, name=name).values().latest("id")
    body = DIALECTS["paysecure"].body(news_of(event))
    assert body is not None
    return json.loads(body)["message"]


def test_it_answers_what_the_webhook_says(
    client: Client, sale: Transaction, connection: Connection
) -> None:
    told = check(client, sale.pk)
    assert told["status"] == "PAID"
    assert (told["purchase"]["total"], told["merchantRef"]) == (19.99, "A-1")
    assert told == told_last(sale, "payment.success")
    ledger.record(connection, [refund(1, 500)], source="webhook")
    told = check(client, sale.pk)
    assert told["status"] == "PARTIAL_REFUNDED"
    assert told == told_last(sale, "payment.refund")


def test_any_id_of_it_will_do(client: Client, sale: Transaction) -> None:
    old = TransactionAlias.objects.create(id=make_project().pk, transaction=sale)
    told = check(client, sale.pk)
    for id in ("pi_1", "pi_1/", old.pk, f"{sale.pk}/"):
        assert check(client, id) == told


@pytest.mark.parametrize("id", ["nothing", "%00", "x" * 300, "pi_2"])
def test_what_is_not_there(client: Client, sale: Transaction, id: str) -> None:
    answer = client.get(f"/v1/purchases/{id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_missing"


def test_somebody_elses_is_not_there(project: Project, sale: Transaction) -> None:
    for shop in (make_project(), make_project(merchant=project.merchant)):
        for id in ("pi_1", sale.pk):
            answer = key_client(shop).get(f"/v1/purchases/{id}")
            assert answer.status_code == 404
    answer = key_client(project, "write").get("/v1/purchases/pi_1")
    assert answer.status_code == 403
