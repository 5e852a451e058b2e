"""A shop is connected in a browser: the address copied, the first event seen."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from merchant.models import Connection, Member, Project
from tests.factories import PASSWORD, make_connection
from tests.webhooks import deliveries

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECRET = "whsec_typed_by_a_person"


def test_stripe_is_connected_and_its_first_event_is_seen(
    page, live_server, sign_in: Callable, developer: Member, project: Project
) -> None:  # fmt: skip
    sign_in(developer)
    page.goto(f"{live_server.url}/transactions/")
    page.get_by_role("link", name="Connections").click()
    page.get_by_role("link", name="Add connection").first.click()
    page.get_by_role("link", name="Stripe").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add connection").click()

    expect(page.get_by_text("the signing secret is missing")).to_be_visible()
    page.get_by_role("link", name="Enter it", exact=True).first.click()
    page.get_by_label("Signing secret").fill(SECRET)
    page.get_by_role("button", name="Save key").click()
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()

    page.wait_for_load_state()  # the script that copies comes last
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy intake URL").click()
    expect(page.locator("#said")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    connection = Connection.objects.get()
    assert urlsplit(copied).path == connection.intake_path

    # Signed by the client itself with what the person typed, to what they copied.
    answer = deliveries.post(
        connection, deliveries.body("stripe", 7), path=urlsplit(copied).path
    )
    assert answer.status_code == 200
    expect(page.get_by_text("The first event has arrived.")).to_be_visible()
    page.get_by_role("link", name="charge.succeeded").click()
    expect(page.get_by_role("heading", name="charge.succeeded")).to_be_visible()


def test_a_wrong_secret_is_explained_while_it_waits(
    page, live_server, sign_in: Callable, developer: Member, project: Project
) -> None:  # fmt: skip
    connection = make_connection("stripe", project=project, secret="whsec_wrong")
    sign_in(developer)
    page.goto(f"{live_server.url}/connections/{connection.pk}/")
    other = make_connection("stripe", project=project, secret="whsec_right")
    body = deliveries.body("stripe", 8)
    headers = deliveries.signed(other, body)
    assert deliveries.post(connection, body, headers).status_code == 401
    expect(page.get_by_text("A delivery came and was turned away.")).to_be_visible()


def test_closing_works_without_script(
    plain_page: Callable, live_server, developer: Member, project: Project
) -> None:  # fmt: skip
    connection = make_connection("stripe", project=project)
    page = plain_page(developer)
    page.goto(f"{live_server.url}/connections/{connection.pk}/")
    page.get_by_role("link", name="Close", exact=True).click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Close connection").click()
    expect(page.get_by_text("Closed since")).to_be_visible()
    connection.refresh_from_db()
    assert connection.closed
