"""Customers, products and their rules in a real browser: seen, found and set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY, LONG, SOME
from tests.factories import make_connection, make_project
from tests.transactions.staff import dispute, enter, item, payment
from transactions import fulfilment_rules, reach
from transactions.models import Customer, FulfilmentRule, Product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = "\u202eSword <b>of</b> " + "W" * 120


@pytest.fixture
def sold(project: Project) -> Project:
    """Two shops, a customer with everything, thirty others, and a name that is long."""
    till = make_connection("stripe", project=project)
    other = make_project(merchant=project.merchant, name="Phoenix " * 8)
    second = make_connection("paynow", project=other)
    now = timezone.now() - timedelta(hours=3)
    ada = {"customer_key": "player-1", "customer_name": "Ada Byron"}
    identities = {"steam": {"id": "76561198000000042", "name": "countess"}}
    for number, currency in enumerate(("eur", "usd", "jpy")):
        enter(
            till,
            payment(
                number, at=now - timedelta(days=number),
                items=[item("1", "Iron Sword"), item("2", HOSTILE)],
                **{"money": [123_456_789, currency]}, **ada,
                customer_email="a.very.long.mailbox.indeed@subdomain.example.com",
                customer_country="GB", customer_phone="+386 40 123 456",
                customer_details={"identities": identities, "external_id": "x" * 60},
            ),
        )  # fmt: skip
    enter(till, dispute(2, "lost", at=now))
    for number in range(10, 40):
        told = {"customer_key": f"{number}@example.org", "customer_name": f"B{number}"}
        told |= {"customer_name": LONG} if number == 39 else {}
        lines = [item("1", "Iron Sword"), item("2", f"Item {number}")]
        shop = till if number % 2 else second
        at = now + timedelta(minutes=number)
        enter(shop, payment(number, items=lines, at=at, **told))
    return project


def ada() -> Customer:
    return Customer.objects.get(key__endswith="player-1")


def sword(project: Project) -> Product:
    return Product.objects.get(name="Iron Sword", project=project)


# ------------------------------------------------------------------------- every state
@pytest.mark.parametrize(
    "path",
    [
        "/customers/",
        "/customers/?q=nobody",
        "/customers/?q=B1&flagged=maybe",
        "/customers/?livemode=false",
        "/products/",
        "/products/?q=nothing&rule=none",
        "/products/?rule=x",
    ],
)
def test_the_lists(
    page: Page, live_server, look: Callable, sign_in: Callable, owner: Member,
    sold: Project, path: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(live_server.url + path)
    for sight in EVERY if "?" not in path else SOME:
        look(*sight)


@pytest.mark.parametrize("panel", ["Project", "Country", "Provider", "Handed over"])
def test_the_lists_with_a_filter_open(
    page: Page, live_server, look: Callable, sign_in: Callable, owner: Member,
    sold: Project, panel: str,
) -> None:  # fmt: skip
    sign_in(owner)
    place = "products" if panel in {"Provider", "Handed over"} else "customers"
    page.goto(f"{live_server.url}/{place}/")
    for width, scheme in SOME:
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("#filters summary", has_text=panel).first.click()
        look(width, scheme)
        page.keyboard.press("Escape")


def test_the_page_of_a_customer(
    page: Page, live_server, look: Callable, sign_in: Callable, owner: Member,
    sold: Project,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/customers/{ada().pk}/")
    page.get_by_text("Clear the flag").first.click()
    for sight in EVERY:
        look(*sight)


def test_the_page_of_a_product(
    page: Page, live_server, look: Callable, sign_in: Callable, owner: Member,
    sold: Project,
) -> None:  # fmt: skip
    fulfilment_rules.set(owner, sold, sword(sold), "external", since=None)
    sign_in(owner)
    page.goto(f"{live_server.url}/products/{sword(sold).pk}/")
    page.locator("summary", has_text="By provider and project").click()
    for sight in EVERY:
        look(*sight)
        cells = page.locator("#sold td:visible").all()
        boxes = [box for cell in cells if (box := cell.bounding_box())]
        assert all(box["x"] + box["width"] <= sight[0] for box in boxes)


def test_a_product_of_a_terrible_name(
    page: Page, live_server, look: Callable, sign_in: Callable, viewer: Member,
    sold: Project,
) -> None:  # fmt: skip
    sign_in(viewer)
    terrible = Product.objects.get(name=HOSTILE)
    for path in ("", "rule/"):
        page.goto(f"{live_server.url}/products/{terrible.pk}/{path}?sold_from=x")
        expect(page.locator("h1")).to_contain_text("<b>of</b>")
        for sight in SOME:
            look(*sight)


def test_the_rule_of_a_project(
    page: Page, live_server, look: Callable, sign_in: Callable, owner: Member,
    sold: Project,
) -> None:  # fmt: skip
    fulfilment_rules.set(owner, sold, None, "none", since=None)
    sign_in(owner)
    page.goto(f"{live_server.url}/products/rules/{sold.pk}/")
    for sight in EVERY:
        look(*sight)


# ------------------------------------------------------------------------------ in use
def test_typing_finds_a_customer_and_the_back_button_forgets(
    page: Page, live_server, sign_in: Callable, owner: Member, sold: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/customers/")
    page.get_by_label("Find by e-mail, name or your own id").fill("ada b")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{live_server.url}/customers/?q=ada+b")
    expect(page.locator("#said")).to_have_text("1 customer")
    page.go_back()
    expect(page.locator("#results tbody tr")).to_have_count(25)


def test_the_keyboard_alone_opens_a_customer(
    page: Page, live_server, sign_in: Callable, owner: Member, sold: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/customers/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/*-*/**")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_rule_is_set_in_place_and_says_how_far_it_got(
    page: Page, live_server, sign_in: Callable, owner: Member, sold: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/products/{sword(sold).pk}/")
    rule = page.locator("#rule")
    rule.get_by_label("Not needed").check()
    rule.get_by_label("at any time").check()
    rule.get_by_role("button", name="Set rule").click()
    expect(page.locator(".toast").first).to_contain_text("Rule set")
    expect(rule.locator(".rule-now")).to_have_text("Not needed")
    expect(rule.locator(".rule-progress")).to_contain_text("begins in a moment")
    while reach.apply_rules():
        pass
    expect(rule.locator(".rule-progress")).to_have_count(0)
    expect(rule.locator("#rule-history")).to_contain_text("18 purchases looked at")


def test_a_wrong_rule_says_so_where_it_stands(
    page: Page, live_server, sign_in: Callable, owner: Member, sold: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/products/rules/{sold.pk}/")
    page.locator("#rule").get_by_label("since", exact=True).check()
    page.get_by_role("button", name="Set rule").click()
    expect(page.locator("#rule [role=alert]")).to_contain_text("Choose the day")
    expect(page.locator("#rule").get_by_label("since", exact=True)).to_be_checked()
    assert not FulfilmentRule.objects.exists()


def test_the_list_on_a_page_is_filtered_without_leaving_it(
    page: Page, live_server, sign_in: Callable, owner: Member, sold: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/customers/{ada().pk}/")
    expect(page.locator("#results tbody tr")).to_have_count(3)
    page.locator("#filters summary", has_text="Status").click()
    page.get_by_label("Charged back", exact=True).check()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Byron")


def test_without_script_all_of_it_works(
    live_server, plain_page: Callable, owner: Member, sold: Project
) -> None:
    page: Page = plain_page(owner)
    page.goto(f"{live_server.url}/customers/")
    page.get_by_label("Find by e-mail, name or your own id").fill("ada b")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Ada Byron").click()
    expect(page.locator("#results tbody tr")).to_have_count(3)
    page.goto(f"{live_server.url}/products/?q=iron")
    page.get_by_role("link", name="Iron Sword").first.click()
    page.get_by_label("From", exact=True).first.fill("2025-01-01")
    page.locator(".period").get_by_role("button", name="Show").click()
    expect(page.locator("#sold")).to_contain_text("1 Jan")
    page.locator("#rule").get_by_label("Done elsewhere").check()
    page.get_by_role("button", name="Set rule").click()
    expect(page.locator(".rule-now")).to_have_text("Done elsewhere")
    assert FulfilmentRule.objects.get().rule == "external"
