"""Exporting in a browser: the dialog, a bar that is true, the file, and no script."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY, SOME
from transactions import exporting
from transactions.models import Export

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_list_to_the_file(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project,
    tmp_path: Path,
) -> None:  # fmt: skip
    """What the filter shows is what the file holds, at once."""
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/?status=paid")
    page.get_by_role("link", name="Buyer").first.wait_for()
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Export transactions")
    expect(dialog).to_contain_text("Status: Paid")
    for sight in EVERY:
        look(*sight)
    dialog.get_by_text("For programs").click()
    dialog.get_by_text("Own choice").click()
    expect(dialog.get_by_role("checkbox", name="Customer", exact=True)).to_be_checked()
    dialog.get_by_role("checkbox", name="Customer", exact=True).uncheck()
    look(1280, "light")
    dialog.get_by_role("button", name="Export 18 rows").click()
    expect(dialog).to_contain_text("18 rows are ready")
    with page.expect_download() as downloading:
        dialog.get_by_role("link", name="Download").click()
    path = tmp_path / "file.csv"
    downloading.value.save_as(path)
    head, *rows = csv.reader(path.read_text("utf-8-sig").splitlines())
    assert "customer" not in head
    paid = shop.transactions.filter(status="paid", livemode=True)
    assert {row[0] for row in rows} == {str(row.pk) for row in paid}


def test_a_large_one_shows_how_far_it_is(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    sign_in(owner)
    page.goto(f"{live_server.url}/exports/new/")
    page.get_by_role("button", name="Export 30 rows").click()
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    export = Export.objects.get()
    Export.objects.update(state="running", rows_done=12, rows_total=30)
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 12)
    expect(page.get_by_text("12 of 30 rows")).to_be_visible()
    for sight in EVERY[:1]:
        look(*sight)
    page.goto(f"{live_server.url}/exports/")
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 12)
    for sight in EVERY:
        look(*sight)
    Export.objects.update(state="pending", leased_until=None)
    exporting.run_due()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    page.goto(f"{live_server.url}/exports/{export.pk}/")
    expect(page.get_by_text("30 rows are ready")).to_be_visible()
    for sight in EVERY:
        look(*sight)


def test_schedules(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/exports/schedules/new/?query=status%3Dpaid")
    for sight in SOME:
        look(*sight)
    page.get_by_label("Name", exact=True).fill("For the accountant")
    page.get_by_role("button", name="Save schedule").click()
    expect(
        page.get_by_role("link", name="For the accountant", exact=True)
    ).to_be_visible()
    assert owner.export_schedules.get().query == "status=paid"
    for sight in SOME:
        look(*sight)


def test_without_script(
    live_server, plain_page: Callable, owner: Member, shop: Project
) -> None:
    plain = plain_page(owner)
    plain.goto(f"{live_server.url}/transactions/?status=failed")
    plain.get_by_role("link", name="Export...").click()
    plain.get_by_text("Own choice").click()
    plain.get_by_role("button", name="Show these columns").click()
    plain.get_by_role("button", name="Export 1 row").click()
    expect(plain.get_by_text("1 row is ready")).to_be_visible()


def test_nothing_yet(
    page, live_server, look: Callable, sign_in: Callable, owner: Member
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/exports/")
    look(390, "light")
    page.goto(f"{live_server.url}/exports/schedules/")
    look(1280, "dark")
