"""Selecting rows in a browser, and what is then done to them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY
from tests.transactions.sales import sell
from transactions import bulk_actions
from transactions.bulk_actions import running
from transactions.models import BulkAction, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sold(project: Project) -> list[Transaction]:
    """Thirty paid ones that wait, and three that failed."""
    rows = sell(project, 30, metadata={"sale": "spring"})
    return rows + sell(project, 3, status="failed")


@pytest.fixture
def listed(page, live_server, sign_in: Callable, support: Member, sold: list):  # noqa: ANN201
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/")
    return page


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done in the request, and little at a time."""
    monkeypatch.setattr(running, "BATCH", {"postgresql": 10, "sqlite": 10})
    monkeypatch.setattr(running, "AT_ONCE", 0)


def boxes(page):  # noqa: ANN001, ANN201
    return page.locator('[data-rows] input[name="id"]')


def ticked(page):  # noqa: ANN001, ANN201
    return page.locator('[data-rows] input[name="id"]:checked')


def told(page):  # noqa: ANN001, ANN201
    return page.locator("[data-selected]")


# -------------------------------------------------------------------------- selecting
def test_the_bar_comes_with_the_first_tick(listed) -> None:  # noqa: ANN001
    expect(listed.locator("#bulk")).to_be_hidden()
    boxes(listed).nth(2).check()
    expect(listed.locator("#bulk")).to_be_visible()
    expect(told(listed)).to_have_text("1 selected")
    expect(listed.locator("#said")).to_have_text("1 selected")
    boxes(listed).nth(2).uncheck()
    expect(listed.locator("#bulk")).to_be_hidden()


def test_the_box_in_the_head_is_for_the_page(listed) -> None:  # noqa: ANN001
    head = listed.locator("[data-select-page]")
    head.check()
    expect(told(listed)).to_have_text("25 selected")
    boxes(listed).first.uncheck()
    expect(told(listed)).to_have_text("24 selected")
    assert head.evaluate("(box) => box.indeterminate")
    head.check()
    head.uncheck()
    expect(ticked(listed)).to_have_count(0)


def test_shift_ticks_a_range(listed) -> None:  # noqa: ANN001
    boxes(listed).nth(1).click()
    boxes(listed).nth(6).click(modifiers=["Shift"])
    expect(ticked(listed)).to_have_count(6)
    boxes(listed).nth(3).click(modifiers=["Shift"])
    expect(ticked(listed)).to_have_count(2)


def test_x_ticks_the_row_and_escape_clears(listed) -> None:  # noqa: ANN001
    for key in ("j", "x", "j", "j", "x"):
        listed.keyboard.press(key)
    expect(told(listed)).to_have_text("2 selected")
    assert [box.is_checked() for box in boxes(listed).all()[:3]] == [True, False, True]
    listed.keyboard.press("x")
    expect(told(listed)).to_have_text("1 selected")
    listed.keyboard.press("Escape")
    expect(ticked(listed)).to_have_count(0)
    expect(listed.locator("#said")).to_have_text("Nothing selected")


def test_a_menu_takes_escape_for_itself(listed) -> None:  # noqa: ANN001
    boxes(listed).first.check()
    listed.locator("summary", has_text="Status").click()
    listed.keyboard.press("Escape")
    expect(ticked(listed)).to_have_count(1)


def test_x_in_a_field_is_a_letter(listed) -> None:  # noqa: ANN001
    listed.locator("#q").focus()
    listed.keyboard.press("x")
    expect(ticked(listed)).to_have_count(0)
    expect(listed.locator("#q")).to_have_value("x")


def test_x_is_off_where_shortcuts_are_off(listed) -> None:  # noqa: ANN001
    listed.evaluate("() => { document.documentElement.dataset.shortcuts = 'off' }")
    listed.locator("[data-rows] tbody tr a").first.focus()
    listed.keyboard.press("x")
    expect(ticked(listed)).to_have_count(0)


def test_the_selection_stays_while_pages_are_turned(listed) -> None:  # noqa: ANN001
    boxes(listed).nth(0).check()
    boxes(listed).nth(1).check()
    listed.get_by_role("link", name="Older").click()
    expect(boxes(listed)).to_have_count(8)
    expect(told(listed)).to_have_text("2 selected")
    boxes(listed).nth(0).check()
    expect(told(listed)).to_have_text("3 selected")
    listed.get_by_role("link", name="Newer").click()
    expect(boxes(listed)).to_have_count(25)
    expect(ticked(listed)).to_have_count(2)
    listed.get_by_role("button", name="Mark as handed over").click()
    expect(listed.get_by_text("of 3", exact=False).first).to_be_visible()
    assert BulkAction.objects.get().wanted == 3


def test_another_filter_begins_another_selection(listed) -> None:  # noqa: ANN001
    boxes(listed).nth(0).check()
    listed.locator("summary", has_text="Status").click()
    listed.locator("#filters").get_by_label("Paid", exact=True).check()
    expect(listed).to_have_url(re.compile("status=paid"))
    expect(ticked(listed)).to_have_count(0)
    expect(listed.locator("#bulk")).to_be_hidden()


# --------------------------------------------------------------------------- all of it
def test_select_all_matching_is_the_filter(listed, live_server) -> None:  # noqa: ANN001
    listed.goto(f"{live_server.url}/transactions/?q=spring")
    listed.locator("[data-select-page]").check()
    listed.get_by_role("button", name="Select all 30 matching").click()
    expect(told(listed)).to_have_text("All 30 matching selected")
    listed.get_by_role("link", name="Older").click()
    expect(boxes(listed)).to_have_count(5)
    expect(ticked(listed)).to_have_count(5)
    listed.get_by_role("button", name="Mark as handed over").click()
    listed.get_by_label("Note").fill("By mail")
    listed.get_by_role("button", name="Mark 30 as handed over").click()
    expect(listed.get_by_role("status").first).to_contain_text(
        "30 marked as handed over."
    )
    assert Transaction.objects.filter(fulfilment="done").count() == 30


def test_one_taken_from_all_leaves_what_is_seen(listed) -> None:  # noqa: ANN001
    boxes(listed).first.check()
    listed.get_by_role("button", name="Select all 33 matching").click()
    expect(ticked(listed)).to_have_count(25)
    boxes(listed).nth(4).uncheck()
    expect(told(listed)).to_have_text("24 selected")
    expect(listed.get_by_role("button", name="Select all 33 matching")).to_be_visible()


def test_what_cannot_be_done_is_told_before_and_after(listed) -> None:  # noqa: ANN001
    listed.locator("[data-select-page]").check()
    listed.get_by_role("button", name="Mark as handed over").click()
    expect(listed.get_by_text("3 are left as they are")).to_be_visible()
    listed.get_by_role("button", name="Mark 22 as handed over").click()
    expect(listed.locator("[role=status]", has_text="22 marked")).to_contain_text(
        "3 were not changed."
    )
    expect(
        listed.locator(".bulk-items").get_by_text("The payment is failed.")
    ).to_have_count(3)
    listed.get_by_role("button", name="Undo all").click()
    listed.get_by_role("button", name="Undo handing over of 22").click()
    expect(listed.locator("[role=status]", has_text="22 undone")).to_be_visible()
    assert Transaction.objects.filter(fulfilment="waiting").count() == 30


def test_progress_is_shown_until_it_is_done(listed, slowly: None) -> None:  # noqa: ANN001
    boxes(listed).first.check()
    listed.get_by_role("button", name="Select all 33 matching").click()
    listed.get_by_role("button", name="Mark as handed over").click()
    listed.get_by_role("button", name="Mark 30 as handed over").click()
    expect(listed.get_by_text("Waiting for its turn")).to_be_visible()
    listed.evaluate("() => { window.here = true }")
    claimed = running._claim(running._due())
    assert claimed is not None
    running._batch(*claimed)
    expect(listed.get_by_text("10 of 30")).to_be_visible()
    assert listed.locator("progress").evaluate("(bar) => bar.position") == 1 / 3
    BulkAction.objects.update(leased_until=BulkAction.objects.get().created)
    bulk_actions.run_due()
    expect(listed.locator("[role=status]", has_text="30 marked")).to_be_visible()
    assert listed.evaluate("() => window.here")


def test_it_can_be_stopped(listed, slowly: None) -> None:  # noqa: ANN001
    listed.locator("[data-select-page]").check()
    listed.get_by_role("button", name="Mark as handed over").click()
    listed.get_by_role("button", name="Mark 22 as handed over").click()
    claimed = running._claim(running._due())
    assert claimed is not None
    running._batch(*claimed)
    listed.get_by_role("button", name="Stop").click()
    expect(listed.locator("[role=status]", has_text="10 marked")).to_contain_text(
        "It was stopped before 12 more."
    )


# -------------------------------------------------------------------- without script
def test_ticks_and_all_matching_work_without_script(
    plain_page: Callable, live_server, support: Member, sold: list, slowly: None
) -> None:  # fmt: skip
    page = plain_page(support)
    page.goto(f"{live_server.url}/transactions/")
    boxes(page).nth(5).check()
    boxes(page).nth(6).check()
    page.get_by_role("button", name="Mark as handed over").click()
    expect(page.get_by_text("Ticked one by one")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.goto(f"{live_server.url}/transactions/?q=spring")
    page.get_by_label("With all 30 matching instead").check()
    page.get_by_role("button", name="Mark as handed over").click()
    page.get_by_role("button", name="Mark 30 as handed over").click()
    expect(page.get_by_text("Waiting for its turn: 30 to go")).to_be_visible()
    bulk_actions.run_due()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("30 marked as handed over.")).to_be_visible()
    page.get_by_role("link", name="Bulk actions").click()
    expect(page.get_by_role("row")).to_have_count(2)


# -------------------------------------------------------------------------- looked at
def test_every_state_can_be_read(
    listed, look: Callable, live_server, support: Member, sold: list, slowly: None
) -> None:  # fmt: skip
    # A few rows: one that the bar half covers would count as too small to be hit.
    listed.goto(f"{live_server.url}/transactions/?status=failed")
    listed.locator("[data-select-page]").check()
    for sight in EVERY:
        look(*sight)
    bulk = bulk_actions.draft(support, "fulfil", {row.pk for row in sold})
    address = f"{live_server.url}/bulk/{bulk.pk}/"
    listed.goto(address)
    for sight in EVERY:
        look(*sight)
    bulk_actions.start(support, bulk, note="x" * 400, reference="y" * 200)
    listed.goto(address)
    look(1280, "light")
    look(390, "dark")
    bulk_actions.run_due()
    for path in (address, f"{address}?show=done", f"{live_server.url}/bulk/"):
        listed.goto(path)
        for sight in EVERY:
            look(*sight)


def test_a_refusal_and_an_empty_history_can_be_read(
    listed, look: Callable, live_server
) -> None:  # fmt: skip
    listed.goto(f"{live_server.url}/bulk/")
    look(1280, "light")
    look(390, "dark")
    listed.goto(f"{live_server.url}/transactions/")
    listed.locator("[data-select-page]").check()
    listed.get_by_role("button", name="Select all 33 matching").click()
    listed.evaluate("() => { document.querySelector('[name=shown]').value = 'x' }")
    listed.get_by_role("button", name="Mark as handed over").click()
    expect(listed.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    look(1280, "light")
    look(390, "dark")
