"""A purchase's own callbacks: set through us they win, carried by a provider they are
called only where the project says so and the provider's API has confirmed them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from merchant import connections, http, keys
from merchant.models import ApiKey, AuditEntry, Project
from merchant.providers import PROVIDERS
from merchant.providers.base import Answer, Want
from merchant.sandbox.paysecure import bodies
from merchant.sandbox.shop import plan
from tests.factories import make_connection, make_transaction
from transactions import callbacks, ledger
from transactions.models import Callback, TimelineEntry, Transaction
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

URL, OTHER = "https://shop.example.com/paid", "https://shop.example.com/other"


@pytest.fixture
def key(project: Project) -> ApiKey:
    return keys.issue(project, ["write"])[0]


@pytest.fixture
def sale(project: Project) -> Transaction:
    connection = make_connection("paysecure", project=project, livemode=False)
    return make_transaction(connection=connection)


def entry(sale: Transaction, source: str, order: int = 1, **urls: str) -> None:
    """That a source says where the purchase reports to."""
    TimelineEntry.objects.create(
        connection=sale.connection, identity=f"{source}{order}", transaction=sale,
        source=source, topic="payment", object_kind="purchase", object_id="p",
        status="paid", order=order, says={"callbacks": [2, urls]},
    )  # fmt: skip
    sale.details = {"callbacks": urls}
    sale.save()


def told(*sales: Transaction) -> dict[tuple[Any, str], str]:
    """(transaction, outcome) -> the URL that is told of it."""
    found = callbacks.addressed([sale.pk for sale in sales])
    return {place: Endpoint.objects.get(pk=id).url for place, id in found.items()}


# ---------------------------------------------------------------------- set through us
def test_an_outcome_is_told_to_its_callback_alone(
    sale: Transaction, key: ApiKey
) -> None:
    callbacks.set_for(sale, "success", URL, key)
    assert told(sale) == {(sale.pk, "success"): URL}
    endpoint = Endpoint.objects.get()
    assert (endpoint.kind, endpoint.dialect) == ("callback", "paysecure")
    assert callbacks.set_on(sale) == {"success": URL, "failure": ""}


def test_it_is_asked_for_in_one_query(
    sale: Transaction, key: ApiKey, django_assert_num_queries: Any
) -> None:
    others = [make_transaction(connection=sale.connection) for _ in range(3)]
    for outcome in ("success", "failure"):
        callbacks.set_for(sale, outcome, URL, key)
    with django_assert_num_queries(1):
        found = callbacks.addressed([sale.pk, *(other.pk for other in others)])
    assert len(found) == 2


def test_one_url_is_one_endpoint_of_a_project(sale: Transaction, key: ApiKey) -> None:
    second = make_transaction(connection=sale.connection)
    elsewhere = make_transaction()
    for row in (sale, second, elsewhere):
        callbacks.set_for(row, "success", URL, key)
    assert Endpoint.objects.filter(project=sale.project).count() == 1
    assert Endpoint.objects.count() == 2


def test_a_callback_can_be_changed_and_taken_back(
    sale: Transaction, key: ApiKey
) -> None:
    for url in (URL, URL, OTHER):
        callbacks.set_for(sale, "failure", url, key)
    assert told(sale) == {(sale.pk, "failure"): OTHER}
    callbacks.set_for(sale, "failure", "", key)
    assert told(sale) == {}
    notes = AuditEntry.objects.filter(verb="transaction.callback_set").order_by("id")
    assert [note.detail["url"] for note in notes] == [URL, OTHER, ""]


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/paid",
        "https://10.0.0.1/paid",
        "https://127.0.0.1:8443/hooks/paysecure/1",
        "https://user:word@shop.example.com/",
        "ftp://shop.example.com/",
        "https://pay.example.com/hooks/paysecure/1",
    ],
)
def test_an_address_that_must_not_be_called_is_refused(
    sale: Transaction, key: ApiKey, settings: Any, url: str
) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"
    with pytest.raises(http.NotAllowed):
        callbacks.set_for(sale, "success", url, key)
    assert not Callback.objects.exists()
    assert not Endpoint.objects.exists()


# --------------------------------------------------------------- carried by a purchase
def test_what_a_provider_carries_is_not_called(sale: Transaction) -> None:
    entry(sale, "look_up", success=URL, failure=OTHER)
    assert told(sale) == {}


def test_a_project_may_honour_what_its_provider_confirmed(
    sale: Transaction, project: Project
) -> None:
    Project.objects.filter(pk=project.pk).update(honour_callbacks=True)
    entry(sale, "webhook", 9, success="https://evil.example.com/", failure=OTHER)
    assert told(sale) == {}
    entry(sale, "look_up", 1, success=URL)
    assert told(sale) == {(sale.pk, "success"): URL}
    entry(sale, "poll", 2, success=OTHER)
    assert told(sale) == {(sale.pk, "success"): OTHER}


def test_our_own_intake_is_never_called(
    sale: Transaction, project: Project, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"
    Project.objects.filter(pk=project.pk).update(honour_callbacks=True)
    intake = f"https://pay.example.com{sale.connection.intake_path}"
    entry(sale, "look_up", success=intake, failure="http://169.254.169.254/")
    assert told(sale) == {}


def test_a_purchase_of_the_sandbox_is_one_of_ours(sale: Transaction) -> None:
    entry(sale, "look_up", success=URL)
    for base, live in (
        ("https://api.paysecure.example", False),
        ("http://127.0.0.1:8090/paysecure", True),
    ):
        sale.connection.base_url, sale.connection.livemode = base, live
        sale.connection.save()
        assert told(sale) == {}
    sale.connection.base_url = "http://127.0.0.1:8090/paysecure"
    sale.connection.livemode = False
    sale.connection.save()
    assert told(sale) == {(sale.pk, "success"): URL}


def test_what_was_set_through_us_wins(sale: Transaction, key: ApiKey) -> None:
    Project.objects.filter(pk=sale.project_id).update(honour_callbacks=True)
    entry(sale, "look_up", success=URL, failure=URL)
    callbacks.set_for(sale, "success", OTHER, key)
    assert told(sale) == {(sale.pk, "success"): OTHER, (sale.pk, "failure"): URL}


# ------------------------------------------------------------------- what is announced
def told_of(project: Project) -> dict[str, set[str]]:
    """event -> the URLs that are told of it."""
    found: dict[str, set[str]] = {}
    for row in Delivery.objects.filter(project=project).select_related("endpoint"):
        found.setdefault(row.name, set()).add(row.endpoint.url)
    return found


def test_the_outcome_of_a_sandbox_purchase_goes_to_its_callback(
    project: Project,
) -> None:
    """Begun by a call, learned by a look-up: the project's endpoint hears the rest."""
    long_ago = datetime.now(UTC) - timedelta(days=1)
    shop = Endpoint.objects.create(
        project=project, url="https://shop.example.com/all", created=long_ago
    )
    connection = make_connection(
        "paysecure", project=project, livemode=False, api_key="sandbox-key",
        base_url="http://127.0.0.1:8090/paysecure",
    )  # fmt: skip
    now = datetime.now(UTC)
    purchase = plan(7, 1, now - timedelta(hours=5), "paysecure", ending="paid")
    purchase.callbacks = {"success": URL, "failure": OTHER}
    keys = connections.keys_of(connection)
    for step in purchase.steps:
        purchase.told.append(step)
        body = json.dumps(bodies.now(purchase, now)).encode()
        facts = PROVIDERS["paysecure"].fetch(
            Want("purchase", bodies.purchase_id(purchase)),
            keys,
            lambda *_args, body=body, **_more: Answer(200, {}, body),
        )
        ledger.record(connection, facts, source="look_up")
    told = told_of(project)
    assert told["payment.success"] == {URL}
    assert told["payment.created"] == {shop.url}
    assert OTHER not in {url for urls in told.values() for url in urls}
