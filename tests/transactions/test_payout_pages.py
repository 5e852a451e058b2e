"""Payouts: the list of what providers send to the merchant, and one of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from merchant.models import Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_inbound_event,
    make_member,
    make_payout,
    make_project,
)
from transactions.models import Payout, TimelineEntry

pytestmark = pytest.mark.django_db

LIVE = "/payouts/?livemode=true"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def ids(answer: Any) -> list[str]:
    return [row.provider_id for row in answer.context["rows"]]


@pytest.fixture
def five(project: Project) -> list[Payout]:
    """One of each status, an hour apart, the oldest first."""
    connection = make_connection("stripe", project=project)
    return [
        make_payout(
            connection,
            provider_id=f"po_{number}",
            status=status,
            amount=1000 * number,
            created=NOON + timedelta(hours=number),
            arrives=datetime(2026, 3, 4, tzinfo=UTC),
            reason="The account is closed" if status == "failed" else "",
        )
        for number, status in enumerate(
            ["created", "pending", "paid", "failed", "canceled"]
        )
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["po_4", "po_3", "po_2", "po_1", "po_0"]),
        ("state=on_the_way", ["po_1", "po_0"]),
        ("state=paid", ["po_2"]),
        ("state=failed", ["po_4", "po_3"]),
        ("status=pending,canceled", ["po_4", "po_1"]),
        ("amount[gte]=2000&amount[lte]=3000", ["po_3", "po_2"]),
        ("created[gte]=2026-03-01T15:00:00Z", ["po_4", "po_3"]),
        ("q=po_3", ["po_3"]),
        ("provider=paynow", []),
        ("currency=usd", []),
    ],
)
def test_a_query_shows_its_own(
    five: list[Payout], viewer_client: Client, query: str, shown: list[str]
) -> None:
    assert ids(viewer_client.get(f"{LIVE}&{query}")) == shown


def test_our_own_id_finds_it(five: list[Payout], viewer_client: Client) -> None:
    assert ids(viewer_client.get(f"{LIVE}&q={five[2].pk}")) == ["po_2"]


def test_a_row_says_what_matters(five: list[Payout], viewer_client: Client) -> None:
    page = text(viewer_client.get(f"{LIVE}&state=failed"))
    assert "The account is closed" in page
    assert "4 Mar 2026" in page
    assert "30.00" in page
    assert f'href="/payouts/{five[3].pk}/"' in page
    assert 'href="https://dashboard.stripe.com/payouts/po_3"' in page


def test_pages_are_walked(project: Project, viewer_client: Client) -> None:
    connection = make_connection("stripe", project=project)
    for _number in range(30):
        make_payout(connection)
    page = viewer_client.get(LIVE)
    assert len(ids(page)) == 25
    assert page.context["words"] == "1–25 of 30"
    older = viewer_client.get(page.context["older_url"])
    assert len(ids(older)) == 5
    assert not set(ids(older)) & set(ids(page))
    assert ids(viewer_client.get(older.context["newer_url"])) == ids(page)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("livemode=true", "No payouts here"),
        ("livemode=false", "No test payouts here"),
        ("livemode=true&state=on_the_way", "No payout is on the way"),
        ("livemode=true&state=failed", "No payout has failed"),
        ("livemode=true&q=po_none", "No payouts match"),
    ],
)
def test_an_empty_list_says_why(
    viewer_client: Client, project: Project, query: str, words: str
) -> None:
    assert words in text(viewer_client.get(f"/payouts/?{query}"))


def test_a_wrong_filter_is_told(viewer_client: Client) -> None:
    assert viewer_client.get("/payouts/?state=gone").status_code == 422


# ------------------------------------------------------------------------- one of them
@pytest.fixture
def told(five: list[Payout]) -> Payout:
    """The failed one, with the letter that said so."""
    payout = five[3]
    payout.details = {
        "destination": "ba_1",
        "trace": "<b>TR-1</b>",
        "speed": "instant_payout",
        "automatic": True,
    }
    payout.verified = False
    payout.save()
    letter = make_inbound_event(
        connection=payout.connection, event_type="payout.failed", state="done"
    )
    TimelineEntry.objects.create(
        connection=payout.connection, identity="1", payout=payout, inbound=letter,
        source="webhook", topic="payout", object_kind="payout",
        object_id=payout.provider_id, status="failed", at=NOON,
        summary="Payout: failed", says={"money": [0, [3000, "eur"]]},
    )  # fmt: skip
    return payout


def test_its_page_has_the_facts(told: Payout, viewer_client: Client) -> None:
    page = text(viewer_client.get(f"/payouts/{told.pk}/"))
    for words in (
        "Payout by Stripe", "The account is closed", "30.00", "Unverified",
        "4 Mar 2026", "ba_1", "Instant payout", "Payout: failed",
        "Stripe by webhook", "&lt;b&gt;TR-1&lt;/b&gt;",
    ):  # fmt: skip
        assert words in page


def test_the_letter_is_for_who_may_read_letters(
    told: Payout, viewer_client: Client, owner_client: Client
) -> None:
    assert "Raw inbound events" in text(owner_client.get(f"/payouts/{told.pk}/"))
    assert "Raw inbound events" not in text(viewer_client.get(f"/payouts/{told.pk}/"))


def test_a_stranger_finds_none(
    told: Payout, project: Project, stranger_client: Client
) -> None:
    other = make_project(merchant=project.merchant)
    elsewhere = make_member("owner", merchant=project.merchant, projects=[other])
    for client in (stranger_client, client_of(elsewhere)):
        assert client.get(f"/payouts/{told.pk}/").status_code == 404
        assert ids(client.get(LIVE)) == []
        assert ids(client.get(f"{LIVE}&q={told.provider_id}")) == []


def test_it_belongs_below_payouts_in_the_menu(
    told: Payout, viewer_client: Client
) -> None:
    page = text(viewer_client.get(f"/payouts/{told.pk}/"))
    assert re.search(r'<a href="/payouts/"[^>]*aria-current="true"', page)


# -------------------------------------------------------------------------- the file
@pytest.mark.django_db(transaction=True)  # the file is read beside the request
def test_the_button_exports_what_is_shown(
    five: list[Payout], owner_client: Client
) -> None:
    shown = owner_client.get(f"{LIVE}&state=failed&created[gte]=2026-03-01")
    dialog = owner_client.get(shown.context["export_url"])
    assert not dialog.context["typed"].asks_dates  # the list has asked already
    form = {
        "listing": "payouts",
        "query": dialog.context["typed"].query,
        "livemode": "true",
        "format": "csv",
        "style": "programs",
        "columns": "all",
    }
    begun = owner_client.post("/exports/new/", form)
    file = owner_client.get(f"{begun['Location']}file/")
    lines = b"".join(file).decode("utf-8-sig").splitlines()  # type: ignore[call-overload]
    assert [line.split(",")[0] for line in lines[1:]] == [
        str(row.pk) for row in shown.context["rows"]
    ]
