"""Over the list: tabs with counts, totals, orders, amounts, what is new, and ids."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_item, make_member, make_project, make_transaction
from transactions import paging, summary
from transactions.models import ProviderReference, Transaction

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sell(project: Project, **over: object) -> Transaction:
    return make_transaction(project=project, **over)


def text_of(client: Client, query: str = "") -> str:
    """The page's words, tags and line breaks taken out."""
    page = client.get(f"/transactions/?{query}").content.decode()
    main = page[page.index('id="main"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def names(client: Client, query: str) -> list[str]:
    page = client.get(f"/transactions/?{query}").content.decode()
    return re.findall(r'<a href="/transactions/[0-9a-f-]{36}/"><bdi>([^<]*)', page)


# ----------------------------------------------------------------------------- tabs
def test_tabs_count_what_each_would_show(
    project: Project, owner_client: Client
) -> None:
    for status in ("paid", "paid", "refunded", "partially_refunded", "expired"):
        sell(project, status=status)
    for query in ("", "status=paid", "status=refunded&status=partially_refunded"):
        text = text_of(owner_client, query)
        assert "All 5 Paid 2 Open 0 Refunded 2 Disputed 0 Failed 1" in text, query


def test_a_tab_keeps_the_other_filters_and_marks_itself(
    project: Project, owner_client: Client
) -> None:
    sell(project, status="disputed")
    page = owner_client.get(
        "/transactions/?provider=stripe&status=disputed&status=charged_back"
    ).content.decode()
    tab = re.search(r'<a href="([^"]+)" aria-current="true">Disputed', page)
    assert tab is not None
    assert "provider=stripe" in tab[1]


# --------------------------------------------------------------------------- totals
def test_totals_stand_apart_by_currency(project: Project, owner_client: Client) -> None:
    sell(project, amount=10_00, fee=59)
    sell(project, amount=20_00, amount_refunded=5_00, status="partially_refunded")
    sell(project, amount=500, currency="jpy", fee=20)
    sell(project, amount=99_00, status="failed")
    text = text_of(owner_client)
    assert "Gross EUR 30.00" in text
    assert "Refunded EUR −5.00" in text
    assert "Fees EUR −0.59 Net EUR 24.41 Not known 1 fee not known" in text
    assert "Gross JPY 500" in text
    assert "Net JPY 480" in text


def test_what_a_chargeback_took_is_in_the_totals(
    project: Project, owner_client: Client
) -> None:
    sell(project, amount=10_00, status="charged_back", amount_charged_back=10_00, fee=0)
    text = text_of(owner_client)
    assert "Charged back EUR −10.00" in text
    assert "Net EUR 0.00" in text


def test_a_product_that_is_asked_for_is_told_by_itself(
    project: Project, owner_client: Client
) -> None:
    row = sell(project, amount=50_00)
    make_item(row, "Iron Sword", quantity=2, amount=30_00)
    make_item(row, "Shield", amount=20_00)
    text = text_of(owner_client, "product=Iron Sword")
    assert "Gross EUR 50.00" in text
    assert "2 sold of what you filter by: EUR 30.00" in text


def test_totals_of_a_long_list_say_of_how_many(
    project: Project, owner_client: Client, monkeypatch
) -> None:
    monkeypatch.setattr(summary.of, "__defaults__", (3,))
    for number in range(5):
        sell(project, amount=100, created=NOON + timedelta(minutes=number))
    page = owner_client.get("/transactions/").content.decode()
    assert "Of the first 3 only." in text_of(owner_client)
    more = re.search(r'hx-get="(/transactions/totals/[^"]*)"', page)
    assert more is not None
    whole = owner_client.get(more[1].replace("&amp;", "&")).content.decode()
    assert "5.00" in whole
    assert "only" not in whole
    assert 'hx-swap-oob="true"' in whole


def test_the_whole_totals_are_those_of_the_filter(
    project: Project, owner_client: Client
) -> None:
    sell(project, amount=100)
    sell(project, amount=700, status="refunded")
    whole = owner_client.get("/transactions/totals/?status=refunded").content.decode()
    assert "7.00" in whole
    assert "8.00" not in whole


# --------------------------------------------------------------------------- orders
def test_the_list_can_be_ordered(project: Project, owner_client: Client) -> None:
    for number, (status, amount) in enumerate(
        [("paid", 300), ("failed", 100), ("paid", 200)]
    ):
        sell(
            project, status=status, amount=amount, customer_name=f"B{number}",
            created=NOON + timedelta(minutes=number),
        )  # fmt: skip
    assert names(owner_client, "sort=created") == ["B0", "B1", "B2"]
    assert names(owner_client, "sort=status") == ["B1", "B2", "B0"]
    assert names(owner_client, "sort=-amount&currency=eur") == ["B0", "B2", "B1"]
    assert names(owner_client, "sort=amount&currency=eur") == ["B1", "B2", "B0"]


def test_amounts_of_several_currencies_are_not_ordered(
    project: Project, owner_client: Client
) -> None:
    sell(project, amount=300, customer_name="B0", created=NOON)
    sell(project, amount=100, customer_name="B1", created=NOON + timedelta(hours=1))
    assert names(owner_client, "sort=-amount") == ["B1", "B0"]


def test_pages_of_an_ordered_list_meet(project: Project, owner_client: Client) -> None:
    for number in range(60):
        sell(project, amount=number % 7, customer_name=f"B{number:02}")
    seen: list[str] = []
    url = "/transactions/?currency=eur&sort=-amount"
    while url:
        page = owner_client.get(url).content.decode()
        seen += re.findall(r"<bdi>(B\d\d)</bdi></a>", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        url = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 60
    sizes = [int(name[1:]) % 7 for name in seen]
    assert sizes == sorted(sizes, reverse=True)


def test_a_cursor_of_another_order_leads_to_the_first_page(
    project: Project, owner_client: Client
) -> None:
    row = sell(project)
    place = paging.NEWEST.place(row).cursor()
    answer = owner_client.get(f"/transactions/?currency=eur&sort=amount&after={place}")
    assert answer["Location"] == "/transactions/?currency=eur&sort=amount"


# -------------------------------------------------------------------------- amounts
@pytest.mark.parametrize(
    ("form", "query"),
    [
        ("amount_from=19.99&amount_in=EUR", "currency=eur&amount[gte]=1999"),
        ("amount_to=20&amount_in=usd", "currency=usd&amount[lte]=2000"),
        ("amount_from=1&amount_to=2&amount_in=kwd",
         "currency=kwd&amount[gte]=1000&amount[lte]=2000"),
        ("amount_from=1,999.50&amount_in=eur", "currency=eur&amount[gte]=199950"),
        ("amount_from=19,99&amount_in=eur", "currency=eur&amount[gte]=1999"),
        ("amount_from=500&amount_in=jpy", "currency=jpy&amount[gte]=500"),
        ("amount_from=5&currency=jpy", "currency=jpy&amount[gte]=5"),
    ],
)  # fmt: skip
def test_an_amount_is_typed_as_people_write_it(
    project: Project, owner_client: Client, form: str, query: str
) -> None:
    answer = owner_client.get(f"/transactions/?{form}")
    assert parse_qsl(urlsplit(answer["Location"]).query) == parse_qsl(query)


@pytest.mark.parametrize(
    "form",
    ["amount_from=19.999&amount_in=EUR", "amount_from=5", "amount_to=x&amount_in=eur"],
)
def test_an_amount_that_cannot_be_read_is_told(
    project: Project, owner_client: Client, form: str
) -> None:
    sell(project)
    answer = owner_client.get(f"/transactions/?{form}")
    assert answer.status_code == 422
    assert b"cannot be read" in answer.content


def test_a_chip_says_an_amount_as_money(project: Project, owner_client: Client) -> None:
    sell(project)
    text = text_of(owner_client, "currency=eur&amount[gte]=1999")
    assert "Amount from: EUR 19.99" in text
    page = owner_client.get("/transactions/?currency=eur&amount[gte]=1999")
    assert b'name="amount_from" value="19.99"' in page.content


# --------------------------------------------------------------------- what is new
def test_new_rows_are_counted_and_not_shown(
    project: Project, owner_client: Client
) -> None:
    sell(project, created=NOON)
    page = owner_client.get("/transactions/").content.decode()
    asks = re.search(r'hx-get="(/transactions/new/[^"]+)"', page)
    assert asks is not None
    url = asks[1].replace("&amp;", "&")
    assert owner_client.get(url).status_code == 204
    sell(project, created=NOON + timedelta(minutes=1))
    sell(project, created=NOON - timedelta(minutes=1))
    sell(project, created=NOON + timedelta(minutes=1), livemode=False)
    answer = owner_client.get(url)
    assert b"1 new" in answer.content


def test_news_are_those_of_the_filter(project: Project, owner_client: Client) -> None:
    sell(project, created=NOON)
    page = owner_client.get("/transactions/?status=paid").content.decode()
    url = re.search(r'hx-get="(/transactions/new/[^"]+)"', page)[1]  # type: ignore[index]
    sell(project, status="failed", created=NOON + timedelta(minutes=1))
    assert owner_client.get(url.replace("&amp;", "&")).status_code == 204


def test_an_older_page_asks_for_no_news(project: Project, owner_client: Client) -> None:
    for number in range(30):
        sell(project, created=NOON + timedelta(minutes=number))
    page = owner_client.get("/transactions/").content.decode()
    older = re.search(r'href="([^"]+)" rel="next"', page)
    second = owner_client.get(older[1].replace("&amp;", "&"))  # type: ignore[index]
    assert b"/transactions/new/" not in second.content


@pytest.mark.parametrize("since", ["", "nonsense", "AAAA"])
def test_news_since_nothing_are_none(owner_client: Client, since: str) -> None:
    answer = owner_client.get(f"/transactions/new/?since={since}")
    assert answer.status_code == 204


# ------------------------------------------------------------------------------ ids
def test_an_exact_id_opens_the_card(project: Project, owner_client: Client) -> None:
    row = sell(project, livemode=False)
    ProviderReference.objects.create(
        project=project, kind="stripe.charge", reference="ch_42", transaction=row
    )
    for words in ("ch_42", f" {row.pk} "):
        answer = owner_client.get("/transactions/", {"q": words, "status": "failed"})
        assert answer["Location"] == f"/transactions/{row.pk}/"
    answer = owner_client.get(
        "/transactions/", {"q": "ch_42"}, headers={"hx-request": "true"}
    )
    assert answer["HX-Redirect"] == f"/transactions/{row.pk}/"


def test_an_id_of_two_purchases_shows_both(
    project: Project, owner_client: Client
) -> None:
    other = make_project(merchant=project.merchant)
    for shop in (project, other):
        ProviderReference.objects.create(
            project=shop, kind="stripe.charge", reference="ch_42",
            transaction=sell(shop),
        )  # fmt: skip
    assert len(names(owner_client, "q=ch_42")) == 2


def test_an_id_of_nobody_or_of_others_opens_nothing(
    project: Project, stranger: Member
) -> None:
    row = sell(project)
    client = client_of(stranger)
    for words in (str(row.pk), str(uuid4())):
        assert client.get("/transactions/", {"q": words}).status_code == 200


# -------------------------------------------------------------------------- queries
@pytest.mark.parametrize(
    ("query", "number"), [("", 15), ("status=paid", 16), ("provider=stripe", 15)]
)
def test_the_number_of_queries_is_fixed(
    project: Project, django_assert_num_queries, query: str, number: int
) -> None:
    client = client_of(make_member("owner", merchant=project.merchant))
    for rows in (1, 30):
        for _ in range(rows):
            make_item(sell(project))
        with django_assert_num_queries(number):
            client.get(f"/transactions/?{query}")
