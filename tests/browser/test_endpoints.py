"""A developer sets up an endpoint, copies its secret, and sees that it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from merchant.models import Member, Project
from tests.browser.conftest import SOME
from tests.webhooks.endpoints.parts import make_delivery, make_endpoint, proven
from webhooks.models import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def receiver(settings) -> Iterator[str]:
    """The URL of a server that takes everything."""
    settings.ALLOW_PRIVATE_ENDPOINTS = True

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Thank you.")

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hooks"
    server.shutdown()
    server.server_close()


def test_from_nothing_to_a_receiver_that_is_checked(
    page, live_server, look: Callable, owner: Member, project: Project, receiver: str
) -> None:
    cookie = proven(owner).cookies["session"].value
    page.context.add_cookies(
        [{"name": "session", "value": cookie, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/webhooks/")
    page.get_by_role("link", name="Add endpoint").first.click()
    page.get_by_label("URL").fill(receiver)
    page.get_by_label("Only those I choose").check()
    page.get_by_label("PaySuper").check()
    page.get_by_text("11 events").click()
    expect(page.get_by_text("sent as payment.success")).to_be_visible()
    page.locator("summary[aria-label='Sample of payment.success']").click()
    expect(page.get_by_label("Sample of payment.success").last).to_contain_text(
        '"payment.success"'
    )
    page.get_by_label("Standard Webhooks").check()
    expect(page.get_by_text("sent as payment.success")).to_be_hidden()
    page.locator("[name=events][value='refund.*']").check()
    for sight in SOME:
        look(*sight)
    page.get_by_role("button", name="Create endpoint").click()
    expect(page.get_by_role("heading", name="The endpoint is ready")).to_be_visible()
    assert page.locator("#the-secret").inner_text().startswith("whsec_")
    for sight in SOME:
        look(*sight)
    made = Endpoint.objects.get()
    assert made.events == ["refund.*"]

    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_role("heading", name="The test arrived")).to_be_visible()
    expect(page.get_by_label("Body of the response", exact=True)).to_have_text(
        "Thank you."
    )
    expect(page.locator("#the-secret")).to_have_count(0)
    for sight in SOME:
        look(*sight)

    page.get_by_role("link", name="Check my handler").click()
    page.get_by_role("button", name="Send the letters").click()
    expect(page.get_by_role("heading", name="4 of 6 cases are right")).to_be_visible()
    for sight in SOME:
        look(*sight)

    page.get_by_role("link", name="Code").click()
    page.get_by_role("link", name="Go", exact=True).click()
    expect(page.locator("#receiver")).to_contain_text("package main")
    for sight in SOME:
        look(*sight)


def test_what_was_held_is_decided_about_without_scripts(
    plain_page: Callable, live_server, owner: Member, project: Project
) -> None:
    made = make_endpoint(project, description="Shop server")
    make_delivery(made)
    page = plain_page(owner)
    page.goto(f"{live_server.url}/webhooks/{made.pk}/")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused: nothing is sent")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("heading", name="What was held")).to_be_visible()
    page.get_by_label("Send none of them").check()
    page.get_by_role("button", name="Carry out").click()
    expect(page.get_by_text("Dropped")).to_be_visible()
