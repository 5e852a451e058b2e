"""The description of the post room's part of the API is true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client

from merchant.models import Project
from merchant.wsgi import application
from tests.factories import make_api_key, make_transaction
from tests.transactions.test_openapi import _ask, _fits
from tests.webhooks.telling import make_delivery, make_endpoint, make_event
from transactions.api.purchase_schema import EXAMPLE as PURCHASE
from webhooks.api import endpoint_schema, event_schema, store_schema
from webhooks.api.endpoints import endpoint_object
from webhooks.api.event_schema import PARAMETERS
from webhooks.api.events import KNOWN, event_objects
from webhooks.api.store_history import page
from webhooks.catalogue import KINDS

READ = [
    "/v1/events",
    "/v1/events/{id}",
    "/v1/webhook_endpoints",
    "/v1/webhook_endpoints/{id}",
    "/v1/stores/{store}/webhooks",
    "/v1/stores/{store}/webhooks/{id}/history",
    "/v1/stores/{store}/webhooks/variables",
    "/v1/purchases/{id}",
]
WRITTEN = [
    "/v1/webhook_endpoints",
    "/v1/stores/{store}/webhooks",
    "/v1/stores/{store}/webhooks/resend",
    "/v1/transactions/{id}",
]


@pytest.fixture
def described(project: Project) -> Iterator[Any]:
    make_transaction(project=project)
    endpoint = make_endpoint(project, dialect="paynow")
    make_delivery(make_event(project), endpoint)
    # As Django's own client does: the test's connection outlives the requests.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/v1/openapi.json", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("route", READ)
def test_answers_are_as_described(described: Any, project: Project, route: str) -> None:
    _, text = make_api_key(project)
    _ask(described[route]["GET"], f"Bearer {text}", most=20)


@pytest.mark.parametrize("route", WRITTEN)
def test_changes_are_as_described(described: Any, project: Project, route: str) -> None:
    _, text = make_api_key(project, ["read", "write"])
    _ask(described[route]["POST"], f"Bearer {text}", most=20)


@pytest.mark.parametrize("route", ["/v1/events", "/v1/stores/{store}/webhooks"])
def test_refusals_are_as_described(described: Any, route: str) -> None:
    _ask(described[route]["GET"], "Bearer mk_no", most=5)


def test_every_parameter_is_described() -> None:
    assert set(PARAMETERS) == set(KNOWN)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("EventObject", event_schema.EXAMPLE),
        ("EventListObject", event_schema.LISTED),
        ("WebhookEndpoint", endpoint_schema.EXAMPLE),
        ("NewWebhookEndpoint", endpoint_schema.NEW),
        ("WebhookEndpointList", endpoint_schema.LISTED),
        ("WebhookSubscription", store_schema.EXAMPLE),
        ("Purchase", PURCHASE),
    ],
)
def test_the_examples_fit_the_description(name: str, example: dict[str, Any]) -> None:
    _fits(name, example)


def test_rows_fit_the_description(project: Project) -> None:
    endpoint = make_endpoint(project, dialect="paynow", reason="It answered 410.")
    told = endpoint_object(endpoint)
    _fits("WebhookEndpoint", told)
    assert set(told) == set(endpoint_schema.EXAMPLE)
    for name in KINDS:
        event = make_event(project, name)
        _fits("EventObject", event_objects([event])[0])
        make_delivery(event, endpoint)
    _fits("History", {"page": 0, "history": page(endpoint, 0, "all")})


def test_the_page_to_read_has_them_all(db: None) -> None:
    told = Client().get("/v1/openapi.json").json()["paths"]
    assert {*READ, *WRITTEN} <= set(told)
    assert set(told["/v1/webhook_endpoints/{id}"]) == {"get", "post", "delete"}
    assert set(told["/v1/stores/{store}/webhooks/{id}"]) == {"patch", "delete"}
