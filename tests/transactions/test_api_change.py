"""POST /v1/transactions/{id}: callbacks, the shop's order number, metadata."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from merchant.models import Connection, Project
from tests.factories import make_connection, make_project, make_transaction
from tests.transactions.api_client import key_client
from tests.transactions.staff import WHEN, payment
from transactions import ledger, refold
from transactions.models import Callback, TimelineEntry, Transaction
from transactions.models import TransactionAlias as Alias
from webhooks.models import Event

pytestmark = pytest.mark.django_db

URL = "https://shop.example.com/paid"
CONFIRMED = {"weight": 5, "order_reference": "theirs", "metadata": {"a": "1", "b": "2"}}


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


@pytest.fixture
def sale(connection: Connection) -> Transaction:
    """A purchase that its provider has told of, in a project with one endpoint."""
    ledger.record(connection, [payment(**CONFIRMED)], source="webhook")
    return Transaction.objects.get(project=connection.project)


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project, "read", "write")


def post(client: Client, id: object, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = client.post(
        f"/v1/transactions/{id}", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def form(client: Client, id: object, text: str) -> dict[str, Any]:
    kind = "application/x-www-form-urlencoded"
    answer = client.post(f"/v1/transactions/{id}", text, content_type=kind)
    assert answer.status_code == 200, answer.content
    return answer.json()


# ----------------------------------------------------------------- the words on the row
def test_what_is_given_is_set_and_the_rest_stays(
    client: Client, sale: Transaction
) -> None:
    told = post(client, sale.pk, order_reference="A-17", metadata={"b": "9", "c": 3})
    assert told["order_reference"] == "A-17"
    assert told["metadata"] == {"a": "1", "b": "9", "c": 3}
    assert told["sequence"] == sale.sequence + 1
    again = client.get(f"/v1/transactions/{sale.pk}").json()
    assert {name: told[name] for name in again} == again


def test_a_form_says_the_same(client: Client, sale: Transaction) -> None:
    told = form(client, sale.pk, "order_reference=A-17&metadata[b]=9&metadata[d]=x")
    assert told["order_reference"] == "A-17"
    assert told["metadata"] == {"a": "1", "b": "9", "d": "x"}


def test_an_empty_value_takes_its_key_away(client: Client, sale: Transaction) -> None:
    told = post(client, sale.pk, order_reference="", metadata={"a": "", "zzz": None})
    assert (told["order_reference"], told["metadata"]) == (None, {"b": "2"})
    told = form(client, sale.pk, "metadata=")
    assert told["metadata"] == {}
    told = post(client, sale.pk, metadata={"a": "back"})
    assert told["metadata"] == {"a": "back"}


def test_the_same_words_again_change_nothing(client: Client, sale: Transaction) -> None:
    first = post(client, sale.pk, order_reference="A-17", metadata={"c": "3"})
    again = post(client, sale.pk, order_reference="A-17", metadata={"c": "3"})
    assert again == first
    assert post(client, sale.pk) == first
    assert TimelineEntry.objects.filter(source="api").count() == 1


def test_it_is_announced_once_and_told_in_the_timeline(
    client: Client, sale: Transaction
) -> None:
    post(client, sale.pk, order_reference="A-17", metadata={"c": "3"})
    assert Event.objects.filter(subject=sale.pk, name="payment.updated").count() == 1
    entry = TimelineEntry.objects.get(source="api")
    assert "A-17" in entry.summary and "API key" in entry.summary


def test_any_order_of_words_and_facts_gives_the_same_row(project: Project) -> None:
    """The provider may speak before or after; refolding changes nothing."""
    later = payment(**CONFIRMED | {"order_reference": "late", "metadata": {"c": "p"}})
    rows = set()
    for place in range(3):
        shop = make_project()
        connection = make_connection("stripe", project=shop)
        client = key_client(shop, "write")
        facts = iter([payment(status="pending", at=WHEN), payment(**CONFIRMED), later])
        for number, fact in enumerate(facts):
            ledger.record(connection, [fact], source="webhook")
            if number == place:
                row = Transaction.objects.get(project=shop)
                post(client, row.pk, order_reference="A-17", metadata={"b": "9"})
        row = Transaction.objects.get(project=shop)
        rows.add((row.order_reference, json.dumps(row.metadata, sort_keys=True)))
        assert refold.refold(shop)["changed"] == 0
    assert rows == {("A-17", '{"a": "1", "b": "9", "c": "p"}')}


# ------------------------------------------------------------------------- callbacks
def test_callbacks_are_set_and_shown(client: Client, sale: Transaction) -> None:
    told = post(client, sale.pk, success_callback=URL)
    assert (told["success_callback"], told["failure_callback"]) == (URL, None)
    told = form(client, sale.pk, f"failure_callback={URL}&success_callback=")
    assert (told["success_callback"], told["failure_callback"]) == (None, URL)


def test_all_or_nothing(client: Client, sale: Transaction) -> None:
    told = post(
        client,
        sale.pk,
        400,
        success_callback=URL,
        failure_callback="http://127.0.0.1/",
        order_reference="A-17",
    )
    assert told["error"]["param"] == "failure_callback"
    assert told["error"]["code"] == "url_not_allowed"
    assert not Callback.objects.exists()
    sale.refresh_from_db()
    assert sale.order_reference == "theirs"


# -------------------------------------------------------------------- who, and what not
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"order_referenc": "x"}, "order_referenc"),
        ({"order_reference": 7}, "order_reference"),
        ({"order_reference": "x" * 201}, "order_reference"),
        ({"order_reference": "a\x00b"}, "order_reference"),
        ({"order_reference": "a\nb"}, "order_reference"),
        ({"success_callback": ["x"]}, "success_callback"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": {"b": 1}}}, "metadata[a]"),
        ({"metadata": {"a": "\x00"}}, "metadata[a]"),
        ({"metadata": {"a": "\ud800"}}, "metadata[a]"),
        ({"metadata": {"a": "x" * 501}}, "metadata[a]"),
        ({"metadata": {"x" * 41: "1"}}, f"metadata[{'x' * 40}]"),
        ({"metadata": {str(n): n for n in range(51)}}, "metadata"),
    ],
)
def test_a_wrong_value_is_named(
    client: Client, sale: Transaction, body: dict[str, Any], param: str
) -> None:
    assert post(client, sale.pk, 400, **body)["error"]["param"] == param


def test_metadata_does_not_grow_without_end(client: Client, sale: Transaction) -> None:
    for first in range(0, 98, 49):
        keys = range(first, first + 49)
        post(client, sale.pk, metadata={f"k{number}": "x" for number in keys})
    told = post(client, sale.pk, 400, metadata={"one": "1", "more": "2"})
    assert told["error"]["param"] == "metadata"


def test_writing_needs_the_scope(project: Project, sale: Transaction) -> None:
    told = post(
        key_client(project, "read", "refund"), sale.pk, 403, order_reference="x"
    )
    assert told["error"]["code"] == "scope_missing"


def test_a_purchase_of_somebody_else_is_not_there(client: Client) -> None:
    row = make_transaction()
    for id in (row.pk, "nothing", "\u2603"):
        assert post(client, id, 404, order_reference="x")["error"]["param"] == "id"
    row.refresh_from_db()
    assert row.order_reference != "x"


def test_an_old_id_leads_to_the_row(client: Client, sale: Transaction) -> None:
    old = Alias.objects.create(id=make_project().pk, transaction=sale).pk
    assert post(client, old, order_reference="A-17")["id"] == str(sale.pk)


def test_a_repeated_request_is_answered_as_before(
    client: Client, sale: Transaction
) -> None:
    path, headers = f"/v1/transactions/{sale.pk}", {"Idempotency-Key": "once"}
    answers = []
    for words in ("A-1", "A-1", "A-2"):
        answers.append(
            client.post(
                path,
                json.dumps({"order_reference": words}),
                content_type="application/json",
                headers=headers,
            )
        )
        post(client, sale.pk, metadata={"n": str(len(answers))})
    assert answers[1].json() == answers[0].json()
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert answers[2].status_code == 400
    assert answers[2].json()["error"]["type"] == "idempotency_error"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(
    client: Client, sale: Transaction, method: str
) -> None:
    answer = getattr(client, method)(f"/v1/transactions/{sale.pk}")
    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}
