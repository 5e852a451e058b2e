"""Disputes in a list: what has to be answered, what is decided, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_dispute,
    make_member,
    make_project,
    make_transaction,
)
from transactions.models import Dispute

pytestmark = pytest.mark.django_db

LIVE = "/disputes/?livemode=true"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def ids(answer: Any) -> list[str]:
    """The provider's ids of the rows shown, in their order."""
    return [row.provider_id for row in answer.context["rows"]]


@pytest.fixture
def four(project: Project) -> list[Dispute]:
    """One of each state, a day apart, the oldest first."""
    now = timezone.now().replace(microsecond=0)
    states: list[dict[str, Any]] = [
        {"status": "open", "due_by": now + timedelta(days=3), "reason": "fraudulent"},
        {"status": "open", "in_review": True, "reason": "product_not_received"},
        {"status": "won", "closed": now},
        {"status": "lost", "closed": now, "reason": "fraudulent"},
    ]
    return [
        make_dispute(
            make_transaction(
                project=project,
                customer_name=f"Mira {number}",
                customer_email=f"mira{number}@example.com",
                order_reference=f"A-10{number}",
            ),
            provider_id=f"dp_{number}",
            created=now + timedelta(days=number - 9),
            **state,
        )
        for number, state in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("", ["dp_3", "dp_2", "dp_1", "dp_0"]),
        ("&state=needs_response", ["dp_0"]),
        ("&state=under_review", ["dp_1"]),
        ("&state=won", ["dp_2"]),
        ("&state=lost", ["dp_3"]),
    ],
)
def test_a_tab_shows_its_own(
    four: list[Dispute], viewer_client: Client, state: str, shown: list[str]
) -> None:
    assert ids(viewer_client.get(f"{LIVE}{state}")) == shown


def test_a_row_says_what_matters(four: list[Dispute], viewer_client: Client) -> None:
    page = text(viewer_client.get(f"{LIVE}&state=needs_response"))
    assert "Answer by" in page
    assert "Fraudulent" in page
    assert "19.99" in page
    assert f'href="/transactions/{four[0].transaction_id}/#disputes"' in page
    assert "In the list of disputes" not in page


def test_one_under_review_asks_nobody_for_an_answer(
    four: list[Dispute], viewer_client: Client
) -> None:
    Dispute.objects.update(due_by=timezone.now() + timedelta(days=1))
    page = text(viewer_client.get(f"{LIVE}&state=under_review"))
    assert "Under review" in page
    assert "Answer by" not in page


def test_what_waits_is_counted_on_its_tab(
    four: list[Dispute], viewer_client: Client
) -> None:
    tabs = viewer_client.get(LIVE).context["tabs"]
    counted = {str(tab["label"]): tab["count"] for tab in tabs}
    assert counted.pop("Needs response") == "1"
    assert set(counted.values()) == {""}


def test_what_needs_a_response_stands_oldest_first(
    four: list[Dispute], viewer_client: Client
) -> None:
    Dispute.objects.update(status="open", in_review=False)
    page = viewer_client.get(f"{LIVE}&state=needs_response")
    assert ids(page) == ["dp_0", "dp_1", "dp_2", "dp_3"]


@pytest.mark.parametrize(
    "find",
    [
        lambda dispute: dispute.provider_id,
        lambda dispute: str(dispute.pk),
        lambda dispute: "mira2@example.com",
        lambda dispute: "A-102",
        lambda dispute: str(dispute.transaction_id),
    ],
)
def test_it_finds_what_somebody_quotes(
    four: list[Dispute], viewer_client: Client, find: Callable[[Dispute], str]
) -> None:
    page = viewer_client.get("/disputes/", {"q": find(four[2]), "livemode": "true"})
    assert ids(page) == ["dp_2"]


def test_reasons_are_those_that_there_are(
    four: list[Dispute], viewer_client: Client
) -> None:
    page = viewer_client.get(f"{LIVE}&reason=fraudulent")
    assert ids(page) == ["dp_3", "dp_0"]
    panel = next(p for p in page.context["ticked"] if p[0] == "reason")
    assert [value for value, *_ in panel[2]] == ["fraudulent", "product_not_received"]


def test_the_form_writes_days_and_amounts_as_links_do(
    four: list[Dispute], viewer_client: Client
) -> None:
    typed = {"from": "2026-01-02", "to": "2026-01-03", "amount_from": "19.99"}
    asked = typed | {"amount_in": "EUR", "livemode": "true"}
    answer = viewer_client.get("/disputes/", asked, headers={"HX-Request": "true"})
    url = answer["HX-Push-Url"]
    for part in (
        "created%5Bgte%5D=2026-01-02", "created%5Blt%5D=2026-01-04",
        "amount%5Bgte%5D=1999", "currency=eur",
    ):  # fmt: skip
        assert part in url
    assert viewer_client.get("/disputes/", asked).status_code == 302


def test_nothing_asked_is_lost_when_the_form_is_sent(
    four: list[Dispute], viewer_client: Client
) -> None:
    """What no field of the form says goes along unseen."""
    page = viewer_client.get(f"{LIVE}&state=lost&status=lost&amount[gte]=1")
    assert set(page.context["kept"]) == {
        ("livemode", "true"), ("state", "lost"), ("status", "lost"),
        ("amount[gte]", "1"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("livemode=true", "No disputes here"),
        ("livemode=false", "No test disputes here"),
        ("livemode=true&state=needs_response", "No dispute needs a response"),
        ("livemode=true&state=under_review", "No dispute is under review"),
        ("livemode=true&currency=jpy", "No disputes match"),
    ],
)
def test_an_empty_list_says_why(
    viewer_client: Client, project: Project, query: str, words: str
) -> None:
    assert words in text(viewer_client.get(f"/disputes/?{query}"))


@pytest.mark.parametrize("asked", ["state=gone", "amount[gte]=x", "created[lt]=soon"])
def test_a_wrong_filter_is_told(viewer_client: Client, asked: str) -> None:
    answer = viewer_client.get(f"/disputes/?{asked}")
    assert answer.status_code == 422
    assert "cannot be read" in text(answer)


def test_a_broken_page_is_the_first(viewer_client: Client) -> None:
    assert viewer_client.get(f"{LIVE}&after=nonsense").status_code == 302


def test_test_and_live_are_apart(four: list[Dispute], viewer_client: Client) -> None:
    Dispute.objects.filter(provider_id="dp_3").update(livemode=False)
    assert ids(viewer_client.get("/disputes/?livemode=false")) == ["dp_3"]


def test_it_leads_to_the_providers_page(
    project: Project, viewer_client: Client
) -> None:
    connection = make_connection("stripe", project=project)
    sale = make_transaction(connection=connection, livemode=False)
    make_dispute(sale, provider_id="du_1Lantern")
    page = text(viewer_client.get("/disputes/?livemode=false"))
    assert 'href="https://dashboard.stripe.com/test/disputes/du_1Lantern"' in page


def test_the_card_leads_to_the_list(four: list[Dispute], viewer_client: Client) -> None:
    sale = four[0].transaction_id
    page = text(viewer_client.get(f"/transactions/{sale}/"))
    link = re.search(r'href="(/disputes/\?[^"]*)"', page)
    assert link
    assert ids(viewer_client.get(link[1].replace("&amp;", "&"))) == ["dp_0"]


def test_the_number_of_queries_does_not_grow(
    project: Project, viewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    def add(most: int) -> None:
        for _number in range(most):
            make_dispute(make_transaction(project=project))

    add(1)
    viewer_client.get(LIVE)
    with django_assert_max_num_queries(60) as few:
        viewer_client.get(LIVE)
    add(20)
    with django_assert_max_num_queries(len(few)):
        viewer_client.get(LIVE)


def test_a_stranger_sees_nothing(
    four: list[Dispute], project: Project, stranger_client: Client
) -> None:
    assert ids(stranger_client.get(LIVE)) == []
    assert ids(stranger_client.get(f"{LIVE}&q={four[0].pk}")) == []
    other = make_project(merchant=project.merchant)
    elsewhere = make_member("owner", merchant=project.merchant, projects=[other])
    assert ids(client_of(elsewhere).get(LIVE)) == []


def test_it_is_in_the_menu(viewer_client: Client) -> None:
    page = text(viewer_client.get(LIVE))
    assert re.search(r'<a href="/disputes/"[^>]*aria-current="page"', page)


# -------------------------------------------------------------------------- the file
@pytest.mark.django_db(transaction=True)  # the file is read beside the request
def test_the_button_exports_what_is_shown(
    four: list[Dispute], owner_client: Client
) -> None:
    shown = owner_client.get(f"{LIVE}&reason=fraudulent&amount[gte]=1")
    dialog = owner_client.get(shown.context["export_url"])
    form = {
        "listing": "disputes",
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
