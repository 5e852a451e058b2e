"""A delivery is kept as it came, once, and only then its sender hears so."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from merchant import connections, queue
from merchant.models import Connection
from tests.factories import make_connection, make_secret
from tests.webhooks import deliveries
from webhooks import intake
from webhooks.models import InboundEvent, Refusal

pytestmark = pytest.mark.django_db

#: What each provider wants to hear the first time: (type, body).
ANSWERS = {
    "stripe": ("application/json", b'{"received": true, "duplicate": false}'),
    "paysecure": ("application/json", b'{"received": true, "duplicate": false}'),
    "paysuper": (None, b""),
    "paynow": ("text/plain", b"OK"),
}


@pytest.fixture(params=deliveries.EVERY)
def connection(request: pytest.FixtureRequest) -> Connection:
    return make_connection(request.param)


@pytest.fixture
def rung(monkeypatch) -> list[str]:
    jobs: list[str] = []
    monkeypatch.setattr(queue, "ring", jobs.append)
    return jobs


def test_a_signed_delivery_is_kept_as_it_came(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    response = deliveries.post(connection, body)
    assert response.status_code == 200
    row = InboundEvent.objects.get()
    assert bytes(row.body) == body
    assert row.connection == connection
    assert row.state == "pending"
    assert row.event_key
    assert row.event_type
    assert row.verdict
    assert not row.testing


def test_each_provider_hears_what_it_expects(connection: Connection) -> None:
    response = deliveries.post(connection, deliveries.body(connection.provider))
    kind, body = ANSWERS[connection.provider]
    assert response.content == body
    assert kind is None or response.headers["Content-Type"].startswith(kind)


def test_the_path_may_end_in_a_slash(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    path = f"{connection.intake_path}/"
    assert deliveries.post(connection, body, path=path).status_code == 200


def test_the_answer_stays_in_no_cache(connection: Connection) -> None:
    for body in (deliveries.body(connection.provider), b"{}"):
        headers = deliveries.post(connection, body, {}).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


def test_the_ledger_is_rung_once(connection: Connection, rung: list[str]) -> None:
    body = deliveries.body(connection.provider)
    deliveries.post(connection, body)
    deliveries.post(connection, body)
    assert rung == [settings.INBOX_JOB]


def test_kept_headers_hide_what_proves(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    sent = deliveries.signed(connection, body)
    deliveries.post(connection, body, {**sent, "User-Agent": "shop/1", "Cookie": "a=b"})
    kept = InboundEvent.objects.get().headers
    assert kept["user-agent"] == "shop/1"
    assert kept["content-type"] == "application/json"
    for name, value in sent.items():
        if "timestamp" not in name.lower():
            shown = kept[name.lower().replace("_", "-")]
            assert value not in json.dumps(kept)
            assert shown.endswith(f"({len(value)} characters)")
    assert "a=b" not in json.dumps(kept)


def test_a_new_secret_works_at_once(rung: list[str]) -> None:
    connection = make_connection("paysuper", secret="the-first-secret")
    deliveries.post(connection, deliveries.body("paysuper"))  # now it is remembered
    make_secret(connection, "signing", "the-second-secret")  # by another process
    body = deliveries.body("paysuper")
    assert deliveries.post(connection, body).status_code == 200


def test_what_is_closed_is_unknown(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    headers = deliveries.signed(connection, body)
    connections.close(connection)
    assert deliveries.post(connection, body, headers).status_code == 404
    assert not InboundEvent.objects.exists()


def test_a_connection_closed_by_another_process_refuses_soon(
    connection: Connection,
) -> None:
    body = deliveries.body(connection.provider)
    deliveries.post(connection, body)
    Connection.objects.filter(pk=connection.pk).delete()
    assert deliveries.post(connection, b'{"a":1}', {}).status_code == 404


def test_a_new_connection_is_known_at_once() -> None:
    connection = make_connection("stripe")
    Connection.objects.filter(pk=connection.pk).update(closed=connection.created)
    body = deliveries.body("stripe")
    assert deliveries.post(connection, body).status_code == 404
    Connection.objects.filter(pk=connection.pk).update(closed=None)
    assert deliveries.post(connection, body).status_code == 200


def test_another_provider_of_the_path_is_unknown(connection: Connection) -> None:
    other = "stripe" if connection.provider != "stripe" else "paynow"
    body = deliveries.body(connection.provider)
    path = f"/hooks/{other}/{connection.pk}"
    response = deliveries.post(connection, body, path=path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "connection_unknown"


@pytest.mark.parametrize(
    "path",
    [
        "/hooks",
        "/hooks/",
        "/hooks/stripe",
        "/hooks/stripe/1",
        "/hooks/stripe/00000000-0000-0000-0000-000000000000",
        "/hooks/nobody/00000000-0000-4000-8000-000000000000/",
        "/hooks/stripe/00000000-0000-4000-8000-000000000000/more",
        "/hooks//00000000-0000-4000-8000-000000000000",
        "/hooks/stripe/{00000000-0000-4000-8000-000000000000}",
        "/hooks/stripe/00000000000040008000000000000000",
        "/hooks/str%00ipe/00000000-0000-4000-8000-000000000000",
        "/hooks/../hooks/stripe/%ff",
    ],
)
def test_an_unknown_place_is_404_in_json(path: str) -> None:
    response = Client().post(path, b"{}", content_type="application/json")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "connection_unknown"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_delivers(connection: Connection, method: str) -> None:
    response = Client().generic(method, connection.intake_path)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


def test_other_pages_pass_by(db: None) -> None:
    for path in ("/hooksy", "/healthz"):
        response = Client().get(path)
        assert b"connection_unknown" not in response.content


def test_a_wrong_signature_is_told_in_words(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    response = deliveries.post(connection, body, {})
    assert response.status_code == 401
    error = response.json()["error"]
    assert error["type"] == "authentication_error"
    assert error["code"] == "signature_missing"
    assert error["message"]
    assert not InboundEvent.objects.exists()
    assert Refusal.objects.get().connection == connection


def test_a_mode_of_the_event_is_kept(connection: Connection) -> None:
    deliveries.post(connection, deliveries.body(connection.provider))
    assert InboundEvent.objects.get().livemode in {True, None}


def test_it_works_in_this_process_too(connection: Connection) -> None:
    from django.utils import timezone

    from merchant.providers.base import Incoming

    body = deliveries.body(connection.provider)
    keys = connections.keys_of(connection)
    headers = deliveries.signed(connection, body)
    headers = {name.lower().replace("_", "-"): v for name, v in headers.items()}
    incoming = Incoming(body, headers, timezone.now())
    receipt = intake.receive(connection, keys, incoming)
    assert receipt.status == 200
    assert not receipt.duplicate
    assert receipt.event_id == InboundEvent.objects.get().pk
    again = intake.receive(connection, keys, incoming)
    assert again.duplicate
    assert again.event_id == receipt.event_id
