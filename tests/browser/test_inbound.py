"""Inbound events in a browser: narrowed, opened, read again; also without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def rows(page):  # noqa: ANN001, ANN201
    return page.locator("#results tbody tr")


@pytest.fixture
def inbox(page, live_server, sign_in: Callable, developer: Member, post: Project):  # noqa: ANN001, ANN201
    sign_in(developer)
    page.goto(f"{live_server.url}/inbound/")
    return page


def test_a_state_narrows_the_list_without_a_reload(inbox) -> None:  # noqa: ANN001
    inbox.evaluate("() => { window.here = true }")
    inbox.locator("summary", has_text="State").click()
    inbox.get_by_label("Failed", exact=True).check()
    expect(rows(inbox)).to_have_count(1)
    expect(inbox).to_have_url(re.compile(r"state=failed"))
    assert inbox.evaluate("() => window.here")


def test_a_type_is_found_by_its_beginning(inbox) -> None:  # noqa: ANN001
    inbox.locator("#type").press_sequentially("charge.")
    expect(inbox).to_have_url(re.compile(r"type=charge"))
    expect(rows(inbox)).to_have_count(4)


def test_a_failed_event_is_read_again(inbox) -> None:  # noqa: ANN001
    inbox.get_by_role("link", name="charge.refunded").click()
    expect(inbox.get_by_text("too many decimals").first).to_be_visible()
    inbox.get_by_role("button", name="Read again").click()
    expect(inbox.locator(".toast")).to_be_visible()
    expect(inbox.locator(".badge").first).to_contain_text(re.compile("waiting", re.I))


def test_refused_deliveries_say_why(inbox) -> None:  # noqa: ANN001
    inbox.get_by_role("link", name="Refused deliveries").click()
    expect(inbox.get_by_text("does not fit any live secret").first).to_be_visible()


def test_the_inbox_works_without_script(
    plain_page: Callable, live_server, developer: Member, post: Project
) -> None:  # fmt: skip
    page = plain_page(developer)
    page.goto(f"{live_server.url}/inbound/")
    page.locator("summary", has_text="State").click()
    page.get_by_label("Quarantined", exact=True).check()
    page.get_by_role("button", name="Apply").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="invoice.paid").click()
    page.get_by_role("button", name="Read again").click()
    expect(page.locator(".toast")).to_be_visible()
