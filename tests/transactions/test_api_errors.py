"""Whatever goes wrong under /v1 is told in JSON, in one shape, and never redirects."""

from __future__ import annotations

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.test import Client

from merchant.models import Project
from tests.transactions.api_client import key_client
from transactions.api import transactions

ANYTHING = ["get", "post", "put", "patch", "delete", "head", "options"]
UNKNOWN = [
    "/v1",
    "/v1/",
    "/v1/nothing",
    "/v1/nothing/",
    "/v1//transactions",
    "/v1/transactions/a/b",
    "/v1/../login/",
]


@pytest.fixture
def client(project: Project) -> Client:
    return key_client(project)


def _error(answer) -> dict:
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Request-Id"].startswith("req_")
    error = answer.json()["error"]
    assert set(error) == {"type", "code", "message", "param"}
    return error


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_route_is_told_in_json(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert _error(answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize("method", ANYTHING)
def test_nothing_redirects_and_nothing_asks_for_a_token(method: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = getattr(strict, method)("/v1/nothing")
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/refunds/x"])
def test_a_wrong_method_is_told_in_json(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert _error(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("statuss=paid", "statuss"),
        ("status=payed", "status"),
        ("created=2026-01-01", "created"),
        ("created[gt]=2026-01-01", "created[gt]"),
        ("created%5Bgte%5D=yesterday", "created[gte]"),
        ("amount[gte]=19.99", "amount[gte]"),
        ("livemode=perhaps", "livemode"),
        ("livemode=true&livemode=false", "livemode"),
        ("provider=paypal", "provider"),
        ("currency=zzz", "currency"),
        ("country=Germany", "country"),
        ("project=nobody", "project"),
        ("fulfilment=soon", "fulfilment"),
        ("q=%00", "q"),
        ("q=" + "x" * 301, "q"),
        ("status[oops]=paid", "status[oops]"),
        ("customer=" + ",".join(map(str, range(51))), "customer"),
        ("limit=2&limit=3", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(client: Client, query: str, param: str) -> None:
    answer = client.get(f"/v1/transactions?{query}")
    assert answer.status_code == 400
    error = _error(answer)
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert error["message"].endswith(".")


def test_too_many_parameters_are_refused(client: Client) -> None:
    answer = client.get("/v1/transactions?" + "&".join(["q=a"] * 1100))
    assert answer.status_code == 400
    _error(answer)


@pytest.mark.parametrize("path", ["/v1/exports", "/v1/refunds"])
@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "[" * 900 + '"\\ud800"' + "]" * 900,
        '"\\ud800"',
        '{"\\udfff": 1}',
        '{"filters": {"q": 1',
    ],
)
def test_a_body_that_nobody_can_read_is_refused(
    project: Project, path: str, body: str
) -> None:
    client = key_client(project, "read", "refund")
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code == 400
    assert _error(answer)["code"] == "request_unreadable"


def test_half_a_character_is_named(client: Client) -> None:
    for body, param in (
        ('{"filters": {"q": "\\ud800"}}', "filters[q]"),
        ('{"columns": ["id", "\\ud800"]}', "columns"),
        ('{"filters": {"\\udfff": 1}}', "filters"),
    ):
        answer = client.post("/v1/exports", body, content_type="application/json")
        assert answer.status_code == 400
        assert _error(answer)["param"] == param


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "x", ""])
def test_the_answer_is_json_whatever_was_acceptable(
    client: Client, accept: str
) -> None:
    answer = client.get("/v1/transactions?format=xml", headers={"accept": accept})
    assert _error(answer)["param"] == "format"
    answer = client.get("/v1/transactions", headers={"accept": accept})
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("mistake", "status", "type"),
    [
        (KeyError("secret words"), 500, "api_error"),
        (OperationalError("secret words"), 503, "api_error"),
        (SuspiciousOperation("odd"), 400, "invalid_request_error"),
    ],
)
def test_our_own_mistake_is_told_without_its_words(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Exception,
    status: int,
    type: str,
) -> None:
    def fail(*_args, **_more):
        raise mistake

    monkeypatch.setattr(transactions, "take", fail)
    answer = client.get("/v1/transactions")
    assert answer.status_code == status
    assert _error(answer)["type"] == type
    assert "secret words" not in answer.content.decode()
    assert ("Retry-After" in answer) == (status == 503)


def test_paynows_clients_get_paynows_shape(client: Client) -> None:
    answer = client.get("/v1/stores/1/nothing")
    assert answer.status_code == 404
    told = answer.json()
    assert set(told) == {"status", "code", "message", "trace_id", "errors"}
    assert (told["status"], told["code"]) == (404, "not-found")
    assert told["trace_id"] == answer["Request-Id"]


def test_a_foreign_host_name_is_refused_in_json(client: Client) -> None:
    answer = client.get("/v1/transactions", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert _error(answer)["code"] == "request_unreadable"


def test_a_failure_before_the_view_is_told_in_json(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args, **_more):
        raise KeyError("secret words")

    monkeypatch.setattr(
        "django.middleware.common.CommonMiddleware.process_request", fail
    )
    client.raise_request_exception = False
    answer = client.get("/v1/transactions")
    assert answer.status_code == 500
    assert _error(answer)["type"] == "api_error"
    assert "secret words" not in answer.content.decode()
