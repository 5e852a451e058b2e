"""Paysecure asked: what a webhook only claimed, and what no webhook told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from merchant.providers import paysecure
from merchant.providers.base import Answer, Refused, Unreachable, Unreadable, Want
from tests.merchant.providers.contract import check_facts
from tests.merchant.providers.paysecure_cases import (
    BRAND,
    ID,
    PAYOUT_ID,
    keys,
    load,
    said,
)

KEYS = replace(keys("own"), api_key="pk-secret-77", brand_ids=(BRAND,))
WANT = Want("purchase", ID)
SINCE = datetime(2026, 9, 23, 8, tzinfo=UTC)
UNTIL = datetime(2026, 9, 23, 12, 30, tzinfo=UTC)


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


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body, default=float).encode())


def purchase(name: str = "payin_paid", **over: Any) -> dict[str, Any]:
    return load(name)["message"] | over


def listed(*ids: str, more: bool = False) -> Answer:
    content = [{"transaction_id": id, "status": "paid"} for id in ids]
    return answer({"data": {"content": content, "hasNext": more}})


# ------------------------------------------------------------------------ one asked
@pytest.mark.parametrize("status", [200, 202])
def test_the_apis_word_is_believed(status: int) -> None:
    api = Api(answer(purchase(), status))
    (fact,) = paysecure.fetch(WANT, KEYS, api)
    check_facts([fact], paysecure)
    assert said(fact, "verified") is True
    assert fact.says["money"].value == [3750, "eur"]
    assert fact.says["money"].weight == 2
    assert fact.wants == ()
    ((place, _, headers),) = api.asked
    assert place == f"https://api.paysecure.net/api/v1/purchases/{ID}/"
    assert headers["Authorization"] == "Bearer pk-secret-77"
    assert headers["BrandId"] == BRAND


def test_a_base_url_replaces_the_whole_front() -> None:
    api = Api(answer(purchase()))
    elsewhere = replace(KEYS, base_url="http://127.0.0.1:9/paysecure/", brand_ids=())
    paysecure.fetch(WANT, elsewhere, api)
    ((place, _, headers),) = api.asked
    assert place == f"http://127.0.0.1:9/paysecure/purchases/{ID}/"
    assert "BrandId" not in headers


def test_a_payout_is_asked_for_at_its_own_place() -> None:
    api = Api(answer(load("payout_paid")["payload"]))
    (fact,) = paysecure.fetch(Want("payout", PAYOUT_ID), KEYS, api)
    assert said(fact, "verified") is True
    assert api.asked[0][0].endswith(f"/getpayout/{PAYOUT_ID}/")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_a_no_is_final(status: int) -> None:
    failure = answer({"message": "PurchaseId Not found.", "code": "x"}, status)
    with pytest.raises(Refused, match="PurchaseId Not found"):
        paysecure.fetch(WANT, KEYS, Api(failure))


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_bad_moment_passes(status: int) -> None:
    with pytest.raises(Unreachable):
        paysecure.fetch(WANT, KEYS, Api(Answer(status, {}, b"")))


def test_html_with_status_200_is_no_answer() -> None:
    with pytest.raises(Unreachable):
        paysecure.fetch(WANT, KEYS, Api(Answer(200, {}, b"<html>")))


@pytest.mark.parametrize(
    "other",
    [
        purchase(purchaseId="6c40d1f29ab3e5001c7d8e02"),
        purchase(brand_id="another"),
        load("payout_paid")["payload"] | {"payoutId": ID},
    ],
    ids=["id", "brand", "kind"],
)
def test_another_purchase_than_asked_for_is_not_taken(other: Any) -> None:
    with pytest.raises(Refused):
        paysecure.fetch(WANT, KEYS, Api(answer(other)))


@pytest.mark.parametrize("other", [[], "paid", {}, {"purchaseId": ID}])
def test_an_answer_that_is_no_purchase_is_unreadable(other: Any) -> None:
    with pytest.raises(Unreadable):
        paysecure.fetch(WANT, KEYS, Api(answer(other)))


@pytest.mark.parametrize(
    "want",
    [Want("refund", ID), Want("purchase", f"{ID}/refund"), Want("purchase", "../x")],
)
def test_what_could_lead_elsewhere_is_not_asked(want: Want) -> None:
    """GET /purchases/{id}/refund/ gives the money back."""
    with pytest.raises(Refused):
        paysecure.fetch(want, KEYS, Api())


def test_without_an_api_key_nobody_is_asked() -> None:
    with pytest.raises(Refused):
        paysecure.fetch(WANT, replace(KEYS, api_key=""), Api())


# ------------------------------------------------------------------------- the poll
def test_the_poll_fetches_all_that_changed() -> None:
    second = "6c40d1f29ab3e5001c7d8e02"
    api = Api(
        listed(ID, more=True),
        answer(purchase()),
        listed(second),
        answer(purchase(purchaseId=second)),
    )
    found = list(paysecure.poll(SINCE, UNTIL, KEYS, api))
    assert [told[0].object_id for told in found] == [ID, second]
    lists = [query for place, query, _ in api.asked if place.endswith("/list")]
    assert [query["page_no"] for query in lists] == [["0"], ["1"]]
    assert lists[0]["last_updated_start"] == ["2026-09-23 08:00:00 +00:00"]
    assert lists[0]["last_updated_end"] == ["2026-09-23 12:30:00 +00:00"]
    assert lists[0]["page_size"] == ["100"]


def test_a_list_that_counts_from_one_is_read_whole() -> None:
    """Page 0 and page 1 are the same there."""
    second = "6c40d1f29ab3e5001c7d8e02"
    api = Api(
        listed(ID, more=True),
        answer(purchase()),
        listed(ID, more=True),
        listed(second),
        answer(purchase(purchaseId=second)),
    )
    found = list(paysecure.poll(SINCE, UNTIL, KEYS, api))
    assert [told[0].object_id for told in found] == [ID, second]


def test_a_list_that_never_ends_is_left() -> None:
    pages = [listed(ID, more=True)] * 5
    api = Api(pages[0], answer(purchase()), *pages)
    assert len(list(paysecure.poll(SINCE, UNTIL, KEYS, api))) == 1


def test_one_that_cannot_be_had_does_not_stop_the_poll() -> None:
    api = Api(
        listed("gone", "odd", "a/b", ID),
        answer({"message": "PurchaseId Not found."}, 404),
        answer(purchase(purchaseId="odd", purchase={"total": "x", "currency": "EUR"})),
        answer(purchase()),
    )
    found = list(paysecure.poll(SINCE, UNTIL, KEYS, api))
    assert [told[0].object_id for told in found] == [ID]


@pytest.mark.parametrize("data", [None, [], {"content": None}, {"content": [1, {}]}])
def test_a_strange_list_is_an_empty_one(data: Any) -> None:
    failure = answer({"message": "PurchaseId Not found."}, 404)
    api = Api(answer({"data": data}), failure)
    assert list(paysecure.poll(SINCE, UNTIL, KEYS, api)) == []
