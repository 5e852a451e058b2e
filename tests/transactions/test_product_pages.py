"""Products: what is listed and sold, what one page of them answers, and their rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.access import ROLES
from merchant.models import AuditEntry, Connection, Member, Project
from tests.conftest import client_of
from tests.factories import make_connection, make_member, make_project
from tests.transactions.staff import dispute, enter, item, payment, refund
from transactions import product_list, reach, sales
from transactions.models import FulfilmentRule, Product, Transaction

pytestmark = pytest.mark.django_db
HTMX = {"hx-request": "true"}
MARCH = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def till(project: Project) -> Connection:
    return make_connection("stripe", project=project)


def sell(
    till: Connection, number: int, *names: str, at: datetime | None = None, **says: Any
) -> Transaction:
    """A purchase with a line of 5.00 for each name."""
    lines = [item(str(place), name) for place, name in enumerate(names)]
    amount = says.pop("amount", 500 * len(names))
    at = at or timezone.now() - timedelta(hours=2)
    return enter(till, payment(number, items=lines, at=at, amount=amount, **says))


def product(name: str, project: Project | None = None) -> Product:
    found = Product.objects.filter(name=name)
    return found.get(project=project) if project else found.get()


def page_of(name: str, project: Project | None = None) -> str:
    return f"/products/{product(name, project).pk}/"


def text(response) -> str:  # noqa: ANN001
    return response.content.decode()


def text_of(response) -> str:  # noqa: ANN001
    body = text(response)
    plain = re.sub(r"<[^>]+>", " ", body[max(body.find("<main"), 0) :])
    return re.sub(r"\s+", " ", plain)


def names(response) -> list[str]:  # noqa: ANN001
    found = re.findall(
        r'<a href="/products/[0-9a-f-]{36}/[^"]*"><bdi>([^<]*)', text(response)
    )
    return found


def row_of(response, name: str) -> str:  # noqa: ANN001
    """A row of the list in words."""
    rows = re.findall(r"<tr>.*?</tr>", text(response), re.DOTALL)
    found = next(row for row in rows if f"<bdi>{name}</bdi></a>" in row)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


# ---------------------------------------------------------------------------- the list
@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_them(till: Connection, role: str) -> None:
    sell(till, 1, "Sword")
    client = client_of(make_member(role, merchant=till.project.merchant))
    assert names(client.get("/products/")) == ["Sword"]
    assert client.get(page_of("Sword")).status_code == 200


def test_a_stranger_sees_nothing(till: Connection, stranger_client: Client) -> None:
    sell(till, 1, "Sword")
    assert b"Sword" not in stranger_client.get("/products/").content
    for path in (page_of("Sword"), page_of("Sword") + "rule/"):
        assert stranger_client.get(path).status_code == 404


def test_they_stand_by_name_over_all_projects(
    till: Connection, owner_client: Client
) -> None:
    other = make_connection(
        "paynow", project=make_project(merchant=till.project.merchant)
    )
    sell(till, 1, "Cape", "Axe")
    sell(other, 2, "Bow", "Axe")
    assert names(owner_client.get("/products/")) == ["Axe", "Axe", "Bow", "Cape"]


def test_the_list_is_turned_forwards_and_back(
    till: Connection, owner_client: Client
) -> None:
    other = make_connection(
        "stripe", project=make_project(merchant=till.project.merchant)
    )
    wanted = [f"Item {number:02}" for number in range(60)]
    sell(till, 1, *wanted[::2])
    sell(other, 2, *wanted[1::2])
    pages, address = [], "/products/"
    while address:
        pages.append(owner_client.get(address))
        address = _link(pages[-1], "next")
    assert [name for page in pages for name in names(page)] == wanted
    back = owner_client.get(_link(pages[-1], "prev"))
    assert names(back) == wanted[25:50]
    assert names(owner_client.get(_link(back, "prev"))) == wanted[:25]


def _link(response, way: str) -> str:  # noqa: ANN001
    found = re.search(rf'<a class="button" href="([^"]+)" rel="{way}"', text(response))
    return found[1].replace("&amp;", "&") if found else ""


def test_a_foreign_cursor_opens_the_first_page(
    till: Connection, stranger: Member
) -> None:
    sell(till, 1, "Sword")
    mine = make_connection("stripe", project=make_project(merchant=stranger.merchant))
    sell(mine, 2, "Axe")
    cursor = product("Sword").pk
    for name in ("after", "before"):
        response = client_of(stranger).get(f"/products/?{name}={cursor}")
        assert names(response) == ["Axe"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=swo", ["Iron Sword"]),
        ("q=SKU-1", ["Iron Sword"]),
        ("q=prod_Shield", ["Shield"]),
        ("q=nothing", []),
        ("provider=stripe", ["Iron Sword", "Shield"]),
        ("provider=paynow", []),
        ("rule=none", ["Shield"]),
        ("rule=manual", ["Iron Sword"]),
        ("rule=manual,none", ["Iron Sword", "Shield"]),
        ("rule=external", []),
        ("rule=none&q=sword", []),
    ],
)
def test_they_are_found_and_narrowed(
    till: Connection, owner_client: Client, query: str, found: list[str]
) -> None:
    lines = [item("1", "Iron Sword", sku="SKU-1"), item("2", "Shield")]
    enter(till, payment(1, items=lines))
    shield = product("Shield")
    FulfilmentRule.objects.create(project=till.project, product=shield, rule="none")
    assert names(owner_client.get(f"/products/?{query}")) == found


def test_the_rule_of_its_project_counts_where_it_has_none(
    till: Connection, owner_client: Client
) -> None:
    sell(till, 1, "Sword", "Shield")
    own = {"project": till.project, "product": product("Shield")}
    FulfilmentRule.objects.create(project=till.project, rule="external")
    FulfilmentRule.objects.create(rule="none", **own)
    FulfilmentRule.objects.create(rule="project", **own)
    found = owner_client.get("/products/?rule=external")
    assert names(found) == ["Shield", "Sword"]
    assert names(owner_client.get("/products/?rule=none")) == []


@pytest.mark.parametrize(
    "query", ["rule=project", "rule=x", "provider=x", "project=x", "livemode=x"]
)
def test_what_cannot_be_read_is_said(
    till: Connection, owner_client: Client, query: str
) -> None:
    sell(till, 1, "Sword")
    response = owner_client.get(f"/products/?{query}")
    assert (response.status_code, names(response)) == (422, [])


def test_a_row_says_what_was_sold_lately(
    till: Connection, owner_client: Client
) -> None:
    now = timezone.now()
    sell(till, 1, "Sword", at=now - timedelta(hours=1))
    sell(till, 2, "Sword", at=now - timedelta(days=28))
    sell(till, 3, "Sword", at=now - timedelta(days=31))
    sell(till, 4, "Sword", status="failed")
    sell(till, 5, "Sword", livemode=False)
    assert "2 EUR 10.00" in row_of(owner_client.get("/products/"), "Sword")


def test_a_row_says_how_many_wait(
    till: Connection, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        sell(till, number, "Sword")
    sell(till, 9, "Sword", livemode=False)
    assert "3 By hand" in row_of(owner_client.get("/products/"), "Sword")
    monkeypatch.setattr(product_list, "MOST_WAITING", 2)
    assert "2+ By hand" in row_of(owner_client.get("/products/"), "Sword")


def test_the_number_of_queries_is_fixed(till: Connection, owner_client: Client) -> None:
    sell(till, 1, "Sword")
    few = queries_of(owner_client, "/products/")
    for number in range(2, 5):
        sell(till, number, *(f"Item {number}-{place}" for place in range(20)))
    assert queries_of(owner_client, "/products/") <= few <= 20


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(database) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_before_the_first_sale_the_list_teaches(
    project: Project, owner_client: Client
) -> None:
    assert "No products yet" in text_of(owner_client.get("/products/"))


# ------------------------------------------------------------------------ what it sold
def march(name: str, project: Project | None = None) -> str:
    return f"{page_of(name, project)}?sold_from=2026-03-01&sold_to=2026-03-31"


def test_what_it_sold_in_march_net_per_currency(
    till: Connection, owner_client: Client
) -> None:
    sell(till, 1, "Sword", at=MARCH)
    sell(till, 2, "Sword", "Shield", at=MARCH)
    sell(till, 3, "Sword", at=MARCH + timedelta(days=30))
    row = sell(till, 4, "Sword", at=MARCH, settlement={"currency": "eur", "fee": 40})
    enter(till, refund(4, 200))
    row.refresh_from_db()
    assert (row.fee, row.amount_refunded) == (40, 200)
    shown = text_of(owner_client.get(march("Sword")))
    assert "1 Mar – 31 Mar 2026, days in UTC Pieces Gross EUR 3 EUR 15.00" in shown
    assert "In 3 purchases, as a whole" in shown
    assert re.search(
        r"whole.*Gross EUR 20.00 Refunded EUR −2.00 Fees EUR −0.40 Net EUR 17.60", shown
    )


def test_its_sales_lead_to_exactly_these_purchases(
    till: Connection, owner_client: Client
) -> None:
    sold = sell(till, 1, "Sword", at=datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    late = sell(till, 2, "Sword", at=datetime(2026, 4, 1, tzinfo=UTC))
    page = text(owner_client.get(march("Sword")))
    link = re.search(r'href="([^"]+)">These purchases', page)
    assert link
    shown = text(owner_client.get(link[1].replace("&amp;", "&")))
    assert f"/transactions/{sold.pk}/" in shown
    assert f"/transactions/{late.pk}/" not in shown
    assert "sold_from=2026-03-01" in link[1]


def test_namesakes_are_counted_together_and_named(
    till: Connection, owner_client: Client
) -> None:
    other = make_connection(
        "paynow", project=make_project(merchant=till.project.merchant)
    )
    sell(till, 1, "Sword", at=MARCH)
    sell(other, 2, "Sword", at=MARCH)
    shown = text_of(owner_client.get(march("Sword", till.project)))
    assert "EUR 2 EUR 10.00" in shown
    assert "also of the other one" in shown
    assert f"PayNow, {other.project.name} 1 EUR 5.00" in shown


def test_tests_are_not_among_the_sales(till: Connection, owner_client: Client) -> None:
    sell(till, 1, "Sword", at=MARCH)
    sell(till, 2, "Sword", at=MARCH, livemode=False)
    assert "EUR 1 EUR 5.00" in text_of(owner_client.get(march("Sword")))
    tests = owner_client.get(march("Sword") + "&livemode=false")
    assert "EUR 1 EUR 5.00" in text_of(tests)


def test_what_was_only_tested_is_shown_with_the_tests(
    till: Connection, owner_client: Client
) -> None:
    sell(till, 1, "Axe")
    row = sell(till, 2, "Sword", livemode=False)
    assert f"/transactions/{row.pk}/" in text(owner_client.get(page_of("Sword")))


@pytest.mark.parametrize(
    "query",
    ["sold=never", "sold_from=x&sold_to=y", "sold_from=2026-03-02&sold_to=2026-03-01"],
)
def test_days_that_are_none_are_said_and_the_usual_ones_shown(
    till: Connection, owner_client: Client, query: str
) -> None:
    sell(till, 1, "Sword")
    response = owner_client.get(f"{page_of('Sword')}?{query}")
    assert response.status_code == 200
    assert 'role="alert"' in text(response)
    assert "EUR 1 EUR 5.00" in text_of(response)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.sampled_from(["paid", "failed", "pending"]),
            st.sampled_from(["eur", "usd"]),
            st.integers(1, 3),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_sales_are_those_of_the_rows(db: None, told: list, one: int, two: int) -> None:
    till = make_connection("stripe", project=make_project())
    for number, (day, status, currency, quantity, live) in enumerate(told):
        lines = [item("1", "Sword", quantity=quantity, amount=quantity * 500)]
        at = MARCH + timedelta(days=day)
        says = {"money": [quantity * 500, currency], "livemode": live}
        enter(till, payment(number, status, items=lines, at=at, **says))
    first, last = sorted((date(2026, 3, 15 + one), date(2026, 3, 15 + two)))
    sword = Product.objects.filter(project=till.project)
    found = sales.of([p.pk for p in sword], first, last, livemode=True)
    naive: dict[str, int] = {}
    for day, status, currency, quantity, live in told:
        if live and status == "paid" and first <= date(2026, 3, 15 + day) <= last:
            naive[currency] = naive.get(currency, 0) + quantity
    assert {line.currency: line.quantity for line in found} == naive
    assert {line.currency: line.gross for line in found} == {
        currency: quantity * 500 for currency, quantity in naive.items()
    }


# ----------------------------------------------------------------------- its purchases
def test_the_filters_of_the_list_work_there(
    till: Connection, owner_client: Client
) -> None:
    paid, failed = sell(till, 1, "Sword"), sell(till, 2, "Sword", status="failed")
    other = sell(till, 3, "Shield", status="failed")
    shown = text(owner_client.get(f"{page_of('Sword')}?status=failed"))
    assert f"/transactions/{failed.pk}/" in shown
    for row in (paid, other):
        assert f"/transactions/{row.pk}/" not in shown


def test_htmx_gets_the_results_alone(till: Connection, owner_client: Client) -> None:
    sell(till, 1, "Sword")
    path = f"{page_of('Sword')}?sold=90d&status=paid"
    response = owner_client.get(path, headers=HTMX)
    assert "<html" not in text(response)
    assert "sold=90d" in response["HX-Push-Url"]


def test_the_page_asks_a_fixed_number_of_questions(
    till: Connection, owner_client: Client
) -> None:
    sell(till, 1, "Sword")
    few = queries_of(owner_client, page_of("Sword"))
    for number in range(2, 32):
        sell(till, number, "Sword", "Shield")
    assert queries_of(owner_client, page_of("Sword")) <= few + 1  # an older page?


def test_the_card_leads_to_it(till: Connection, owner_client: Client) -> None:
    row = sell(till, 1, "Sword")
    assert page_of("Sword") in text(owner_client.get(f"/transactions/{row.pk}/"))


def test_a_name_of_markup_is_text(till: Connection, owner_client: Client) -> None:
    sell(till, 1, "<b>Sword</b>")
    path = page_of("<b>Sword</b>")
    for address in ("/products/", path, f"{path}rule/"):
        assert "<b>Sword" not in text(owner_client.get(address))


# ---------------------------------------------------------------------------- its rule
def applied() -> None:
    while reach.apply_rules():
        pass


def form(**over: str) -> dict[str, str]:
    return {"rule": "none", "reach": "now", "day": ""} | over


@pytest.mark.parametrize("role", ROLES)
def test_owners_and_admins_set_it(till: Connection, role: str) -> None:
    sell(till, 1, "Sword")
    client = client_of(make_member(role, merchant=till.project.merchant))
    may = role in {"owner", "admin"}
    assert ('name="rule"' in text(client.get(page_of("Sword")))) == may
    answer = client.post(page_of("Sword") + "rule/set/", form())
    assert answer.status_code == (302 if may else 403)
    assert FulfilmentRule.objects.exists() == may


def test_a_stranger_sets_nothing(till: Connection, stranger_client: Client) -> None:
    sell(till, 1, "Sword")
    paths = (page_of("Sword") + "rule/set/", f"/products/rules/{till.project_id}/set/")
    for path in paths:
        assert stranger_client.post(path, form()).status_code == 404
    assert not FulfilmentRule.objects.exists()


def test_a_set_rule_shows_with_its_name_and_history(
    till: Connection, owner: Member, owner_client: Client
) -> None:
    sell(till, 1, "Sword")
    answer = owner_client.post(page_of("Sword") + "rule/set/", form(), follow=True)
    assert answer.redirect_chain == [(f"{page_of('Sword')}#rule", 302)]
    shown = text_of(answer)
    assert "Handed over Not needed" in shown
    assert f"Not needed , from then on {owner.user}" in shown
    assert AuditEntry.objects.filter(verb="fulfilment_rule.set").count() == 1


def test_a_rule_since_a_day_begins_at_the_members_midnight(
    till: Connection, owner: Member, owner_client: Client
) -> None:
    owner.user.time_zone = "Europe/Berlin"
    owner.user.save()
    sell(till, 1, "Sword")
    given = form(reach="day", day="2026-07-01")
    owner_client.post(page_of("Sword") + "rule/set/", given)
    rule = FulfilmentRule.objects.get()
    assert rule.since == datetime(2026, 6, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"rule": "nonsense"}, "Choose one of the rules"),
        ({"rule": ""}, "Choose one of the rules"),
        ({"reach": "day"}, "Choose the day"),
        ({"reach": "day", "day": "32.13."}, "Choose the day"),
        ({"reach": "day", "day": "0001-01-01"}, "Choose the day"),
        ({"reach": "day", "day": "2899-01-01"}, "still to come"),
        ({"reach": "sometimes"}, "for which purchases"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_wrong_form_says_what_is_wrong(
    till: Connection, owner_client: Client, over: dict, words: str, headers: dict
) -> None:
    sell(till, 1, "Sword")
    path = page_of("Sword") + "rule/set/"
    answer = owner_client.post(path, form(**over), headers=headers)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert ("<html" in text(answer)) == (not headers)
    assert not FulfilmentRule.objects.exists()


def test_htmx_gets_the_rule_and_a_toast(till: Connection, owner_client: Client) -> None:
    sell(till, 1, "Sword")
    path = page_of("Sword") + "rule/set/"
    shown = text(owner_client.post(path, form(), headers=HTMX))
    assert 'id="rule"' in shown
    assert "Rule set" in shown
    assert "<html" not in shown


def test_while_it_runs_the_page_says_how_far(
    till: Connection, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "BATCH", {"postgresql": 2, "sqlite": 2})
    monkeypatch.setattr(reach, "AT_ONCE", 1)
    for number in range(3):
        sell(till, number, "Sword", at=MARCH + timedelta(days=number))
    path = page_of("Sword") + "rule/"
    owner_client.post(path + "set/", form(reach="all"))
    assert "It begins in a moment" in text_of(owner_client.get(path))
    reach.apply_rules()
    shown = text_of(owner_client.get(path))
    assert "2 purchases looked at, 2 changed; back to 16 Mar, 12:00 ." in shown
    applied()
    shown = owner_client.get(path, headers=HTMX)
    assert "hx-trigger" not in text(shown).split("<form")[0]
    assert "3 purchases looked at, 3 changed" in text_of(shown)


def test_the_projects_rule_has_a_page(till: Connection, owner_client: Client) -> None:
    row = sell(till, 1, "Sword")
    path = f"/products/rules/{till.project_id}/"
    assert path in text(owner_client.get("/products/"))
    given = form(rule="external", reach="all")
    answer = owner_client.post(path + "set/", given, follow=True)
    assert answer.redirect_chain == [(path, 302)]
    assert "Handed over Done elsewhere" in text_of(answer)
    applied()
    row.refresh_from_db()
    assert row.fulfilment == "done"
    page = text_of(owner_client.get(page_of("Sword")))
    assert "As the project says: Done elsewhere" in page


def test_a_dispute_and_a_rule_leave_totals_alone(till: Connection) -> None:
    """Handing over has nothing to do with what was sold."""
    sell(till, 1, "Sword", at=MARCH)
    enter(till, dispute(1, "lost", at=MARCH + timedelta(days=9)))
    before = list(_sums())
    FulfilmentRule.objects.create(project=till.project, rule="none", applied=False)
    applied()
    assert list(_sums()) == before


def _sums() -> Iterable[sales.Sold]:
    return sales.of(
        [product("Sword").pk], date(2026, 3, 1), date(2026, 3, 31), livemode=True
    )
