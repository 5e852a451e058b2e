"""The demo: a month of an invented shop in an empty database, once."""

from __future__ import annotations

import json
import socket
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from merchant.access import ROLES
from merchant.models import Merchant, Project
from merchant.providers import PROVIDERS
from tests.factories import make_connection
from tests.webhooks import outbound
from transactions import ledger, look_ups
from transactions.demo import logins, stalls, start
from transactions.models import LineItem, LookUp, Refund, Subscription, Transaction
from transactions.statuses import Status
from webhooks.models import Endpoint, InboundEvent

pytestmark = pytest.mark.django_db


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@pytest.fixture
def place(settings, tmp_path: Path) -> Path:
    """A data folder of its own, and an address for the sandbox."""
    settings.DATA_DIR = tmp_path
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"
    return tmp_path


@pytest.fixture
def empty(place: Path) -> Path:
    assert not Merchant.objects.exists()
    return place


def run(**options: object) -> str:
    out = StringIO()
    call_command("demo_start", stdout=out, **options)
    return out.getvalue()


def test_an_empty_database_gets_a_month_of_history(empty: Path) -> None:
    """One run, many looks: filling takes seconds."""
    text = run()
    rows = Transaction.objects.filter(parked=False)

    assert start.PURCHASES * 0.9 <= rows.count() <= start.PURCHASES * 1.2
    assert set(rows.values_list("provider", flat=True)) == set(PROVIDERS)
    assert set(rows.values_list("status", flat=True)) == set(Status.values)
    assert not rows.filter(livemode=True).exists()
    assert not rows.filter(amount=None).exists()
    assert {"eur", "usd", "jpy", "kwd"} <= set(rows.values_list("currency", flat=True))

    states = set(InboundEvent.objects.values_list("state", flat=True))
    assert states == {"done"}
    # Purchases that are still open are asked about again later, and only those.
    assert not look_ups.due(timezone.now()).exists()
    assert set(LookUp.objects.values_list("error", flat=True)) == {""}
    assert set(LookUp.objects.values_list("state", flat=True)) <= {"done", "waiting"}
    assert Refund.objects.filter(status="failed").exists()
    assert Subscription.objects.exists()
    for provider in PROVIDERS:
        assert LineItem.objects.filter(transaction__provider=provider).exists()
    paid = rows.filter(status="paid", provider="paysecure")
    assert not paid.filter(verified=False).exists()

    # The books are in order: folding again changes nothing.
    assert ledger.refold(list(rows.values_list("id", flat=True))) == set()

    # Its shops listen to the sandbox, and the newest events wait for them.
    for endpoint in Endpoint.objects.all():
        assert endpoint.url.startswith(f"{settings.SANDBOX_URL}/receiver/")
        assert endpoint.secrets.count() == 1
        assert endpoint.deliveries.filter(state="pending").exists()
    assert Endpoint.objects.count() == 3

    # People can log in with what is printed and kept.
    assert stat.S_IMODE(logins.path().stat().st_mode) == 0o600
    kept = json.loads(logins.path().read_text())["logins"]
    assert [row["role"] for row in kept] == list(ROLES)
    for row in kept:
        assert row["password"] in text
        assert Client().login(email=row["email"], password=row["password"])

    # A second start adds nothing and prints the same.
    before = (rows.count(), InboundEvent.objects.count(), Merchant.objects.count())
    again = run()
    after = (rows.count(), InboundEvent.objects.count(), Merchant.objects.count())
    assert after == before
    assert kept[0]["password"] in again


def test_a_database_with_a_merchant_is_left_alone(place: Path) -> None:
    make_connection()
    text = run()
    assert Merchant.objects.count() == Project.objects.count() == 1
    assert "logins" not in text
    assert not logins.path().exists()


def test_the_demo_follows_the_sandbox_to_another_port(place: Path) -> None:
    row = make_connection(
        demo=True, livemode=False, base_url="http://127.0.0.1:1/stripe"
    )
    other = make_connection(base_url="http://127.0.0.1:1/stripe")
    run()
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.base_url == f"{settings.SANDBOX_URL}/stripe"
    assert other.base_url == "http://127.0.0.1:1/stripe"


def test_the_demos_endpoints_follow_it_as_well(place: Path) -> None:
    demo = make_connection(demo=True, livemode=False)
    shop = outbound.endpoint(
        demo.project, url="http://127.0.0.1:1/receiver/shop", demo=True
    )
    own = outbound.endpoint(demo.project, url="http://127.0.0.1:1/receiver/shop")
    run()
    shop.refresh_from_db()
    own.refresh_from_db()
    assert shop.url == f"{settings.SANDBOX_URL}/receiver/shop"
    assert own.url == "http://127.0.0.1:1/receiver/shop"


def test_without_an_address_for_the_sandbox_it_says_so(settings) -> None:
    settings.SANDBOX_URL = ""
    with pytest.raises(Exception, match="SANDBOX_URL is not set"):
        run()


def test_only_test_connections_that_point_here_are_sold_for(place: Path) -> None:
    here = make_connection(livemode=False, base_url="http://127.0.0.1:8090/stripe")
    make_connection(livemode=True, base_url="http://127.0.0.1:8090/stripe")
    make_connection(livemode=False, base_url="http://127.0.0.1:8091/stripe")
    make_connection(livemode=False, base_url="http://127.0.0.1:8090/paynow")
    make_connection(livemode=False, base_url="https://pay.example.com:8090/stripe")
    assert stalls.at_port(8090) == [here]


def test_a_foreign_key_pair_is_not_sold_for(place: Path) -> None:
    row = make_connection("paysecure", livemode=False)
    row.secrets.filter(kind="private").delete()
    made, unsigned = stalls.stalls([row])
    assert (made, unsigned) == ([], [row])
    assert "--public-key" in stalls.why_unsigned(row)
