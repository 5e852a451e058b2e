"""The card in a browser: copying, raw events, paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from merchant.models import Member
from tests.browser.conftest import EVERY
from tests.factories import make_dispute, make_member, make_transaction
from transactions import notes
from transactions.models import Dispute, LookUp, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def card(page, live_server, sign_in: Callable, owner: Member, rich: Transaction):  # noqa: ANN201
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    return page


def test_an_id_is_copied_and_that_is_told(card, rich: Transaction) -> None:  # noqa: ANN001
    card.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.get_by_role("button", name="Copy transaction id").click()
    expect(card.locator(".toast")).to_have_text("Copied")
    expect(card.locator("#said")).to_have_text("Copied")
    assert card.evaluate("() => navigator.clipboard.readText()") == str(rich.pk)


def test_an_id_is_copied_where_there_is_no_clipboard(card) -> None:  # noqa: ANN001
    card.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    button = card.get_by_role("button", name="Copy transaction id")
    button.click()
    expect(card.locator(".toast")).to_have_text("Copied")
    expect(button).to_be_focused()


def test_a_raw_event_is_fetched_when_it_is_opened(card) -> None:  # noqa: ANN001
    expect(card.locator(".raw pre")).to_have_count(0)
    with card.expect_response("**/body/"):
        card.locator("details.disclosure > summary").first.click()
    expect(card.locator(".raw pre").first).to_contain_text('"id": "evt_1"')


def test_hostile_text_stands_there_as_text(card) -> None:  # noqa: ANN001
    expect(card.locator(".metadata")).to_contain_text("<b>bold</b>")
    assert card.locator(".metadata b").count() == 0


def test_the_card_leads_back_to_the_list(card) -> None:  # noqa: ANN001
    card.get_by_label("Breadcrumb").get_by_role("link").click()
    expect(card).to_have_url(re.compile(r"/transactions/\?livemode=true$"))


def test_the_search_of_the_top_bar_leads_to_the_list(card) -> None:  # noqa: ANN001
    card.keyboard.press("/")
    card.keyboard.type("4242")
    card.keyboard.press("Enter")
    expect(card).to_have_url(re.compile(r"/transactions/\?q=4242"))
    expect(card.locator("[data-rows] tbody tr")).to_have_count(1)


def test_on_paper_stands_the_receipt_and_nothing_else(card, rich: Transaction) -> None:  # noqa: ANN001
    card.emulate_media(media="print", color_scheme="dark")
    for hidden in (".side", ".bar", ".raw", ".copy", "#notes", "#history-title"):
        expect(card.locator(hidden).first).to_be_hidden()
    expect(card.get_by_role("heading", name="Items")).to_be_visible()
    expect(card.locator(".only-print")).to_contain_text(str(rich.pk))
    paper = card.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


def test_a_receipt_is_one_page(card) -> None:  # noqa: ANN001
    paper = card.pdf(format="A4", margin=dict.fromkeys(("top", "bottom"), "12mm"))
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1


def test_the_card_is_whole_without_script(
    plain_page: Callable, live_server, owner: Member, rich: Transaction
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    page.locator("details.disclosure > summary").first.click()
    page.get_by_role("link", name="Read the body").click()
    expect(page.locator("#body")).to_contain_text('"id": "evt_1"')
    expect(page.locator(".copy").first).to_be_hidden()


# ---------------------------------------------------------------------------- notes
def test_a_note_is_written_changed_and_removed_in_its_place(card) -> None:  # noqa: ANN001
    notes = card.locator("#notes")
    notes.get_by_label("New note").fill("She wrote twice\nand called")
    notes.get_by_role("button", name="Add note").click()
    expect(notes.locator(".note-text")).to_have_text("She wrote twice\nand called")
    expect(card.locator(".toast")).to_have_text("Note added")
    expect(notes.get_by_label("New note")).to_be_focused()
    notes.get_by_role("link", name="Edit note 1").click()
    expect(notes.get_by_label("Your note")).to_be_focused()
    notes.get_by_label("Your note").fill("She wrote three times")
    notes.get_by_role("button", name="Save note").click()
    expect(notes.locator(".note-text")).to_have_text("She wrote three times")
    expect(notes).to_contain_text("edited")
    notes.get_by_role("link", name="Edit note 1").click()
    notes.get_by_role("button", name="Remove note").click()
    expect(notes).to_contain_text("No notes yet")


def test_a_note_is_written_without_script(
    plain_page: Callable, live_server, owner: Member, rich: Transaction
) -> None:  # fmt: skip
    page = plain_page(owner)
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    page.get_by_label("New note").fill("She wrote twice")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note-text")).to_have_text("She wrote twice")
    page.get_by_role("link", name="Edit note 1").click()
    page.get_by_label("Your note").fill("She wrote three times")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator(".note-text")).to_have_text("She wrote three times")
    page.get_by_role("link", name="Edit note 1").click()
    page.get_by_role("button", name="Remove note").click()
    expect(page.locator("#notes")).to_contain_text("No notes yet")


# ------------------------------------------------------------------ what it may hold
@pytest.fixture
def crowded(rich: Transaction, owner: Member) -> Transaction:
    """The rich card, of a flagged customer who may have paid twice."""
    customer = rich.customer
    assert customer is not None
    Transaction.objects.filter(pk=rich.pk).update(status="paid")
    about = {"customer": customer, "connection": rich.connection, "amount": 4499}
    for minute in range(7):
        make_transaction(**about, created=rich.created + timedelta(minutes=minute))
    sale = Transaction.objects.exclude(pk=rich.pk).latest("created")
    make_dispute(
        transaction=sale, provider_id="dp_9", status="lost", amount=4499,
        currency="eur", reason="fraudulent", created=rich.created,
    )  # fmt: skip
    Dispute.objects.filter(transaction=rich).update(
        due_by=rich.created + timedelta(days=5)
    )
    customer.flagged = True
    customer.save()
    notes.add(owner, rich.pk, "She wrote twice\n" + "w" * 200)
    LookUp.objects.create(
        connection=rich.connection, kind="order", want="o", transaction=rich,
        state="refused", error="no such order",
    )  # fmt: skip
    return rich


@pytest.mark.parametrize("role", ["support", "viewer"])
def test_a_crowded_card_is_whole(
    page, live_server, look: Callable, sign_in: Callable, crowded: Transaction,
    role: str,
) -> None:  # fmt: skip
    sign_in(make_member(role, merchant=crowded.merchant))
    page.goto(f"{live_server.url}/transactions/{crowded.pk}/")
    expect(page.locator("#twins")).to_contain_text("Paid twice?")
    expect(page.locator(".timeline .expected").first).to_contain_text("Answer")
    for sight in EVERY:
        look(*sight)


@pytest.mark.parametrize("what", ["flag", "edit", "more"])
def test_what_opens_on_a_card_is_whole(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    crowded: Transaction, what: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{crowded.pk}/")
    {
        "flag": lambda: page.get_by_text("Clear the flag").first.click(),
        "edit": lambda: page.get_by_role("link", name="Edit note 1").click(),
        "more": lambda: page.locator(".card-head .menu > summary").click(),
    }[what]()
    for sight in EVERY:
        look(*sight)


def test_a_flag_is_cleared_from_the_card(
    page, live_server, sign_in: Callable, owner: Member, crowded: Transaction
) -> None:
    Transaction.objects.filter(pk=crowded.pk).update(verified=True)
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{crowded.pk}/")
    page.get_by_text("Clear the flag").first.click()
    form = page.locator("#flag-form")
    form.get_by_role("textbox").fill("   ")
    form.get_by_role("button", name="Clear the flag").click()
    expect(form).to_contain_text("Say in a few words")
    expect(form.get_by_role("textbox")).to_be_focused()


def test_the_page_of_a_flag_is_whole(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    crowded: Transaction,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/customers/{crowded.customer_id}/flag/")
    for sight in EVERY:
        look(*sight)


def test_who_bought_stands_before_the_timeline_on_a_phone(
    page, live_server, sign_in: Callable, owner: Member, rich: Transaction
) -> None:
    sign_in(owner)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    places = [
        page.get_by_role("heading", name=name, exact=True).bounding_box()["y"]
        for name in ("Payment", "Customer", "Notes", "Timeline", "At Stripe")
    ]
    assert places == sorted(places)
