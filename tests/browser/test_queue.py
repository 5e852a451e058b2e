"""Handing over in a browser: queue and card, by mouse, by keyboard, without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from merchant.models import Connection, Member, Project
from tests.browser.conftest import EVERY, SOME
from tests.factories import make_connection, make_member
from tests.transactions.staff import acts_of, dispute, enter, item, payment
from transactions import fulfilment
from transactions.models import Customer, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Lanterns of Vey: The Drowned Bell, with everything that ever was added to it"


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


@pytest.fixture
def waiting(connection: Connection) -> list[Transaction]:
    """Eight that wait, of which one is long in every way and one has three lines."""
    start = timezone.now() - timedelta(days=3)
    rows = []
    for number in range(8):
        lines = [item("0", "Sword"), item("1", "Shield"), item("2", LONG)]
        told = payment(
            number,
            items=lines if number == 3 else lines[:1],
            at=start + timedelta(hours=number),
            customer_name="Bartholomew " * 9 if number == 2 else f"Buyer {number}",
            customer_email=f"buyer{number}.of.a.long.mailbox@subdomain.example.com",
            customer_key=f"buyer{number}",
            order_reference=f"ORDER-{number}" * (1 + 4 * (number == 2)),
        )
        rows.append(enter(connection, told))
    Customer.objects.filter(pk=rows[4].customer_id).update(flagged=True)
    return rows


@pytest.fixture
def bea(project: Project) -> Member:
    return make_member("admin", merchant=project.merchant)


@pytest.fixture
def queue(page, live_server, sign_in: Callable, support: Member, waiting: list):  # noqa: ANN001, ANN201
    sign_in(support)
    page.goto(f"{live_server.url}/fulfilment/")
    return page


def row_of(page, name: str):  # noqa: ANN001, ANN201
    return page.locator("tbody tr", has_text=name)


# --------------------------------------------------------------------- how it looks
def test_the_queue(queue, look: Callable, waiting: list, bea: Member) -> None:  # noqa: ANN001
    fulfilment.claim(bea.user, [waiting[1].pk])
    queue.reload()
    row_of(queue, "Buyer 5").get_by_role("button", name="I am on it").click()
    expect(row_of(queue, "Buyer 5").get_by_text("You")).to_be_visible()
    for sight in EVERY:
        look(*sight)


def test_a_form_in_a_row(queue, look: Callable) -> None:  # noqa: ANN001
    for width, scheme in SOME:
        queue.set_viewport_size({"width": width, "height": 900})
        row_of(queue, "Buyer 7").locator("summary").click()
        expect(row_of(queue, "Buyer 7").get_by_label("Reference")).to_be_visible()
        look(width, scheme)
        queue.keyboard.press("Escape")


@pytest.mark.parametrize("query", ["?product=Bow", "?livemode=false"])
def test_the_queue_when_empty(
    page, live_server, look: Callable, sign_in: Callable, viewer: Member, waiting: list,
    query: str,
) -> None:  # fmt: skip
    sign_in(viewer)
    page.goto(f"{live_server.url}/fulfilment/{query}")
    for sight in SOME:
        look(*sight)


def test_the_queue_for_who_only_looks(
    page, live_server, look: Callable, sign_in: Callable, viewer: Member, waiting: list
) -> None:
    sign_in(viewer)
    page.goto(f"{live_server.url}/fulfilment/")
    expect(page.get_by_role("button", name="I am on it")).to_have_count(0)
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize(
    "state", ["waiting", "claimed", "done", "part", "to revoke", "revoked"]
)
def test_the_card(
    page, live_server, look: Callable, sign_in: Callable, support: Member, bea: Member,
    connection: Connection, waiting: list, state: str,
) -> None:  # fmt: skip
    row, by = waiting[3], bea.user
    if state == "claimed":
        fulfilment.claim(by, [row.pk])
    elif state == "part":
        fulfilment.mark_done(by, [row.pk], item="1", note="x" * 400, reference="K" * 90)
    elif state != "waiting":
        fulfilment.mark_done(by, [row.pk], note="By mail", reference="KEY-1")
    if state == "to revoke":
        enter(connection, dispute(3, "lost"))
    if state == "revoked":
        fulfilment.revoke(by, [row.pk], note="Key disabled")
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{row.pk}/")
    for summary in page.locator("#fulfilment .asking > summary").all():
        if summary.is_visible():
            summary.click()
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("role", ["finance", "viewer"])
def test_an_amount_to_accept(
    page, live_server, look: Callable, sign_in: Callable, connection: Connection,
    role: str,
) -> None:  # fmt: skip
    row = enter(connection, payment(items=[item("a")], verified=False))
    sign_in(make_member(role, merchant=row.merchant))
    page.goto(f"{live_server.url}/transactions/{row.pk}/")
    if role == "finance":
        page.get_by_text("Accept the amount by hand").click()
    for sight in SOME:
        look(*sight)


# ------------------------------------------------------------------------- what it does
def test_hand_over_in_the_row_and_undo(queue, waiting: list) -> None:  # noqa: ANN001
    row_of(queue, "Buyer 1").locator("summary").click()
    queue.get_by_label("Reference").locator("visible=true").fill("KEY-1")
    queue.get_by_role("button", name="Mark as handed over").locator(
        "visible=true"
    ).click()
    expect(row_of(queue, "Buyer 1")).to_have_count(0)
    expect(queue.locator("#waiting-count")).to_contain_text("7 waiting")
    assert acts_of(waiting[1]) == ["done"]
    queue.locator(".toast").get_by_role("button", name="Undo").click()
    expect(row_of(queue, "Buyer 1")).to_have_count(1)
    expect(queue.locator("#waiting-count")).to_contain_text("8 waiting")
    assert acts_of(waiting[1]) == ["done", "undone"]


def test_what_another_did_meanwhile_is_told_in_the_row(
    queue, waiting: list, bea: Member
) -> None:  # fmt: skip
    row_of(queue, "Buyer 1").locator("summary").click()
    fulfilment.claim(bea.user, [waiting[1].pk])
    queue.get_by_role("button", name="Mark as handed over").locator(
        "visible=true"
    ).click()
    expect(row_of(queue, "Buyer 1").get_by_role("alert")).to_contain_text("is on it")
    row_of(queue, "Buyer 1").get_by_role("button", name="Take over").click()
    expect(row_of(queue, "Buyer 1").get_by_text("You")).to_be_visible()


def test_a_double_click_is_one_act(queue, waiting: list) -> None:  # noqa: ANN001
    row_of(queue, "Buyer 1").locator("summary").click()
    queue.get_by_role("button", name="Mark as handed over").locator(
        "visible=true"
    ).dblclick()
    expect(row_of(queue, "Buyer 1")).to_have_count(0)
    queue.wait_for_timeout(300)
    assert acts_of(waiting[1]) == ["done"]
    assert acts_of(waiting[2]) == []


def test_new_rows_do_not_move_the_old_ones(queue, connection: Connection) -> None:  # noqa: ANN001
    before = place_of(row_of(queue, "Buyer 5"))
    enter(connection, payment(99, items=[item("a")], customer_name="Buyer 99"))
    row_of(queue, "Buyer 6").get_by_role("button", name="I am on it").click()
    expect(row_of(queue, "Buyer 6").get_by_text("You")).to_be_visible()
    expect(row_of(queue, "Buyer 99")).to_have_count(0)
    assert place_of(row_of(queue, "Buyer 5")) == before


def place_of(row) -> float:  # noqa: ANN001
    """How far from the top of the page; where it is scrolled to does not matter."""
    return row.evaluate("row => row.getBoundingClientRect().top + window.scrollY")


def test_when_the_last_row_is_done_the_page_says_so(
    page, live_server, sign_in: Callable, support: Member, connection: Connection
) -> None:  # fmt: skip
    enter(connection, payment(items=[item("a")], customer_name="Buyer 1"))
    sign_in(support)
    page.goto(f"{live_server.url}/fulfilment/")
    row_of(page, "Buyer 1").locator("summary").click()
    page.get_by_role("button", name="Mark as handed over").locator(
        "visible=true"
    ).click()
    page.get_by_role("link", name="Show what waits now").click()
    expect(
        page.get_by_role("heading", name="Nothing waits to be handed over")
    ).to_be_visible()


def test_filters_are_links_and_chips(queue) -> None:  # noqa: ANN001
    queue.locator("summary", has_text="Product").click()
    queue.get_by_role("link", name="Shield").click()
    expect(queue.locator("tbody tr")).to_have_count(1)
    expect(queue).to_have_url(re.compile("product=Shield"))
    queue.get_by_role("link", name=re.compile("Remove filter Product")).click()
    expect(queue.locator("tbody tr")).to_have_count(8)


def test_by_keyboard_alone(queue, waiting: list) -> None:  # noqa: ANN001
    queue.keyboard.press("j")
    expect(row_of(queue, "Buyer 0").get_by_role("link")).to_be_focused()
    queue.keyboard.press("Tab")
    queue.keyboard.press("Tab")
    queue.keyboard.press("Enter")
    queue.keyboard.press("Tab")
    queue.keyboard.type("KEY-1")
    queue.keyboard.press("Enter")
    expect(row_of(queue, "Buyer 0")).to_have_count(0)
    assert acts_of(waiting[0]) == ["done"]


def test_g_f_goes_to_the_queue(
    page, live_server, sign_in: Callable, owner: Member, waiting: list
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("/fulfilment/$"))
    expect(page.locator('.side [aria-current="page"]')).to_have_text("Fulfilment")


# ----------------------------------------------------------------------------- the card
def test_the_card_says_it_at_once(
    page, live_server, sign_in: Callable, support: Member, waiting: list
) -> None:  # fmt: skip
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{waiting[0].pk}/")
    section = page.locator("#fulfilment")
    section.get_by_role("button", name="I am on it").click()
    expect(section).to_contain_text("You are on it until")
    expect(page.locator("#fulfilment-title")).to_be_focused()
    section.get_by_text("Mark as handed over…").click()
    section.get_by_label("Reference").fill("KEY-1")
    section.get_by_label("Note").fill("by mail")
    section.get_by_role("button", name="Mark as handed over", exact=True).click()
    expect(section.locator(".badge").first).to_have_text("Done")
    expect(page.locator("#timeline")).to_contain_text("Handed over · KEY-1 · by mail")
    expect(page.locator(".toast")).to_contain_text("Handed over")
    section.get_by_role("button", name="Undo").click()
    expect(section.locator(".badge").first).to_have_text("Waiting")
    assert acts_of(waiting[0]) == ["claimed", "done", "undone"]


def test_a_line_alone(
    page, live_server, sign_in: Callable, support: Member, waiting: list
) -> None:  # fmt: skip
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{waiting[3].pk}/")
    line = page.locator(".hand-lines li", has_text="Shield")
    line.locator("summary").click()
    line.get_by_role("button", name="Mark as handed over").click()
    expect(line.locator(".badge")).to_have_text("Done")
    expect(page.locator("#timeline")).to_contain_text("Handed over · Shield")


def test_revoke_or_leave(
    page, live_server, sign_in: Callable, support: Member, bea: Member,
    connection: Connection, waiting: list,
) -> None:  # fmt: skip
    fulfilment.mark_done(bea.user, [waiting[0].pk])
    enter(connection, dispute(0, "lost"))
    sign_in(support)
    page.goto(f"{live_server.url}/transactions/{waiting[0].pk}/")
    section = page.locator("#fulfilment")
    section.get_by_label("Note").fill("A regular")
    section.get_by_role("button", name="Leave it with the customer").click()
    expect(section).to_contain_text("Left with the customer after the chargeback")
    assert acts_of(waiting[0]) == ["done", "kept"]


# ----------------------------------------------------------------------- without script
def test_the_queue_without_script(
    plain_page: Callable, live_server, support: Member, waiting: list
) -> None:  # fmt: skip
    page = plain_page(support)
    page.goto(f"{live_server.url}/fulfilment/")
    row_of(page, "Buyer 1").locator("summary").click()
    page.get_by_label("Reference").locator("visible=true").fill("KEY-1")
    page.get_by_role("button", name="Mark as handed over").locator(
        "visible=true"
    ).click()
    expect(row_of(page, "Buyer 1")).to_have_count(0)
    page.locator(".queue-just").get_by_role("button", name="Undo").click()
    expect(row_of(page, "Buyer 1")).to_have_count(1)
    row_of(page, "Buyer 1").get_by_role("button", name="I am on it").click()
    expect(row_of(page, "Buyer 1")).to_contain_text("You")
    assert acts_of(waiting[1]) == ["done", "undone", "claimed"]


def test_the_card_without_script(
    plain_page: Callable, live_server, support: Member, bea: Member,
    connection: Connection, waiting: list,
) -> None:  # fmt: skip
    page = plain_page(support)
    page.goto(f"{live_server.url}/transactions/{waiting[0].pk}/")
    page.locator("#fulfilment summary").click()
    page.locator("#fulfilment").get_by_label("Reference").fill("KEY-1")
    page.get_by_role("button", name="Mark as handed over").click()
    expect(page.locator("#fulfilment .badge").first).to_have_text("Done")
    enter(connection, dispute(0, "lost"))
    page.reload()
    page.get_by_role("button", name="Leave it with the customer").click()
    assert acts_of(waiting[0]) == ["done", "kept"]


def test_accepting_without_script(
    plain_page: Callable, live_server, connection: Connection
) -> None:  # fmt: skip
    row = enter(connection, payment(items=[item("a")], verified=False))
    page = plain_page(make_member("finance", merchant=row.merchant))
    page.goto(f"{live_server.url}/transactions/{row.pk}/")
    page.get_by_text("Accept the amount by hand").click()
    page.get_by_label("How do you know").fill("Seen in the dashboard")
    page.get_by_role("button", name="Accept EUR 19.99").click()
    expect(page.locator("#acceptance")).to_contain_text("Accepted by")
    expect(page.locator("#fulfilment .badge").first).to_have_text("Waiting")
