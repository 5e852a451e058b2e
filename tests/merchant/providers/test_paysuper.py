"""PaySuper's door: a hash of body and secret, an envelope, and who must be refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from merchant import strict_json
from merchant.providers import paysuper
from merchant.providers.base import BadSignature, Keys, Reply, Unreadable
from tests.merchant.providers.contract import ProviderContract
from tests.merchant.providers.paysuper_cases import (
    KEYS,
    SECRET,
    by_hand,
    incoming,
    load,
    raw,
)


class TestPaySuper(ProviderContract):
    provider = paysuper
    signs_time = False

    def keys(self) -> Keys:
        return KEYS

    def second_keys(self) -> Keys:
        return replace(KEYS, secrets=("the-newer-secret", "the-older-secret"))

    def body(self) -> bytes:
        return raw("payment_success_key")

    def unknown_body(self) -> bytes:
        return raw("payment_fraud")

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return by_hand(body, keys.secrets[0])


class TestPaySuperRefunds(TestPaySuper):
    """The same door with a longer story, signed by the provider's own `sign`."""

    def body(self) -> bytes:
        return raw("payment_refund_other_currency")

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return paysuper.sign(body, keys, at)


def refusal(body: bytes, headers: dict[str, str], keys: Keys = KEYS) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        paysuper.verify(incoming(body, headers), keys)
    assert not caught.value.stale
    assert caught.value.status == 401
    return caught.value


# ------------------------------------------------------------------ the signature
def test_a_known_vector_verifies() -> None:
    """Made with `printf '{"id":"e1"}k' | sha256sum`."""
    body, keys = b'{"id":"e1"}', Keys(secrets=("k",))
    header = {"Authorization": f"Signature {VECTOR}"}
    assert paysuper.verify(incoming(body, header), keys)


VECTOR = "433e8a1ef795931a5fef1b06b03c4074217cfbc196874ed83292f7f8de2f3ff1"


def test_the_bytes_are_signed_and_not_the_json() -> None:
    body = raw("payment_success_simple")
    assert b"\\u0026" in body
    headers = by_hand(body, SECRET)
    assert paysuper.verify(incoming(body, headers), KEYS)
    unescaped = body.replace(b"\\u0026", b"&")
    assert json.loads(unescaped) == json.loads(body)
    assert refusal(unescaped, headers).code == "mismatch"


def test_it_is_said_which_secret_fits() -> None:
    body, keys = raw("payment_refund"), replace(KEYS, secrets=("newer", "older"))
    assert "newest" in paysuper.verify(incoming(body, by_hand(body, "newer")), keys)
    assert "older" in paysuper.verify(incoming(body, by_hand(body, "older")), keys)


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    body, keys = raw("payment_refund"), replace(KEYS, secrets=("", SECRET))
    assert refusal(body, by_hand(body, ""), keys).code == "mismatch"
    assert paysuper.verify(incoming(body, by_hand(body, SECRET)), keys)


def test_the_testers_wrong_signature_is_known_and_refused() -> None:
    body = raw("test_invalid_signature")
    error = refusal(body, by_hand(body, "testing_secret_key_wrong"))
    assert error.code == "mismatch"
    assert "tester" in str(error)


GOOD = by_hand(raw("payment_success_simple"), SECRET)["Authorization"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "missing"),
        ("   ", "missing"),
        (GOOD.removeprefix("Signature "), "malformed"),
        (GOOD.replace("Signature", "Bearer"), "malformed"),
        (GOOD.replace("Signature", "signature"), "malformed"),
        (GOOD.replace(" ", ""), "malformed"),
        (f"{GOOD}, {GOOD}", "malformed"),  # a header sent twice
        (GOOD[:-1], "malformed"),
        (f"{GOOD}0", "malformed"),
        ("Signature " + "é" * 64, "malformed"),
        ("Signature " + "\udcff" * 64, "malformed"),
        ("Signature " + "0" * 64, "mismatch"),
        (GOOD.upper().replace("SIGNATURE", "Signature"), "mismatch"),
    ],
)
def test_a_header_that_is_not_the_scheme_is_refused(value: str, code: str) -> None:
    error = refusal(raw("payment_success_simple"), {"Authorization": value})
    assert error.code == code


def test_the_legacy_digests_are_refused() -> None:
    body = raw("payment_success_simple")
    for digest in (
        hashlib.sha512(body + SECRET.encode()).hexdigest(),
        hashlib.sha1(body + SECRET.encode()).hexdigest(),
        hashlib.sha256(SECRET.encode() + body).hexdigest(),
    ):
        refusal(body, {"Authorization": f"Signature {digest}"})


# ------------------------------------------------------------------- the envelope
def test_the_envelopes_id_names_the_event() -> None:
    payload = load("payment_success_simple")
    envelope = paysuper.identify(incoming(b"", {}), payload)
    assert envelope.event_id == payload["id"]
    assert envelope.event_type == "payment.success"
    assert envelope.livemode is True
    assert not envelope.testing


def test_a_retry_has_the_same_fingerprint() -> None:
    first = load("payment_success_simple")
    retry = first | {"created_at": "2021-02-03T08:27:02Z", "delivery_try": 1}
    other = first | {"object": first["object"] | {"amount": 1}}
    prints = [
        paysuper.identify(incoming(b"", {}), payload).fingerprint
        for payload in (first, retry, other)
    ]
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]


def test_a_number_and_its_text_are_not_the_same_object() -> None:
    first = load("payment_success_simple")
    other = first | {"object": first["object"] | {"amount": "41.9"}}
    prints = {
        paysuper.identify(incoming(b"", {}), payload).fingerprint
        for payload in (first, other)
    }
    assert len(prints) == 2


def test_the_orders_mode_counts_and_not_the_projects() -> None:
    payload = load("payment_success_wallet")
    assert payload["live"] is True
    assert paysuper.identify(incoming(b"", {}), payload).livemode is False
    assert paysuper.identify(incoming(b"", {}), load("user_validate")).livemode is None


@pytest.mark.parametrize(
    "name",
    [
        "test_correct_payment",
        "test_existing_user",
        "test_non_existing_user",
        "test_invalid_signature",
    ],
)
def test_a_test_send_is_marked(name: str) -> None:
    assert paysuper.identify(incoming(b"", {}), load(name)).testing


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        "payment.success",
        {},
        {"id": "1", "type": "notification", "event": "payment.success"},
        {"id": "1", "type": "notification", "event": "payment.success", "object": None},
        {"id": "1", "type": "notification", "event": "payment.success", "object": []},
        {"id": 1, "type": "notification", "event": "payment.success", "object": {}},
        {"id": "", "type": "notification", "event": "payment.success", "object": {}},
        {"id": "1", "type": "notification", "event": None, "object": {}},
        {"id": "1", "type": None, "event": "payment.success", "object": {}},
    ],
)
def test_what_is_no_envelope_is_unreadable(payload: Any) -> None:
    with pytest.raises(Unreadable):
        paysuper.identify(incoming(b"", {}), payload)
    with pytest.raises(Unreadable):
        paysuper.read(payload, KEYS)


# ---------------------------------------------------------------------- the reply
def replied(name: str, duplicate: bool = False) -> Reply:
    delivery, payload = incoming(raw(name), {}), strict_json.parse(raw(name))
    envelope = paysuper.identify(delivery, payload)
    return paysuper.reply(delivery, envelope, payload, duplicate)


@pytest.mark.parametrize("duplicate", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "payment_success_simple",
        "payment_success_empty_object",
        "payment_fraud",
        "payment_refund",
        "test_correct_payment",
        "test_existing_user",
        "user_validate",
    ],
)
def test_the_answer_is_200_without_a_body(name: str, duplicate: bool) -> None:
    assert replied(name, duplicate).status == 200
    assert replied(name, duplicate).body == b""


@pytest.mark.parametrize("name", ["user_validate_test", "test_non_existing_user"])
def test_the_user_whom_the_tester_makes_up_is_refused(name: str) -> None:
    answer = replied(name)
    assert answer.status == 400
    assert json.loads(answer.body) == {"error": {"code": "INVALID_USER"}}
    assert answer.content_type == "application/json"


def test_a_customer_who_has_such_a_name_may_still_pay() -> None:
    payload = load("payment_success_simple")
    payload["object"]["external_id"] = "paysuper_test_of_my_own"
    delivery = incoming(b"", {})
    envelope = paysuper.identify(delivery, payload)
    assert paysuper.reply(delivery, envelope, payload, False).status == 200
