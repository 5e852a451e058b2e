"""Deliveries in a browser: narrowed, opened, chosen, sent again, without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member
from webhooks.models import Delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def rows(page):  # noqa: ANN001, ANN201
    return page.locator("#results tbody tr")


@pytest.fixture
def log(page, live_server, sign_in: Callable, developer: Member, told: Delivery):  # noqa: ANN001, ANN201
    sign_in(developer)
    page.goto(f"{live_server.url}/deliveries/")
    return page


def test_a_failure_is_found_read_and_sent_again(log) -> None:  # noqa: ANN001
    log.evaluate("() => { window.here = true }")
    log.locator("summary", has_text="State").click()
    log.get_by_label("Given up", exact=True).check()
    expect(rows(log)).to_have_count(1)
    expect(log).to_have_url(re.compile(r"state=exhausted"))
    assert log.evaluate("() => window.here")
    log.keyboard.press("Escape")
    log.get_by_role("link", name="payment.success").click()
    # What the endpoint answered is an attack: read as text, run as nothing.
    log.locator("summary", has_text="Try 9").click()
    expect(log.locator("#answer-9")).to_contain_text("<script>alert(1)</script>")
    expect(log.locator("main img, main script")).to_have_count(0)
    log.get_by_role("button", name="Send again").click()
    expect(log.locator(".toast")).to_contain_text("sent again")
    expect(log.locator(".badge").first).to_contain_text("Waiting")


def test_a_selection_is_sent_again_after_its_number_was_said(log) -> None:  # noqa: ANN001
    rows(log).filter(has_text="Given up").get_by_role("checkbox").check()
    rows(log).filter(has_text="Dropped").get_by_role("checkbox").check()
    expect(log.locator("[data-selected]")).to_have_text("2 selected")
    log.locator("#bulk").get_by_role("button", name="Send again").click()
    log.get_by_label("At most so many a second").fill("5")
    log.get_by_role("button", name="Send 2 deliveries again").click()
    expect(log.locator(".toast")).to_contain_text("2 are sent again")
    expect(rows(log).filter(has_text="Given up")).to_have_count(0)


def test_all_failed_ones_are_sent_again_without_script(
    plain_page: Callable, live_server, developer: Member, told: Delivery
) -> None:  # fmt: skip
    page = plain_page(developer)
    page.goto(f"{live_server.url}/deliveries/resend/?endpoint={told.endpoint_id}")
    page.get_by_role("button", name="Count them").click()
    page.get_by_role("button", name="Send 1 delivery again").click()
    expect(page.locator(".toast")).to_contain_text("1 is sent again")
    told.refresh_from_db()
    assert told.state == "pending"


def test_an_event_is_read_in_another_dialect_without_script(
    plain_page: Callable, live_server, developer: Member, told: Delivery
) -> None:  # fmt: skip
    page = plain_page(developer)
    page.goto(f"{live_server.url}/events/{told.event.key}/")
    page.get_by_role("link", name="Standard Webhooks").click()
    expect(page.locator("#body")).to_contain_text('"delivery_try": 1')
