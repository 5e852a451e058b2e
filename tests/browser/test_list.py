"""The list in a browser: filters, search, pages, keys, and all of it without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def listed(page, live_server, sign_in: Callable, owner: Member, shop: Project):  # noqa: ANN201
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    return page


def rows(page):  # noqa: ANN001, ANN201
    return page.locator("[data-rows] tbody tr")


def test_a_tick_narrows_the_list_without_a_reload(listed) -> None:  # noqa: ANN001
    listed.evaluate("() => { window.here = true }")
    listed.locator("summary", has_text="Status").click()
    listed.get_by_label("Failed", exact=True).check()
    expect(rows(listed)).to_have_count(1)
    expect(rows(listed)).to_contain_text("insufficient funds")
    expect(listed).to_have_url(re.compile(r"/transactions/\?status=failed$"))
    expect(listed.locator("#count-status")).to_contain_text("1")
    expect(listed.locator(".filter[open]")).to_have_count(1)
    expect(listed.locator("#said")).to_have_text("1 transaction")
    assert listed.evaluate("() => window.here")


def test_the_mode_switch_keeps_a_filter_that_was_just_chosen(listed) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Status").click()
    listed.get_by_role("checkbox", name="Paid", exact=True).check()
    expect(listed).to_have_url(re.compile("status=paid"))
    listed.keyboard.press("Escape")
    listed.locator("#mode").get_by_role("link", name="Test").click()
    expect(listed).to_have_url(re.compile(r"status=paid.*livemode=false"))
    expect(rows(listed)).to_have_count(1)
    expect(listed.locator("#mode")).to_contain_text("Test mode")


def test_typing_searches(listed) -> None:  # noqa: ANN001
    listed.locator("#q").press_sequentially("buyer7@example.com")
    expect(rows(listed)).to_have_count(1)
    expect(listed).to_have_url(re.compile("q=buyer7"))
    expect(listed.locator("#q")).to_be_focused()


def test_enter_searches_at_once(listed) -> None:  # noqa: ANN001
    listed.locator("#q").fill("ORDER-9")
    listed.keyboard.press("Enter")
    expect(rows(listed)).to_have_count(1)


def test_a_step_back_brings_the_list_and_its_form_back(listed) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Status").click()
    listed.get_by_label("Failed", exact=True).check()
    expect(rows(listed)).to_have_count(1)
    listed.go_back()
    expect(rows(listed)).to_have_count(25)
    expect(listed.locator("h1")).to_have_text("Transactions")
    expect(listed.get_by_label("Failed", exact=True)).not_to_be_checked()


def test_a_chip_is_taken_away(listed, live_server) -> None:  # noqa: ANN001
    listed.goto(f"{live_server.url}/transactions/?status=failed&provider=stripe")
    listed.get_by_role("link", name="Remove filter Status: Failed").click()
    expect(listed).to_have_url(re.compile(r"\?provider=stripe$"))
    listed.get_by_role("link", name="Clear all").click()
    expect(listed).to_have_url(re.compile(r"/transactions/$"))
    expect(listed.locator(".chip")).to_have_count(0)


def test_pages_are_turned_and_the_filter_stays(listed, live_server) -> None:  # noqa: ANN001
    listed.goto(f"{live_server.url}/transactions/?q=example.com")
    first = rows(listed).first.inner_text()
    listed.get_by_role("link", name="Older").click()
    expect(listed.locator("#position")).to_have_text("26–30 of 30")
    expect(listed).to_have_url(re.compile("q=example.com.*after="))
    expect(listed.locator("#results")).to_be_focused()
    listed.get_by_role("link", name="Newer").click()
    expect(listed.locator("#position")).to_have_text("1–25 of 30")
    assert rows(listed).first.inner_text() == first


def test_a_preset_narrows_by_date(listed) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Created").click()
    listed.get_by_role("link", name="Today").click()
    expect(listed.get_by_text("No transactions match")).to_be_visible()
    listed.get_by_role("link", name="Clear filters").click()
    expect(rows(listed)).to_have_count(25)


def test_a_lost_server_is_told_and_the_rows_stay(listed) -> None:  # noqa: ANN001
    listed.context.set_offline(True)
    listed.locator("summary", has_text="Status").click()
    listed.get_by_label("Failed", exact=True).check()
    expect(listed.locator("#trouble")).to_contain_text("could not be reached")
    expect(rows(listed)).to_have_count(25)
    listed.context.set_offline(False)


@pytest.fixture
def expected_faults() -> list[str]:
    return ["status of 422", "ERR_INTERNET_DISCONNECTED", "htmx:"]


# ------------------------------------------------------------------------- keyboard
def test_the_keyboard_walks_the_rows_and_opens_one(listed) -> None:  # noqa: ANN001
    listed.keyboard.press("j")
    listed.keyboard.press("j")
    listed.keyboard.press("k")
    link = rows(listed).first.get_by_role("link")
    expect(link).to_be_focused()
    name = link.inner_text()
    listed.keyboard.press("Enter")
    expect(listed).to_have_url(re.compile(r"/transactions/[0-9a-f-]{36}/$"))
    expect(listed.locator(".card-line")).to_contain_text(name)


def test_slash_searches_and_question_mark_helps(listed) -> None:  # noqa: ANN001
    listed.keyboard.press("/")
    expect(listed.locator("#q")).to_be_focused()
    listed.keyboard.type("j?k")
    expect(listed.locator("#q")).to_have_value("j?k")
    listed.locator("#q").fill("")
    listed.locator("h1").click()
    listed.keyboard.press("?")
    expect(listed.get_by_role("dialog")).to_be_visible()
    listed.keyboard.press("Escape")
    expect(listed.get_by_role("dialog")).to_be_hidden()


def test_shortcuts_can_be_turned_off(listed) -> None:  # noqa: ANN001
    listed.get_by_role("button", name="Keyboard shortcuts").click()
    listed.get_by_label("Use single-key shortcuts").uncheck()
    expect(listed.locator("html")).to_have_attribute("data-shortcuts", "off")
    listed.keyboard.press("/")
    expect(listed.locator("#q")).not_to_be_focused()


def test_the_first_tab_skips_to_the_content(listed) -> None:  # noqa: ANN001
    listed.keyboard.press("Tab")
    expect(listed.locator(".skip")).to_be_focused()
    expect(listed.locator(".skip")).to_be_in_viewport()
    listed.keyboard.press("Enter")
    expect(listed.locator("#main")).to_be_focused()


def test_a_filter_is_chosen_by_keyboard_alone(listed) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Status").focus()
    listed.keyboard.press("Enter")
    for _ in range(6):
        listed.keyboard.press("Tab")
    expect(listed.get_by_role("checkbox", name="Paid", exact=True)).to_be_focused()
    listed.keyboard.press("Space")
    expect(listed).to_have_url(re.compile("status=paid"))
    expect(listed.get_by_role("checkbox", name="Paid", exact=True)).to_be_focused()
    listed.keyboard.press("Escape")
    expect(listed.locator(".filter[open]")).to_have_count(0)
    expect(listed.locator("summary", has_text="Status")).to_be_focused()


def test_every_control_can_be_reached_and_shows_its_focus(listed) -> None:  # noqa: ANN001
    hidden = []
    for _ in range(45):
        listed.keyboard.press("Tab")
        told = listed.evaluate(
            """() => {
              const el = document.activeElement, style = getComputedStyle(el);
              const box = el.getBoundingClientRect();
              const top = document.elementFromPoint(
                box.left + box.width / 2, box.top + box.height / 2);
              return {
                what: el.outerHTML.slice(0, 80),
                ring: style.outlineStyle !== 'none' || el === document.body,
                seen: el === document.body || el.contains(top) || top?.contains(el),
              };
            }"""
        )
        if not (told["ring"] and told["seen"]):
            hidden.append(told["what"])
    assert not hidden


# -------------------------------------------------------------------- without script
def test_filter_search_and_pages_work_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/")
    page.locator("summary", has_text="Status").click()
    page.get_by_role("checkbox", name="Paid", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(f"{live_server.url}/transactions/?status=paid")
    page.locator("#q").fill("buyer20")
    page.locator("#q").press("Enter")
    expect(page).to_have_url(f"{live_server.url}/transactions/?status=paid&q=buyer20")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#position")).to_have_text("26–30 of 30")


def test_days_are_chosen_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/")
    page.locator("summary", has_text="Created").click()
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("To, inclusive").fill("2026-01-31")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chip")).to_have_count(2)
    page.locator("summary", has_text="Created").click()
    expect(page.get_by_label("To, inclusive")).to_have_value("2026-01-31")


def test_the_menu_and_the_theme_work_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/transactions/?status=paid")
    page.get_by_role("button", name="Menu").click()
    expect(page.locator("#side")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_url(f"{live_server.url}/transactions/?status=paid")


# ----------------------------------------------------------------------------- narrow
def test_on_a_phone_product_and_time_stand_below_the_name(listed) -> None:  # noqa: ANN001
    listed.set_viewport_size({"width": 390, "height": 844})
    first = rows(listed).first.locator("th")
    expect(first.get_by_text("Iron Sword")).to_be_visible()
    expect(first.locator("time")).to_be_visible()
    expect(listed.get_by_role("columnheader", name="Method")).to_be_hidden()
