"""Our own envelope, verified by the library of Standard Webhooks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from webhooks import dialects, samples, secrets
from webhooks.dialects import standard
from webhooks.dialects.base import SigningKeys

ENVELOPE = [
    "id", "type", "event", "live", "created_at", "expires_at", "delivery_try",
    "object_type", "object",
]  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    ("secret", "key", "stamp", "body", "signature"),
    [
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            '{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            '{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_unicode",
            1614265330,
            '{"name":"Zoë — 日本"}',
            "v1,QSvU9wwz3gpCmk5swU6rcKLrkz1hkBzhRd97RyQ73mk=",
        ),
    ],
)
def test_the_signature_is_the_known_one_to_the_byte(
    secret: str, key: str, stamp: int, body: str, signature: str
) -> None:
    news = replace(samples.sample_news("endpoint.test"), key=key)
    at = datetime.fromtimestamp(stamp, UTC)
    headers = standard.sign(news, body.encode(), SigningKeys((secret,)), at)
    assert headers["webhook-id"] == key
    assert headers["webhook-timestamp"] == str(stamp)
    assert headers["webhook-signature"] == signature


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_library_takes_every_event(name: str) -> None:
    secret = secrets.new_secret("standard")
    news = samples.sample_news(name)
    letter = dialects.compose("standard", news, SigningKeys((secret,)), _now())
    assert letter
    told: Any = Webhook(secret).verify(letter.body, dict(letter.headers))
    assert [key for key in told if key in ENVELOPE] == ENVELOPE
    assert told["event"] == name
    assert told["object"] == json.loads(json.dumps(news.payload["object"]))


def test_both_secrets_are_content_during_an_overlap() -> None:
    new, old = secrets.new_secret("standard"), secrets.new_secret("standard")
    news = samples.sample_news("payment.success")
    letter = dialects.compose("standard", news, SigningKeys((new, old)), _now())
    assert letter
    for secret in (new, old):
        Webhook(secret).verify(letter.body, dict(letter.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets.new_secret("standard")).verify(
            letter.body, dict(letter.headers)
        )


def test_only_the_try_changes_from_one_try_to_the_next() -> None:
    first = samples.sample_news("payment.success")
    once = json.loads(standard.body(first))
    again = json.loads(standard.body(replace(first, attempt=4)))
    assert (once.pop("delivery_try"), again.pop("delivery_try")) == (1, 4)
    assert once == again


def test_it_says_until_when_it_is_tried() -> None:
    news = samples.sample_news("payment.success")
    ends = news.created + timedelta(hours=76)
    told = json.loads(standard.body(replace(news, expires=ends)))
    assert told["expires_at"] == "2026-11-21T18:03:31.000Z"
    assert told["created_at"] == "2026-11-18T14:03:31.000Z"


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("refund.succeeded", "refund"),
        ("dispute.opened", "dispute"),
        ("delivery_item.added", "delivery_item"),
    ],
)
def test_a_refund_stands_beside_its_purchase(name: str, beside: str) -> None:
    told = json.loads(standard.body(samples.sample_news(name)))
    assert told[beside]["object"] == beside
    assert told["object"]["object"] == "transaction"


def test_people_can_have_any_name() -> None:
    secret = secrets.new_secret("standard")
    news = samples.sample_news("payment.success")
    news.payload["object"]["customer"]["name"] = "Zoë — 日本 🎮 <b>"
    letter = dialects.compose("standard", news, SigningKeys((secret,)), _now())
    assert letter
    told: Any = Webhook(secret).verify(letter.body, dict(letter.headers))
    assert told["object"]["customer"]["name"] == "Zoë — 日本 🎮 <b>"
    assert "日本".encode() in letter.body
