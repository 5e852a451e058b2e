"""Payloads as Hypothesis makes them: believable ones, and anything JSON can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from webhooks.catalogue import KINDS
from webhooks.dialects.base import News, SigningKeys

#: A busy machine is slow; that is no fault of a letter.
examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

AT = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
CREATED = datetime(2026, 11, 18, 14, 4, 2, 500_000, tzinfo=UTC)

#: ISO 4217 exponents 0, 2, 3; ISK, UGX and MGA are other at Stripe.
CURRENCIES = ("eur", "usd", "jpy", "kwd", "isk", "ugx", "clp", "bhd")
PROVIDERS = {
    "stripe": {
        "payment_intent": ["pi_1"],
        "session": ["cs_test_1"],
        "charge": ["ch_1"],
    },
    "paysuper": {"order": ["726d9e07-1dc8-4159-8d52-f95941066bc8"]},
    "paynow": {"order": ["626805379694596112"], "payment": ["626805379694596113"]},
    "paysecure": {"purchase": ["6a1d26a3d373e5fd3c44ae15"]},
}

#: What a person can be called; PostgreSQL keeps neither NUL nor half a surrogate.
words = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30
)
seconds = st.integers(1_500_000_000, 1_900_000_000)
ids = st.uuids().map(str)


#: What is believable even with the two digits more that ISK has on Stripe's wire.
MOST = 10**11
amounts = st.integers(1, MOST) | st.sampled_from([1, 99, 100, 5950, MOST])


@st.composite
def lines(draw: st.DrawFn, most: int = 4) -> list[dict[str, Any]]:
    return [
        {
            "product": draw(ids),
            "name": draw(words),
            "sku": draw(st.none() | st.sampled_from(["SKU-1", "Zoë — 日本"])),
            "quantity": draw(st.integers(1, 7)),
            "amount": draw(st.none() | st.integers(0, 10**9)),
            "platform": draw(st.none() | st.sampled_from(["steam", "gog"])),
        }
        for _ in range(draw(st.integers(0, most)))
    ]


@st.composite
def transactions(draw: st.DrawFn, **over: Any) -> dict[str, Any]:
    """The API's object of a purchase; `over` fixes fields."""
    created = draw(seconds)
    amount = over.get("amount", draw(amounts))
    found = {
        "id": draw(ids),
        "object": "transaction",
        "project": draw(ids),
        "provider": draw(st.sampled_from(sorted(PROVIDERS))),
        "livemode": draw(st.booleans()),
        "status": "paid",
        "status_reason": None,
        "refund_pending": False,
        "verified": draw(st.booleans()),
        "amount": amount,
        "currency": draw(st.sampled_from(CURRENCIES)),
        "amount_refunded": 0,
        "fee": None,
        "net": None,
        "settlement": draw(
            st.none()
            | st.just(
                {
                    "currency": "usd",
                    "amount": 1000,
                    "fee": 30,
                    "net": 970,
                    "exchange_rate": "1.1",
                }
            )
        ),
        "description": draw(st.none() | words),
        "customer": draw(
            st.none()
            | st.fixed_dictionaries(
                {
                    "id": ids,
                    "name": st.none() | words,
                    "email": st.none() | st.just("zoë@example.com"),
                    "country": st.none() | st.sampled_from(["DE", "JP"]),
                }
            )
        ),
        "payment_method": draw(
            st.none()
            | st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["card", "sepa_debit", "wallet"]),
                    "brand": st.none() | st.sampled_from(["visa", "amex", "girocard"]),
                    "last4": st.none() | st.just("4242"),
                }
            )
        ),
        "items": draw(lines()),
        "refunds": [],
        "disputes": [],
        "fulfilment": {"status": "waiting"},
        "order_reference": draw(st.none() | st.just("ORDER-1")),
        "metadata": draw(st.dictionaries(words, words, max_size=3)),
        "sequence": draw(st.integers(0, 10**6)),
        "created": created,
        "paid": created + draw(st.integers(0, 10**6)),
        "updated": created + 10**6,
        **over,
    }
    found["provider_id"] = next(iter(PROVIDERS[found["provider"]].values()))[0]
    return found


def payload_of(object: dict[str, Any], part: Any = None) -> dict[str, Any]:
    provider = object["provider"]
    return {
        "object": object,
        "part": part,
        "references": PROVIDERS[provider],
        "connection": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "brand": "411486491630370816" if provider in {"paynow", "paysecure"} else "",
        "details": {
            "customer": {"address": {"line1": "Musterstr. 1", "country": "DE"}},
            "method": {"expires": "08/2030"},
            "phone": "",
        },
    }


def part_of(kind: str, object: dict[str, Any], **over: Any) -> dict[str, Any]:
    """A refund or dispute of the purchase."""
    return {
        "id": "0b3c8a52-53b6-4a6e-a7a6-3f2b9f5b6f11",
        "object": kind,
        "transaction": object["id"],
        "amount": object["amount"],
        "currency": object["currency"],
        "status": "succeeded",
        "reason": None,
        "provider_id": "re_1",
        "created": object["updated"],
        **over,
    }


def news_of(name: str, payload: dict[str, Any], **over: Any) -> News:
    given: dict[str, Any] = {
        "key": "msg_2KWPBgLlAfxdpx2AI54pPJ",
        "name": name,
        "livemode": payload["object"].get("livemode") is not False,
        "subject_kind": KINDS[name].subject,
        "payload": payload,
        "created": CREATED,
    }
    return News(**given | over)


#: A key pair costs a while; one is enough for all tests of a run.
def keys_with(private: str, *secrets: str) -> SigningKeys:
    return SigningKeys(secrets=secrets, private_key=private)


# -------------------------------------------------------------------- anything at all
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
