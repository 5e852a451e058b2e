"""Home in a real browser: readable and whole everywhere, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import EVERY, SOME
from tests.factories import make_connection, make_dispute, make_transaction
from transactions import totals
from transactions.models import LookUp, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def busy(shop: Project, post: Project) -> Project:
    """The shop with its figures, and something of everything that waits."""
    now = timezone.now()
    for number, sale in enumerate(Transaction.objects.filter(status="disputed")):
        make_dispute(
            transaction=sale, provider_id=str(number), status="open", amount=4499,
            currency="eur", created=now, due_by=now + timedelta(days=6 * number - 1),
        )  # fmt: skip
    rows = Transaction.objects.filter(status__in=["paid", "charged_back"])
    rows.update(fulfilment="waiting", refund_pending=True)
    Transaction.objects.filter(status="charged_back").update(to_revoke=True)
    old = make_connection("paynow", project=shop, created=now - timedelta(days=3))
    LookUp.objects.create(
        connection=old, kind="event", want="x", state=LookUp.State.NEEDS_KEY
    )
    make_transaction(project=shop, currency="jpy", amount=12_345_678, created=now)
    totals.recount(shop)
    return shop


@pytest.mark.parametrize("query", ["", "?period=90d&zone=Asia/Kathmandu"])
def test_home(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, busy: Project,
    query: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/{query}")
    page.get_by_role("heading", name="What came in").wait_for()
    for sight in EVERY:
        look(*sight)


@pytest.mark.parametrize(
    "query",
    ["?period=today", "?period=year&currency=jpy", "?from=2020-01-01&to=2020-01-02",
     "?period=last-month&currency=usd", "?period=no", "?livemode=false"],
)  # fmt: skip
def test_home_in_other_states(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, busy: Project,
    query: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/{query}")
    page.get_by_role("heading", name="Home", exact=True).wait_for()
    for sight in SOME:
        look(*sight)


def test_home_with_everything_open(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, busy: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/")
    page.get_by_text("Show as table").click()
    for width, scheme in SOME:
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("summary", has_text="Other days").click()
        look(width, scheme)
        page.keyboard.press("Escape")


def test_nothing_to_do(
    page, live_server, look: Callable, sign_in: Callable, viewer: Member, project
) -> None:
    make_transaction(project=project, created=timezone.now())
    totals.recount(project)
    sign_in(viewer)
    page.goto(f"{live_server.url}/")
    expect(page.get_by_text("Nothing needs you now.")).to_be_visible()
    for sight in SOME:
        look(*sight)


def test_the_first_visit(
    page, live_server, look: Callable, sign_in: Callable, owner: Member
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/")
    expect(page.get_by_text("No transactions yet")).to_be_visible()
    for sight in SOME:
        look(*sight)


def test_a_bar_is_as_high_as_its_day(
    page, live_server, sign_in: Callable, owner: Member, project: Project
) -> None:
    now = timezone.now()
    for ago, amount in ((1, 4000), (2, 1000)):
        make_transaction(
            project=project, created=now - timedelta(days=ago), amount=amount
        )
    totals.recount(project)
    sign_in(owner)
    page.goto(f"{live_server.url}/?period=7d&zone=UTC")
    heights = [
        bar.bounding_box()["height"] if bar.is_visible() else 0
        for bar in page.locator(".plot .fill").all()
    ]
    assert heights[-2] == pytest.approx(200, abs=1)
    assert heights[-3] == pytest.approx(50, abs=1)


def test_a_narrow_chart_has_every_second_label(
    page, live_server, sign_in: Callable, owner: Member, busy: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/")
    labels = page.locator(".plot text")
    whole = labels.count()
    page.set_viewport_size({"width": 390, "height": 844})
    shown = [label for label in labels.all() if label.is_visible()]
    assert len(shown) == -(-whole // 2)
    boxes = [label.bounding_box() for label in shown]
    ends = [box["x"] + box["width"] for box in boxes]
    assert all(a < b["x"] for a, b in zip(ends, boxes[1:], strict=False))


def test_g_and_h_lead_home(
    page, live_server, sign_in: Callable, owner: Member, busy: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()


def test_without_scripts_period_days_and_currency_still_work(
    plain_page: Callable, live_server, owner: Member, busy: Project
) -> None:
    page = plain_page(owner)
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="JPY").click()
    assert "period=7d&currency=jpy" in page.url
    expect(page.locator(".tile").first).to_contain_text("JPY 12,345,678")
    page.locator("summary", has_text="Other days").click()
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_label("To, with that day").fill("2020-01-31")
    page.get_by_role("button", name="Show these days").click()
    expect(page.get_by_text("1 Jan – 31 Jan 2020")).to_be_visible()


def test_a_figure_leads_to_the_list(
    page, live_server, sign_in: Callable, owner: Member, busy: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/?currency=jpy")
    page.locator(".tile a").first.click()
    page.wait_for_url("**/transactions/?**currency=jpy**")
    expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
