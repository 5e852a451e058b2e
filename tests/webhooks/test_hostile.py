"""Whatever is thrown at the door: never a 500, never a 3xx, nothing authentic lost.

What does not parse is in test_quarantine.py, the same event twice in
test_duplicate.py, wrong times in test_stale.py.
"""

from __future__ import annotations

import gzip
import io
import time

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant import connections, vault
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import Keys
from merchant.sandbox import keypair
from tests.factories import make_connection, make_secret
from tests.webhooks import deliveries
from webhooks import keeping
from webhooks.models import InboundEvent, Refusal
from webhooks.views import hooks

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024


@pytest.fixture(params=deliveries.EVERY)
def connection(request: pytest.FixtureRequest) -> Connection:
    return make_connection(request.param)


# --------------------------------------------------------------- length and transfer
def test_a_mebibyte_is_taken(connection: Connection) -> None:
    letter = deliveries.letter(connection.provider)
    short = len(deliveries.packed(letter))
    letter["padding"] = ["x" * 60_000] * 17 + [""]
    missing = MIB - len(deliveries.packed(letter))
    letter["padding"][-1] = "x" * missing
    body = deliveries.packed(letter)
    assert len(body) == MIB > short
    assert deliveries.post(connection, body).status_code == 200
    assert len(InboundEvent.objects.get().body) == MIB


def test_one_byte_more_is_413_after_it_was_read(connection: Connection) -> None:
    body = b" " * (MIB + 1)
    sent = io.BytesIO(body)
    response = deliveries.post(
        connection, body, {}, CONTENT_LENGTH=str(len(body)), **{"wsgi.input": sent}
    )
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert sent.tell() == len(body)
    assert Refusal.objects.get().code == "too_large"


def test_of_an_endless_body_eight_mebibytes_are_read(connection: Connection) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            size = 65536 if size < 0 else size
            self.given += size
            return b"x" * size

    sent = Endless()
    environ = {"CONTENT_LENGTH": "999999999", "wsgi.input": sent}
    assert deliveries.post(connection, b"x", {}, **environ).status_code == 413
    assert sent.given == 8 * MIB


def test_a_drip_is_left_after_five_seconds(connection, monkeypatch) -> None:
    class Drip(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            time.sleep(0.02)
            return b"x"

    monkeypatch.setattr(hooks, "SECONDS_FOR_WASTE", 0.1)
    environ = {"CONTENT_LENGTH": "99999999", "wsgi.input": Drip()}
    started = time.monotonic()
    assert deliveries.post(connection, b"x", {}, **environ).status_code == 413
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("length", ["", "-1", "abc", "1e3", "٣", "0x10", "1_0"])
def test_without_a_length_it_is_411(connection: Connection, length: str) -> None:
    response = deliveries.post(connection, b"{}", {}, CONTENT_LENGTH=length)
    assert response.status_code == 411
    assert Refusal.objects.get().code == "length_required"


def test_a_body_shorter_than_it_says_is_refused(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    cut = body[: len(body) // 2]
    headers = deliveries.signed(connection, body)
    response = deliveries.post(connection, cut, headers, CONTENT_LENGTH=str(len(body)))
    assert response.status_code in {400, 401}
    assert not InboundEvent.objects.exists()


def test_a_sender_who_hangs_up_breaks_nothing(connection: Connection) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("connection reset")

    for length in ("10", "2000000"):
        environ = {"CONTENT_LENGTH": length, "wsgi.input": Broken()}
        response = deliveries.post(connection, b"x" * 10, {}, **environ)
        assert response.status_code in {400, 413}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
def test_an_encoded_body_is_415(connection: Connection, encoding: str) -> None:
    body = gzip.compress(deliveries.body(connection.provider))
    headers = deliveries.signed(connection, deliveries.body(connection.provider))
    response = deliveries.post(
        connection, body, {**headers, "Content-Encoding": encoding}
    )
    assert response.status_code == 415
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("encoding", ["identity", "Identity", "", " "])
def test_identity_is_no_encoding(connection: Connection, encoding: str) -> None:
    body = deliveries.body(connection.provider)
    headers = {**deliveries.signed(connection, body), "Content-Encoding": encoding}
    assert deliveries.post(connection, body, headers).status_code == 200


# ------------------------------------------------------------------------ media type
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/JSON",
        "application/cloudevents+json",
        "application/vnd.shop.v1+json; charset=utf8",
        "",
    ],
)
def test_json_of_any_name_is_taken(connection: Connection, content_type: str) -> None:
    body = deliveries.body(connection.provider)
    response = deliveries.post(connection, body, content_type=content_type)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/jsonx",
        "application/+json",
        "application/xml",
        "json",
        "é",
        ";",
    ],
)
def test_what_is_not_json_is_415(connection: Connection, content_type: str) -> None:
    body = deliveries.body(connection.provider)
    response = deliveries.post(connection, body, content_type=content_type)
    assert response.status_code == 415


def test_a_hint_stands_among_the_refusals(connection: Connection) -> None:
    deliveries.post(connection, b"a=1", content_type="text/plain", headers={})
    refusal = Refusal.objects.get()
    assert refusal.code == "media_type"
    assert refusal.headers["content-type"] == "text/plain"


# ----------------------------------------------------------------- signature headers
def test_a_missing_signature_is_refused(connection: Connection) -> None:
    response = deliveries.post(connection, deliveries.body(connection.provider), {})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "value",
    ["", " ", "é" * 64, "\xff\xfe", "0" * 64, "t=1,v1=", "=" * 88, "x" * 60_000, ","],
    ids=lambda value: repr(value[:6]),
)
def test_a_strange_signature_is_refused(connection: Connection, value: str) -> None:
    body = deliveries.body(connection.provider)
    names = deliveries.signed(connection, body)
    response = deliveries.post(connection, body, dict.fromkeys(names, value))
    assert response.status_code == 401
    assert not InboundEvent.objects.exists()


def test_header_names_come_in_any_case(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    headers = deliveries.signed(connection, body)
    shouted = {name.upper(): value for name, value in headers.items()}
    assert deliveries.post(connection, body, shouted).status_code == 200


def test_another_tenants_signature_is_refused(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    theirs = Keys(secrets=("whsec_of_somebody_else",), private_key=keypair.new()[1])
    headers = PROVIDERS[connection.provider].sign(body, theirs, timezone.now())
    response = deliveries.post(connection, body, headers)
    assert response.json()["error"]["code"] == "signature_mismatch"


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_without_any_secret_the_door_is_closed(provider: str) -> None:
    connection = make_connection(provider)
    body = deliveries.body(provider)
    headers = deliveries.signed(connection, body)
    connection.secrets.all().delete()
    connections.forget(connection.pk)
    response = deliveries.post(connection, body, headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "signature_no_secret"


@pytest.mark.parametrize("provider", deliveries.SIGNS_BODY)
def test_an_empty_secret_opens_nothing(provider: str) -> None:
    connection = make_connection(provider, secret="")
    make_secret(connection, "signing", "")
    forger = make_connection(provider)
    body = deliveries.body(provider)
    response = deliveries.post(connection, body, deliveries.signed(forger, body))
    assert response.status_code == 401


def test_a_changed_byte_is_refused(connection: Connection) -> None:
    body = deliveries.body(connection.provider)
    headers = deliveries.signed(connection, body)
    response = deliveries.post(connection, body.replace(b"a", b"b", 40), headers)
    assert response.status_code in {400, 401}


def test_a_mistake_of_ours_in_verify_is_a_refusal(
    connection: Connection, monkeypatch, caplog
) -> None:
    def broken(incoming, keys):
        raise ValueError(f"secret {keys.secrets} of {incoming.body!r}")

    body = deliveries.body(connection.provider)
    headers = deliveries.signed(connection, body)
    monkeypatch.setattr(PROVIDERS[connection.provider], "verify", broken)
    response = deliveries.post(connection, body, headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "signature_failed"
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


# ------------------------------------------------------------------ meaning and text
MEANINGS = {
    "an unknown type": {"type": "x.y.z", "event": "x.y", "event_type": "ON_X"},
    "a type of a mebibyte": {"type": "x" * 60_000, "event": "x" * 60_000},
    "HTML": {"type": "<script>alert(1)</script>", "event": "<img src=x>"},
    "a formula": {"type": "=1+1", "event": '=HYPERLINK("x")'},
    "line breaks": {"type": "a\r\nBcc: all@example.com", "event": "a\r\nb"},
    "bidi marks": {"type": "\u202egnp.exe\u2066", "event": "\u202e"},
    "an escaped NUL": {"type": "a\x00b", "event": "a\x00b"},
    "half a pair": {"type": "a\ud800b", "event": "a\udc00b"},
    "no livemode": {"livemode": None, "live": None},
    "a livemode of its own": {"livemode": "perhaps", "live": []},
    "a strange account": {"account": "a\x00" * 500},
    "a list for a text": {"type": ["x"], "event": {"x": 1}, "event_type": 7},
    "a time out of range": {"created": 10**18, "created_at": "99999-01-01"},
}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_is_authentic_is_always_kept(connection: Connection, name: str) -> None:
    letter = deliveries.letter(connection.provider)
    over = {k: v for k, v in MEANINGS[name].items() if k in {*letter, "account"}}
    body = deliveries.packed(letter | over)
    assert deliveries.post(connection, body).status_code == 200
    row = InboundEvent.objects.get()
    assert bytes(row.body) == body
    assert row.state in {"pending", "quarantined"}


@pytest.mark.parametrize("value", [-1, 0.1, 10**30, "1", None, [], {}, True, "\x00"])
def test_amounts_are_none_of_the_doors_business(
    connection: Connection, value: object
) -> None:
    letter = deliveries.letter(connection.provider)
    inside = {
        "stripe": lambda: letter["data"]["object"],
        "paysuper": lambda: letter["object"],
        "paysecure": lambda: letter["message"]["purchase"],
        "paynow": lambda: letter["body"],
    }[connection.provider]()
    inside |= {"amount": value, "total": value, "total_amount": value}
    inside |= {"currency": value}
    assert deliveries.post(connection, deliveries.packed(letter)).status_code == 200


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    body=st.binary(max_size=300),
    header=st.text(st.characters(max_codepoint=255), max_size=80),
    agent=st.text(st.characters(max_codepoint=255), max_size=300),
)
def test_noise_of_any_kind_is_turned_away(
    connection: Connection, body: bytes, header: str, agent: str
) -> None:
    names = deliveries.signed(connection, deliveries.body(connection.provider))
    headers = {**dict.fromkeys(names, header), "User-Agent": agent, "X-Event": agent}
    response = deliveries.post(connection, body, headers, REMOTE_ADDR=header)
    assert response.status_code in {400, 401}
    assert not InboundEvent.objects.exists()


# ----------------------------------------------------------------- what may be away
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_its_database_it_asks_to_come_back(
    connection: Connection, monkeypatch, error: type[Exception]
) -> None:
    def away(event):
        raise error("too many clients, or a lock, or no server at all")

    monkeypatch.setattr(keeping, "keep", away)
    response = deliveries.post(connection, deliveries.body(connection.provider))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.json()["error"]["type"] == "api_error"


def test_a_mistake_of_ours_asks_to_come_back(
    connection: Connection, monkeypatch
) -> None:
    def broken(event):
        raise ZeroDivisionError

    monkeypatch.setattr(keeping, "keep", broken)
    response = deliveries.post(connection, deliveries.body(connection.provider))
    assert response.status_code == 503


def test_a_locked_safe_asks_to_come_back(connection: Connection, settings) -> None:
    body = deliveries.body(connection.provider)
    headers = deliveries.signed(connection, body)
    connections.forget(connection.pk)
    settings.ENCRYPTION_KEYS = [vault.new_key()]
    assert deliveries.post(connection, body, headers).status_code == 503


def test_without_a_route_nothing_is_asked(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        Client().post("/hooks/stripe/x", b"{}", content_type="application/json")
        Client().get(f"/hooks/stripe/{'0' * 8}-0000-4000-8000-{'0' * 12}")
