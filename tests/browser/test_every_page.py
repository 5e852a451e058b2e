"""Every page: no accessibility fault, no script error, nothing too wide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from merchant.models import Member, Project
from tests.browser.conftest import EVERY, SOME
from tests.factories import (
    make_connection,
    make_dispute,
    make_inbound_event,
    make_member,
    make_payout,
)
from tests.webhooks.endpoints.parts import make_delivery, make_endpoint, make_try
from transactions import exporting
from transactions.models import (
    Export,
    ExportSchedule,
    Payout,
    TimelineEntry,
    Transaction,
)
from webhooks import endpoints
from webhooks.models import Delivery, Endpoint, Resend

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    "path", ["/login/", "/password/reset/", "/password/reset/done/"]
)
def test_before_the_login(page, live_server, look: Callable, path: str) -> None:
    page.goto(live_server.url + path)
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("path", ["/logout/", "/password/change/"])
def test_of_the_account(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, path: str
) -> None:
    sign_in(owner)
    page.goto(live_server.url + path)
    for sight in SOME:
        look(*sight)


def test_the_list(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/?status=paid&status=failed&q=example")
    page.get_by_role("link", name="Buyer").first.wait_for()
    for sight in EVERY:
        look(*sight)


@pytest.mark.parametrize("panel", ["Created", "Status", "More filters"])
def test_the_list_with_a_filter_open(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project,
    panel: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    for width, scheme in SOME:
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("summary", has_text=panel).first.click()
        look(width, scheme)
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    "query",
    ["?q=nobody", "?status=nonsense", "?livemode=false", "?status=paid&after=x"],
)
def test_the_list_in_other_states(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project,
    query: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/{query}")
    for sight in SOME:
        look(*sight)


def test_the_first_use(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, settings
) -> None:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    make_connection(project=owner.merchant.projects.get())
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_the_card(
    page, live_server, look: Callable, sign_in: Callable, rich: Transaction, role: str
) -> None:
    sign_in(make_member(role, merchant=rich.merchant))
    page.goto(f"{live_server.url}/transactions/{rich.pk}/")
    for raw in page.locator("details.disclosure > summary").all():
        raw.click()
    for sight in EVERY:
        look(*sight)


def test_connections(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project
) -> None:
    make_connection("paynow", project=post, closed=timezone.now())
    make_connection("stripe", project=post, secret="", livemode=False)
    sign_in(owner)
    page.goto(f"{live_server.url}/connections/")
    page.locator("summary", has_text="1 closed connection").click()
    for sight in EVERY:
        look(*sight)


@pytest.mark.parametrize("provider", ["stripe", "paysecure"])
def test_a_connection(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project,
    provider: str,
) -> None:  # fmt: skip
    connection = make_connection(
        provider, project=post, secret="", api_key="key_1",
        reports_to="https://shop.example.com/" + "x" * 150,
        poll_trouble="The API key was refused",
    )  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/connections/{connection.pk}/")
    for step in page.locator(".steps summary").all():
        step.click()
    page.evaluate("() => scrollTo(0, 0)")  # from under the bar
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("verb", ["key", "edit", "keys", "close"])
def test_what_is_done_to_a_connection(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project,
    verb: str,
) -> None:  # fmt: skip
    connection = make_connection("paysecure", project=post, heard=timezone.now())
    sign_in(owner, fresh=True)
    page.goto(f"{live_server.url}/connections/{connection.pk}/{verb}/")
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("provider", ["", "paysecure/"])
def test_adding_a_connection(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project,
    provider: str,
) -> None:  # fmt: skip
    sign_in(owner, fresh=True)
    page.goto(f"{live_server.url}/connections/new/{provider}")
    for folded in page.locator("main summary").all():
        folded.click()
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("path", ["", "dragon-shop/"])
def test_projects(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, path: str
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/projects/{path}")
    for sight in SOME:
        look(*sight)


def test_inbound_events(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/inbound/")
    page.get_by_role("link", name="charge.refunded").wait_for()
    for sight in EVERY:
        look(*sight)


@pytest.mark.parametrize("event", ["charge.refunded", "payout.paid", "invoice.paid"])
def test_an_inbound_event(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project,
    event: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(f"{live_server.url}/inbound/")
    page.get_by_role("link", name=event).click()
    for sight in SOME:
        look(*sight)


def test_webhook_endpoints(
    page,
    live_server,
    look: Callable,
    sign_in: Callable,
    owner: Member,
    project: Project,
) -> None:
    """One that fails with things held, and one with a key pair of two ends."""
    url = "https://analytics.example.com/collect/" + "long/" * 30
    given = {"url": url, "events": ["payment.*"], "headers": {"X-Team": "a"}}
    one = make_endpoint(project, dialect="stripe", livemode=False, **given)
    pair = make_endpoint(project, dialect="paysecure", description="y" * 120)
    endpoints.roll(pair, by=owner)
    for state in ("held", "pending", "exhausted"):
        make_delivery(one, state=state, error="It answered " + "x" * 200)
    make_try(one, "timeout", status=None, error="w" * 200)
    Endpoint.objects.filter(pk=one.pk).update(failing=timezone.now())
    Endpoint.objects.filter(pk=pair.pk).update(
        state="disabled", reason="It answered 410 (Gone): " + "no more " * 20
    )
    sign_in(owner)
    for path in (
        "", "?state=paused", f"{one.pk}/", f"{one.pk}/edit/", f"{one.pk}/catch-up/",
        f"{one.pk}/delete/", f"{one.pk}/check/", f"{pair.pk}/", f"{pair.pk}/code/",
        "samples/payment.success/", "samples/payout.paid/?dialect=paysuper", "proved/",
    ):  # fmt: skip
        page.goto(f"{live_server.url}/webhooks/{path}")
        for sight in SOME if path else EVERY:
            look(*sight)


def test_refused_deliveries(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, post: Project
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/inbound/refused/")
    page.get_by_text("does not fit").first.wait_for()
    for sight in SOME:
        look(*sight)


@pytest.mark.parametrize("path", ["/events/", "/deliveries/", "/deliveries/charts/"])
def test_what_went_out(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    told: Delivery, path: str,
) -> None:  # fmt: skip
    sign_in(owner)
    page.goto(live_server.url + path)
    for sight in EVERY:
        look(*sight)


def sent_again(told: Delivery, owner: Member) -> Resend:
    """Thousands under way, of which a worker has queued some."""
    return Resend.objects.create(
        merchant=owner.merchant, project=told.project, endpoint=told.endpoint,
        what="failed", since=timezone.now() - timedelta(days=2), rate=25,
        state="running", rows_total=50_000, rows_done=12_000, queued=11_900,
        started=timezone.now() - timedelta(minutes=8), actor_name="Ana " + "Long" * 20,
    )  # fmt: skip


def test_one_that_went_out(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, told: Delivery
) -> None:
    sign_in(owner)
    for path in (
        f"/deliveries/{told.pk}/",
        f"/events/{told.event.key}/?as=standard",
        "/deliveries/resend/",
        "/deliveries/resends/",
        f"/deliveries/resends/{sent_again(told, owner).pk}/",
    ):
        page.goto(live_server.url + path)
        for sight in SOME:
            look(*sight)


@pytest.fixture
def settled(rich: Transaction) -> Payout:
    """A dispute in every state, and a payout that failed with its letter."""
    now = timezone.now()
    for number, state in enumerate(
        [
            {"due_by": now + timedelta(days=2)},
            {"due_by": now - timedelta(days=2), "reason": "x" * 200},
            {"in_review": True},
            {"status": "won", "closed": now},
            {"status": "lost", "closed": now, "reason": "fraudulent"},
        ]
    ):
        make_dispute(rich, provider_id=f"du_{number}" + "y" * 60, **state)
    payouts = [
        make_payout(rich.connection, status=status, arrives=now)
        for status in ("created", "pending", "paid", "canceled", "failed")
    ]
    failed = payouts[-1]
    failed.reason, failed.verified = "The bank account was closed " * 8, False
    failed.details = {"payee": "Harbor Games", "trace": "z" * 90}
    failed.save()
    letter = make_inbound_event(connection=rich.connection, event_type="payout.failed")
    TimelineEntry.objects.create(
        connection=rich.connection, identity="po", payout=failed, inbound=letter,
        source="webhook", topic="payout", object_kind="payout", status="failed",
        object_id=failed.provider_id, at=now, summary="Payout: failed",
    )  # fmt: skip
    return failed


def test_disputes_and_payouts(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, settled: Payout
) -> None:
    sign_in(owner)
    for path in (
        "disputes/?livemode=true",
        "disputes/?livemode=true&state=needs_response",
        "disputes/?livemode=true&reason=fraudulent&amount[gte]=1&currency=eur",
        "disputes/?livemode=true&state=won&q=nobody",
        "disputes/?livemode=false",
        "payouts/?livemode=true",
        "payouts/?livemode=true&state=failed&created[gte]=2026-01-01",
        "payouts/?livemode=false",
    ):
        page.goto(f"{live_server.url}/{path}")
        for sight in EVERY if path.endswith("=true") else SOME:
            look(*sight)


def test_disputes_with_a_filter_open(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, settled: Payout
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/disputes/?livemode=true")
    for panel in ("Opened", "Reason", "Amount", "Currency"):
        for width, scheme in SOME:
            page.set_viewport_size({"width": width, "height": 900})
            page.locator("summary", has_text=panel).first.click()
            look(width, scheme)
            page.keyboard.press("Escape")


def test_a_payout(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, settled: Payout
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/payouts/{settled.pk}/")
    page.locator("details.disclosure > summary").click()
    for sight in EVERY:
        look(*sight)


def test_exports(
    page, live_server, look: Callable, sign_in: Callable, owner: Member,
    settled: Payout,
) -> None:  # fmt: skip
    """The history, one that is ready and one that failed, the form, and schedules."""
    sign_in(owner)
    wish = exporting.Wish(listing="disputes", livemode=True)
    ready = exporting.start(owner, wish)
    failed = exporting.start(owner, wish)
    Export.objects.filter(pk=failed.pk).update(
        state="failed", error="The disk is full: " + "e" * 200, file="", rows_done=3
    )
    schedule = ExportSchedule.objects.create(
        merchant=owner.merchant, member=owner, name="n" * 60, every="month",
        listing="payouts", table="payouts", format="csv", style="people",
        since=timezone.now(), due=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    for path in (
        "exports/", f"exports/{ready.pk}/", f"exports/{failed.pk}/",
        "exports/new/?listing=disputes&query=state%3Dlost", "exports/new/",
        "exports/schedules/", "exports/schedules/new/?listing=payouts",
        f"exports/schedules/{schedule.pk}/",
    ):  # fmt: skip
        page.goto(f"{live_server.url}/{path}")
        for sight in SOME if path.count("/") > 1 else EVERY:
            look(*sight)


@pytest.mark.parametrize("what", ["menu", "dialog", "account", "projects"])
def test_what_opens_over_the_page(
    page, live_server, look: Callable, sign_in: Callable, owner: Member, shop: Project,
    what: str,
) -> None:  # fmt: skip
    Project.objects.create(merchant=shop.merchant, name="Other Shop", slug="other-shop")
    sign_in(owner)
    width = 390 if what == "menu" else 1280
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/transactions/")
    {
        "menu": lambda: page.get_by_role("button", name="Menu").click(),
        "dialog": lambda: page.get_by_role("button", name="Keyboard shortcuts").click(),
        "account": lambda: page.locator(".account > summary").click(),
        "projects": lambda: page.locator(".projects > summary").click(),
    }[what]()
    for scheme in ("light", "dark"):
        look(width, scheme)


class TestWithFaults:
    """Pages whose status the browser reports as a failed load."""

    @pytest.fixture
    def expected_faults(self) -> list[str]:
        return ["status of 404", "status of 403", "status of 422"]

    def test_a_page_that_is_none(self, page, live_server, look: Callable) -> None:
        page.goto(f"{live_server.url}/no-such-page/")
        for sight in SOME:
            look(*sight)

    def test_a_page_for_other_roles(
        self, page, live_server, look: Callable, sign_in: Callable, viewer: Member,
        rich: Transaction,
    ) -> None:  # fmt: skip
        sign_in(viewer)
        page.goto(f"{live_server.url}/connections/{rich.connection_id}/key/")
        page.get_by_text("Your role cannot open this page").wait_for()
        for sight in SOME:
            look(*sight)
