"""Up, ready, busy: what load balancers and operators are told."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from merchant import health, queue
from merchant.models import Project
from tests.factories import make_api_key, make_connection, make_inbound_event
from tests.live import free_port


def raise_away(*_args: object, **_more: object) -> HttpResponse:
    raise OperationalError("server closed the connection unexpectedly")


def broken_middleware(get_response):  # noqa: ANN001, ANN201
    return raise_away


def fine(request: HttpRequest) -> HttpResponse:
    return HttpResponse("fine")


urlpatterns = [
    path("away/", raise_away),
    path("v1/away", raise_away),
    path("fine/", fine),
]
handler500 = "merchant.views.errors.failed"


# --------------------------------------------------------------------- liveness
def test_healthz_needs_no_database() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_healthz_does_not_ask_for_a_host_name() -> None:
    assert Client().get("/healthz", HTTP_HOST="10.1.2.3:8000").status_code == 200


def test_healthz_is_read_only() -> None:
    assert Client().post("/healthz").status_code == 405


# -------------------------------------------------------------------- readiness
@pytest.mark.django_db
def test_readyz_is_ready_when_all_is_there() -> None:
    queue.import_string("merchant.health.beat")()
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told["missing"] == {}
    assert told["worker_heard_seconds_ago"] in {0, 1}


@pytest.mark.django_db
def test_readyz_without_a_worker_is_ready_and_says_so() -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["worker_heard_seconds_ago"] is None


@pytest.mark.django_db
def test_readyz_names_the_database(monkeypatch) -> None:
    monkeypatch.setattr(connection, "cursor", raise_away)
    monkeypatch.setattr(connection, "close", lambda: None)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["missing"]) == ["database"]


@pytest.mark.django_db
def test_readyz_names_missing_migrations(monkeypatch) -> None:
    monkeypatch.setattr(health, "_seen_migrated", False)
    monkeypatch.setattr(
        health.MigrationExecutor, "migration_plan", lambda *_: [("merchant", "0009")]
    )
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["missing"]["migrations"]


@pytest.mark.django_db
def test_readyz_names_a_redis_that_is_gone(settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    health._redis.cache_clear()
    answer = Client().get("/readyz")
    health._redis.cache_clear()
    assert answer.status_code == 503
    assert list(answer.json()["missing"]) == ["redis"]


@pytest.mark.django_db
def test_readyz_names_missing_encryption_keys(settings) -> None:
    settings.ENCRYPTION_KEYS = []
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["missing"]) == ["encryption_keys"]


# ------------------------------------------------------------------------- busy
def away(client: Client) -> HttpResponse:
    client.raise_request_exception = False
    return client.get("/away/")


def test_a_page_whose_database_is_away_says_when_to_come_back(settings) -> None:
    settings.ROOT_URLCONF = __name__
    answer = away(Client())
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "Content-Security-Policy" in answer
    assert b"Nothing is lost" in answer.content


def test_a_program_is_told_in_json(settings) -> None:
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)
    answer = client.get("/v1/away")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "busy"
    assert int(answer["Retry-After"]) > 0


def test_an_error_before_the_view_is_told_the_same_way(settings) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.broken_middleware"]
    assert away(Client()).status_code == 503


def test_other_pages_are_left_alone(settings) -> None:
    settings.ROOT_URLCONF = __name__
    assert Client().get("/fine/").content == b"fine"


# ---------------------------------------------------------------------- metrics
@pytest.mark.django_db
def test_metrics_need_a_key() -> None:
    assert Client().get("/metrics").status_code == 401


@pytest.mark.django_db
def test_metrics_tell_how_the_work_of_the_key_s_project_stands(
    project: Project,
) -> None:
    account = make_connection(project=project)
    make_inbound_event(connection=account)
    make_inbound_event(connection=account, state="quarantined")
    make_inbound_event()  # another project's
    _row, text = make_api_key(project)
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    lines = answer.content.decode().splitlines()
    assert 'merchant_inbound_events{state="pending"} 1.0' in lines
    assert 'merchant_inbound_events{state="quarantined"} 1.0' in lines
    assert "merchant_worker_heard_seconds -1.0" in lines
