"""Authentic but not to be understood: kept as it came, once, answered 200."""

from __future__ import annotations

import pytest

from merchant import queue
from merchant.providers import PROVIDERS
from merchant.providers.base import Unreadable
from tests.factories import make_connection
from tests.webhooks import deliveries
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db

#: Bodies that are no JSON as it should be, or no provider's envelope.
STRANGE = {
    "nothing": b"",
    "truncated": b'{"id":"evt_1","object":"ev',
    "text": b"hello",
    "an array": b"[1,2]",
    "null": b"null",
    "a number": b"1",
    "a string": b'"evt_1"',
    "an empty object": b"{}",
    "no id": b'{"object":"event","type":"x","event_type":"X","event":"x","body":{}}',
    "bad UTF-8": b'{"id":"\xff"}',
    "UTF-16": '{"id":"evt_1"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"id":"evt_1"}',
    "a raw NUL": b'{"id":"a\x00b"}',
    "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deeper than a stack": b"[" * 200_000,
    "a huge key": b'{"' + b"k" * 70_000 + b'":1}',
    "a huge text": b'{"id":"' + b"x" * 1_000_000 + b'"}',
    "too many values": b"[" + b"0," * 20_000 + b"0]",
    "a key twice": b'{"id":"evt_1","id":"evt_2"}',
    "NaN": b'{"id":NaN}',
    "Infinity": b'{"id":-Infinity}',
    "a giant number": b'{"id":' + b"9" * 5000 + b"}",
    "two values": b'{"id":"evt_1"}{}',
    "a comment": b'{"id":1 /* one */}',
}


@pytest.mark.parametrize("provider", deliveries.SIGNS_BODY)
@pytest.mark.parametrize("name", STRANGE)
def test_it_is_kept_once_and_answered_200(provider: str, name: str) -> None:
    connection = make_connection(provider)
    for duplicate in (False, True):
        response = deliveries.post(connection, STRANGE[name])
        assert response.status_code == 200
        assert response.json() == {"received": True, "duplicate": duplicate}
    row = InboundEvent.objects.get()
    assert row.state == "quarantined"
    assert bytes(row.body) == STRANGE[name]
    assert row.error
    assert row.verdict


@pytest.mark.parametrize("name", STRANGE)
def test_paysecure_proves_nothing_without_its_fields(name: str) -> None:
    connection = make_connection("paysecure")
    headers = deliveries.signed(connection, deliveries.body("paysecure"))
    response = deliveries.post(connection, STRANGE[name], headers)
    assert response.status_code in {400, 401}
    assert not InboundEvent.objects.exists()


def test_a_body_that_does_not_parse_is_400_at_paysecure() -> None:
    connection = make_connection("paysecure")
    headers = deliveries.signed(connection, deliveries.body("paysecure"))
    response = deliveries.post(connection, b'{"message":', headers)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_nobody_is_woken_for_it(monkeypatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(queue, "ring", rung.append)
    deliveries.post(make_connection("stripe"), b"{}")
    assert rung == []


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_a_mistake_of_ours_in_identify_keeps_the_letter(
    provider: str, monkeypatch, caplog
) -> None:
    def broken(incoming, payload):
        raise KeyError("iban of somebody")

    monkeypatch.setattr(PROVIDERS[provider], "identify", broken)
    connection = make_connection(provider)
    assert deliveries.post(connection, deliveries.body(provider)).status_code == 200
    assert InboundEvent.objects.get().state == "quarantined"
    assert "KeyError" in caplog.text
    assert "iban" not in caplog.text


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_the_providers_words_say_why(provider: str, monkeypatch) -> None:
    def unreadable(incoming, payload):
        raise Unreadable("It has no sender.\x00")

    monkeypatch.setattr(PROVIDERS[provider], "identify", unreadable)
    deliveries.post(make_connection(provider), deliveries.body(provider))
    assert InboundEvent.objects.get().error.startswith("It has no sender.")


@pytest.mark.parametrize("provider", deliveries.EVERY)
def test_a_mistake_of_ours_in_reply_still_says_received(
    provider: str, monkeypatch
) -> None:
    def broken(*_words):
        raise RuntimeError

    monkeypatch.setattr(PROVIDERS[provider], "reply", broken)
    response = deliveries.post(make_connection(provider), deliveries.body(provider))
    assert response.json() == {"received": True, "duplicate": False}


def test_a_provider_without_a_reply_gets_ours(monkeypatch) -> None:
    monkeypatch.delattr(PROVIDERS["paynow"], "reply")
    connection = make_connection("paynow")
    response = deliveries.post(connection, deliveries.body("paynow"))
    assert response.json() == {"received": True, "duplicate": False}
