"""Customers: who is listed, found and added up, and what the page of one shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.access import ROLES
from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_dispute,
    make_member,
    make_project,
    make_transaction,
)
from transactions import customers as upkeep
from transactions import lifetime, selectors
from transactions.models import Customer, Transaction
from transactions.statuses import MONEY_CAME, Status

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HTMX = {"hx-request": "true"}


def sell(project: Project, name: str, days: int = 0, **over: Any) -> Transaction:
    """A purchase by somebody told apart by `key`, the name where it is not given."""
    key = over.pop("key", name.lower().replace(" ", "."))
    customer, _new = Customer.objects.get_or_create(project=project, key=key)
    if "connection" not in over:
        over["connection"] = till_of(project)
    given = {"customer_email": f"{key}@example.com"} | over
    row = make_transaction(
        customer=customer, customer_name=name, created=NOON + timedelta(days=days),
        **given,
    )  # fmt: skip
    upkeep.refresh([customer.pk])
    return row


def till_of(project: Project) -> Any:
    found = project.connections.first()
    return found or make_connection("stripe", project=project)


def names(response) -> list[str]:  # noqa: ANN001
    return re.findall(
        r'<a href="/customers/[0-9a-f-]{36}/[^"]*"><bdi>([^<]*)',
        response.content.decode(),
    )


def text_of(response) -> str:  # noqa: ANN001
    body = response.content.decode()
    plain = re.sub(r"<[^>]+>", " ", body[body.index("<main") :])
    return re.sub(r"\s+", " ", plain)


def page_of(row: Transaction) -> str:
    return f"/customers/{row.customer_id}/"


# ------------------------------------------------------------------------- whose list
@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_them(project: Project, role: str) -> None:
    sell(project, "Ada")
    client = client_of(make_member(role, merchant=project.merchant))
    assert names(client.get("/customers/")) == ["Ada"]


def test_a_stranger_sees_nothing(project: Project, stranger_client: Client) -> None:
    row = sell(project, "Ada")
    assert b"Ada" not in stranger_client.get("/customers/").content
    assert stranger_client.get(page_of(row)).status_code == 404


def test_a_member_of_one_project_sees_its_customers(project: Project) -> None:
    other = make_project(merchant=project.merchant)
    row = sell(project, "Ada")
    sell(other, "Grace")
    member = make_member("support", merchant=project.merchant, projects=[other])
    client = client_of(member)
    assert names(client.get("/customers/")) == ["Grace"]
    assert client.get(page_of(row)).status_code == 404
    asked = client.get("/customers/", {"project": project.slug})
    assert asked.status_code == 422


# ---------------------------------------------------------------------- what is listed
def test_who_bought_last_stands_first_over_all_projects(
    project: Project, owner_client: Client
) -> None:
    other = make_project(merchant=project.merchant)
    for shop, name, days in ((project, "A", 1), (other, "B", 3), (project, "C", 2)):
        sell(shop, name, days)
    sell(project, "A", 4)
    assert names(owner_client.get("/customers/")) == ["A", "B", "C"]


def test_only_who_bought_in_the_mode_is_listed(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Live")
    sell(project, "Test", livemode=False)
    assert names(owner_client.get("/customers/")) == ["Live"]
    test = owner_client.get("/customers/", {"livemode": "false"})
    assert names(test) == ["Test"]


def test_sums_of_tests_and_real_money_are_apart(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Ada", amount=1000)
    sell(project, "Ada", livemode=False, amount=77_700)
    assert "10.00" in text_of(owner_client.get("/customers/"))
    assert "777.00" not in text_of(owner_client.get("/customers/"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ada.byron", ["Ada Byron"]),
        ("YRO", ["Ada Byron"]),
        ("example.com", ["Grace Hopper", "Ada Byron"]),
        ("player-7", ["Ada Byron"]),
        ("nobody", []),
        ("%", []),
        ("g", ["Grace Hopper"]),
    ],
)
def test_they_are_found_by_what_is_known_of_them(
    project: Project, owner_client: Client, words: str, found: list[str]
) -> None:
    sell(project, "Ada Byron", key="player-7", customer_email="ada.byron@example.com")
    sell(project, "Grace Hopper", 1)
    assert names(owner_client.get("/customers/", {"q": words})) == found


def test_one_is_found_by_our_id(project: Project, owner_client: Client) -> None:
    row = sell(project, "Ada")
    sell(project, "Grace")
    found = owner_client.get("/customers/", {"q": str(row.customer_id)})
    assert names(found) == ["Ada"]


def test_a_frequent_word_is_met_by_walking(
    project: Project, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.search.FEW", 2)
    for number in range(5):
        sell(project, f"Buyer {number}", number)
    sell(project, "Ada", 9)
    found = names(owner_client.get("/customers/", {"q": "buyer"}))
    assert found == [f"Buyer {n}" for n in (4, 3, 2, 1, 0)]


def test_they_are_narrowed_by_country_flag_and_project(
    project: Project, owner_client: Client
) -> None:
    other = make_project(merchant=project.merchant)
    sell(project, "Ada", 1, customer_country="GB")
    sell(other, "Grace", 2, customer_country="US")
    Customer.objects.filter(key="grace").update(flagged=True)
    for query, found in (
        ("country=gb", ["Ada"]),
        ("country=GB,US", ["Grace", "Ada"]),
        ("flagged=true", ["Grace"]),
        (f"project={project.slug}", ["Ada"]),
        (f"project={project.slug}&flagged=true", []),
    ):
        assert names(owner_client.get(f"/customers/?{query}")) == found, query


@pytest.mark.parametrize(
    "query", ["country=Germany", "flagged=maybe", "livemode=x", "q=" + "x" * 301]
)
def test_what_cannot_be_read_is_said(
    project: Project, owner_client: Client, query: str
) -> None:
    sell(project, "Ada")
    response = owner_client.get(f"/customers/?{query}")
    assert response.status_code == 422
    assert names(response) == []
    assert "cannot be read" in text_of(response)


def test_the_list_is_turned_by_keyset(project: Project, owner_client: Client) -> None:
    for number in range(60):
        sell(project, f"Buyer {number:02}", number)
    seen: list[str] = []
    address: str | None = "/customers/"
    while address:
        response = owner_client.get(address)
        seen += names(response)
        found = re.search(
            r'<a class="button" href="([^"]+)" rel="next"', text(response)
        )
        address = found[1].replace("&amp;", "&") if found else None
    assert seen == [f"Buyer {number:02}" for number in reversed(range(60))]


def text(response) -> str:  # noqa: ANN001
    return response.content.decode()


def test_a_broken_cursor_leads_to_the_beginning(
    project: Project, owner_client: Client
) -> None:
    response = owner_client.get("/customers/?country=GB&after=nonsense")
    assert response["Location"] == "/customers/?country=GB"


def test_htmx_gets_the_results_and_their_address(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Ada")
    response = owner_client.get("/customers/?country=gb&q=", headers=HTMX)
    assert "<html" not in text(response)
    assert response["HX-Push-Url"] == "/customers/?country=gb"


def test_a_name_of_markup_is_text(project: Project, owner_client: Client) -> None:
    sell(project, "<b>Ada</b>", key="ada")
    for path in ("/customers/", "/customers/?q=%3Cb%3E"):
        assert "<b>Ada" not in text(owner_client.get(path))


# --------------------------------------------------------------------------- adding up
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(Status.values),
        st.sampled_from(["eur", "usd", ""]),
        st.one_of(st.none(), st.integers(0, 10_000)),
        st.integers(0, 500),
        st.one_of(st.none(), st.integers(0, 99)),
        st.booleans(),
    ),
    max_size=14,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROWS, st.integers(1, 4))
def test_sums_are_those_of_the_newest(db: None, told: list, most: int) -> None:
    project = make_project()
    member = make_member("owner", merchant=project.merchant)
    till = make_connection("stripe", project=project)
    people = [
        Customer.objects.create(project=project, key=str(number)) for number in range(3)
    ]
    rows = [
        make_transaction(
            connection=till, customer=people[who], status=status, currency=currency,
            amount=amount, amount_refunded=back, fee=fee, livemode=live,
            created=NOON + timedelta(minutes=minute),
        )
        for minute, (who, status, currency, amount, back, fee, live) in enumerate(told)
    ]  # fmt: skip
    seen = selectors.visible_to(member).filter(livemode=True)
    found = lifetime.of(seen, [person.pk for person in people], most)
    for person in people:
        theirs = [r for r in reversed(rows) if r.customer == person and r.livemode]
        known = found[person.pk]
        assert known.count == min(len(theirs), most)
        assert known.more == (len(theirs) > most)
        sums = {t.currency: (t.paid, t.gross, t.refunded, t.net) for t in known.totals}
        assert sums == _naively(theirs[:most])


def _naively(rows: list[Transaction]) -> dict[str, tuple[int, ...]]:
    sums: dict[str, tuple[int, ...]] = {}
    for row in rows:
        if row.status in MONEY_CAME:
            paid, gross, back, net = sums.get(row.currency, (0, 0, 0, 0))
            amount = row.amount or 0
            left = amount - row.amount_refunded - (row.fee or 0)
            sums[row.currency] = (
                paid + 1, gross + amount, back + row.amount_refunded, net + left
            )  # fmt: skip
    return sums


def test_who_bought_very_much_is_counted_so_far(
    project: Project, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifetime.of, "__defaults__", (2,))
    for number in range(3):
        sell(project, "Ada", number, amount=100)
    shown = text_of(owner_client.get("/customers/"))
    assert "2+" in shown
    assert "EUR 2.00" in shown


def test_the_number_of_queries_is_fixed(project: Project, owner_client: Client) -> None:
    sell(project, "Ada")
    few = queries_of(owner_client, "/customers/")
    for number in range(30):
        sell(project, f"Buyer {number}", number)
        sell(project, f"Buyer {number}", number + 1)
    many = queries_of(owner_client, "/customers/")
    assert many <= few <= 14


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(database) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


# ------------------------------------------------------------------------- one customer
def test_the_page_shows_their_purchases_and_nobody_elses(
    project: Project, owner_client: Client
) -> None:
    row = sell(project, "Ada", order_reference="ADA-1")
    other = sell(project, "Grace")
    shown = text(owner_client.get(page_of(row)))
    assert f"/transactions/{row.pk}/" in shown
    assert f"/transactions/{other.pk}/" not in shown


def test_the_filters_of_the_list_work_there(
    project: Project, owner_client: Client
) -> None:
    paid = sell(project, "Ada")
    failed = sell(project, "Ada", 1, status="failed")
    other = sell(project, "Grace", status="failed")
    shown = text(owner_client.get(f"{page_of(paid)}?status=failed"))
    assert f"/transactions/{failed.pk}/" in shown
    assert f"/transactions/{paid.pk}/" not in shown
    assert f"/transactions/{other.pk}/" not in shown


def test_nobody_can_ask_for_another_customer_there(
    project: Project, owner_client: Client
) -> None:
    row, other = sell(project, "Ada"), sell(project, "Grace")
    shown = text(
        owner_client.get(f"{page_of(row)}?customer={other.customer_id}", follow=True)
    )
    assert f"/transactions/{other.pk}/" not in shown


def test_the_sums_do_not_follow_the_filter(
    project: Project, owner_client: Client
) -> None:
    row = sell(project, "Ada", amount=1000, amount_refunded=200, fee=30)
    sell(project, "Ada", 1, amount=500, currency="usd")
    shown = text_of(owner_client.get(f"{page_of(row)}?status=failed"))
    assert "2 purchases" in shown
    assert re.search(r"Gross EUR 10.00 .*Fees EUR −0.30 Net EUR 7.70", shown)


def test_everything_they_are_known_as_is_shown(
    project: Project, owner_client: Client
) -> None:
    row = sell(
        project, "Ada", key="player-7", customer_phone="+386 40 123",
        customer_email="old@example.com",
        customer_details={
            "external_id": "player-7",
            "identities": {"steam": {"id": "7656", "name": "countess"}},
        },
    )  # fmt: skip
    sell(project, "Ada Lovelace", 1, key="player-7", customer_email="new@example.com")
    shown = text_of(owner_client.get(page_of(row)))
    for word in ("Ada Lovelace", "+386 40 123", "countess", "Steam"):
        assert word in shown
    page = text(owner_client.get(page_of(row)))
    assert 'data-copy="old@example.com"' in page
    assert 'data-copy="new@example.com"' in page
    assert 'data-copy="player-7"' in page


@pytest.mark.parametrize("details", [[], "x", {"identities": ["x"]}, {"identities": 1}])
def test_details_of_another_shape_break_nothing(
    project: Project, owner_client: Client, details: Any
) -> None:
    row = sell(project, "Ada", customer_details=details)
    assert owner_client.get(page_of(row)).status_code == 200


def flag(row: Transaction) -> None:
    make_dispute(
        transaction=row, provider_id="dp_1", status="lost", amount=1999,
        currency="eur", reason="fraudulent", created=NOON,
    )  # fmt: skip
    upkeep.refresh([row.customer_id])


def test_a_flag_says_why(project: Project, owner_client: Client) -> None:
    row = sell(project, "Ada")
    flag(row)
    assert "Charged back" in text_of(owner_client.get("/customers/"))
    shown = text_of(owner_client.get(page_of(row)))
    assert "This customer charged back." in shown
    assert "fraudulent" in shown
    assert "Clear the flag" in shown


def test_who_may_not_clear_it_reads_who_may(
    project: Project, viewer_client: Client
) -> None:
    row = sell(project, "Ada")
    flag(row)
    shown = text_of(viewer_client.get(page_of(row)))
    assert "finance or support can clear the flag" in shown


def test_who_only_tested_is_shown_with_the_tests(
    project: Project, owner_client: Client
) -> None:
    sell(project, "Live")
    row = sell(project, "Test", livemode=False)
    shown = text(owner_client.get(page_of(row)))
    assert f"/transactions/{row.pk}/" in shown
    assert 'class="test" href="/customers/' in shown


def test_the_switch_of_the_mode_stays_with_the_customer(
    project: Project, owner_client: Client
) -> None:
    row = sell(project, "Ada")
    shown = text(owner_client.get(page_of(row)))
    assert f'href="{page_of(row)}?livemode=false"' in shown


def test_their_page_asks_a_fixed_number_of_questions(
    project: Project, owner_client: Client
) -> None:
    row = sell(project, "Ada")
    few = queries_of(owner_client, page_of(row))
    for number in range(30):
        sell(project, "Ada", number)
    assert queries_of(owner_client, page_of(row)) <= few + 1  # is there an older page?


def test_the_card_leads_to_them(project: Project, owner_client: Client) -> None:
    row = sell(project, "Ada")
    assert page_of(row) in text(owner_client.get(f"/transactions/{row.pk}/"))


def test_a_customer_that_is_none_is_not_found(owner: Member, owner_client) -> None:  # noqa: ANN001
    assert owner_client.get(f"/customers/{owner.pk}/").status_code == 404
