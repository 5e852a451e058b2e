"""The way in and out, in a browser, with and without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member
from tests.factories import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def log_in(page, email: str, password: str = PASSWORD) -> None:  # noqa: ANN001
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_in_by_keyboard_alone_and_out_again(page, live_server, owner: Member) -> None:  # noqa: ANN001
    page.goto(f"{live_server.url}/transactions/?status=paid")
    expect(page).to_have_url(re.compile("/login/"))
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(owner.user.email)
    page.get_by_label("Password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/transactions/?status=paid")
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{live_server.url}/login/")
    page.go_back()
    expect(page.get_by_role("heading", name="Transactions")).to_have_count(0)


def test_a_wrong_password_is_told_beside_the_form(
    page, live_server, owner: Member
) -> None:  # fmt: skip
    page.goto(f"{live_server.url}/login/")
    log_in(page, owner.user.email, "not it")
    expect(page.get_by_role("alert")).to_have_text(
        "The e-mail or the password is not right."
    )
    expect(page.get_by_label("E-mail")).to_have_value(owner.user.email)
    expect(page.get_by_label("Password")).to_have_value("")


def test_a_password_manager_knows_the_fields(page, live_server) -> None:  # noqa: ANN001
    page.goto(f"{live_server.url}/login/")
    email, password = page.get_by_label("E-mail"), page.get_by_label("Password")
    expect(email).to_have_attribute("autocomplete", "username")
    expect(password).to_have_attribute("autocomplete", "current-password")


def test_the_login_works_without_script(
    plain_page: Callable, live_server, owner: Member
) -> None:  # fmt: skip
    page = plain_page()
    page.goto(f"{live_server.url}/login/")
    log_in(page, owner.user.email)
    expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
