"""What each name of the filter means, and how the page tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict

from merchant.models import Member, Project
from tests.factories import make_item, make_member, make_project, make_transaction
from transactions.filters import TransactionFilter
from transactions.models import Customer, LineItem, Transaction
from transactions.paging import take


def _asked(member: Member, query: str, **more: Any) -> TransactionFilter:
    return TransactionFilter.of_member(member, QueryDict(query), **more)


def _found(member: Member, query: str) -> set[Transaction]:
    """By both ways to the rows, which must agree."""
    asked = _asked(member, query)
    assert asked.errors == {}
    rows = set(asked.rows)
    assert set(take(asked.strands, 100).rows) == rows
    return rows


@pytest.fixture
def odd(project: Project) -> Transaction:
    """A purchase unlike the others in every column that can be asked for."""
    return make_transaction(
        project=project,
        provider="paynow",
        status="refunded",
        amount=500,
        currency="jpy",
        method="wallet",
        method_brand="applepay",
        customer_country="JP",
        customer_email="Oda@Example.org",
        fulfilment="done",
        livemode=False,
        created=datetime(2026, 2, 1, tzinfo=UTC),
        paid=datetime(2026, 2, 2, tzinfo=UTC),
    )


@pytest.fixture
def usual(project: Project) -> Transaction:
    return make_transaction(project=project)


@pytest.mark.parametrize(
    "query",
    [
        "provider=paynow",
        "provider=PayNow,paysuper",
        "status=refunded",
        "status=refunded&status=expired",
        "status=refunded,disputed, charged_back",
        "status[]=refunded&status[]=expired",
        "status[0]=refunded&status[1]=expired",
        "currency=JPY",
        "currency=jpy,kwd",
        "method=Wallet",
        "method=wallet,bank",
        "brand=ApplePay",
        "country=jp",
        "customer=oda@example.org",
        "amount[eq]=500",
        "amount[eq]=1,500",
        "amount[lte]=500",
        "amount[gte]=1&amount[lte]=600",
        "created[lt]=2026-02-02",
        "created[gte]=2026-02-01&created[lt]=2026-02-02",
        "created[gte]=2026-02-01T01:00:00%2B01:00&created[lt]=2026-02-02T00:00Z",
        "created[gte]=2026-02-01T01:00:00+01:00&created[lt]=2026-02-02T00:00Z",
        "created[gte]=1769904000&created[lt]=1769904001",
        "paid[gte]=2026-02-02&paid[lt]=2026-02-03",
        "fulfilment=done,revoked",
        "livemode=false",
        "livemode=test",
    ],
)
def test_a_name_finds_the_odd_one_out(
    owner: Member, odd: Transaction, usual: Transaction, query: str
) -> None:
    assert _found(owner, query) == {odd}


def test_names_hold_together(
    owner: Member, odd: Transaction, usual: Transaction
) -> None:
    assert _found(owner, "currency=jpy&status=refunded") == {odd}
    assert _found(owner, "currency=jpy&status=paid") == set()


def test_nothing_asked_finds_everything(
    owner: Member, odd: Transaction, usual: Transaction
) -> None:
    assert _found(owner, "") == {odd, usual}
    assert _found(owner, "status=&q=%20&created[gte]=") == {odd, usual}
    assert _asked(owner, "status=&livemode=true").is_empty


def test_the_page_may_assume_a_mode(
    owner: Member, odd: Transaction, usual: Transaction
) -> None:
    assert set(_asked(owner, "", livemode=True).rows) == {usual}
    assert set(_asked(owner, "livemode=false", livemode=True).rows) == {odd}
    assert _asked(owner, "", livemode=True).clean_query() == ""


def test_a_customer_is_found_by_any_of_their_ids(
    owner: Member, project: Project, usual: Transaction
) -> None:
    customer = Customer.objects.create(project=project, key="player-7")
    row = make_transaction(project=project, customer=customer)
    assert _found(owner, f"customer={customer.pk}") == {row}
    assert _found(owner, "customer=player-7") == {row}
    assert _found(owner, "customer=nobody") == set()


# --------------------------------------------------------------------------- products
def test_a_product_is_taken_with_all_its_namesakes(
    owner: Member, project: Project, usual: Transaction
) -> None:
    first = make_transaction(project=project)
    item = make_item(first, "Iron Sword", product_key="prod_1", sku="SWORD-1")
    second = make_transaction(project=project, provider="paynow")
    make_item(second, "Iron Sword", product_key="77")
    third = make_transaction(project=project)
    make_item(third, "Shield", product_key="prod_2")
    both = {first, second}
    for name in ("Iron Sword", "prod_1", "77", "SWORD-1", str(item.product_id)):
        assert _found(owner, f"product={name}") == both
    assert _found(owner, "product=Iron Sword&product=Shield") == {*both, third}
    assert _found(owner, "product=Iron Sword,Shield") == {*both, third}
    assert _found(owner, "product=Axe") == set()


def test_a_comma_may_be_a_part_of_a_products_name(
    owner: Member, project: Project
) -> None:
    row = make_transaction(project=project)
    make_item(row, "Sword, Shield")
    other = make_transaction(project=project)
    make_item(other, "Shield")
    assert _found(owner, "product=Sword, Shield") == {row}


def test_two_lines_of_a_product_are_one_purchase(
    owner: Member, project: Project
) -> None:
    row = make_transaction(project=project)
    make_item(row)
    make_item(row)
    asked = _asked(owner, "product=Iron Sword&created[gte]=2026-03-01")
    assert list(asked.rows) == [row]
    assert take(asked.strands, 10).count_up_to(10).number == 1


def test_product_and_date_are_one_index(
    owner: Member, project: Project, usual: Transaction
) -> None:
    """The inner query names product, time and purchase: what item_by_product holds."""
    make_item(usual)
    asked = _asked(owner, "product=Iron Sword&created[gte]=2026-03-01")
    sql = str(asked.rows.query)
    table = LineItem._meta.db_table
    assert "DISTINCT" not in sql
    assert sql.count("EXISTS") == 1
    assert f'JOIN "{table}"' not in sql


# ------------------------------------------------------------------------- whose day
@pytest.mark.parametrize(
    ("zone", "first"), [("UTC", 0), ("Europe/Berlin", -1), ("America/New_York", 5)]
)
def test_a_day_starts_in_the_projects_time_zone(
    owner: Member, project: Project, zone: str, first: int
) -> None:
    project.time_zone = zone
    project.save()
    asked = _asked(owner, "created[gte]=2026-03-01")
    starts = datetime(2026, 3, 1, tzinfo=UTC).timestamp() + first * 3600
    assert asked.meaning("created[gte]").timestamp() == starts


def test_a_members_own_time_zone_comes_first(owner: Member, project: Project) -> None:
    make_project(merchant=project.merchant, time_zone="Asia/Tokyo", slug="tokyo")
    owner.user.time_zone = "Europe/Berlin"
    day = "created[gte]=2026-03-01"
    assert _asked(owner, day).meaning("created[gte]").hour == 23
    chosen = _asked(owner, f"{day}&project=tokyo")
    assert chosen.meaning("created[gte]").hour == 23


def test_without_one_a_day_starts_in_the_zone_of_the_project_that_is_chosen(
    owner: Member, project: Project
) -> None:
    make_project(merchant=project.merchant, time_zone="Asia/Tokyo", slug="tokyo")
    day = "created[gte]=2026-03-01"
    assert _asked(owner, day).meaning("created[gte]").hour == 0
    chosen = _asked(owner, f"{day}&project=tokyo")
    assert chosen.meaning("created[gte]").hour == 15


def test_an_unknown_time_zone_is_utc(owner: Member, project: Project) -> None:
    project.time_zone = "Mars/Olympus"
    project.save()
    assert _asked(owner, "created[gte]=2026-03-01").meaning("created[gte]").hour == 0


# ------------------------------------------------------------------------ who may see
def test_a_member_of_one_project_sees_that_one(project: Project) -> None:
    other = make_project(merchant=project.merchant)
    third = make_project(merchant=project.merchant)
    rows = [make_transaction(project=p) for p in (project, other, third)]
    limited = make_member("viewer", merchant=project.merchant, projects=[project])
    assert _found(limited, "") == {rows[0]}
    two = make_member("viewer", merchant=project.merchant, projects=[project, other])
    assert _found(two, "") == set(rows[:2])
    assert _found(two, f"project={other.slug}") == {rows[1]}
    assert "project" in _asked(two, f"project={third.slug}").errors


def test_a_stranger_sees_nothing(stranger: Member, usual: Transaction) -> None:
    make_item(usual)
    for query in (
        "",
        f"q={usual.pk}",
        "product=Iron Sword",
        "customer=ada@example.com",
    ):
        assert _found(stranger, query) == set()
    assert "project" in _asked(stranger, f"project={usual.project_id}").errors


# ------------------------------------------------------------------------- in words
def test_a_mistake_shows_no_rows_and_says_why(
    owner: Member, usual: Transaction
) -> None:
    asked = _asked(owner, "status=payed&created[gte]=soon&provider=stripe")
    assert set(asked.errors) == {"status", "created[gte]"}
    assert "must be one of" in asked.errors["status"]
    assert list(asked.rows) == []
    assert take(asked.strands, 10).rows == []
    assert asked.typed("provider") == ["stripe"]


def test_the_query_has_one_spelling(owner: Member) -> None:
    asked = _asked(owner, "q=&status[]=refunded,paid&x=1&status=paid&provider=stripe")
    assert asked.clean_query() == "status=refunded&status=paid&provider=stripe"


def test_a_chip_leads_to_the_list_without_it(owner: Member, project: Project) -> None:
    asked = _asked(owner, f"status=paid,refunded&project={project.slug}&q=ada")
    chips = [(chip.label, chip.value) for chip in asked.chips()]
    assert chips == [
        ("Project", project.name),
        ("Status", "Paid"),
        ("Status", "Refunded"),
        ("Search", "ada"),
    ]
    without = asked.chips()[1].without
    left = [("project", project.slug), ("status", "refunded"), ("q", "ada")]
    assert without == left


def test_the_filter_is_told_in_words(owner: Member, project: Project) -> None:
    asked = _asked(owner, "status=paid,refunded&livemode=true&amount[gte]=100000")
    assert asked.described() == (
        "Mode: Live; Status: Paid, Refunded; Amount from: 100,000 minor units"
    )
    assert _asked(owner, "").described() == "Everything"
