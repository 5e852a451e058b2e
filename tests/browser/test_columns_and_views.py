"""Columns and saved views in a browser: by hand, by keyboard, and without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.http import QueryDict
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY
from tests.factories import make_member
from transactions import columns, layouts, saved_views
from transactions.filters import TransactionFilter
from transactions.models import ListLayout, SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

THREE = ["status", "amount"]
EIGHTEEN = list(columns.COLUMNS)[:18]


@pytest.fixture
def listed(page, live_server, sign_in: Callable, owner: Member, shop: Project):  # noqa: ANN001, ANN201
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    return page


def keep(member: Member, name: str, query: str, **over: bool) -> SavedView:
    asked = TransactionFilter.of_member(member, QueryDict(query))
    return saved_views.save(member, name=name, asked=asked, **over)


def heads(page) -> list[str]:  # noqa: ANN001
    return page.locator("[data-rows] thead th:visible").all_inner_texts()


def rows(page):  # noqa: ANN001, ANN201
    return page.locator("[data-rows] tbody tr")


# --------------------------------------------------------------------------- columns
def test_columns_are_chosen_and_moved_over_the_list(listed, live_server) -> None:  # noqa: ANN001
    listed.goto(f"{live_server.url}/transactions/?status=failed")
    listed.get_by_role("button", name="Columns").click()
    dialog = listed.get_by_role("dialog")
    dialog.get_by_label("Product", exact=True).uncheck()
    dialog.get_by_label("Order reference", exact=True).check()
    for _time in range(3):
        dialog.get_by_role("button", name="Move Amount up").click()
    expect(dialog.get_by_role("button", name="Move Amount up")).to_be_focused()
    expect(listed.locator("#said")).to_have_text("Amount: 3 / 19")
    dialog.get_by_role("button", name="Save columns").click()
    expect(listed.locator(".toast")).to_have_text("Columns saved")
    expect(listed).to_have_url(re.compile(r"\?status=failed$"))
    assert heads(listed) == [
        "Customer", "Status", "Amount", "Method", "Provider", "Created, UTC",
        "Order reference",
    ]  # fmt: skip


def test_the_dialog_keeps_a_filter_that_was_just_chosen(listed) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Status").click()
    listed.locator(".tick", has_text=re.compile("^Failed$")).click()
    expect(listed).to_have_url(re.compile("status=failed"))
    listed.keyboard.press("Escape")
    listed.get_by_role("button", name="Columns").click()
    listed.get_by_label("Compact").check()
    listed.get_by_role("button", name="Save columns").click()
    expect(listed.locator(".transactions.compact")).to_be_visible()
    expect(listed).to_have_url(re.compile("status=failed"))
    expect(rows(listed)).to_have_count(1)


def test_compact_rows_are_lower(listed, owner: Member) -> None:  # noqa: ANN001
    roomy = rows(listed).nth(5).bounding_box()["height"]
    layouts.keep(owner, columns.DEFAULT, "compact")
    listed.reload()
    compact = {row.bounding_box()["height"] for row in rows(listed).all()}
    assert roomy > 36
    assert compact <= {32, 33}


def test_the_keyboard_moves_a_column(listed) -> None:  # noqa: ANN001
    listed.get_by_role("button", name="Columns").focus()
    listed.keyboard.press("Enter")
    button = listed.get_by_role("button", name="Move Status up")
    button.focus()
    listed.keyboard.press("Enter")
    listed.keyboard.press("Enter")  # already the first: nothing happens
    expect(button).to_be_focused()
    listed.get_by_role("button", name="Save columns").focus()
    listed.keyboard.press("Enter")
    expect(listed.locator(".toast")).to_be_visible()
    assert heads(listed)[1:3] == ["Status", "Product"]


def test_reset_brings_our_columns_back(listed, owner: Member) -> None:  # noqa: ANN001
    layouts.keep(owner, ["net"], "compact")
    listed.reload()
    assert heads(listed) == ["Customer", "Net"]
    listed.get_by_role("button", name="Columns").click()
    listed.get_by_role("button", name="Reset").click()
    expect(listed.locator(".transactions.roomy")).to_be_visible()
    assert len(heads(listed)) == 7


def test_columns_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/?status=failed")
    page.get_by_role("link", name="Columns").click()
    page.get_by_label("Net", exact=True).check()
    page.get_by_label("Place of Net").fill("1")
    page.get_by_role("button", name="Save columns").click()
    expect(page).to_have_url(re.compile(r"/transactions/\?status=failed$"))
    assert heads(page)[:3] == ["Customer", "Net", "Product"]


def test_a_wrong_place_is_said_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/layout/")
    page.get_by_label("Place of Status").evaluate("e => (e.type = 'text')")
    page.get_by_label("Place of Status").fill("first")
    page.get_by_role("button", name="Save columns").click()
    expect(page.get_by_role("alert")).to_contain_text("is a whole number from 1")


@pytest.mark.parametrize("keys", [THREE, EIGHTEEN], ids=["3", "18"])
@pytest.mark.parametrize("density", ["roomy", "compact"])
def test_any_choice_of_columns_fits(
    listed,  # noqa: ANN001
    look: Callable,
    owner: Member,
    keys: list[str],
    density: str,
) -> None:
    layouts.keep(owner, keys, density)
    listed.reload()
    for sight in EVERY:
        look(*sight)
        assert heads(listed)[0] == "Customer"
        if sight[0] == 390:
            assert heads(listed)[1:] == ["Status", "Amount"]


def test_on_a_phone_product_and_time_stand_under_the_customer(listed) -> None:  # noqa: ANN001
    listed.set_viewport_size({"width": 390, "height": 844})
    under = rows(listed).first.locator("th .only-narrow")
    expect(under.first).to_have_text("Iron Sword")
    expect(under.last).to_be_visible()
    assert heads(listed) == ["Customer", "Status", "Amount"]


def test_a_wide_table_moves_in_its_own_frame(listed, owner: Member) -> None:  # noqa: ANN001
    layouts.keep(owner, EIGHTEEN, "roomy")
    listed.set_viewport_size({"width": 1280, "height": 900})
    listed.reload()
    frame = listed.get_by_role("region", name="more columns")
    frame.focus()
    listed.keyboard.press("ArrowRight")
    expect(frame).to_be_focused()
    listed.wait_for_function("() => document.querySelector('.scrolls').scrollLeft > 0")
    frame.evaluate("e => (e.scrollLeft = 1000)")
    expect(rows(listed).first.get_by_role("link")).to_be_in_viewport()
    assert listed.evaluate("() => document.documentElement.scrollWidth") <= 1280


def test_the_heading_stays_in_sight(listed) -> None:  # noqa: ANN001
    listed.set_viewport_size({"width": 1280, "height": 600})
    listed.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    expect(listed.get_by_role("columnheader", name="Customer")).to_be_in_viewport()


def test_a_heading_sorts(listed) -> None:  # noqa: ANN001
    listed.get_by_role("link", name="Created, UTC").click()
    expect(listed).to_have_url(re.compile("sort=created"))
    head = listed.get_by_role("columnheader", name="Created, UTC")
    expect(head).to_have_attribute("aria-sort", "ascending")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_form_of_columns(
    page,  # noqa: ANN001
    live_server,  # noqa: ANN001
    look: Callable,
    sign_in: Callable,
    owner: Member,
    shop: Project,
    width: int,
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/layout/")
    for scheme in ("light", "dark"):
        look(width, scheme)
    page.goto(f"{live_server.url}/transactions/")
    page.get_by_role("button", name="Columns").click()
    for scheme in ("light", "dark"):
        look(width, scheme)


# ----------------------------------------------------------------------------- views
def test_a_view_is_saved_from_the_list(listed, owner: Member) -> None:  # noqa: ANN001
    listed.locator("summary", has_text="Status").click()
    listed.locator(".tick", has_text=re.compile("^Failed$")).click()
    expect(rows(listed)).to_have_count(1)
    listed.keyboard.press("Escape")
    listed.locator("summary", has_text="Save view").click()
    listed.get_by_label("Name of the view").fill("To look at")
    listed.locator(".tick", has_text="Share with the team").click()
    listed.get_by_label("Make it my default").check()
    listed.get_by_role("button", name="Save view").click()
    expect(listed.locator(".toast")).to_have_text("View saved")
    expect(listed.locator(".view-tabs [aria-current]")).to_have_text("To look at")
    view = SavedView.objects.get()
    assert (view.shared, view.query) == (True, "status=failed")
    assert ListLayout.objects.get(member=owner).view == view


def test_a_taken_name_is_said_over_the_list(listed, owner: Member, live_server) -> None:  # noqa: ANN001
    keep(owner, "Failed", "status=failed")
    listed.goto(f"{live_server.url}/transactions/?status=paid")
    listed.locator("summary", has_text="Save view").click()
    listed.get_by_label("Name of the view").fill("failed")
    listed.keyboard.press("Enter")
    expect(listed.get_by_role("alert").get_by_text("already")).to_be_visible()
    expect(listed.get_by_label("Name of the view")).to_be_focused()
    expect(listed.get_by_label("Name of the view")).to_have_value("failed")


def test_a_changed_view_is_marked_saved_or_left(listed, owner: Member) -> None:  # noqa: ANN001
    keep(owner, "Failed", "status=failed")
    listed.reload()
    tab = listed.locator(".view-tabs").get_by_role("link", name="Failed")
    tab.click()
    expect(tab).to_have_attribute("aria-current", "true")
    listed.wait_for_load_state()  # a tick that no script sees yet asks for nothing
    listed.locator("summary", has_text="Status").click()
    listed.get_by_label("Expired", exact=True).check()
    expect(tab).to_contain_text("changed")
    listed.keyboard.press("Escape")
    listed.get_by_role("link", name="Back to the view").click()
    expect(tab).not_to_contain_text("changed")
    listed.get_by_role("link", name="Remove filter Status: Failed").click()
    expect(tab).to_contain_text("changed")
    listed.get_by_role("button", name="Save changes").click()
    expect(listed.locator(".toast")).to_have_text("Changes saved")
    expect(tab).not_to_contain_text("changed")
    assert SavedView.objects.get().query == ""


def test_the_default_view_opens_first_and_all_leaves_it(
    listed,  # noqa: ANN001
    owner: Member,
    live_server,  # noqa: ANN001
) -> None:
    layouts.make_default(owner, keep(owner, "Failed", "status=failed"))
    listed.goto(f"{live_server.url}/transactions/")
    expect(rows(listed)).to_have_count(1)
    listed.get_by_role("link", name="All transactions").click()
    expect(rows(listed)).to_have_count(25)
    listed.locator("summary", has_text="Status").click()
    listed.get_by_label("Failed", exact=True).check()
    expect(rows(listed)).to_have_count(1)
    listed.get_by_label("Failed", exact=True).uncheck()
    expect(rows(listed)).to_have_count(25)
    expect(listed).to_have_url(re.compile(r"\?view=all$"))


def test_views_are_renamed_shared_made_default_and_deleted(
    listed,  # noqa: ANN001
    owner: Member,
    live_server,  # noqa: ANN001
) -> None:
    keep(owner, "Failed", "status=failed")
    listed.reload()
    listed.get_by_role("link", name="Manage views").click()
    listed.locator("summary", has_text="Rename").click()
    listed.get_by_label("Name of the view").fill("Went wrong")
    listed.get_by_role("button", name="Rename view").click()
    expect(listed.get_by_role("link", name="Went wrong")).to_be_visible()
    listed.get_by_role("button", name="Share").click()
    expect(listed.locator(".kept-name")).to_contain_text("Shared with the team")
    listed.get_by_role("button", name="Make default").click()
    expect(listed.locator(".kept-name")).to_contain_text("Your default")
    listed.get_by_role("button", name="Not my default").click()
    expect(listed.locator(".kept-name")).not_to_contain_text("Your default")
    listed.get_by_role("button", name="Stop sharing").click()
    expect(listed.locator(".kept-name")).not_to_contain_text("team")
    listed.locator("summary", has_text="Delete").click()
    listed.get_by_role("button", name="Delete view").click()
    expect(listed.get_by_text("No saved views yet")).to_be_visible()


def test_the_team_uses_a_shared_view(
    page,  # noqa: ANN001
    live_server,  # noqa: ANN001
    sign_in: Callable,
    owner: Member,
    shop: Project,
) -> None:
    keep(owner, "Failed", "status=failed", shared=True)
    sign_in(make_member("viewer", merchant=owner.merchant))
    page.goto(f"{live_server.url}/transactions/")
    page.get_by_role("link", name="Failed shared by").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Manage views").click()
    expect(page.get_by_role("button", name="Make default")).to_be_visible()
    expect(page.get_by_text("Rename")).to_have_count(0)


def test_the_keyboard_saves_a_view(listed, live_server) -> None:  # noqa: ANN001
    listed.goto(f"{live_server.url}/transactions/?status=failed")
    listed.locator("summary", has_text="Save view").focus()
    listed.keyboard.press("Enter")
    listed.keyboard.press("Tab")
    expect(listed.get_by_label("Name of the view")).to_be_focused()
    listed.keyboard.type("By hand")
    listed.keyboard.press("Enter")
    expect(listed.locator(".view-tabs [aria-current]")).to_have_text("By hand")


def test_views_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/?status=failed")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("Failed")
    page.get_by_label("Make it my default").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.locator(".view-tabs [aria-current]")).to_have_text("Failed")
    page.goto(f"{live_server.url}/transactions/")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Clear all").click()
    expect(rows(page)).to_have_count(25)
    page.goto(f"{live_server.url}/transactions/?status=paid")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill("Failed")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("alert")).to_contain_text("already")
    page.get_by_label("Name of the view").fill("Paid")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("link", name="Manage views").click()
    page.locator("summary", has_text="Delete Paid").click()
    page.get_by_role("button", name="Delete view").last.click()
    expect(page.locator(".kept-view")).to_have_count(1)


@pytest.fixture
def many(owner: Member, shop: Project) -> SavedView:
    """Eight views: long names, a shared one of another member, one that is broken."""
    mate = make_member("finance", merchant=owner.merchant)
    keep(mate, "Finance, month end", "status=refunded", shared=True)
    for number in range(5):
        keep(owner, f"View {number} " + "and more " * number, "status=paid")
    SavedView.objects.create(
        merchant=owner.merchant, member=owner, name="Broken", query="status=gone"
    )
    return keep(owner, "W" * 60, "status=failed&provider=stripe", shared=True)


def test_many_views_look_well(
    listed,  # noqa: ANN001
    look: Callable,
    owner: Member,
    many: SavedView,
    live_server,  # noqa: ANN001
) -> None:
    layouts.make_default(owner, many)
    listed.goto(f"{live_server.url}/transactions/?view={many.pk}&status=failed")
    for sight in EVERY:
        look(*sight)
    listed.locator("summary", has_text="Save as new view").click()
    for sight in EVERY:
        look(*sight)


def test_the_page_of_views_looks_well(
    listed,  # noqa: ANN001
    look: Callable,
    owner: Member,
    many: SavedView,
    live_server,  # noqa: ANN001
) -> None:
    listed.goto(f"{live_server.url}/transactions/views/")
    for sight in EVERY:
        look(*sight)
    listed.locator("summary", has_text="Rename View 0").click()
    for sight in EVERY:
        look(*sight)
    SavedView.objects.all().delete()
    listed.reload()
    look(390, "light")
