"""The sandbox is the demo's: no member's endpoint reaches it, however it came there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from merchant import destinations
from merchant.models import Member, Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish, receiver
from webhooks import callbacks, endpoints, jobs
from webhooks.delivery import rounds
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Receiver]:
    """Our imitation of the providers, as `serve --demo` has it: nothing else is
    private."""
    with receiver() as found:
        parts = urlsplit(found.url)
        settings.ALLOW_PRIVATE_ENDPOINTS = False
        settings.SANDBOX_URL = f"{parts.scheme}://{parts.netloc}"
        cache.clear()
        yield found
    rounds._close()


def make(project: Project, sandbox: Receiver, **over: Any) -> Endpoint:
    """A row, whoever wrote it: perhaps while ALLOW_PRIVATE_ENDPOINTS was on."""
    return make_endpoint(project, sandbox.url, **over)


def test_what_is_due_for_a_members_endpoint_does_not_go_there(
    project: Project, sandbox: Receiver
) -> None:
    make(project, sandbox)
    publish(project)
    jobs.deliver()
    row = Delivery.objects.get()
    assert not sandbox.heard
    assert row.state == "dropped"
    assert "demo" in row.error


def test_the_demos_own_hears_what_it_is_told(
    project: Project, sandbox: Receiver
) -> None:
    make(project, sandbox, demo=True)
    publish(project)
    jobs.deliver()
    assert Delivery.objects.get().state == "delivered"
    assert len(sandbox.heard) == 1


def test_with_the_flag_on_all_may(
    project: Project, sandbox: Receiver, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    make(project, sandbox)
    publish(project)
    jobs.deliver()
    assert len(sandbox.heard) == 1


@pytest.mark.parametrize("path", ["test", "check"])
def test_neither_does_a_test_or_a_check(
    project: Project, sandbox: Receiver, owner_client: Client, path: str
) -> None:
    made = make(project, sandbox)
    page = owner_client.post(f"/webhooks/{made.pk}/{path}/").content.decode()
    assert not sandbox.heard
    assert "The sandbox is for the demo" in page


def test_no_purchases_callback_does(project: Project, sandbox: Receiver) -> None:
    with pytest.raises(destinations.NotAllowed, match="sandbox is for the demo"):
        callbacks.endpoint_for(project, f"{sandbox.url}/thanks")
    assert not Endpoint.objects.exists()


def test_the_demos_own_can_still_be_changed(
    project: Project, sandbox: Receiver, owner: Member
) -> None:
    made = make(project, sandbox, demo=True)
    endpoints.change(made, by=owner, url=made.url, rate=7)
    made.refresh_from_db()
    assert made.rate == 7
