"""The card in a browser: copying, raw events, paper."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def card(page, live_server, sign_in: Callable, owner: Member, rich: Transaction):  # noqa: ANN201
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    return page


def test_an_id_is_copied_and_that_is_told(card, rich: Transaction) -> None:  # noqa: ANN001
    card.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.get_by_role("button", name="Copy transaction id").click()
    expect(card.locator(".toast")).to_have_text("Copied")
    expect(card.locator("#said")).to_have_text("Copied")
    assert card.evaluate("() => navigator.clipboard.readText()") == str(rich.pk)


def test_an_id_is_copied_where_there_is_no_clipboard(card) -> None:  # noqa: ANN001
    card.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    button = card.get_by_role("button", name="Copy transaction id")
    button.click()
    expect(card.locator(".toast")).to_have_text("Copied")
    expect(button).to_be_focused()


def test_a_raw_event_opens_and_is_laid_out(card) -> None:  # noqa: ANN001
    card.locator("details.disclosure > summary").first.click()
    expect(card.locator(".raw pre").first).to_contain_text('"id": "evt_1"')


def test_hostile_text_stands_there_as_text(card) -> None:  # noqa: ANN001
    expect(card.locator(".metadata")).to_contain_text("<b>bold</b>")
    assert card.locator(".metadata b").count() == 0


def test_the_card_leads_back_to_the_list(card) -> None:  # noqa: ANN001
    card.get_by_label("Breadcrumb").get_by_role("link").click()
    expect(card).to_have_url(re.compile(r"/transactions/\?livemode=true$"))


def test_the_search_of_the_top_bar_leads_to_the_list(card) -> None:  # noqa: ANN001
    card.keyboard.press("/")
    card.keyboard.type("pi_3QxLm2KbVnq8WvTz1hR7d2Yk")
    card.keyboard.press("Enter")
    expect(card).to_have_url(re.compile(r"/transactions/\?q=pi_3QxLm"))
    expect(card.locator("[data-rows] tbody tr")).to_have_count(1)


def test_on_paper_stands_the_receipt_and_nothing_else(card, rich: Transaction) -> None:  # noqa: ANN001
    card.emulate_media(media="print", color_scheme="dark")
    for hidden in (".side", ".bar", ".raw", ".copy"):
        expect(card.locator(hidden).first).to_be_hidden()
    expect(card.get_by_role("heading", name="Items")).to_be_visible()
    expect(card.locator(".only-print")).to_contain_text(str(rich.pk))
    paper = card.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


def test_a_receipt_is_one_page(card) -> None:  # noqa: ANN001
    paper = card.pdf(format="A4", margin=dict.fromkeys(("top", "bottom"), "12mm"))
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1


def test_the_card_is_whole_without_script(
    plain_page: Callable, live_server, owner: Member, rich: Transaction
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    page.locator("details.disclosure > summary").first.click()
    expect(page.locator(".raw pre").first).to_be_visible()
    expect(page.locator(".copy").first).to_be_hidden()
