"""Exporting in a browser: the dialog, a bar that is true, the file, and no script."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY, SOME
from tests.factories import make_dispute, make_payout
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
    dialog.get_by_label("Amounts", exact=True).select_option("decimal")
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
    at = head.index("amount")
    assert all(len(row[at].partition(".")[2]) == 2 for row in rows)
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


@pytest.mark.parametrize("listing", ["disputes", "payouts"])
def test_what_the_screen_shows_is_in_the_file(
    page, live_server, sign_in: Callable, owner: Member, shop: Project, tmp_path: Path,
    listing: str,
) -> None:  # fmt: skip
    """Filtered by hand: a tab, a currency, an amount; then Export."""
    sales = list(shop.transactions.filter(livemode=True).order_by("created")[:6])
    for number, sale in enumerate(sales):
        money = {"amount": 500 * number, "currency": "eur" if number else "usd"}
        make_dispute(sale, status="lost" if number % 2 else "open", **money)
        make_payout(sale.connection, status="failed" if number % 2 else "paid", **money)
    sign_in(owner)
    page.goto(f"{live_server.url}/{listing}/?livemode=true")
    tab = "Lost" if listing == "disputes" else "Failed"
    page.get_by_role("link", name=tab, exact=True).click()
    expect(page.locator("#position")).to_have_text("1–3 of 3")
    page.wait_for_load_state()  # what is typed before a script sees it asks for nothing
    chips = page.get_by_role("list", name="Active filters")
    page.locator("summary", has_text="Currency").click()
    page.locator("#currency").fill("EUR")
    page.keyboard.press("Tab")
    expect(chips).to_contain_text("Currency: EUR")
    page.locator("summary", has_text="Amount").click()
    page.locator("#amount-from").fill("6")
    page.keyboard.press("Tab")
    expect(chips).to_contain_text("EUR 6.00")
    expect(page.locator("#position")).to_have_text("1–2 of 2")
    names = page.locator("tbody tr th a").evaluate_all(
        "links => links.map(l => l.href)"
    )
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Export...").click()
    dialog = page.get_by_role("dialog", name=f"Export {listing}")
    expect(dialog).to_contain_text("EUR 6.00")
    dialog.get_by_text("For programs").click()
    dialog.get_by_role("button", name="Export 2 rows").click()
    with page.expect_download() as downloading:
        dialog.get_by_role("link", name="Download").click()
    path = tmp_path / "file.csv"
    downloading.value.save_as(path)
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    shown = "transaction" if listing == "disputes" else "id"
    assert [row[shown] in link for row, link in zip(rows, names, strict=True)] == [
        True,
        True,
    ]
    assert [row["amount"] for row in rows] == ["2500", "1500"]


def test_lists_work_without_script(
    plain_page: Callable, live_server, owner: Member, shop: Project
) -> None:
    sale = shop.transactions.filter(livemode=True).order_by("created")[0]
    make_dispute(sale, status="lost", amount=700, currency="eur")
    make_dispute(sale, status="open", amount=900, currency="eur")
    page = plain_page(owner)
    page.goto(f"{live_server.url}/disputes/?livemode=true")
    page.get_by_role("link", name="Lost", exact=True).click()
    page.locator("summary", has_text="Currency").click()
    page.locator("#currency").fill("EUR")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Export...").click()
    expect(page.get_by_role("heading", name="Export disputes")).to_be_visible()
    expect(page.get_by_text("Currency: EUR")).to_be_visible()
