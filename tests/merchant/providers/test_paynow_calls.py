"""PayNow asked: one object, and what webhooks missed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant.providers import paynow
from merchant.providers.base import (
    Answer,
    Fact,
    Keys,
    Refused,
    Unreachable,
    Unreadable,
    Want,
)
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paynow_cases import (
    ORDER_ID,
    PAYMENT_ID,
    facts,
    raw,
    said,
)

KEYS = Keys(api_key="pn_key_7", account="4334", livemode=False)
SINCE = datetime(2026, 10, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


class Wire:
    """A provider that answers from a table, path -> body or (status, body, headers)."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, str, dict[str, str]]] = []

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], **_: Any
    ) -> Answer:
        self.calls.append((method, url, dict(headers)))
        parts = urlsplit(url)
        kind = parts.path.removeprefix("/v1/stores/4334").strip("/").split("/")[0]
        found = self.answers[kind]
        if callable(found):
            found = found({k: v[0] for k, v in parse_qs(parts.query).items()})
        status, body, more = found if isinstance(found, tuple) else (200, found, {})
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Answer(status, more, sent)


def test_a_payment_is_asked_for_by_its_store_and_id() -> None:
    wire = Wire(payments=raw("api_payment"))
    paynow.fetch(Want("payment", "12/../3"), KEYS, wire)
    ((method, url, headers),) = wire.calls
    path = "/v1/stores/4334/payments/12%2F..%2F3"
    assert (method, url) == ("GET", f"https://api.paynow.gg{path}")
    assert headers["Authorization"] == "APIKey pn_key_7"


def test_a_base_url_of_ones_own_is_used() -> None:
    wire = Wire(paynow=raw("api_payment"))
    keys = Keys(api_key="k", account="4334", base_url="http://127.0.0.1:9/paynow/")
    paynow.fetch(Want("payment", "1"), keys, wire)
    url = "http://127.0.0.1:9/paynow/v1/stores/4334/payments/1"
    assert wire.calls[0][1] == url


def fetched() -> list[Fact]:
    told = paynow.fetch(
        Want("payment", PAYMENT_ID), KEYS, Wire(payments=raw("api_payment"))
    )
    check_facts(told, paynow)
    return told


def test_a_payment_brings_its_method_and_its_refunds() -> None:
    payment, first, second = fetched()
    assert payment.references == (("order", ORDER_ID), ("payment", PAYMENT_ID))
    assert payment.status == "paid"
    assert payment.wants == ()
    assert said(payment, "money") == [3960, "usd"]
    assert said(payment, "method") == "card"
    assert said(payment, "method_brand") == "visa"
    assert said(payment, "method_last4") == "4242"
    assert said(payment, "method_details")["expires"] == "4/2029"
    assert said(payment, "refund_pending") is False
    assert said(payment, "livemode") is False
    assert [said(refund, "money") for refund in (first, second)] == [
        [1320, "usd"],
        [2640, "usd"],
    ]
    assert {refund.status for refund in (first, second)} == {"succeeded"}


def test_the_apis_refund_counts_more_than_the_webhooks() -> None:
    _, told, _ = fetched()
    heard, _ = facts("on_refund__partial")
    assert told.object_id == heard.object_id
    assert told.says["money"].weight > heard.says["money"].weight
    assert said(told, "verified") is True


def test_an_orders_total_counts_more_than_the_apis_payment() -> None:
    (order,) = facts("on_order_completed")
    assert order.says["money"].weight > fetched()[0].says["money"].weight


def test_an_order_brings_the_number_that_customers_know() -> None:
    (order,) = paynow.fetch(
        Want("order", ORDER_ID), KEYS, Wire(orders=raw("api_order"))
    )
    check_facts([order], paynow)
    assert order.status == "paid"
    assert said(order, "order_reference") == "pn-4k2example"
    assert said(order, "customer_country") == "NO"
    assert said(order, "customer_key") == "mira@example.com"
    assert [line["amount"] for line in said(order, "items")] == [2640, 1320]


def payment_with(**over: Any) -> list[Fact]:
    body = json.loads(raw("api_payment")) | over
    return paynow.fetch(Want("payment", PAYMENT_ID), KEYS, Wire(payments=body))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("unknown", "created"), ("created", "created"), ("pending", "pending"),
        ("completed", "paid"), ("canceled", "canceled"), ("failed", "failed"),
        ("refunded", "paid"), ("chargeback", "paid"), ("refund_failed", "paid"),
        ("refund_processing", "paid"), ("something_new", "created"),
    ],
)  # fmt: skip
def test_a_payments_words_are_ours(word: str, status: str) -> None:
    payment = payment_with(status=word)[0]
    assert payment.status == status
    assert said(payment, "refund_pending") is (word == "refund_processing")


@pytest.mark.parametrize(
    ("word", "status"), [("pending", "open"), ("won", "won"), ("lost", "lost")]
)
def test_a_chargeback_comes_with_its_payment(word: str, status: str) -> None:
    told = payment_with(chargeback_status=word, chargeback_at="2026-10-12T07:30:00Z")
    (dispute,) = [fact for fact in told if fact.topic == "dispute"]
    assert (dispute.status, dispute.object_id) == (status, PAYMENT_ID)
    opened = facts("on_chargeback")[0]
    closed = facts("on_chargeback_closed")[0]
    if status == "open":
        assert dispute.order <= opened.order
    else:  # later than the opening's webhook, earlier than the closing's
        assert opened.order < dispute.order < closed.order


@pytest.mark.parametrize("status", [401, 403, 404, 400, 422, 301])
def test_a_no_for_good_is_refused(status: int) -> None:
    error = {"status": status, "code": "no", "message": "because of the moon"}
    with pytest.raises(Refused, match="because of the moon"):
        paynow.fetch(Want("payment", "1"), KEYS, Wire(payments=(status, error, {})))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_a_no_for_now_is_tried_again(status: int) -> None:
    answer = (status, b"<html>", {"retry-after": "17"})
    with pytest.raises(Unreachable) as caught:
        paynow.fetch(Want("payment", "1"), KEYS, Wire(payments=answer))
    assert caught.value.after == 17


@pytest.mark.parametrize(
    "after", ["", "soon", "-1", "1e9", "Fri, 31 Dec 1999 23:59:59 GMT"]
)
def test_a_time_to_wait_that_cannot_be_read_is_none(after: str) -> None:
    with pytest.raises(Unreachable) as caught:
        paynow.fetch(
            Want("payment", "1"),
            KEYS,
            Wire(payments=(503, b"", {"retry-after": after})),
        )
    assert caught.value.after is None


def test_without_a_key_nobody_is_asked() -> None:
    wire = Wire()
    with pytest.raises(Refused, match="API key"):
        paynow.fetch(Want("payment", "1"), Keys(account="4334"), wire)
    assert wire.calls == []


def test_what_paynow_does_not_have_is_not_asked_for() -> None:
    with pytest.raises(Refused):
        paynow.fetch(Want("moon", "1"), KEYS, Wire())


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"id": null}', b"{"])
def test_an_answer_that_is_no_payment_is_no_fact(body: bytes) -> None:
    with pytest.raises((Unreadable, Unreachable)):
        paynow.fetch(Want("payment", "1"), KEYS, Wire(payments=body))


def test_the_only_store_of_a_key_is_found() -> None:
    def call(method: str, url: str, **_: Any) -> Answer:
        if url.endswith("/v1/stores"):
            return Answer(200, {}, b'[{"id": "4334"}]')
        assert "/v1/stores/4334/payments/" in url
        return Answer(200, {}, raw("api_payment"))

    assert paynow.fetch(Want("payment", "1"), Keys(api_key="k"), call)


@pytest.mark.parametrize("stores", [b"[]", b'[{"id": "1"}, {"id": "2"}]', b"{}"])
def test_one_of_several_stores_is_not_guessed(stores: bytes) -> None:
    with pytest.raises(Refused, match="store id"):
        paynow.fetch(
            Want("payment", "1"),
            Keys(api_key="k"),
            lambda *a, **k: Answer(200, {}, stores),
        )


# ------------------------------------------------------------------------------- poll
def row(number: int, made: datetime) -> dict[str, Any]:
    return {
        "id": str(number),
        "status": "completed",
        "currency": "usd",
        "total_amount": 100,
        "amount": 100,
        "created_at": made.isoformat(),
        "completed_at": made.isoformat(),
    }


def shelf(rows: list[dict[str, Any]], asked: list[dict[str, str]]) -> Any:
    """A list that keeps to the cursor, newest first."""

    def serve(query: dict[str, str]) -> list[dict[str, Any]]:
        asked.append(query)
        newest = sorted(rows, key=lambda r: -int(r["id"]))
        behind = [r for r in newest if int(r["id"]) < int(query.get("after", 10**18))]
        return behind[:3]

    return serve


def test_pages_are_read_down_to_the_time_asked_for() -> None:
    asked: list[dict[str, str]] = []
    rows = [row(n, UNTIL - timedelta(days=n)) for n in range(1, 60)]
    for n, one in enumerate(reversed(rows), 1):
        one["id"] = str(n)  # newer rows have greater ids
    wire = Wire(orders=shelf(rows, asked), payments=[])
    told = [fact for page in paynow.poll(SINCE, UNTIL, KEYS, wire) for fact in page]
    assert len(told) == 31
    assert len(asked) == 11, "it stops at the first row that is too old"
    assert asked[0] == {"limit": "100", "asc": "false"}
    assert asked[1]["after"] == "57"
    assert all(SINCE <= fact.at <= UNTIL for fact in told if fact.at)


def test_payments_are_read_too() -> None:
    wire = Wire(orders=[], payments=[json.loads(raw("api_payment"))])
    (page,) = paynow.poll(SINCE, UNTIL, KEYS, wire)
    assert [fact.topic for fact in page] == ["payment", "refund", "refund"]


def test_a_list_that_ignores_the_cursor_ends() -> None:
    wire = Wire(orders=[row(5, UNTIL), row(4, UNTIL)], payments=[])
    told = list(paynow.poll(SINCE, UNTIL, KEYS, wire))
    assert [len(page) for page in told] == [2]


def test_a_row_that_cannot_be_read_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = row(6, UNTIL) | {"total_amount": -5}
    wire = Wire(orders=[bad, row(5, UNTIL), None, "x"], payments=[])
    (page,) = paynow.poll(SINCE, UNTIL, KEYS, wire)
    assert [fact.object_id for fact in page] == ["5"]
    assert "below zero" in caplog.text


def test_a_poll_passes_on_that_nobody_answers() -> None:
    wire = Wire(orders=(503, b"", {}))
    with pytest.raises(Unreachable):
        list(paynow.poll(SINCE, UNTIL, KEYS, wire))
