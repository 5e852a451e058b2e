"""`poll`: what the webhooks missed is fetched from the provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.sandbox import paysuper
from merchant.sandbox.market import Market
from merchant.sandbox.server import Fault, Server
from tests.factories import make_connection
from transactions.demo import stalls
from transactions.models import TimelineEntry, Transaction

pytestmark = pytest.mark.django_db

Open = Callable[[str], tuple[Connection, Market, Server]]


@pytest.fixture
def open_at(settings, tmp_path: Path) -> Iterator[Open]:
    """open_at(provider): a connection, and a sandbox that sells for it."""
    settings.DATA_DIR = tmp_path
    servers: list[Server] = []

    def open_at(provider: str) -> tuple[Connection, Market, Server]:
        account = paysuper.PROJECT_ID if provider == "paysuper" else ""
        row = make_connection(
            provider, livemode=False, api_key="sandbox-key", account=account
        )
        market = Market(stalls.open_book(), stalls.stalls([row])[0])
        server = Server(market, 0)
        server.start()
        servers.append(server)
        settings.SANDBOX_URL = server.url
        row.base_url = f"{server.url}/{provider}"
        row.save()
        return row, market, server

    yield open_at
    for server in servers:
        server.stop()
        server.market.book.close()


def poll(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command("poll", *words, "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_purchase_that_no_webhook_told_of_is_found(
    open_at: Open, provider: str
) -> None:
    _row, market, _server = open_at(provider)
    now = timezone.now()
    purchase = market.sell(market.stalls[0], 1, now, ending="paid", begin="told")
    market.due(now)  # and nobody sends it
    said = poll()
    assert said["facts"]
    (found,) = Transaction.objects.filter(parked=False)
    assert (found.status, found.currency) == ("paid", purchase.currency)
    assert found.amount == purchase.total
    assert set(TimelineEntry.objects.values_list("source", flat=True)) == {"poll"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_second_poll_adds_nothing(open_at: Open, provider: str) -> None:
    _row, market, _server = open_at(provider)
    now = timezone.now()
    market.sell(market.stalls[0], 1, now, ending="paid", begin="told")
    market.due(now)
    poll()
    entries = TimelineEntry.objects.count()
    assert poll("--since", "2020-01-01")["facts"] == 0
    assert TimelineEntry.objects.count() == entries


def test_a_provider_that_does_not_answer_is_named(open_at: Open) -> None:
    row, _market, server = open_at("paynow")
    server.faults.append(Fault("/paynow", "error"))
    with pytest.raises(CommandError, match=str(row.pk)) as problem:
        poll("--connection", str(row.pk))
    assert problem.value.returncode == 1


def test_without_an_api_key_nobody_is_asked(db: None) -> None:
    make_connection()
    assert poll() == {"facts": 0, "connections": []}


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("--since", "yesterday"), 2),
        (("--since", "2999-01-01"), 2),
        (("--connection", "x"), 2),
        (("--connection", "0190a3b2-0000-7000-8000-000000000000"), 1),
    ],
)
def test_wrong_use_is_said(words: tuple[str, ...], status: int) -> None:
    with pytest.raises(CommandError) as problem:
        poll(*words)
    assert problem.value.returncode == status
