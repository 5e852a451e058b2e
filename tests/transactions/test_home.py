"""Home: every figure equals the list that it leads to, for whoever looks."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_item,
    make_member,
    make_project,
    make_transaction,
)
from tests.transactions.home_page import rows_at, text_of, tile_of
from tests.transactions.test_needs import dispute, post
from transactions import totals
from transactions.models import LineItem, Transaction
from transactions.statuses import MONEY_CAME, Status

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"]

#: Session, user, memberships and their projects, the mode, the projects: 7; what waits
#: at purchases 9 and at the door 5; hours 2, products 1; the top bar's projects 1.
#: Where UTC days are cut, the two pieces of them come on top.
QUERIES, PIECES = 25, 2


@pytest.fixture
def shop(project: Project) -> Project:
    """A week of purchases of every status, by two providers, in two currencies."""
    connections = [make_connection(p, project=project) for p in ("stripe", "paynow")]
    start = timezone.now() - timedelta(days=6)
    for number, status in enumerate(list(Status.values) * 3):
        sale = make_transaction(
            connection=connections[number % 2],
            status=status,
            currency="usd" if number % 5 == 4 else "eur",
            amount=1000 + number,
            amount_refunded=300 if "refunded" in status or number % 7 == 6 else 0,
            created=start + timedelta(hours=4 * number),
        )
        if status == Status.PAID:
            Transaction.objects.filter(pk=sale.pk).update(amount_refunded=0)
        make_item(sale, f"Sword {number % 3}", quantity=number % 4 + 1)
    totals.recount(project)
    return project


@pytest.mark.parametrize("zone", ["", *ZONES])
@pytest.mark.parametrize("project_zone", ["UTC", "Asia/Kathmandu"])
def test_every_figure_leads_to_exactly_its_rows(
    shop: Project, owner: Member, zone: str, project_zone: str
) -> None:
    Project.objects.update(time_zone=project_zone)
    for query in ("period=7d", "period=today", f"period=7d&project={shop.slug}"):
        page = client_of(owner).get(f"/?{query}&zone={zone}")
        for label, column in (
            ("Volume", "amount"), ("Refunded", "amount_refunded")
        ):  # fmt: skip
            figure, url = tile_of(page, label)
            found = rows_at(owner, url).aggregate(all=Sum(column))["all"] or 0
            assert figure == f"{found / 100:,.2f}"
        figure, url = tile_of(page, "Payments")
        assert figure == f"{rows_at(owner, url).count():,}"
        figure, url = tile_of(page, "Success rate")
        ended = rows_at(owner, url)
        paid = ended.filter(status__in=MONEY_CAME).count()
        assert figure == (f"{100 * paid / ended.count():.1f}%" if ended else "–")


def test_the_tables_lead_to_exactly_their_rows(shop: Project, owner: Member) -> None:
    page = client_of(owner).get("/?period=7d&zone=Asia/Kolkata")
    for row in page.context["providers"]:
        found = rows_at(owner, row["url"]).aggregate(all=Sum("amount"))["all"]
        assert row["sums"].gross == found
    for row in page.context["products"]["rows"]:
        rows = rows_at(owner, row["url"])
        lines = LineItem.objects.filter(transaction__in=rows)
        assert row["units"] == lines.aggregate(all=Sum("quantity"))["all"]
    for row in page.context["chart"]["rows"]:
        assert row["sums"].paid == rows_at(owner, row["url"]).count()


def test_links_name_days_where_the_list_counts_days_alike(
    shop: Project, owner: Member
) -> None:
    query = dict(
        parse_qsl(urlsplit(tile_of(client_of(owner).get("/"), "Volume")[1]).query)
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", query["created[gte]"])
    other = client_of(owner).get("/?zone=Asia/Kolkata")
    query = dict(parse_qsl(urlsplit(tile_of(other, "Volume")[1]).query))
    assert query["created[gte]"].endswith("T18:30:00Z")


def test_the_zone_of_the_address_wins_over_the_members(
    shop: Project, owner: Member
) -> None:
    owner.user.time_zone = "Europe/Berlin"
    owner.user.save()
    client = client_of(owner)
    assert "Europe/Berlin (UTC+0" in text_of(client.get("/"))
    assert "Asia/Kathmandu (UTC+05:45)" in text_of(client.get("/?zone=Asia/Kathmandu"))


def test_another_currency_is_chosen_in_the_address(
    shop: Project, owner_client: Client
) -> None:
    page = owner_client.get("/?currency=usd")
    assert page.context["chosen"].currency == "usd"
    assert [one["label"] for one in page.context["currencies"]] == ["EUR", "USD"]


def test_a_currency_without_payments_shows_nothing_but_itself(
    shop: Project, owner_client: Client
) -> None:
    page = owner_client.get("/?currency=jpy")
    assert tile_of(page, "Volume")[0] == "0"
    assert "No payments in this period" in text_of(page)


def test_a_change_is_said_in_words(project: Project, owner_client: Client) -> None:
    now = timezone.now()
    for ago, amount in ((1, 150), (40, 100)):
        make_transaction(project=project, created=now - ago * DAY, amount=amount)
    totals.recount(project)
    assert "+50% to the 30 days before" in text_of(owner_client.get("/"))


def test_less_has_a_minus_sign(project: Project, owner_client: Client) -> None:
    now = timezone.now()
    for ago, amount in ((1, 50), (40, 200)):
        make_transaction(project=project, created=now - ago * DAY, amount=amount)
    totals.recount(project)
    assert "\N{MINUS SIGN}75% to the 30 days before" in text_of(owner_client.get("/"))


def test_test_payments_are_never_added_to_live_ones(
    shop: Project, owner_client: Client
) -> None:
    before = tile_of(owner_client.get("/"), "Payments")[0]
    make_transaction(project=shop, livemode=False, created=timezone.now(), amount=7)
    totals.recount(shop)
    assert tile_of(owner_client.get("/"), "Payments")[0] == before
    assert tile_of(owner_client.get("/?livemode=false"), "Volume")[0] == "0.07"


def test_while_nothing_is_live_test_payments_are_shown(
    project: Project, owner_client: Client
) -> None:
    make_transaction(project=project, livemode=False, created=timezone.now())
    totals.recount(project)
    page = owner_client.get("/")
    assert page.context["mode"] == "test"
    assert tile_of(page, "Payments")[0] == "1"


def test_payments_of_unknown_currencies_are_not_hidden(
    shop: Project, owner_client: Client
) -> None:
    make_transaction(
        project=shop, currency="", amount=None, status="failed", created=timezone.now()
    )
    totals.recount(shop)
    assert "1 payment of an unknown currency is in none" in text_of(
        owner_client.get("/")
    )


def test_the_chart_is_a_sentence_and_a_table_too(
    shop: Project, owner_client: Client
) -> None:
    page = owner_client.get("/?period=7d")
    html = page.content.decode()
    assert re.search(
        r'role="img" aria-label="Volume per day, EUR\. EUR [\d,.]+ in', html
    )
    assert "<details" in html and "Show as table" in html
    assert len(page.context["chart"]["rows"]) == 7


@pytest.mark.parametrize(
    "query",
    [
        "period=fortnight", "zone=Nowhere", "from=x&to=y", "currency=zzz", "project=no",
        "from=2026-02-01&to=2026-01-01", "livemode=perhaps", "zone=../../etc/passwd",
        "zone=%00", "from=2026-01-01%00&to=2026-01-02", "currency=%F0%9F%92%B6",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(
    shop: Project, owner_client: Client, query: str
) -> None:
    page = owner_client.get(f"/?{query}")
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()


def test_the_first_visit_teaches(project: Project, owner_client: Client) -> None:
    assert "No transactions yet" in text_of(owner_client.get("/"))


def test_the_switches_of_the_top_bar_stay_on_home(
    shop: Project, owner_client: Client
) -> None:
    make_project(merchant=shop.merchant, name="Other", slug="other")
    html = unescape(owner_client.get("/?period=7d").content.decode())
    assert 'href="/?period=7d&livemode=false"' in html
    assert 'href="/?period=7d&project=other"' in html


def test_the_menu_begins_with_home(shop: Project, owner_client: Client) -> None:
    html = owner_client.get("/").content.decode()
    assert '<a href="/" data-go="h" aria-current="page">' in html
    assert html.count('aria-current="page"') == 1


def test_a_card_does_not_stand_below_home(shop: Project, owner_client: Client) -> None:
    row = Transaction.objects.first()
    html = owner_client.get(f"/transactions/{row.pk}/").content.decode()
    assert '<a href="/" data-go="h">' in html


def test_a_visitor_is_sent_to_the_login(shop: Project) -> None:
    assert Client().get("/")["Location"] == "/login/?next=/"


# ------------------------------------------------------------------------------- whose
def test_a_stranger_sees_nothing_of_ours(shop: Project, stranger: Member) -> None:
    make_transaction(project=make_project(merchant=stranger.merchant))
    page = client_of(stranger).get("/?period=7d")
    assert "Sword" not in page.content.decode()
    assert page.context["chosen"] is None


def test_a_member_of_one_project_sees_only_its_figures(shop: Project) -> None:
    other = make_project(merchant=shop.merchant)
    make_transaction(project=other, created=timezone.now(), amount=5)
    totals.recount(other)
    member = make_member("owner", merchant=shop.merchant, projects=[other])
    page = client_of(member).get("/")
    assert tile_of(page, "Volume")[0] == "0.05"


@pytest.mark.parametrize(
    "role", ["owner", "admin", "finance", "support", "developer", "viewer"]
)
def test_every_role_has_a_home(shop: Project, role: str) -> None:
    member = make_member(role, merchant=shop.merchant)
    assert client_of(member).get("/").status_code == 200


# ------------------------------------------------------------------------------- cost
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("", QUERIES),
        ("?period=today", QUERIES),
        ("?period=year&currency=eur", QUERIES),
        ("?period=90d&zone=Asia/Kolkata", QUERIES + PIECES),
    ],
)
def test_the_number_of_queries_does_not_grow(
    shop: Project, owner: Member, query: str, queries: int, django_assert_num_queries
) -> None:  # noqa: ANN001
    client = client_of(owner)
    client.get("/")
    dispute(Transaction.objects.get(status="disputed", amount=1008))
    with django_assert_num_queries(queries):
        client.get(f"/{query}")
    for number in range(30):
        sale = make_transaction(
            project=shop, created=timezone.now(), status="disputed", verified=False,
            fulfilment="waiting", to_revoke=True, refund_pending=True,
            currency=["eur", "usd", "jpy"][number % 3],
        )  # fmt: skip
        make_item(sale, f"Product {number}")
        dispute(sale)
        post(sale.connection)
    totals.recount(shop)
    with django_assert_num_queries(queries):
        client.get(f"/{query}")
