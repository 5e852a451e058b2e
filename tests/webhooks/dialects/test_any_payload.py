"""Whatever a payload holds, a letter of it is written, and signed right."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe as stripe_library
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from merchant.providers import PROVIDERS
from merchant.providers.base import Incoming, Keys
from tests.factories import rsa_pair
from tests.webhooks.dialects import payloads
from webhooks import dialects, outbox, samples, secrets
from webhooks.catalogue import KINDS
from webhooks.dialects.base import News, SigningKeys

SECRET = secrets.new_secret("standard")

names = st.sampled_from(sorted(KINDS))
fields = st.sampled_from(
    sorted(samples.sample("payment.refund")["object"])
    + ["kind", "product", "interval", "period_start", "period_end", "ends", "arrives"]
)


@st.composite
def odd_payloads(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A sample with parts of it gone, or turned into something else."""
    payload = samples.sample(name)
    object = payload["object"]
    for field in draw(st.sets(fields, max_size=6)):
        if draw(st.booleans()):
            object.pop(field, None)
        elif field not in {"amount", "currency", "provider", "created", "paid",
                           "updated", "arrives", "ends", "period_start",
                           "period_end"}:  # fmt: skip
            object[field] = draw(payloads.anything)
        else:
            object[field] = None
    for beside in draw(st.sets(st.sampled_from(sorted(payload)), max_size=3)):
        if beside != "object":
            payload[beside] = draw(payloads.anything)
    return payload


def _signed_right(dialect: str, letter: Any, news: News) -> None:
    headers = {name.lower().replace("_", "-"): v for name, v in letter.headers.items()}
    if dialect == "standard":
        Webhook(SECRET).verify(letter.body, headers)
    elif dialect == "stripe":
        header = headers["stripe-signature"]
        stripe_library.WebhookSignature.verify_header(
            letter.body.decode(), header, SECRET, 300
        )
    elif dialect != "paysecure":  # its signature is about fields, see below
        keys = Keys(secrets=(SECRET,))
        incoming = Incoming(letter.body, headers, datetime.now(UTC))
        PROVIDERS[dialect].verify(incoming, keys)


@pytest.mark.parametrize("dialect", dialects.DIALECTS)
@payloads.examples
@given(data=st.data())
def test_no_payload_stops_a_letter(dialect: str, data: st.DataObject) -> None:
    name = data.draw(names)
    payload = data.draw(odd_payloads(name))
    news = payloads.news_of(name, payload)
    keys = payloads.keys_with(rsa_pair()[1], SECRET)
    letter = dialects.compose(dialect, news, keys, datetime.now(UTC))
    assert (letter is not None) == dialects.speaks_of(dialect, news)
    if letter:
        json.loads(letter.body)
        _signed_right(dialect, letter, news)


@pytest.mark.parametrize("dialect", dialects.DIALECTS)
def test_an_empty_object_is_told_all_the_same(dialect: str) -> None:
    keys = payloads.keys_with(rsa_pair()[1], SECRET)
    for name in KINDS:
        news = payloads.news_of(name, {"object": {}})
        if dialects.speaks_of(dialect, news):
            assert dialects.compose(dialect, news, keys, payloads.AT)


@pytest.mark.parametrize("dialect", dialects.DIALECTS)
@payloads.examples
@given(object=payloads.transactions())
def test_a_letter_is_small_enough_for_everybody(
    dialect: str, object: dict[str, Any]
) -> None:
    news = payloads.news_of("payment.success", payloads.payload_of(object))
    keys = payloads.keys_with(rsa_pair()[1], SECRET)
    letter = dialects.compose(dialect, news, keys, payloads.AT)
    assert letter
    assert len(letter.body) < 20_000


@pytest.mark.parametrize("dialect", dialects.DIALECTS)
def test_half_a_surrogate_pair_stops_nothing(dialect: str) -> None:
    news = samples.sample_news("payment.success")
    news.payload["object"]["metadata"] = {"note": "half \ud800 of one"}
    keys = SigningKeys((SECRET,), rsa_pair()[1])
    letter = dialects.compose(dialect, news, keys, payloads.AT)
    assert letter
    letter.body.decode()


@pytest.mark.parametrize("dialect", dialects.DIALECTS)
def test_a_letter_holds_no_key_that_it_is_signed_with(dialect: str) -> None:
    keys = SigningKeys((SECRET,), rsa_pair()[1])
    for name in KINDS:
        letter = dialects.compose(dialect, samples.sample_news(name), keys, payloads.AT)
        if letter:
            shown = letter.body.decode() + str(letter.headers)
            assert SECRET not in shown
            assert "PRIVATE" not in shown


def test_an_events_key_needs_no_escaping_anywhere() -> None:
    key = outbox.new_key().removeprefix("msg_")
    assert set(key) <= {*string.ascii_letters, *string.digits}
