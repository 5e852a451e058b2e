"""The list: whose rows, which filter, which page, with and without htmx."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_member,
    make_project,
    make_transaction,
)
from transactions.models import LineItem, Product, Transaction

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


def names(response) -> list[str]:  # noqa: ANN001
    return re.findall(
        r'<a href="/transactions/[0-9a-f-]{36}/"><bdi>([^<]*)',
        response.content.decode(),
    )


def sell(project: Project, name: str = "Ada Byron", **over: object) -> Transaction:
    return make_transaction(project=project, customer_name=name, **over)


def put_item(transaction: Transaction, name: str) -> None:
    product, _new = Product.objects.get_or_create(
        project=transaction.project, provider="stripe", key=name, name=name
    )
    LineItem.objects.create(
        transaction=transaction,
        key=name,
        position=0,
        project=transaction.project,
        product=product,
        created=transaction.created,
        name=name,
    )


# ------------------------------------------------------------------------- whose rows
def test_a_visitor_is_sent_to_the_login(project: Project) -> None:
    response = Client().get("/transactions/")
    assert response["Location"] == "/login/?next=/transactions/"


def test_an_expired_session_inside_htmx_leaves_the_page(project: Project) -> None:
    response = Client().get("/transactions/", **HTMX)
    assert response["HX-Redirect"].startswith("/login/")


@pytest.mark.parametrize(
    "role", ["owner", "admin", "finance", "support", "developer", "viewer"]
)
def test_every_role_sees_the_list(project: Project, role: str) -> None:
    sell(project)
    member = make_member(role, merchant=project.merchant)
    assert names(client_of(member).get("/transactions/")) == ["Ada Byron"]


def test_a_stranger_sees_nothing(project: Project, stranger_client: Client) -> None:
    sell(project)
    response = stranger_client.get("/transactions/")
    assert b"Ada Byron" not in response.content
    assert b"No transactions yet" in response.content


def test_a_strangers_filter_names_nothing_of_ours(
    project: Project, stranger_client: Client
) -> None:
    put_item(sell(project), "Iron Sword")
    response = stranger_client.get("/transactions/", {"project": "dragon-shop"})
    assert response.status_code == 422
    assert b"Iron Sword" not in response.content
    assert b"Dragon Shop" not in response.content


def test_a_member_of_one_project_sees_only_that(project: Project) -> None:
    other = make_project(merchant=project.merchant)
    sell(project, "Ada Byron")
    sell(other, "Grace Hopper")
    member = make_member("support", merchant=project.merchant, projects=[other])
    assert names(client_of(member).get("/transactions/")) == ["Grace Hopper"]


def test_a_parked_row_is_hidden(project: Project, owner_client: Client) -> None:
    sell(project, parked=True)
    assert names(owner_client.get("/transactions/")) == []


def test_who_is_member_of_nothing_reads_who_can_help(project: Project) -> None:
    member = make_member()
    client = client_of(member)
    member.delete()
    response = client.get("/transactions/")
    assert response.status_code == 403
    assert b"An owner or admin of a merchant can add you" in response.content


def test_a_person_of_two_merchants_can_look_at_the_other(
    project: Project, owner: Member
) -> None:
    other = make_project()
    make_member("viewer", merchant=other.merchant, user=owner.user)
    sell(project, "Ada Byron")
    sell(other, "Grace Hopper")
    client = client_of(owner)
    assert names(client.get("/transactions/")) == ["Ada Byron"]
    client.post("/merchant/", {"merchant": str(other.merchant_id)})
    assert names(client.get("/transactions/")) == ["Grace Hopper"]


def test_nobody_switches_to_a_merchant_of_others(
    project: Project, stranger: Member, owner: Member
) -> None:
    sell(project, "Ada Byron")
    client = client_of(stranger)
    client.post("/merchant/", {"merchant": str(project.merchant_id)})
    assert names(client.get("/transactions/")) == []


# ----------------------------------------------------------------------- test or live
def test_live_is_shown_and_test_is_not_mixed_in(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Live Buyer", livemode=True)
    sell(project, "Test Buyer", livemode=False)
    assert names(owner_client.get("/transactions/")) == ["Live Buyer"]
    test = owner_client.get("/transactions/", {"livemode": "false"})
    assert names(test) == ["Test Buyer"]
    assert b"Test mode" in test.content


def test_while_there_is_nothing_live_test_is_shown(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Test Buyer", livemode=False)
    response = owner_client.get("/transactions/")
    assert names(response) == ["Test Buyer"]
    assert b"Test mode" in response.content
    assert names(owner_client.get("/transactions/", {"livemode": "true"})) == []


# ---------------------------------------------------------------------------- filters
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=paid", ["Ada"]),
        ("status=failed&status=disputed", ["Cleo", "Bob"]),
        ("status=failed,disputed", ["Cleo", "Bob"]),
        ("provider=paynow", ["Bob"]),
        ("product=Iron+Sword", ["Ada"]),
        ("q=bob%40example.com", ["Bob"]),
        ("q=ORDER-7", ["Cleo"]),
        ("created[gte]=2026-03-02", ["Cleo", "Bob"]),
        ("created[gte]=2026-03-02&created[lt]=2026-03-03", ["Bob"]),
        ("currency=usd", ["Cleo"]),
        ("country=DE", ["Bob"]),
    ],
)
def test_a_filter_finds_what_it_says(
    project: Project, owner_client: Client, query: str, found: list[str]
) -> None:
    put_item(
        sell(project, "Ada", created=datetime(2026, 3, 1, 12, tzinfo=UTC)), "Iron Sword"
    )
    paynow = make_connection("paynow", project=project)
    make_transaction(
        connection=paynow, customer_name="Bob", customer_email="bob@example.com",
        status="failed", customer_country="DE",
        created=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )  # fmt: skip
    sell(project, "Cleo", status="disputed", currency="usd", order_reference="ORDER-7",
         created=datetime(2026, 3, 3, 12, tzinfo=UTC))  # fmt: skip
    assert names(owner_client.get(f"/transactions/?{query}")) == found


def test_the_forms_days_become_times_in_a_clean_address(
    project: Project, owner_client: Client
) -> None:
    response = owner_client.get(
        "/transactions/?q=&status=&from=2026-03-01&to=2026-03-31"
    )
    assert response["Location"] == (
        "/transactions/?created%5Bgte%5D=2026-03-01&created%5Blt%5D=2026-04-01"
    )


def test_a_chip_takes_its_own_value_away(
    project: Project, owner_client: Client
) -> None:
    sell(project)
    page = owner_client.get("/transactions/?status=paid&status=failed&livemode=true")
    text = page.content.decode()
    assert "Remove filter Status: Paid" in text
    assert 'href="/transactions/?livemode=true&amp;status=failed"' in text
    assert 'class="clear" href="/transactions/?livemode=true"' in text


def test_the_last_day_of_a_range_is_named_as_people_mean_it(
    project: Project, owner_client: Client
) -> None:
    sell(project)
    page = owner_client.get("/transactions/?created[lt]=2026-04-01").content.decode()
    assert "Created to:" in page
    assert "31 Mar 2026" in page


def test_presets_keep_the_other_filters(project: Project, owner_client: Client) -> None:
    sell(project)
    page = owner_client.get("/transactions/?status=paid").content.decode()
    today = timezone.localdate()
    assert f"?status=paid&amp;created%5Bgte%5D={today - timedelta(days=6)}" in page


def test_what_the_form_does_not_show_is_kept_when_it_is_sent(
    project: Project, owner_client: Client
) -> None:
    sell(project)
    asked = "/transactions/?amount[eq]=5&sort=created&livemode=true"
    page = owner_client.get(asked).content.decode()
    assert '<input type="hidden" name="amount[eq]" value="5">' in page
    assert '<input type="hidden" name="sort" value="created">' in page
    assert '<input type="hidden" name="livemode" value="true">' in page


def test_a_filter_that_cannot_be_read_shows_nothing_and_says_why(
    project: Project, owner_client: Client
) -> None:
    sell(project)
    response = owner_client.get("/transactions/?status=nonsense")
    assert response.status_code == 422
    assert names(response) == []
    assert b"This filter cannot be read" in response.content


def test_no_match_offers_to_clear(project: Project, owner_client: Client) -> None:
    sell(project)
    response = owner_client.get("/transactions/?status=failed")
    assert b"No transactions match" in response.content
    assert b"Clear filters" in response.content


# ------------------------------------------------------------------------------ pages
def test_pages_go_down_and_up_and_keep_the_filter(
    project: Project, owner_client: Client
) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(60):
        sell(project, f"Buyer {number:02}", created=start + timedelta(hours=number))
    seen: list[str] = []
    url = "/transactions/?status=paid"
    words = []
    while url:
        page = owner_client.get(url).content.decode()
        seen += re.findall(r"<bdi>(Buyer \d\d)</bdi></a>", page)
        words.append(re.search(r"[\d,]+–[\d,]+ of \S+?(?=<)", page)[0])  # type: ignore[index]
        older = re.search(r'href="([^"]+)" rel="next"', page)
        url = older[1].replace("&amp;", "&") if older else ""
        assert not older or "status=paid" in url
    assert seen == [f"Buyer {number:02}" for number in reversed(range(60))]
    assert words == ["1–25 of 60", "26–50 of 60", "51–60 of 60"]
    newer = re.search(r'href="([^"]+)" rel="prev"', page)
    back = owner_client.get(newer[1].replace("&amp;", "&")).content.decode()  # type: ignore[index]
    assert "26–50 of 60" in back


def test_a_broken_cursor_leads_to_the_first_page(
    project: Project, owner_client: Client
) -> None:
    response = owner_client.get("/transactions/?status=paid&after=nonsense")
    assert response["Location"] == "/transactions/?status=paid"


def test_the_number_of_queries_does_not_grow_with_the_rows(
    project: Project, owner_client: Client, django_assert_max_num_queries
) -> None:
    for number in range(30):
        put_item(sell(project, f"Buyer {number}"), f"Thing {number}")
    with django_assert_max_num_queries(20):
        owner_client.get("/transactions/")


# ------------------------------------------------------------------------------- htmx
def test_htmx_gets_the_results_alone_and_a_clean_address(
    project: Project, owner_client: Client
) -> None:
    sell(project)
    response = owner_client.get("/transactions/?status=paid&q=&from=", **HTMX)
    assert response.content.strip().startswith(b'<div class="results"')
    assert b"<html" not in response.content
    assert response["HX-Push-Url"] == "/transactions/?status=paid"


def test_a_step_back_in_history_gets_the_whole_page(
    project: Project, owner_client: Client
) -> None:
    response = owner_client.get(
        "/transactions/", **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true"
    )
    assert b"<html" in response.content


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_nothing_is_kept_in_a_cache(
    project: Project, owner_client: Client, headers: dict[str, str]
) -> None:
    response = owner_client.get("/transactions/", **headers)
    assert response["Cache-Control"] == "no-store"
    assert "HX-Request" in response["Vary"]


# ----------------------------------------------------------------------- what it draws
def test_a_row_shows_what_went_back_and_what_is_not_confirmed(
    project: Project, owner_client: Client
) -> None:
    sell(project, amount_refunded=500, verified=False, status_reason="why not")
    page = owner_client.get("/transactions/").content.decode()
    assert "\u22125.00" in page
    assert "unverified" in page
    assert "why not" in page


def test_a_providers_code_word_is_said_in_words(
    project: Project, owner_client: Client
) -> None:
    sell(project, status="refunded", status_reason="requested_by_customer")
    page = owner_client.get("/transactions/").content.decode()
    assert "Requested by customer" in page


def test_a_row_has_exactly_one_link(project: Project, owner_client: Client) -> None:
    sell(project)
    page = owner_client.get("/transactions/").content.decode()
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert body.count("<a ") == 1


def test_hostile_text_is_shown_as_text(project: Project, owner_client: Client) -> None:
    evil = '<img src=x onerror=alert(1)>"\u202e'
    put_item(sell(project, evil, status_reason=evil, order_reference=evil), evil)
    page = owner_client.get("/transactions/", {"q": evil, "livemode": "true"})
    assert b"<img src=x" not in page.content
    page = owner_client.get("/transactions/")
    assert b"<img src=x" not in page.content
    assert b"&lt;img src=x" in page.content


def test_first_use_teaches_who_can_connect(project: Project, developer: Member) -> None:
    connection = make_connection("stripe", project=project)
    page = client_of(developer).get("/transactions/").content.decode()
    assert "add_connection --project dragon-shop" in page
    assert connection.intake_path in page


def test_first_use_tells_others_whom_to_ask(project: Project, viewer: Member) -> None:
    connection = make_connection("stripe", project=project)
    page = client_of(viewer).get("/transactions/").content.decode()
    assert "An owner, admin or developer" in page
    assert str(connection.pk) not in page


def test_only_reading_methods_are_answered(owner_client: Client) -> None:
    assert owner_client.post("/transactions/").status_code == 405
