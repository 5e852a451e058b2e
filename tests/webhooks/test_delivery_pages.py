"""Deliveries on pages: who sees them, how they are narrowed, what one of them says."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Project
from tests.conftest import client_of
from tests.factories import make_member, make_project
from tests.webhooks import outbound
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

LIST = "/deliveries/"


def page_of(row: Delivery) -> str:
    return f"/deliveries/{row.pk}/"


def ids_on(response) -> set[int]:
    return {row.pk for row in response.context["rows"]}


@pytest.fixture
def shop(project: Project) -> Endpoint:
    return outbound.endpoint(project, description="Shop server")


# ------------------------------------------------------------------------- who sees
def test_the_list_says_what_went_out(owner_client: Client, shop: Endpoint) -> None:
    outbound.exhausted(to=shop)
    page = owner_client.get(LIST).content.decode()
    for words in (
        "payment.success", "Shop server", "Given up", "10 tries",
        "The endpoint answered 503",
    ):  # fmt: skip
        assert words in page


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_see_none_of_it(role: str, shop: Endpoint) -> None:
    row = outbound.delivered(to=shop)
    client = client_of(make_member(role, merchant=shop.project.merchant))
    for path in (LIST, page_of(row), "/deliveries/charts/"):
        assert client.get(path).status_code == 403


def test_a_stranger_sees_nothing(stranger_client: Client, shop: Endpoint) -> None:
    row = outbound.delivered(to=shop)
    assert stranger_client.get(page_of(row)).status_code == 404
    assert ids_on(stranger_client.get(LIST)) == set()
    named = stranger_client.get(f"{LIST}?endpoint={shop.pk}")
    assert named.status_code == 422
    assert b"Shop server" not in named.content


def test_a_member_of_one_project_sees_only_that(shop: Endpoint) -> None:
    other = make_project(merchant=shop.project.merchant)
    ours = outbound.delivered(to=shop)
    outbound.delivered(to=outbound.endpoint(other))
    member = make_member(
        "developer", merchant=shop.project.merchant, projects=[shop.project]
    )
    assert ids_on(client_of(member).get(LIST)) == {ours.pk}


# --------------------------------------------------------------------------- filters
@pytest.fixture
def rows(shop: Endpoint) -> dict[str, Delivery]:
    project, now = shop.project, timezone.now()
    other = outbound.endpoint(project, url="https://erp.example.com/in")
    old = now - timedelta(days=40)
    before = outbound.delivery(
        outbound.event(project, created=old), other, state="delivered"
    )
    refund = outbound.event(project, name="payment.refund")
    test = outbound.event(project, name="refund.failed", livemode=False)
    return {
        "done": outbound.delivered(to=shop),
        "failed": outbound.exhausted(refund, other),
        "waiting": outbound.delivery(test, shop),
        "old": before,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "done failed waiting old"),
        ("state=exhausted", "failed"),
        ("state=exhausted&state=pending", "failed waiting"),
        ("event=payment.refund", "failed"),
        ("event=payment.*", "done failed old"),
        ("event=payment.*&event=refund.failed", "done failed old waiting"),
        ("livemode=false", "waiting"),
        ("livemode=true&state=delivered", "done old"),
        ("project=dragon-shop", "done failed waiting old"),
        ("event=dispute.opened", ""),
    ],
)
def test_filters_narrow_the_list(
    owner_client: Client, rows: dict[str, Delivery], query: str, names: str
) -> None:
    wanted = {rows[name].pk for name in names.split()}
    assert ids_on(owner_client.get(f"{LIST}?{query}")) == wanted


def test_a_time_narrows_the_list(owner_client: Client, rows) -> None:
    day = (timezone.now() - timedelta(days=30)).date()
    after = owner_client.get(LIST, {"created[gte]": str(day)})
    assert ids_on(after) == {rows[n].pk for n in ("done", "failed", "waiting")}
    before = owner_client.get(LIST, {"created[lt]": str(day)})
    assert ids_on(before) == {rows["old"].pk}
    both = {"created[gte]": "2020-01-01", "created[lt]": "2020-01-02"}
    assert ids_on(owner_client.get(LIST, both)) == set()


def test_an_endpoint_and_a_transaction_narrow_it(owner_client: Client, rows) -> None:
    done = rows["done"]
    named = owner_client.get(f"{LIST}?endpoint={done.endpoint_id}")
    assert ids_on(named) == {done.pk, rows["waiting"].pk}
    assert named.context["chips"][0]["value"] == "Shop server"
    about = owner_client.get(f"{LIST}?transaction={done.subject}")
    assert ids_on(about) == {done.pk}
    assert ids_on(owner_client.get(f"{LIST}?transaction={uuid4()}")) == set()


@pytest.mark.parametrize(
    "query",
    [
        "state=nonsense", "event=payment", "endpoint=x", "transaction=x",
        "created[gte]=yesterday", "livemode=maybe", "project=none",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(owner_client: Client, rows, query: str) -> None:
    response = owner_client.get(f"{LIST}?{query}")
    assert response.status_code == 422
    assert ids_on(response) == set()
    assert b"cannot be read" in response.content


@pytest.mark.parametrize("cursor", ["x", "-1", "0", "9" * 30, "1.5", "١"])
def test_a_broken_cursor_is_a_page(owner_client: Client, rows, cursor: str) -> None:
    for name in ("after", "before"):
        assert owner_client.get(f"{LIST}?{name}={cursor}").status_code == 200


def test_pages_follow_each_other(owner_client: Client, shop: Endpoint) -> None:
    other = outbound.endpoint(shop.project)
    made = [
        outbound.delivery(outbound.event(shop.project), (shop, other)[n % 2]).pk
        for n in range(30)
    ]
    first = owner_client.get(LIST)
    assert [row.pk for row in first.context["rows"]] == made[:4:-1]
    second = owner_client.get(first.context["older_url"])
    assert [row.pk for row in second.context["rows"]] == made[4::-1]
    back = owner_client.get(second.context["newer_url"])
    assert ids_on(back) == ids_on(first)


# ------------------------------------------------------------------------- one of them
def test_a_delivery_shows_each_exchange(owner_client: Client, shop: Endpoint) -> None:
    row = outbound.exhausted(to=shop)
    outbound.attempt(row, number=9, status=None, outcome="timeout",
                     error="no answer within 15 s", answer=b"", answer_headers={},
                     name_ms=2, connect_ms=None, tls_ms=None, wait_ms=None,
                     total_ms=15_000)  # fmt: skip
    page = owner_client.get(page_of(row)).content.decode()
    for words in (
        "Try 10", "503 Service Unavailable", "Try 9", "No answer within 15 s",
        "15.0 s", "203.0.113.10", "webhook-signature", "&quot;taken&quot;: true",
        "&quot;delivery_try&quot;: 10", "&quot;delivery_try&quot;: 9", "There was none",
    ):  # fmt: skip
        assert words in page, words


def test_bars_say_where_the_time_went(owner_client: Client, shop: Endpoint) -> None:
    row = outbound.delivered(to=shop)
    spans = owner_client.get(page_of(row)).context["tries"][0].spans
    assert [span["length"] for span in spans] == [
        "3 ms", "12 ms", "30 ms", "40 ms", "2 ms",
    ]  # fmt: skip
    assert spans[0]["x"] == "0%"
    assert spans[3]["x"] == "51.72%"
    assert spans[3]["width"] == "45.98%"


def test_many_tries_come_in_pages(owner_client: Client, shop: Endpoint) -> None:
    row = outbound.delivery(to=shop, attempts_made=45)
    for number in range(1, 46):
        outbound.attempt(row, number=number)
    first = owner_client.get(page_of(row))
    assert [one.attempt.number for one in first.context["tries"]] == [
        *range(45, 25, -1)
    ]
    then = owner_client.get(f"{page_of(row)}?before={first.context['older']}")
    assert then.context["tries"][0].attempt.number == 25
    assert owner_client.get(f"{page_of(row)}?before=x").status_code == 200


@pytest.mark.parametrize(
    "answer", [b"", b"\xff\xfe\x00", b"[" * 16_000, b'"', b"\x00" * 100]
)
def test_any_answer_can_be_looked_at(owner_client: Client, shop, answer) -> None:
    row = outbound.delivery(to=shop)
    outbound.attempt(row, answer=answer)
    assert owner_client.get(page_of(row)).status_code == 200


def test_a_hostile_answer_is_only_text(owner_client: Client, shop: Endpoint) -> None:
    row = outbound.delivery(to=shop, error="<b>x</b>", attempts_made=1)
    outbound.attempt(
        row,
        error="<i>y</i>",
        answer=b"</pre><script>alert(1)</script>",
        answer_headers={"x-a": "<u>z</u>"},
    )
    for path in (page_of(row), LIST):
        page = owner_client.get(path).content
        for tag in (b"<script>alert", b"<b>x", b"<i>y", b"<u>z"):
            assert tag not in page


@pytest.mark.parametrize("id", ["0", "1", "9" * 30])
def test_an_unknown_delivery_is_404(owner_client: Client, id: str) -> None:
    assert owner_client.get(f"/deliveries/{id}/").status_code == 404


# ----------------------------------------------------------------------------- speed
def test_the_list_asks_the_same_of_many(
    owner_client: Client, shop: Endpoint, django_assert_max_num_queries
) -> None:
    every = timedelta(minutes=2)
    outbound.many(shop, 10_000, every=every, end=timezone.now())
    owner_client.get(LIST)
    for query in ("", "state=exhausted", f"endpoint={shop.pk}", "livemode=false",
                  "created[gte]=2020-01-01", "event=payment.success"):  # fmt: skip
        # The frame's five, the projects, endpoints, the page, the count.
        with django_assert_max_num_queries(9):
            response = owner_client.get(f"{LIST}?{query}")
        assert len(response.context["rows"]) == 25


def test_a_delivery_asks_the_same_of_many_tries(
    owner_client: Client, shop: Endpoint, django_assert_max_num_queries
) -> None:
    row = outbound.delivery(to=shop)
    for number in range(1, 20):
        outbound.attempt(row, number=number)
    owner_client.get(page_of(row))
    with django_assert_max_num_queries(9):
        owner_client.get(page_of(row))


def test_without_an_endpoint_a_button_adds_one(owner_client: Client) -> None:
    page = owner_client.get("/deliveries/").content.decode()
    assert "No endpoint yet" in page
    assert 'href="/webhooks/new/"' in page
    assert "manage.py" not in page
