"""Over the list in a browser: tabs, totals, orders, amounts, what is new, and paper."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.factories import make_transaction
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1280, "light"), (390, "dark")]


@pytest.fixture
def listed(page, live_server, sign_in: Callable, owner: Member, shop: Project):  # noqa: ANN001, ANN201
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    return page


@pytest.fixture
def expected_faults() -> list[str]:
    """A request that the next page overtakes is told as an error by htmx."""
    return ["status of 422", "htmx:sendAbort", "htmx:afterRequest"]


def rows(page):  # noqa: ANN001, ANN201
    return page.locator("[data-rows] tbody tr")


def test_a_tab_shows_as_many_as_it_says(listed) -> None:  # noqa: ANN001
    tab = listed.locator("#tabs").get_by_role("link", name="Refunded")
    expect(tab).to_contain_text("2")
    tab.click()
    expect(rows(listed)).to_have_count(2)
    expect(listed).to_have_url(re.compile("status=partially_refunded&status=refunded"))
    expect(listed.locator("#tabs [aria-current]")).to_contain_text("Refunded")


def test_totals_follow_the_filter(listed) -> None:  # noqa: ANN001
    totals = listed.locator("#totals")
    before = totals.inner_text()
    listed.locator("summary", has_text="Status").click()
    listed.get_by_role("checkbox", name="Refunded", exact=True).check()
    expect(rows(listed)).to_have_count(1)
    expect(totals).to_contain_text("19.99")
    assert totals.inner_text() != before


def test_a_head_orders_the_list(listed) -> None:  # noqa: ANN001
    listed.get_by_role("link", name="Created").click()
    expect(rows(listed).first).to_contain_text("Buyer 00")
    head = listed.get_by_role("columnheader", name="Created")
    expect(head).to_have_attribute("aria-sort", "ascending")
    listed.go_back()
    expect(rows(listed).first).to_contain_text("Buyer 29")


def test_an_amount_is_typed_with_its_currency(listed) -> None:  # noqa: ANN001
    Transaction.objects.filter(customer_name="Buyer 07").update(amount=123456)
    listed.locator("summary", has_text="Amount").click()
    listed.locator("#amount-in").press_sequentially("EUR")
    box = listed.locator("#amount-from")
    box.fill("1,000")
    box.press("Enter")
    expect(rows(listed)).to_have_count(1)
    expect(listed.locator(".chips")).to_contain_text("EUR 1,000.00")
    expect(listed.locator("#count-amount")).to_contain_text("1")


def test_new_payments_are_told_and_the_rows_stay(listed, shop: Project) -> None:  # noqa: ANN001
    listed.clock.install()
    listed.reload()
    expect(rows(listed).first).to_contain_text("Buyer 29")
    for name in ("Ada", "Grace"):
        make_transaction(project=shop, customer_name=name, created=timezone.now())
    place = rows(listed).first.bounding_box()
    listed.clock.fast_forward(11_000)
    pill = listed.get_by_role("button", name="2 new")
    expect(pill).to_be_visible()
    assert rows(listed).first.bounding_box() == place
    expect(rows(listed).first).to_contain_text("Buyer 29")
    pill.click()
    expect(rows(listed).first).to_contain_text("Grace")
    expect(pill).to_be_hidden()


def test_an_id_in_the_search_box_opens_the_card(listed, shop: Project) -> None:  # noqa: ANN001
    row = Transaction.objects.get(customer_name="Buyer 07")
    listed.locator("#q").fill(str(row.pk))
    expect(listed).to_have_url(re.compile(f"/transactions/{row.pk}/$"))
    listed.go_back()
    expect(rows(listed)).to_have_count(25)


def test_the_list_on_paper(listed) -> None:  # noqa: ANN001
    listed.emulate_media(media="print")
    for gone in (".side", ".bar", ".filters", ".pager", ".tabs"):
        expect(listed.locator(gone).first).to_be_hidden()
    expect(rows(listed).first).to_be_visible()
    expect(listed.locator("#totals")).to_be_visible()
    expect(listed.locator(".printed")).to_contain_text("printed")


def test_without_script_everything_is_a_form_or_a_link(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/")
    page.locator("#tabs").get_by_role("link", name="Failed").click()
    assert rows(page).count() == 3
    page.locator("summary", has_text="Amount").click()
    page.locator("#amount-from").fill("19.99")
    page.locator("#amount-in").fill("eur")
    page.get_by_role("button", name="Apply").click()
    assert "amount%5Bgte%5D=1999" in page.url
    assert "status=failed" in page.url
    assert rows(page).count() == 3
    page.goto(f"{live_server.url}/transactions/?sort=created")
    assert "Buyer 00" in rows(page).first.inner_text()


@pytest.mark.parametrize("panel", ["Amount", "More filters"])
def test_the_panels(listed, look: Callable, panel: str) -> None:  # noqa: ANN001
    for width, scheme in SIZES:
        listed.set_viewport_size({"width": width, "height": 900})
        listed.locator("summary", has_text=panel).first.click()
        look(width, scheme)
        listed.keyboard.press("Escape")


@pytest.mark.parametrize(
    "query", ["sort=status", "currency=eur&sort=-amount&amount[gte]=1", "q=example"]
)
def test_the_list_in_an_order(
    listed,
    live_server,
    look: Callable,
    query: str,  # noqa: ANN001
) -> None:
    listed.goto(f"{live_server.url}/transactions/?{query}")
    for width, scheme in SIZES:
        look(width, scheme)
