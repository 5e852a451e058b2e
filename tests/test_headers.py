"""What every answer tells the browser, whatever it is an answer to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from merchant import rate_limit
from merchant.models import Member
from tests.conftest import client_of
from tests.factories import PASSWORD, make_connection
from tests.test_tenants import ROUTES, url
from tests.transactions.api_client import key_client
from tests.webhooks import deliveries
from transactions import selectors

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent

#: Public, and the same for everybody.
MAY_BE_KEPT = {"/v1/docs", "/v1/openapi.json"}


def checked(answer: HttpResponse, status: int, *, kept: bool = False) -> None:
    """The answer has this status and lets nothing in: no frame, script, guess, copy."""
    assert answer.status_code == status
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    for weak in ("unsafe", "http:", "https:", "*"):
        assert weak not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert kept or "no-store" in answer["Cache-Control"]


def test_pages_api_and_their_refusals(owner: Member) -> None:
    visitor, member = Client(), client_of(owner)
    key = key_client(owner.merchant.projects.get())
    for path, status in {
        "/login/": 200, "/password/reset/": 200, "/password/reset/done/": 200,
        "/password/reset/key/1-x/": 200, "/password/reset/key/done/": 200,
        "/inactive/": 200, "/no-such-page/": 404, "/transactions/": 302,
        "/healthz": 200, "/metrics": 401, "/v1/transactions": 401,
        "/v1/nothing": 404, "/v1/docs": 200, "/v1/openapi.json": 200,
        "/hooks/stripe/x": 404, "/static/nothing.css": 404,
    }.items():  # fmt: skip
        checked(visitor.get(path), status, kept=path in MAY_BE_KEPT)
    for path, status in {
        "/transactions/": 200, "/inbound/": 200, "/inbound/refused/": 200,
        "/password/change/": 200, "/logout/": 200, "/nothing/": 404,
        "/transactions/?status=nonsense": 422, "/theme/": 405,
    }.items():  # fmt: skip
        checked(member.get(path), status)
    for path, status in {
        "/v1/transactions": 200, "/v1/transactions?limit=x": 400,
        "/v1/transactions/x": 404, "/metrics": 200,
    }.items():  # fmt: skip
        checked(key.get(path), status)
    checked(key.delete("/v1/transactions"), 405)


@pytest.mark.parametrize("path", ["/login/", "/v1/transactions"])
def test_a_host_name_that_is_not_ours(path: str) -> None:
    answer = Client(HTTP_HOST="evil.example").get(path)
    checked(answer, 400)
    assert b"evil.example" not in answer.content


def test_failures(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    member = client_of(owner)
    member.raise_request_exception = False
    key = key_client(owner.merchant.projects.get())
    key.raise_request_exception = False
    for error, status in (
        (RuntimeError("secret detail"), 500),
        (OperationalError("away"), 503),
    ):

        def fail(*_args: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(selectors, "visible_to", fail)
        monkeypatch.setattr(selectors, "of_project", fail)
        for answer in (member.get("/transactions/"), key.get("/v1/transactions")):
            checked(answer, status)
            assert str(error).encode() not in answer.content


def test_too_many_requests(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "seconds_to_wait", lambda name: 1.0)
    answer = key_client(owner.merchant.projects.get()).get("/v1/transactions")
    checked(answer, 429)
    assert answer["Retry-After"] == "1"


def test_deliveries(owner: Member) -> None:
    connection = make_connection("stripe", project=owner.merchant.projects.get())
    body = deliveries.body("stripe")
    checked(deliveries.post(connection, body), 200)
    checked(deliveries.post(connection, body, {}), 401)
    checked(Client().get(connection.intake_path), 405)


def test_files(settings, tmp_path: Path) -> None:
    (tmp_path / "mark.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    settings.STATIC_ROOT = tmp_path
    checked(Client().get("/static/mark.svg"), 200, kept=True)


def test_no_form_works_without_its_token(owner: Member) -> None:
    """Every address that takes a POST but the API's, which takes no session."""
    client = Client(enforce_csrf_checks=True)
    client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    client.cookies = client_of(owner).cookies
    for address, route in ROUTES.items():
        if "POST" in route.methods and not address.startswith("v1/"):
            path = url(address, owner.pk)
            checked(client.post(path), 403)
            foreign = client.post(path, headers={"origin": "https://evil.example"})
            checked(foreign, 403)


def test_a_session_handed_over_before_the_login_is_worth_nothing(
    owner: Member,
) -> None:
    client = Client()
    session = client.session
    session["planted"] = "yes"
    session.save()
    planted = session.session_key
    client.cookies["session"] = planted
    client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    assert client.cookies["session"].value != planted
    thief = Client()
    thief.cookies["session"] = planted
    assert thief.get("/transactions/").status_code == 302


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(owner: Member) -> None:
    client = Client()
    client.get("/login/")
    client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    client.post("/theme/", {"theme": "dark"})
    assert {"session", "csrf", "theme"} <= set(client.cookies)
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]


def test_nothing_is_left_to_say_about_a_deployment(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "merchant.settings",
        "SECRET_KEY": "k1" * 10 + "abcdefghijklmnopqrstuvwxyz-0123456789",
        "PUBLIC_URL": "https://pay.example.com",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, "manage.py", "check", "--deploy"]
    command += ["--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
