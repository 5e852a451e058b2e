"""Giving money back in a browser: one asks, another approves; without script too."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY
from tests.factories import make_connection, make_item, make_refund, make_transaction
from tests.transactions.refunding import make_sale
from transactions import refunds
from transactions.models import Refund, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a long enough secret"


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_sale(project, amount=4499)


@pytest.fixture
def limited(owner: Member, support: Member, project: Project) -> None:
    """Support gives back 5.00 EUR alone; both members know their password."""
    refunds.set_limit(owner, project, "support", "eur", each=500, daily=None)
    for member in (owner, support):
        member.user.set_password(PASSWORD)
        member.user.save()


def confirm(page) -> None:  # noqa: ANN001
    """Proves who one is, where that is asked."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


# ---------------------------------------------------------------------- the whole way
def test_one_member_asks_and_another_approves(
    page, live_server, sign_in: Callable, support: Member, owner: Member,
    limited: None, sale: Transaction,
) -> None:  # fmt: skip
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_role("link", name="Refund...").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Refund EUR 44.99 to pi_1?")
    dialog.get_by_label("Amount, EUR").fill("12.50")
    dialog.get_by_label("Note").fill("Arrived broken")
    dialog.get_by_role("button", name="Refund EUR 12.50").click()
    confirm(page)
    expect(page.get_by_label("Amount, EUR")).to_have_value("12.50")
    page.get_by_role("button", name="Refund EUR 12.50").click()
    expect(page.locator("#toasts")).to_contain_text("Waits for approval")
    expect(page.locator("#refunds")).to_contain_text("Arrived broken")
    expect(page.get_by_role("button", name="Approve refund")).to_have_count(0)

    page.context.clear_cookies()
    sign_in(owner)
    page.goto(f"{live_server.url}/?livemode=true")
    page.get_by_role("link", name=re.compile("waits for approval")).click()
    page.get_by_role("link", name="Decide: pi_1").click()
    page.get_by_role("button", name="Approve refund").click()
    confirm(page)
    page.get_by_role("button", name="Approve refund").click()
    expect(page.locator("#toasts")).to_contain_text("Refund approved")
    assert Refund.objects.get().status == "approved"


def test_up_to_the_limit_it_goes_out_at_once(
    page, live_server, sign_in: Callable, support: Member, sale: Transaction
) -> None:
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_role("link", name="Refund...").click()
    page.get_by_role("button", name="Refund EUR 44.99").click()
    expect(page.locator("#toasts")).to_contain_text("Refund asked for")
    expect(page.locator("#refunds")).to_contain_text("44.99")


def test_it_is_declined_on_the_card(
    page, live_server, sign_in: Callable, support: Member, owner: Member,
    limited: None, sale: Transaction,
) -> None:  # fmt: skip
    refunds.request(support, sale, amount=600)
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_text("Decline...").click()
    page.get_by_label("Why it is declined").fill("After sixty days")
    page.get_by_role("button", name="Decline refund").click()
    expect(page.locator("#refunds")).to_contain_text("After sixty days")
    assert Refund.objects.get().status == "declined"


def test_a_wrong_amount_is_told_in_the_dialog(
    page, live_server, sign_in: Callable, support: Member, sale: Transaction
) -> None:  # noqa: ANN001
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_role("link", name="Refund...").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount, EUR").fill("50")
    dialog.get_by_role("button", name="Refund EUR 50").click()
    expect(dialog).to_contain_text("Only 44.99 EUR is left to give back.")
    expect(dialog.get_by_label("Amount, EUR")).to_be_focused()
    dialog.get_by_role("button", name="Keep payment").click()
    expect(dialog).to_be_hidden()
    assert not Refund.objects.exists()


def test_the_dialog_goes_by_keyboard(
    page, live_server, sign_in: Callable, support: Member, sale: Transaction
) -> None:  # noqa: ANN001
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_role("link", name="Refund...").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep payment")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Refund...")).to_be_focused()


def test_without_script(
    live_server, plain_page: Callable, support: Member, sale: Transaction
) -> None:  # noqa: ANN001
    page = plain_page(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    page.get_by_role("link", name="Refund...").click()
    page.get_by_label("Amount, EUR").fill("7")
    page.get_by_role("button", name="Refund EUR").click()
    expect(page.locator("#refunds")).to_contain_text("Requested")
    page.get_by_text("Cancel refund...").click()
    page.get_by_role("button", name="Cancel refund").click()
    expect(page.locator("#refunds")).to_contain_text("Canceled")
    assert Refund.objects.get().status == "canceled"


# ----------------------------------------------------------------------- how it looks
def test_the_dialog_reads_well(
    page, live_server, look: Callable, sign_in: Callable, support: Member,
    rich: Transaction,
) -> None:  # fmt: skip
    Transaction.objects.filter(pk=rich.pk).update(verified=True)
    rich.connection.sealed_api_key = "x"
    rich.connection.save()
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    page.get_by_role("link", name="Refund...").click()
    page.get_by_role("dialog").get_by_label("Reason").wait_for()
    for sight in EVERY:
        look(*sight)


def test_the_form_as_a_page_reads_well(
    page, live_server, look: Callable, sign_in: Callable, support: Member,
    project: Project,
) -> None:  # fmt: skip
    paynow = make_connection("paynow", project=project, api_key="x")
    sale = make_transaction(connection=paynow, amount=3000, fulfilment="done")
    for number in range(2):
        make_item(sale, "Lanterns of Vey " * 6, key=f"l{number}", amount=1000)
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{sale.pk}/refund/")
    page.get_by_label("Lanterns").first.check()
    expect(page.get_by_role("button", name="Refund EUR 10.00")).to_be_visible()
    for sight in EVERY:
        look(*sight)


@pytest.fixture
def many(shop: Project, support: Member, limited: None) -> list[Refund]:
    every = ["unknown", "submitted", "succeeded", "failed", "declined", "pending"]
    sales = list(Transaction.objects.filter(livemode=True)[: len(every)])
    found = [
        make_refund(
            sale,
            status=status,
            failure_reason="The card was closed, says the bank. " * 4
            if status == "failed"
            else "",
        )
        for sale, status in zip(sales, every, strict=True)
    ]
    return [*found, refunds.request(support, make_sale(shop, "pi_late"), amount=600)]


@pytest.mark.parametrize("state", ["all", "to_approve"])
def test_the_list_reads_well(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    many: list[Refund], state: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/refunds/?livemode=true&state={state}")
    for sight in EVERY:
        look(*sight)


def test_one_refund_reads_well(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    many: list[Refund],
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/refunds/{many[-1].pk}/")
    page.get_by_text("Decline...").click()
    for sight in EVERY:
        look(*sight)


def test_the_limits_read_well(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, limited: None
) -> None:  # noqa: ANN001
    sign_in(owner)
    page.goto(f"{live_server.url}/refunds/limits/")
    page.locator("summary", has_text="Set a limit").click()
    for sight in EVERY:
        look(*sight)


def test_a_tab_and_a_filter_go_together(
    page, live_server, sign_in: Callable, owner: Member, many: list[Refund]
) -> None:  # noqa: ANN001
    sign_in(owner)
    page.goto(f"{live_server.url}/refunds/?livemode=true")
    page.locator("#tabs").get_by_role("link", name="Failed").click()
    page.locator("summary", has_text="Provider").click()
    page.get_by_label("PaySuper").check()
    expect(page.get_by_text("No refunds match")).to_be_visible()
    assert "state=failed" in page.url
    assert "provider=paysuper" in page.url
