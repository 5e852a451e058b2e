"""PayNow's door: two schemes of signatures, three spellings of events."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from merchant.providers import paynow
from merchant.providers.base import BadSignature, Incoming, Keys, Unreadable
from tests.merchant.providers.contract import NOW, ProviderContract
from tests.merchant.providers.paynow_cases import FOLDER, KEYS, SECRET, by_hand, raw

BODY = raw("on_order_completed")


class TestPayNow(ProviderContract):
    provider = paynow

    def keys(self) -> Keys:
        return KEYS

    def second_keys(self) -> Keys:
        return Keys(secrets=("whs_the-new-one-88", "whs_the-old-one-12"))

    def body(self) -> bytes:
        return BODY

    def unknown_body(self) -> bytes:
        return b'{"event_type":"ON_MOON_RISEN","event_id":"91","body":{"id":"1"}}'

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return by_hand(body, keys.secrets[0], at)


class TestPayNowInDiscord(TestPayNow):
    """The same door with the longest body, signed by the provider's own `sign`."""

    def body(self) -> bytes:
        return raw("on_discord_account_linked_to_checkout")

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        return paynow.sign(body, keys, at)


def incoming(headers: Mapping[str, str], body: bytes = BODY) -> Incoming:
    return Incoming(body, {n.lower(): v for n, v in headers.items()}, NOW)


def refusal(headers: Mapping[str, str], keys: Keys = KEYS) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        paynow.verify(incoming(headers), keys)
    return caught.value


def good() -> dict[str, str]:
    return by_hand(BODY, SECRET, NOW)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("on_*.json")), ids=lambda p: p.stem)
def test_our_signatures_are_what_an_independent_hmac_gives(path) -> None:
    body = path.read_bytes()
    assert paynow.sign(body, KEYS, NOW) == by_hand(body, SECRET, NOW)
    for names in (
        {"PayNow-Timestamp", "PayNow-Signature"},
        {"x-paynow-signature"},
    ):
        sent = {n: v for n, v in by_hand(body, SECRET, NOW).items() if n in names}
        assert paynow.verify(incoming(sent, body), KEYS)


def test_a_known_vector_verifies() -> None:
    """Made with `openssl dgst -sha256 -hmac k` over `1700000000000.{}` and `{}`."""
    keys = Keys(secrets=("k",))
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    headers = paynow.sign(b"{}", keys, at)
    assert headers["PayNow-Timestamp"] == "1700000000000"
    assert headers["PayNow-Signature"] == LIVE_VECTOR
    assert headers["x-paynow-signature"] == GUIDE_VECTOR


LIVE_VECTOR = "7sQiR7xJwFH+w1Lrr6T5tO0Rif1/73TjOYhmaiyXuQU="
GUIDE_VECTOR = "add853b103fbcc936a194f9eb15e29c4ff08af6e47d5d1bca4f20218e31e4fff"


def test_the_live_header_alone_is_enough() -> None:
    headers = good()
    del headers["x-paynow-signature"]
    assert "PayNow-Signature" in paynow.verify(incoming(headers), KEYS)


def test_the_guides_header_alone_is_enough() -> None:
    headers = {"x-paynow-signature": good()["x-paynow-signature"]}
    assert "x-paynow-signature" in paynow.verify(incoming(headers), KEYS)


@pytest.mark.parametrize("live", ["", "x", "0" * 64, "A" * 43 + "="])
def test_a_wrong_live_signature_never_falls_back(live: str) -> None:
    assert not refusal(good() | {"PayNow-Signature": live}).stale


def test_a_live_signature_needs_its_timestamp() -> None:
    headers = good()
    del headers["PayNow-Timestamp"]
    assert refusal(headers).code == "missing"


@pytest.mark.parametrize(
    "stamp", ["12e3", "-5", "+5", "1.5", " 1", "0x1", "١٢٣", "9" * 17, "now", "1_000"]
)
def test_a_timestamp_is_digits_only(stamp: str) -> None:
    assert refusal(good() | {"PayNow-Timestamp": stamp}).code == "malformed"


def test_a_timestamp_in_seconds_is_stale() -> None:
    seconds = str(int(NOW.timestamp()))
    signed = by_hand(f"{seconds}.".encode() + BODY, SECRET, NOW)["x-paynow-signature"]
    headers = {"PayNow-Timestamp": seconds, "PayNow-Signature": signed}
    assert refusal(headers).stale


def test_the_largest_timestamp_is_stale_and_not_an_error() -> None:
    stamp = "9" * 16
    signed = by_hand(f"{stamp}.".encode() + BODY, SECRET, NOW)["x-paynow-signature"]
    headers = {"PayNow-Timestamp": stamp, "PayNow-Signature": signed}
    assert refusal(headers).stale


@pytest.mark.parametrize(
    ("milliseconds", "taken"),
    [(300_000, True), (-300_000, True), (300_001, False), (-300_001, False)],
)
def test_the_tolerance_is_five_minutes_to_the_millisecond(
    milliseconds: int, taken: bool
) -> None:
    at = NOW - timedelta(milliseconds=milliseconds)
    headers = by_hand(BODY, SECRET, at)
    if taken:
        assert paynow.verify(incoming(headers), KEYS)
    else:
        assert refusal(headers).stale


def test_either_encoding_is_taken_in_either_header() -> None:
    headers = good()
    live = base64.b64decode(headers["PayNow-Signature"]).hex()
    guide = bytes.fromhex(headers["x-paynow-signature"])
    assert paynow.verify(incoming(headers | {"PayNow-Signature": live}), KEYS)
    assert paynow.verify(incoming(headers | {"PayNow-Signature": live.upper()}), KEYS)
    sent = {"x-paynow-signature": base64.b64encode(guide).decode()}
    assert paynow.verify(incoming(sent), KEYS)


@pytest.mark.parametrize("form", ["sha256={}", "A,{}", "{}, x", " {} ", "x,sha256={}"])
def test_a_prefix_and_a_list_are_taken(form: str) -> None:
    for name in ("PayNow-Signature", "x-paynow-signature"):
        headers = good() | {name: form.format(good()[name])}
        if name != "PayNow-Signature":
            headers = {name: headers[name]}
        assert paynow.verify(incoming(headers), KEYS)


@pytest.mark.parametrize(
    "form", ["md5={}", "{}=", "{}x", "{}\n{}", "v1={}", "{};{}", "sha256={}sha256="]
)
def test_other_forms_are_refused(form: str) -> None:
    live = good()["PayNow-Signature"]
    assert refusal(good() | {"PayNow-Signature": form.replace("{}", live)})


def test_url_safe_base64_is_refused() -> None:
    digest = bytes([0xFB, 0xEF]) * 16
    headers = good() | {"PayNow-Signature": base64.urlsafe_b64encode(digest).decode()}
    assert refusal(headers).code == "malformed"


def test_the_words_say_which_secret_fits() -> None:
    both = Keys(secrets=("whs_new", SECRET))
    assert "older" in paynow.verify(incoming(good()), both)
    assert "newest" in paynow.verify(incoming(good()), KEYS)


def test_an_empty_secret_among_good_ones_opens_nothing() -> None:
    forged = by_hand(BODY, "", NOW)
    assert refusal(forged, Keys(secrets=("", SECRET))).code == "mismatch"


@pytest.mark.parametrize(
    "spelt", ["ON_ORDER_COMPLETED", "OnOrderCompleted", "on_order_completed"]
)
def test_three_spellings_are_one_event(spelt: str) -> None:
    payload = {"event_type": spelt, "event_id": "1", "body": {"id": "7"}}
    envelope = paynow.identify(incoming({}), payload)
    assert envelope.event_type == "ON_ORDER_COMPLETED"
    assert paynow.read(payload, KEYS)[0].status == "paid"


@pytest.mark.parametrize(
    "spelt", ["OnDiscordOrderActionsQueued", "on_discord_order_actions_queued"]
)
def test_the_one_event_with_two_names_is_one_event(spelt: str) -> None:
    payload = {"event_type": spelt, "event_id": "1", "body": {}}
    envelope = paynow.identify(incoming({}), payload)
    assert envelope.event_type == "ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT"


def test_keys_beside_the_three_are_tolerated() -> None:
    payload = {"event_type": "X", "event_id": "5", "body": {}, "trace": [1]}
    assert paynow.identify(incoming({}), payload).event_id == "5"


def test_an_event_id_may_be_no_number() -> None:
    payload = {"event_type": "X", "event_id": "test-event-123", "body": {}}
    envelope = paynow.identify(incoming({}), payload)
    assert (envelope.event_id, envelope.livemode) == ("test-event-123", None)


@pytest.mark.parametrize(
    "payload",
    [
        None, [], "x", 5, {},
        {"event_type": "X", "event_id": "1"},
        {"event_type": "X", "event_id": "1", "body": None},
        {"event_type": "X", "event_id": "1", "body": []},
        {"event_type": "X", "event_id": "1", "data": {}},
        {"event_type": "X", "event_id": "", "body": {}},
        {"event_type": "X", "event_id": None, "body": {}},
        {"event_type": "X", "event_id": True, "body": {}},
        {"event_type": "X", "event_id": ["1"], "body": {}},
        {"event_type": "", "event_id": "1", "body": {}},
        {"event_type": 7, "event_id": "1", "body": {}},
        {"event_id": "1", "body": {}},
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_unreadable(payload: object) -> None:
    with pytest.raises(Unreadable):
        paynow.identify(incoming({}), payload)
    with pytest.raises(Unreadable):
        paynow.read(payload, KEYS)


def test_the_answer_is_in_plain_words() -> None:
    payload = {"event_type": "X", "event_id": "1", "body": {}}
    envelope = paynow.identify(incoming({}), payload)
    first = paynow.reply(incoming({}), envelope, payload, False)
    again = paynow.reply(incoming({}), envelope, payload, True)
    assert first is not None
    assert again is not None
    assert (first.status, first.body) == (200, b"OK")
    assert (again.status, again.body) == (200, b"Already processed")
