"""PaySuper asked for orders: one by its id, and all that webhooks may have missed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant.providers import paysuper
from merchant.providers.base import Answer, Refused, Unreachable, Unreadable, Want
from tests.merchant.providers.paysuper_cases import (
    KEYS,
    ORDER_ID,
    SECRET,
    facts,
    load,
)

WANT = Want("order", ORDER_ID)
SINCE = datetime(2026, 5, 1, tzinfo=UTC)
UNTIL = datetime(2026, 5, 2, tzinfo=UTC)


class Api:
    """Answers every call with the next of `answers`, and remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: Iterator[Answer] = iter(answers)
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []

    def __call__(
        self, method: str, url: str, *, headers: dict[str, str], body: bytes = b""
    ) -> Answer:
        assert method == "GET"
        address = urlsplit(url)
        place = f"{address.scheme}://{address.netloc}{address.path}"
        self.asked.append((place, parse_qs(address.query), headers))
        return next(self.answers)


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps(body, default=float).encode())


def listed(*orders: Any) -> Answer:
    return answer({"count": len(orders), "items": list(orders) or None})


def order(name: str, **over: Any) -> dict[str, Any]:
    return load(name)["object"] | over


@pytest.mark.parametrize(
    "name",
    [
        "payment_success_simple",
        "payment_success_key",
        "payment_cancel_declined",
        "payment_cancel_by_customer",
        "payment_refund",
        "payment_refund_other_currency",
        "payment_chargeback",
    ],
)
def test_a_listed_order_says_what_its_webhook_said(name: str) -> None:
    found = paysuper.fetch(WANT, KEYS, Api(listed(order(name))))
    assert [fact.identity for fact in found] == [fact.identity for fact in facts(name)]
    places = [(fact.order, fact.rank) for fact in found]
    assert places == [(fact.order, fact.rank) for fact in facts(name)]


@pytest.mark.parametrize(("status", "rank"), [("created", -2), ("pending", -1)])
def test_an_order_that_no_webhook_tells_of(status: str, rank: int) -> None:
    one = order("payment_success_simple", status=status)
    (fact,) = paysuper.fetch(WANT, KEYS, Api(listed(one)))
    assert (fact.status, fact.rank) == (status, rank)
    assert "paid" not in fact.says


def test_the_call_shows_the_projects_id_and_its_secret() -> None:
    api = Api(listed(order("payment_success_simple")))
    paysuper.fetch(WANT, KEYS, api)
    ((place, query, headers),) = api.asked
    assert place == "https://api.pay.super.com/merchant/s2s/api/v1/order"
    assert query == {"id": [ORDER_ID]}
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert pair == f"{KEYS.account}:{SECRET}"


def test_an_api_key_goes_before_the_secret() -> None:
    api = Api(listed(order("payment_success_simple")))
    keys = replace(KEYS, api_key="s2s-key", base_url="http://127.0.0.1:9/paysuper/")
    paysuper.fetch(WANT, keys, api)
    ((place, _, headers),) = api.asked
    assert place == "http://127.0.0.1:9/paysuper/merchant/s2s/api/v1/order"
    assert base64.b64decode(headers["Authorization"][6:]).endswith(b":s2s-key")


def test_without_credentials_nobody_is_asked() -> None:
    for keys in (replace(KEYS, account=""), replace(KEYS, secrets=())):
        with pytest.raises(Refused):
            paysuper.fetch(WANT, keys, Api())


def test_another_order_than_asked_for_is_not_taken() -> None:
    for found in (listed(), listed(order("payment_success_simple", id="other"))):
        with pytest.raises(Refused):
            paysuper.fetch(WANT, KEYS, Api(found))


def test_another_kind_of_question_is_refused() -> None:
    with pytest.raises(Refused):
        paysuper.fetch(Want("refund", "1"), KEYS, Api())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 301])
def test_a_no_is_final(status: int) -> None:
    failure = answer({"code": "ma000024", "message": "who are you"}, status)
    with pytest.raises(Refused, match="who are you"):
        paysuper.fetch(WANT, KEYS, Api(failure))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_bad_moment_passes(status: int) -> None:
    failure = Answer(status, {"retry-after": "17"}, b"<html>")
    with pytest.raises(Unreachable) as caught:
        paysuper.fetch(WANT, KEYS, Api(failure))
    assert caught.value.after == 17


def test_html_with_status_200_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        paysuper.fetch(WANT, KEYS, Api(Answer(200, {}, b"<html>")))


def test_an_order_that_cannot_be_read_is_said_so() -> None:
    with pytest.raises(Unreadable):
        paysuper.fetch(
            WANT, KEYS, Api(listed(order("payment_success_simple", amount=-1)))
        )


# ------------------------------------------------------------------------- the poll
def many(first: int, count: int) -> Iterable[dict[str, Any]]:
    return [
        order("payment_success_simple", id=f"o{number}")
        for number in range(first, first + count)
    ]


def test_the_poll_goes_through_all_pages() -> None:
    api = Api(listed(*many(0, 100)), listed(*many(100, 100)), listed(*many(200, 3)))
    found = list(paysuper.poll(SINCE, UNTIL, KEYS, api))
    assert [told[0].object_id for told in found] == [f"o{n}" for n in range(203)]
    assert [query["offset"] for _, query, _ in api.asked] == [["0"], ["100"], ["200"]]


def test_the_poll_asks_for_this_project_only_and_a_little_earlier() -> None:
    api = Api(listed())
    assert list(paysuper.poll(SINCE, UNTIL, KEYS, api)) == []
    ((_, query, _),) = api.asked
    assert query["project[]"] == [KEYS.account]
    assert query["limit"] == ["100"]
    assert query["project_date_to"] == ["2026-05-02T00:00:00"]
    first = datetime.fromisoformat(query["project_date_from"][0]).replace(tzinfo=UTC)
    assert SINCE - first == timedelta(hours=48)


def test_a_list_that_never_ends_is_left() -> None:
    api = Api(*[listed(*many(0, 100))] * 3)
    assert len(list(paysuper.poll(SINCE, UNTIL, KEYS, api))) == 100


def test_an_odd_order_does_not_stop_the_poll() -> None:
    odd = order("payment_success_simple", id="odd", amount="lots")
    found = list(paysuper.poll(SINCE, UNTIL, KEYS, Api(listed(odd, *many(0, 2)))))
    assert [told[0].object_id for told in found if told] == ["o0", "o1"]


def test_test_orders_of_the_list_are_left_out() -> None:
    test = order("payment_success_simple", testing_case="correct_payment")
    assert sum(paysuper.poll(SINCE, UNTIL, KEYS, Api(listed(test))), []) == []
