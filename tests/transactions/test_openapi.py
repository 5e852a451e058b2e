"""The description of the API is true: names, objects, errors, and the page to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator
from schemathesis.checks import CHECKS, load_all_checks

from merchant.api_query import PAGING
from merchant.api_schema import schema_text
from merchant.models import Project
from merchant.wsgi import application
from tests.factories import (
    make_api_key,
    make_dispute,
    make_item,
    make_refund,
    make_transaction,
)
from transactions.api.examples import EXAMPLE, LISTED
from transactions.api.schema import PARAMETERS
from transactions.filter_fields import FIELDS
from transactions.rendering import transaction_object

#: What is asked of every answer. Not that whatever fits a parameter's type is taken: a
#: project must also be there.
load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


ROUTES = ["/v1/transactions", "/v1/transactions/{id}"]


@pytest.fixture
def described(project: Project) -> Iterator[Any]:
    row = make_transaction(project=project)
    make_item(row)
    more = {"transaction": row, "created": row.created}
    make_refund(row, status="pending")
    make_dispute(provider_id="dp_1", status="open", **more)
    make_transaction(project=project, amount=None, currency="", method="", paid=None)
    # As Django's own client does: the test's connection outlives the requests.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/v1/openapi.json", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _ask(operation: Any, authorization: str, most: int) -> None:
    @settings(
        max_examples=most,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers_as_described(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": authorization}, checks=CHECKED)

    answers_as_described()


@pytest.mark.parametrize("route", ROUTES)
def test_answers_are_as_described(described: Any, project: Project, route: str) -> None:
    _, text = make_api_key(project)
    _ask(described[route]["GET"], f"Bearer {text}", most=60)


@pytest.mark.parametrize("route", ROUTES)
def test_refusals_are_as_described(described: Any, route: str) -> None:
    _ask(described[route]["GET"], "Bearer mk_no", most=5)


def test_every_parameter_is_described() -> None:
    assert set(PARAMETERS) == {*FIELDS, *PAGING}


def test_the_description_needs_no_key(db: None) -> None:
    answer = Client().get("/v1/openapi.json")
    told = answer.json()
    assert answer["Content-Type"] == "application/json"
    assert told["openapi"].startswith("3.")
    assert {"/v1/transactions", "/v1/transactions/{id}"} <= set(told["paths"])
    assert set(told["components"]["securitySchemes"]) == {"Bearer", "Basic", "APIKey"}
    for operations in told["paths"].values():
        for operation in operations.values():
            assert operation["security"], "every route of the API wants a key"


@pytest.mark.parametrize(
    ("name", "example"),
    [("TransactionObject", EXAMPLE), ("TransactionListObject", LISTED)],
)
def test_the_examples_fit_the_description(name: str, example: dict[str, Any]) -> None:
    _fits(name, example)


def test_a_row_fits_the_description(project: Project) -> None:
    row = make_transaction(project=project)
    told = transaction_object(row)
    _fits("TransactionObject", told)
    assert set(told) == set(EXAMPLE)


def _fits(name: str, told: dict[str, Any]) -> None:
    components = json.loads(schema_text())["components"]["schemas"]
    text = json.dumps(_with_nulls(components))
    root = {"$ref": f"#/components/schemas/{name}"}
    root["components"] = {"schemas": json.loads(text)}  # type: ignore[assignment]
    wrapped = {"allOf": [{"$ref": root["$ref"]}], "components": root["components"]}
    Draft4Validator(wrapped).validate(told)


def _with_nulls(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema says "or null"."""
    if isinstance(node, list):
        return [_with_nulls(part) for part in node]
    if not isinstance(node, dict):
        return node
    inner = {name: _with_nulls(part) for name, part in node.items()}
    if inner.pop("nullable", False) is True:
        return {"anyOf": [inner, {"type": "null"}]}
    return inner


# ---------------------------------------------------------------------- to be read
def test_the_page_needs_no_login_and_no_inline_script(db: None) -> None:
    answer = Client().get("/v1/docs")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "<style" not in text and "<script>" not in text and "style=" not in text
    policy = answer["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "unsafe" not in policy


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_shows_the_routes(page: Any, live_server: Any) -> None:
    """The page fixture fails on errors in the console and on breaches of the CSP."""
    page.goto(f"{live_server.url}/v1/docs")
    page.get_by_role("button", name="GET /v1/transactions List").click()
    page.get_by_text("created[gte]").first.wait_for()
    page.get_by_text("Short name or id of a project").first.wait_for()
