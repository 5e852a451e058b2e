"""Sending again on pages: one, some, all since a moment; never without a number."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import AuditEntry, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project
from tests.webhooks import outbound
from webhooks.models import Delivery, Endpoint
from webhooks.models.outbound import Delivery as Row

pytestmark = pytest.mark.django_db

MANY = "/deliveries/resend/"
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(project: Project) -> Endpoint:
    created = timezone.now() - timedelta(days=2)
    return outbound.endpoint(project, description="Shop server", created=created)


@pytest.fixture
def erp(project: Project) -> Endpoint:
    return outbound.endpoint(project, description="ERP")


def state_of(row: Delivery) -> str:
    row.refresh_from_db()
    return row.state


def since(ago: timedelta) -> str:
    return f"{timezone.now() - ago:%Y-%m-%dT%H:%M}"


# -------------------------------------------------------------------------------- one
def test_one_is_sent_again(owner_client: Client, shop: Endpoint) -> None:
    row = outbound.exhausted(to=shop)
    response = owner_client.post(f"/deliveries/{row.pk}/resend/", follow=True)
    assert b"It is sent again" in response.content
    assert state_of(row) == "pending"
    assert row.asked_by
    assert AuditEntry.objects.filter(verb="delivery.sent_again").exists()


def test_one_goes_to_another_endpoint(owner_client: Client, shop, erp) -> None:
    row = outbound.exhausted(to=shop)
    owner_client.post(f"/deliveries/{row.pk}/resend/", {"to": str(erp.pk)})
    assert state_of(row) == "exhausted"
    assert row.event.deliveries.get(endpoint=erp).state == "pending"


def test_an_event_is_sent_to_an_endpoint(owner_client: Client, shop) -> None:
    event = outbound.event(shop.project)
    owner_client.post(f"/events/{event.key}/send/", {"endpoint": str(shop.pk)})
    assert event.deliveries.get().endpoint == shop


def test_what_is_not_possible_is_said(owner_client: Client, shop: Endpoint) -> None:
    shop.state = "paused"
    shop.save()
    row = outbound.exhausted(to=shop)
    response = owner_client.post(f"/deliveries/{row.pk}/resend/")
    assert response.status_code == 409
    assert b"The endpoint is paused" in response.content
    sent = owner_client.post(
        f"/events/{row.event.key}/send/", {"endpoint": str(shop.pk)}
    )
    assert sent.status_code == 409
    assert state_of(row) == "exhausted"


@pytest.mark.parametrize("to", ["x", "", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_endpoint_is_404(owner_client: Client, shop, to: str) -> None:
    event = outbound.event(shop.project)
    response = owner_client.post(f"/events/{event.key}/send/", {"endpoint": to})
    assert response.status_code == 404


def test_a_foreign_endpoint_is_404(owner_client: Client, shop: Endpoint) -> None:
    foreign = outbound.endpoint()
    row = outbound.exhausted(to=shop)
    path = f"/deliveries/{row.pk}/resend/"
    assert owner_client.post(path, {"to": str(foreign.pk)}).status_code == 404
    assert not foreign.deliveries.exists()


# ----------------------------------------------------------------------- since a moment
def ask(client: Client, shop: Endpoint, **over: Any):  # noqa: ANN201
    given = {"what": "failed", "endpoint": str(shop.pk), "since": since(HOUR)}
    return client.post(MANY, given | over)


def test_the_form_proposes_what_failed_today(owner_client: Client, shop) -> None:
    page = owner_client.get(f"{MANY}?endpoint={shop.pk}").content.decode()
    assert f'value="{shop.pk}" selected' in page
    assert "Everything that failed" in page
    assert 'name="confirmed"' not in page


def test_nothing_goes_out_before_its_number_is_said(owner_client: Client, shop) -> None:
    rows = [outbound.exhausted(to=shop) for _ in range(3)]
    outbound.delivered(to=shop)
    page = ask(owner_client, shop).content.decode()
    assert "Send 3 deliveries again" in page
    assert {state_of(row) for row in rows} == {"exhausted"}
    response = ask(owner_client, shop, confirmed="1")
    assert response.url == f"/deliveries/?endpoint={shop.pk}"
    assert {state_of(row) for row in rows} == {"pending"}
    assert "3 are sent again" in owner_client.get(response.url).content.decode()


def test_only_what_is_not_older_goes_out(owner_client: Client, shop) -> None:
    now = timezone.now()
    old = outbound.exhausted(outbound.event(shop.project, created=now - 5 * HOUR), shop)
    new = outbound.exhausted(to=shop)
    ask(owner_client, shop, confirmed="1")
    assert (state_of(old), state_of(new)) == ("exhausted", "pending")


def test_what_was_never_told_is_told(owner_client: Client, shop: Endpoint) -> None:
    missing = outbound.event(shop.project)
    outbound.delivered(outbound.event(shop.project), shop)
    page = ask(owner_client, shop, what="missing").content.decode()
    assert "Send 1 event?" in page
    ask(owner_client, shop, what="missing", confirmed="1")
    assert missing.deliveries.get().endpoint == shop


def test_what_others_were_told_on_purpose_is_not_missing(owner_client, shop) -> None:
    outbound.delivered(
        outbound.event(shop.project, name="endpoint.test"),
        outbound.endpoint(shop.project),
    )
    own = outbound.endpoint(shop.project, kind="callback")
    outbound.delivered(outbound.event(shop.project), own)
    page = ask(owner_client, shop, what="missing").content.decode()
    assert "There is nothing to send" in page


def test_a_rate_spreads_them(owner_client: Client, shop: Endpoint) -> None:
    rows = [outbound.exhausted(to=shop) for _ in range(3)]
    ask(owner_client, shop, rate="2", confirmed="1")
    dues = sorted(Row.objects.get(pk=row.pk).due for row in rows)
    assert dues[2] - dues[0] == timedelta(seconds=1)


def test_all_may_go_to_another_endpoint(owner_client: Client, shop, erp) -> None:
    row = outbound.exhausted(to=shop)
    ask(owner_client, shop, to=str(erp.pk), confirmed="1")
    assert state_of(row) == "exhausted"
    assert erp.deliveries.get().event_id == row.event_id


def test_without_any_there_is_no_button(owner_client: Client, shop: Endpoint) -> None:
    page = ask(owner_client, shop).content.decode()
    assert "There is nothing to send" in page
    assert 'name="confirmed"' not in page


@pytest.mark.parametrize(
    "over",
    [
        {"since": ""}, {"since": "x"}, {"since": since(-HOUR)}, {"endpoint": "x"},
        {"since": since(timedelta(days=100))}, {"what": "all"}, {"rate": "0"},
        {"rate": "9999"}, {"to": "00000000-0000-4000-8000-000000000000"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_sends_nothing(owner_client, shop, over) -> None:
    row = outbound.exhausted(to=shop)
    response = ask(owner_client, shop, confirmed="1", **over)
    assert response.status_code == 422
    assert state_of(row) == "exhausted"


def test_an_endpoint_of_another_project_is_refused(owner_client, shop) -> None:
    other = outbound.endpoint(make_project(merchant=shop.project.merchant))
    response = ask(owner_client, shop, to=str(other.pk), confirmed="1")
    assert response.status_code == 422
    assert b"belongs to another project" in response.content


def test_a_paused_endpoint_says_so(owner_client: Client, shop: Endpoint) -> None:
    outbound.event(shop.project)
    shop.state = "paused"
    shop.save()
    response = ask(owner_client, shop, what="missing", confirmed="1")
    assert response.status_code == 409
    assert b"The endpoint is paused" in response.content


# ------------------------------------------------------------------------- a selection
def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_what_was_ticked_is_sent_again(owner_client: Client, shop, erp) -> None:
    rows = [outbound.exhausted(to=to) for to in (shop, erp, shop)]
    ids = [str(rows[0].pk), f"{rows[1].pk},nonsense"]
    page = owner_client.post(MANY, {"what": "chosen", "id": ids}).content.decode()
    assert "Send 2 deliveries again" in page
    assert {state_of(row) for row in rows} == {"exhausted"}
    owner_client.post(MANY, hidden(page) | {"confirmed": "1"})
    assert [state_of(row) for row in rows] == ["pending", "pending", "exhausted"]


def test_all_that_match_are_sent_again(owner_client: Client, shop, erp) -> None:
    rows = [outbound.exhausted(to=to) for to in (shop, erp, shop)]
    asked = {"what": "chosen", "all": "1", "query": f"endpoint={shop.pk}"}
    page = owner_client.post(MANY, asked).content.decode()
    assert "Send 2 deliveries again" in page
    late = outbound.exhausted(to=shop)  # came after the page that said how many
    owner_client.post(MANY, hidden(page) | {"confirmed": "1"})
    states = [state_of(row) for row in (*rows, late)]
    assert states == ["pending", "exhausted", "pending", "exhausted"]


@pytest.mark.parametrize("query", ["endpoint=x", "state=nonsense"])
def test_a_broken_filter_selects_nothing(owner_client, shop, query: str) -> None:
    row = outbound.exhausted(to=shop)
    asked = {"what": "chosen", "all": "1", "query": query, "confirmed": "1"}
    owner_client.post(MANY, asked)
    assert state_of(row) == "exhausted"


def test_a_selection_of_nothing_is_said(owner_client: Client, shop) -> None:
    page = owner_client.post(MANY, {"what": "chosen"}).content
    assert b"Nothing was selected" in page


def test_ids_of_others_are_not_sent(stranger_client: Client, shop: Endpoint) -> None:
    row = outbound.exhausted(to=shop)
    for over in ({"id": str(row.pk)}, {"all": "1", "query": ""}):
        asked = {"what": "chosen", "confirmed": "1"} | over
        stranger_client.post(MANY, asked)
        assert state_of(row) == "exhausted"
    assert ask(stranger_client, shop, confirmed="1").status_code == 422


# ------------------------------------------------------------------------- who may
@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_send_nothing(role: str, shop: Endpoint) -> None:
    row = outbound.exhausted(to=shop)
    client = client_of(make_member(role, merchant=shop.project.merchant))
    for path in (
        MANY, f"/deliveries/{row.pk}/resend/", f"/events/{row.event.key}/send/",
    ):  # fmt: skip
        assert client.post(path).status_code == 403
    assert state_of(row) == "exhausted"


def test_the_list_offers_it_where_it_may_be_done(developer_client, shop) -> None:
    outbound.exhausted(to=shop)
    page = developer_client.get("/deliveries/").content.decode()
    assert 'form="bulk"' in page
    assert MANY in page
