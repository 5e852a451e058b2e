"""Who bought, on the card: accounts, other purchases, totals, what looks paid twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_item,
    make_member,
    make_project,
    make_transaction,
)
from transactions import history
from transactions.history import Purchase
from transactions.models import Customer, Transaction

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada(project: Project) -> Customer:
    return Customer.objects.create(
        project=project, key="ada@example.com", email="ada@example.com"
    )


@pytest.fixture
def sell(ada: Customer):  # noqa: ANN201
    """sell(**over): one more purchase of Ada's, at the same shop."""
    connection = make_connection(project=ada.project)

    def sell(**over: Any) -> Transaction:
        given = {
            "connection": connection,
            "customer": ada,
            "customer_email": ada.email,
            "created": WHEN,
        }
        return make_transaction(**given | over)

    return sell


def page_of(client: Client, sale: Transaction) -> str:
    response = client.get(f"/transactions/{sale.pk}/")
    assert response.status_code == 200
    return response.content.decode()


# ------------------------------------------------------------------- other purchases
def test_the_newest_five_others_are_shown_with_what_was_bought(
    sell, owner_client: Client
) -> None:
    this = sell()
    others = [sell(created=WHEN - timedelta(days=day + 2)) for day in range(6)]
    make_item(others[0], "Iron Sword")
    page = page_of(owner_client, this)
    shown = [str(other.pk) in page for other in others]
    assert shown == [True] * 5 + [False]
    assert "Iron Sword" in page


def test_all_of_them_are_a_click_away(
    sell, ada: Customer, owner_client: Client
) -> None:
    sale = [sell() for _ in range(3)][0]
    sell(livemode=False)
    page = page_of(owner_client, sale)
    assert "All 3 purchases" in page
    link = f"/transactions/?livemode=true&customer={ada.pk}"
    assert link.replace("&", "&amp;") in page
    assert str(sale.pk) in owner_client.get(link).content.decode()


def test_a_single_purchase_says_that_it_is_the_only_one(
    sell, owner_client: Client
) -> None:
    assert "This is the only one" in page_of(owner_client, sell())


def test_an_unknown_buyer_has_no_history(
    project: Project, owner_client: Client
) -> None:
    page = page_of(owner_client, make_transaction(project=project))
    assert "Other purchases" not in page


def test_what_a_member_may_not_see_is_not_counted(sell, ada: Customer) -> None:
    sale = sell()
    other = make_project(merchant=ada.project.merchant)
    elsewhere = make_connection(project=other)
    make_transaction(connection=elsewhere, customer=ada)
    limited = make_member(
        "support", merchant=ada.project.merchant, projects=[ada.project]
    )
    found = history.of(limited, sale)
    assert found is not None
    assert found.number == 1


# -------------------------------------------------------------------------- totals
def test_totals_are_by_currency_and_of_what_was_paid(sell, owner: Member) -> None:
    sale = sell(amount=1000)
    sell(amount=500, status="partially_refunded", amount_refunded=200)
    sell(amount=300, status="charged_back", amount_charged_back=300)
    sell(amount=9999, status="failed")
    sell(amount=700, currency="usd")
    found = history.of(owner, sale)
    assert found is not None
    assert [
        (total.currency, total.number, total.paid, total.refunded, total.charged_back)
        for total in found.totals
    ] == [("eur", 3, 1800, 200, 300), ("usd", 1, 700, 0, 0)]


def test_test_purchases_do_not_mix_with_live_ones(sell, owner: Member) -> None:
    sale = sell(amount=1000)
    sell(amount=1000, livemode=False)
    found = history.of(owner, sale)
    assert found is not None
    assert found.totals[0].paid == 1000


def test_beyond_the_bound_the_card_says_so(
    sell, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST", 2)
    sale = [sell() for _ in range(4)][0]
    page = page_of(owner_client, sale)
    assert "More than 2 purchases" in page
    assert "Paid, of the newest 2 purchases" in page


def test_totals_of_nothing_paid_are_none() -> None:
    unpaid = Purchase(None, WHEN, "failed", 100, "eur", 0, 0)  # type: ignore[arg-type]
    assert history.totals([unpaid]) == []


# ---------------------------------------------------------------------- paid twice
def test_the_same_amount_twice_in_a_day_is_asked_about(
    sell, owner_client: Client
) -> None:
    first, second = sell(), sell(created=WHEN + timedelta(hours=3))
    page = page_of(owner_client, first)
    assert "Paid twice?" in page
    assert f"/transactions/{second.pk}/" in page


@pytest.mark.parametrize(
    "other",
    [
        {"created": WHEN + timedelta(hours=25)},
        {"amount": 2000},
        {"currency": "usd"},
        {"status": "failed"},
        {"status": "refunded"},
        {"livemode": False},
    ],
    ids=lambda over: next(iter(over)),
)
def test_what_is_not_the_same_is_not(sell, owner: Member, other: dict) -> None:
    first = sell()
    sell(**other)
    assert history.twins(owner, first) == []


def test_what_was_given_back_is_no_double_payment(sell, owner: Member) -> None:
    first = sell(status="refunded")
    sell()
    assert history.twins(owner, first) == []


def test_twice_over_two_providers_is_found_by_the_e_mail(
    sell, ada: Customer, owner: Member
) -> None:
    first = sell()
    paysuper = make_connection("paysuper", project=ada.project)
    same = Customer.objects.create(
        project=ada.project, key="paysuper:77", email="Ada@example.com"
    )
    twin = sell(connection=paysuper, customer=same)
    assert [found.pk for found in history.twins(owner, first)] == [twin.pk]


# ------------------------------------------------------------------------ accounts
def test_a_steam_account_leads_to_its_profile(sell, owner_client: Client) -> None:
    steam = {"steam": {"id": "76561198000000042", "name": "mira_n"}}
    sale = sell(customer_details={"identities": steam})
    page = page_of(owner_client, sale)
    assert "https://steamcommunity.com/profiles/76561198000000042" in page
    assert "mira_n" in page


@pytest.mark.parametrize(
    "identities",
    [
        {"steam": {"id": "../evil", "name": "x"}},
        {"minecraft": {"id": "069a79f444e94726a5befca90e38aaf5", "name": "notch"}},
        {"steam": "javascript:alert(1)"},
    ],
)
def test_an_account_without_a_known_page_is_no_link(
    sell, owner_client: Client, identities: dict
) -> None:
    sale = sell(customer_details={"identities": identities})
    page = page_of(owner_client, sale)
    assert "steamcommunity" not in page
    assert "javascript:" not in page.replace("<bdi>", "").split("data-copy=")[0]


def test_addresses_phone_ip_and_language_are_shown(sell, owner_client: Client) -> None:
    sale = sell(
        customer_phone="+386 40 123 456",
        customer_details={
            "address": {"line1": "Trubarjeva 12", "country": "SI"},
            "shipping": {"line1": "Dunajska 5", "country": "SI"},
            "ip": "203.0.113.77",
            "locale": "sl-SI",
        },
    )
    page = page_of(owner_client, sale)
    for words in ("+386 40 123 456", "Trubarjeva 12", "Dunajska 5", "203.0.113.77"):
        assert words in page
    assert "sl-SI" in page


def test_every_role_sees_who_bought(sell, ada: Customer) -> None:
    viewer = make_member("viewer", merchant=ada.project.merchant)
    assert "ada@example.com" in page_of(client_of(viewer), sell())
