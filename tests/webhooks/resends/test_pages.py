"""A long one on its page: how far it is, how it is stopped, and what came of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Member
from tests.conftest import client_of
from tests.factories import make_member, make_project
from tests.webhooks.resends.parts import give_up, yesterday
from webhooks import resends
from webhooks.models import Delivery, Endpoint, Resend
from webhooks.resends import running
from webhooks.resends.plans import Chosen, Failed

pytestmark = pytest.mark.django_db
ROWS = 6


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 5)


@pytest.fixture
def run(endpoint: Endpoint, owner: Member) -> Resend:
    give_up(endpoint, ROWS)
    return resends.start(Failed(endpoint=endpoint, since=yesterday(), rate=7), owner)


def address(run: Resend) -> str:
    return f"/deliveries/resends/{run.pk}/"


def test_many_lead_to_the_page_that_shows_how_far_it_is(
    endpoint: Endpoint, owner_client: Client
) -> None:
    give_up(endpoint, ROWS)
    since = f"{yesterday():%Y-%m-%dT%H:%M}"
    asked = {"what": "failed", "endpoint": str(endpoint.pk), "since": since}
    response = owner_client.post("/deliveries/resend/", asked | {"confirmed": "1"})
    run = Resend.objects.get()
    assert response.url == address(run)
    page = owner_client.get(response.url).content.decode()
    assert "Waiting for its turn" in page
    assert f'hx-get="{address(run)}"' in page
    assert not Delivery.objects.filter(state="pending").exists()


def test_held_ones_too(endpoint: Endpoint, owner_client: Client) -> None:
    give_up(endpoint, ROWS)
    Delivery.objects.update(state="held")
    Endpoint.objects.update(state="paused", rate=50)
    path = f"/webhooks/{endpoint.pk}/catch-up/"
    response = owner_client.post(path, {"what": "all", "rate": "25"})
    run = Resend.objects.get()
    assert response.url == address(run)
    resends.run_due()
    page = owner_client.get(address(run)).content.decode()
    assert "What was held, sent" in page
    assert "6 were queued." in page
    assert "25 a second" in page


def test_the_part_that_asks_again_stops_asking(
    run: Resend, owner_client: Client
) -> None:
    part = owner_client.get(address(run), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert b"hx-trigger" in part.content
    resends.run_due()
    part = owner_client.get(address(run), headers={"HX-Request": "true"})
    assert b"hx-trigger" not in part.content
    assert b"6 were queued." in part.content


def test_it_shows_how_far_it_is(run: Resend, owner_client: Client) -> None:
    Resend.objects.update(
        state="running", rows_total=50_000, rows_done=12_000, started=timezone.now()
    )
    page = owner_client.get(address(run)).content.decode()
    assert "12,000 of 50,000" in page
    assert '<progress max="50000" value="12000"' in page


def test_it_is_stopped(run: Resend, owner_client: Client) -> None:
    response = owner_client.post(f"{address(run)}cancel/", follow=True)
    assert b"It was stopped before the rest." in response.content
    assert resends.run_due() == 0


def test_they_are_listed(run: Resend, owner_client: Client) -> None:
    assert b"Running" in owner_client.get("/deliveries/resends/").content
    resends.run_due()
    page = owner_client.get("/deliveries/resends/").content.decode()
    assert "What failed, sent again" in page
    assert "Running" not in page


def test_who_sees_one_project_sees_its_runs_and_their_own(
    run: Resend, owner: Member
) -> None:
    other = make_project(merchant=owner.merchant)
    away = make_member("developer", merchant=owner.merchant)
    away.projects.add(other)
    near = make_member("developer", merchant=owner.merchant)
    near.projects.add(run.endpoint.project)
    whole = resends.start(Chosen(member=owner), owner)
    own = resends.start(Chosen(member=away, query="state=held"), away)
    seen = {
        member: {
            one for one in (run, whole, own)
            if client_of(member).get(address(one)).status_code == 200
        }
        for member in (owner, away, near)
    }  # fmt: skip
    assert seen == {owner: {run, whole, own}, away: {own}, near: {run}}
