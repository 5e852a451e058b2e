"""Events on pages: what was announced, in whose words, and who was told."""

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
from webhooks.models import Event

pytestmark = pytest.mark.django_db

LIST = "/events/"


def page_of(event: Event) -> str:
    return f"/events/{event.key}/"


def keys_on(response) -> set[str]:
    return {row.key for row in response.context["rows"]}


# ------------------------------------------------------------------------- who sees
@pytest.mark.parametrize("role", ["owner", "admin", "developer"])
def test_developers_see_events(role: str, project: Project) -> None:
    event = outbound.event(project)
    client = client_of(make_member(role, merchant=project.merchant))
    assert keys_on(client.get(LIST)) == {event.key}
    assert client.get(page_of(event)).status_code == 200


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_do_not(role: str, project: Project) -> None:
    event = outbound.event(project)
    client = client_of(make_member(role, merchant=project.merchant))
    for path in (LIST, page_of(event)):
        assert client.get(path).status_code == 403


def test_a_stranger_sees_nothing(stranger_client: Client, project: Project) -> None:
    event = outbound.event(project)
    assert keys_on(stranger_client.get(LIST)) == set()
    assert stranger_client.get(page_of(event)).status_code == 404


def test_a_member_of_one_project_sees_only_that(project: Project) -> None:
    ours = outbound.event(project)
    theirs = outbound.event(make_project(merchant=project.merchant))
    member = make_member("developer", merchant=project.merchant, projects=[project])
    client = client_of(member)
    assert keys_on(client.get(LIST)) == {ours.key}
    assert client.get(page_of(theirs)).status_code == 404


# --------------------------------------------------------------------------- filters
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "old paid refund test"),
        ("event=payment.success", "old paid"),
        ("event=payment.*", "old paid refund"),
        ("event=refund.failed&event=payment.refund", "refund test"),
        ("livemode=false", "test"),
        ("project=dragon-shop&livemode=true", "old paid refund"),
        ("event=payout.paid", ""),
    ],
)
def test_filters_narrow_the_list(
    owner_client: Client, rows: dict[str, Event], query: str, names: str
) -> None:
    wanted = {rows[name].key for name in names.split()}
    assert keys_on(owner_client.get(f"{LIST}?{query}")) == wanted


@pytest.fixture
def rows(project: Project) -> dict[str, Event]:
    long_ago = timezone.now() - timedelta(days=40)
    return {
        "old": outbound.event(project, created=long_ago),
        "paid": outbound.event(project),
        "refund": outbound.event(project, name="payment.refund"),
        "test": outbound.event(project, name="refund.failed", livemode=False),
    }


def test_a_time_and_a_transaction_narrow_it(owner_client: Client, rows) -> None:
    day = (timezone.now() - timedelta(days=30)).date()
    after = owner_client.get(LIST, {"created[gte]": str(day)})
    assert keys_on(after) == {rows[name].key for name in ("paid", "refund", "test")}
    before = owner_client.get(LIST, {"created[lt]": str(day)})
    assert keys_on(before) == {rows["old"].key}
    about = owner_client.get(f"{LIST}?transaction={rows['paid'].subject}")
    assert keys_on(about) == {rows["paid"].key}
    assert keys_on(owner_client.get(f"{LIST}?transaction={uuid4()}")) == set()


@pytest.mark.parametrize(
    "query", ["event=x", "transaction=x", "created[lt]=x", "livemode=x"]
)
def test_what_cannot_be_read_is_said(owner_client: Client, rows, query: str) -> None:
    response = owner_client.get(f"{LIST}?{query}")
    assert response.status_code == 422
    assert keys_on(response) == set()


# ------------------------------------------------------------------------- one of them
def test_an_event_shows_its_payload(owner_client: Client, project: Project) -> None:
    event = outbound.event(project)
    page = owner_client.get(page_of(event)).content.decode()
    for words in (event.key, "&quot;amount&quot;: 1999", "It is paid", "Nobody:"):
        assert words in page


def test_it_is_shown_as_it_would_be_sent(owner_client: Client, project) -> None:
    event = outbound.event(project)
    page = owner_client.get(f"{page_of(event)}?as=standard").content.decode()
    assert f"&quot;id&quot;: &quot;{event.key}&quot;" in page
    assert "&quot;delivery_try&quot;: 1" in page


def test_every_dialect_has_its_tab(owner_client: Client, project: Project) -> None:
    event = outbound.event(project)
    tabs = owner_client.get(page_of(event)).context["tabs"]
    assert tabs[0]["name"] == "standard"
    for tab in tabs:
        response = owner_client.get(f"{page_of(event)}?as={tab['name']}")
        assert response.status_code == 200
    unknown = owner_client.get(f"{page_of(event)}?as=klingon")
    assert not unknown.context["in_dialect"]


def test_its_deliveries_are_there(owner_client: Client, project: Project) -> None:
    shop = outbound.endpoint(project, description="Shop server")
    row = outbound.exhausted(outbound.event(project), shop)
    page = owner_client.get(page_of(row.event)).content.decode()
    assert "Shop server" in page
    assert f"/deliveries/{row.pk}/" in page
    assert "The endpoint answered 503" in page


def test_a_hostile_payload_is_only_text(owner_client: Client, project) -> None:
    bad = {"description": "</pre><script>alert(1)</script>"}
    event = outbound.event(project, payload={"object": outbound.OBJECT | bad})
    for query in ("", "?as=standard"):
        page = owner_client.get(page_of(event) + query).content
        assert b"<script>alert" not in page


# ----------------------------------------------------------------------------- speed
def test_the_list_asks_the_same_of_many(
    owner_client: Client, project: Project, django_assert_max_num_queries
) -> None:
    shop = outbound.endpoint(project)
    outbound.many(shop, 10_000, every=timedelta(minutes=1), end=timezone.now())
    owner_client.get(LIST)
    for query in ("", "event=payment.*", "event=payment.success", "livemode=false"):
        # The frame's five, the projects, and for each strand the page and the count:
        # "payment.*" has eleven.
        most = 28 if "*" in query else 8
        with django_assert_max_num_queries(most):
            response = owner_client.get(f"{LIST}?{query}")
        assert len(response.context["rows"]) == 25
