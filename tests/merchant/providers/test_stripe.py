"""Stripe's door: every row of its signature's table, and both envelopes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stripe import SignatureVerificationError, Webhook, WebhookSignature

from merchant.providers import stripe
from merchant.providers.base import BadSignature, Incoming, Keys, Unreadable
from tests.merchant.providers.contract import NOW, ProviderContract
from tests.merchant.providers.stripe_cases import (
    FOLDER,
    KEYS,
    SECRET,
    by_hand,
    facts,
    load,
    raw,
)

BODY = raw("checkout.session.completed")
BOTH = Keys(secrets=("whsec_the-new-one", "whsec_the-old-one"))
EVENTS = sorted(p for p in FOLDER.glob("*.json") if not p.name.startswith("api_"))


class TestStripe(ProviderContract):
    provider = stripe

    def keys(self) -> Keys:
        return KEYS

    def second_keys(self) -> Keys:
        return BOTH

    def body(self) -> bytes:
        return BODY

    def unknown_body(self) -> bytes:
        return raw("lighthouse.lit")

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return by_hand(body, keys.secrets[0], at)


class TestStripesOldShapes(TestStripe):
    """The same door with the longest old body, signed by the provider's own `sign`."""

    def body(self) -> bytes:
        return raw("charge.refunded__of_2022-08-01")

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return stripe.sign(body, keys, at)


class TestStripesIntents(TestStripe):
    def body(self) -> bytes:
        return raw("payment_intent.succeeded__of_2022-08-01")


class TestStripesBills(TestStripe):
    def body(self) -> bytes:
        return raw("invoice.paid")


class TestStripesSubscriptions(TestStripe):
    def body(self) -> bytes:
        return raw("customer.subscription.created")


class TestStripesThinEvents(TestStripe):
    def body(self) -> bytes:
        return raw("v1.checkout.session.completed__thin")


def incoming(header: str | None, body: bytes = BODY) -> Incoming:
    return Incoming(body, {} if header is None else {"stripe-signature": header}, NOW)


def refusal(header: str | None, keys: Keys = KEYS, body: bytes = BODY) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        stripe.verify(incoming(header, body), keys)
    return caught.value


def v1(secret: str = SECRET, body: bytes = BODY, at: datetime = NOW) -> str:
    return by_hand(body, secret, at)["Stripe-Signature"].partition(",v1=")[2]


T = int(NOW.timestamp())


# ------------------------------------------------------------------------- signature
def test_the_words_say_which_secret_fits() -> None:
    header = stripe.sign(BODY, KEYS, NOW)["Stripe-Signature"]
    assert stripe.verify(incoming(header), KEYS) == "signature matches secret 1 of 1"
    old = f"t={T},v1={v1('whsec_the-old-one')}"
    assert stripe.verify(incoming(old), BOTH) == "signature matches secret 2 of 2"


def test_any_v1_may_be_the_right_one() -> None:
    for given in (f"v1={'0' * 64},v1={v1()}", f"v1={v1()},v1={'0' * 64}"):
        assert stripe.verify(incoming(f"t={T},{given}"), KEYS)


def test_a_v0_beside_it_is_ignored() -> None:
    assert stripe.verify(incoming(f"t={T},v1={v1()},v0={'a' * 64}"), KEYS)


def test_v0_alone_proves_nothing() -> None:
    error = refusal(f"t={T},v0={v1()}")
    assert error.code == "malformed"
    assert "v1" in str(error)


def test_a_header_without_a_time_is_refused() -> None:
    assert refusal(f"v1={v1()}").code == "malformed"


def test_the_first_time_counts() -> None:
    assert stripe.verify(incoming(f"t={T},t=1,v1={v1()}"), KEYS)
    assert not refusal(f"t=1,t={T},v1={v1()}").stale


def test_blanks_are_not_stripped() -> None:
    for header in (
        f"t={T}, v1={v1()}",
        f"t={T},v1= {v1()}",
        f" t={T},v1={v1()}",
        f"t= {T},v1={v1()}",
    ):
        refusal(header)


def test_capital_hex_is_refused() -> None:
    assert refusal(f"t={T},v1={v1().upper()}").code == "mismatch"


@pytest.mark.parametrize("header", [None, "", " ", "\t"])
def test_no_header_is_missing(header: str | None) -> None:
    assert refusal(header).code == "missing"


@pytest.mark.parametrize(
    "at", ["12e3", "-5", "+5", "1.5", "0x1", "١٢٣", "9" * 16, "now", "1_000", "007"]
)
def test_a_time_is_plain_digits(at: str) -> None:
    assert refusal(f"t={at},v1={v1()}").code == "malformed"


@pytest.mark.parametrize("given", ["é" * 64, "\udcff", "\x00", "１" * 64, "==", "v1"])
def test_a_signature_that_is_not_ascii_is_refused_and_breaks_nothing(
    given: str,
) -> None:
    assert refusal(f"t={T},v1={given}").code == "mismatch"


def test_the_largest_time_is_stale_and_not_an_error() -> None:
    stamp = "9" * 15
    message = f"{stamp}.".encode() + BODY
    made = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert refusal(f"t={stamp},v1={made}").stale


@pytest.mark.parametrize("seconds", [301, -301, 86_400, -86_400])
def test_both_directions_of_time_are_judged(seconds: int) -> None:
    at = NOW - timedelta(seconds=seconds)
    error = refusal(by_hand(BODY, SECRET, at)["Stripe-Signature"])
    assert error.stale
    assert error.code == "stale"
    assert str(abs(seconds)) in str(error)


def test_the_reason_says_what_to_do() -> None:
    assert "whsec_" in str(refusal("t=1,v1=a", Keys()))
    assert "another endpoint" in str(refusal(f"t={T},v1={'0' * 64}"))


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    keys = Keys(secrets=("", SECRET))
    assert stripe.verify(incoming(f"t={T},v1={v1()}"), keys).endswith("1 of 1")
    refusal(f"t={T},v1={v1('')}", keys)


def test_a_body_with_a_mark_or_of_no_text_is_judged_by_its_bytes() -> None:
    for body in (b"\xef\xbb\xbf{}", b"\xff\xfe", b""):
        header = by_hand(body, SECRET, NOW)["Stripe-Signature"]
        assert stripe.verify(incoming(header, body), KEYS)


# ------------------------------------------------------------ Stripe's own library
@pytest.mark.parametrize("path", EVENTS, ids=lambda p: p.stem)
def test_stripes_library_takes_what_we_sign(path) -> None:
    body, now = path.read_bytes(), datetime.now(UTC)
    header = stripe.sign(body, BOTH, now)["Stripe-Signature"]
    for secret in BOTH.secrets:
        assert WebhookSignature.verify_header(body.decode(), header, secret, 300)
        if b'"object": "event"' in body:
            event = Webhook.construct_event(body, header, secret)
            assert event["id"] == json.loads(body)["id"]
    with pytest.raises(SignatureVerificationError):
        WebhookSignature.verify_header(body.decode(), header, SECRET, 300)


def test_we_take_what_stripes_library_signs() -> None:
    now = int(time.time())
    header = WebhookSignature.generate_signature_header(
        BODY.decode(), SECRET, timestamp=now
    )
    received = datetime.fromtimestamp(now, UTC)
    letter = replace(incoming(header), received=received)
    assert stripe.verify(letter, KEYS)


# -------------------------------------------------------------------------- envelope
def envelope(payload: Any, body: bytes = BODY):
    return stripe.identify(incoming("", body), payload)


def test_the_envelope_of_an_event() -> None:
    found = envelope(load("charge.succeeded__connected"))
    assert found.event_id == load("charge.succeeded__connected")["id"]
    assert found.event_type == "charge.succeeded"
    assert found.livemode is True
    assert found.account == "acct_1LanternPartner"


def test_a_thin_event_has_its_own_id_beside_its_snapshot() -> None:
    thin = envelope(load("v1.checkout.session.completed__thin"))
    assert thin.event_id == load("v1.checkout.session.completed__thin")["id"]
    assert thin.event_id != load("checkout.session.completed")["id"]
    assert thin.event_type == "checkout.session.completed"
    assert thin.account == "acct_1LanternPartner"
    alone = envelope(load("v1.customer.created__thin"))
    assert alone.event_id == "evt_65LanternCust"


def test_a_retry_that_counts_other_deliveries_is_the_same() -> None:
    payload = load("checkout.session.completed")
    again = BODY.replace(b'"pending_webhooks": 2', b'"pending_webhooks": 1')
    assert again != BODY
    first = envelope(payload)
    assert envelope(payload, again).fingerprint == first.fingerprint
    other = BODY.replace(b"5980", b"5981")
    assert envelope(payload, other).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": 7},
        {"id": ""},
        {"id": {"id": "evt_1"}},
        {"id": "evt 1"},
        {"type": None},
        {"type": ["charge.succeeded"]},
        {"object": "charge"},
        {"object": None},
        {"object": []},
        {"data": None},
        {"data": {}},
        {"data": {"object": "ch_1"}},
        {"data": []},
    ],
)
def test_what_is_no_envelope_is_unreadable(change: dict[str, Any]) -> None:
    payload = load("checkout.session.completed") | change
    with pytest.raises(Unreadable):
        envelope(payload)
    with pytest.raises(Unreadable):
        stripe.read(payload, KEYS)


@pytest.mark.parametrize("payload", [None, [], "evt_1", 7, True, {}])
def test_what_is_no_object_is_unreadable(payload: Any) -> None:
    with pytest.raises(Unreadable):
        envelope(payload)


def test_an_event_of_another_account_is_kept_apart() -> None:
    with pytest.raises(Unreadable, match="acct_1LanternPartner"):
        facts("charge.succeeded__connected", Keys(account="acct_other"))
    assert facts("charge.succeeded__connected", Keys(account="acct_1LanternPartner"))
    assert facts("charge.succeeded", Keys(account="acct_1LanternPartner"))


def test_no_special_answer_is_wanted() -> None:
    letter = incoming("")
    found = envelope(load("charge.succeeded"))
    assert stripe.reply(letter, found, {}, False) is None
