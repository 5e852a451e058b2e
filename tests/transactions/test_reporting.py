"""Where purchases report to: noted when it is not here, and forgotten when it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from merchant.models import Connection, Project
from merchant.providers.base import Fact, Said
from tests.factories import make_connection
from tests.transactions.home_page import text_of
from tests.transactions.staff import payment
from tests.webhooks import deliveries
from transactions import jobs, ledger, reporting

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com/payments/done"


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("paysecure", project=project, heard=timezone.now())


def sale(number: int, at: datetime | None = None, **callbacks: str) -> Fact:
    told = {"callbacks": callbacks} if callbacks else {}
    return payment(number, at=at or timezone.now(), **told)


def reports_to(connection: Connection) -> str:
    return Connection.objects.values_list("reports_to", flat=True).get(pk=connection.pk)


def enter(connection: Connection, *facts: Fact) -> str:
    ledger.record(connection, facts, source="webhook")
    return reports_to(connection)


def here(connection: Connection) -> str:
    return f"{settings.PUBLIC_URL}{connection.intake_path}"


def test_a_purchase_that_reports_elsewhere_is_noted(connection: Connection) -> None:
    assert enter(connection, sale(1, success=SHOP)) == SHOP


def test_one_that_reports_here_is_not(connection: Connection) -> None:
    url = here(connection)
    assert enter(connection, sale(1, success=url, failure=f"{url}/?x=1")) == ""


def test_one_of_two_is_enough(connection: Connection) -> None:
    told = {"success": here(connection), "failure": SHOP}
    assert enter(connection, sale(1, **told)) == SHOP


def test_another_connections_intake_is_elsewhere(
    connection: Connection, project: Project
) -> None:
    other = here(make_connection("paysecure", project=project))
    assert enter(connection, sale(1, success=other)) == other


@pytest.mark.parametrize("callbacks", [{}, {"success": "here"}])
def test_a_newer_purchase_clears_it(
    connection: Connection, callbacks: dict[str, str]
) -> None:
    enter(connection, sale(1, success=SHOP))
    told = {name: here(connection) for name in callbacks}
    assert enter(connection, sale(2, **told)) == ""


def test_of_a_batch_the_newest_purchase_speaks(connection: Connection) -> None:
    now = timezone.now()
    old, new = sale(1, now - timedelta(hours=2), success=SHOP), sale(2, now)
    assert enter(connection, new, old) == ""
    newest = sale(3, now, success=SHOP)
    assert enter(connection, newest, sale(4, now - timedelta(hours=1))) == SHOP


def test_news_of_an_old_purchase_says_nothing_of_today(
    connection: Connection,
) -> None:
    past = timezone.now() - timedelta(days=2)
    assert enter(connection, sale(1, past, success=SHOP)) == ""
    enter(connection, sale(2, success=SHOP))
    assert enter(connection, sale(3, past)) == SHOP


def test_a_long_or_strange_address_breaks_nothing(connection: Connection) -> None:
    assert len(enter(connection, sale(1, success=SHOP + "x" * 900))) == 500
    assert enter(connection, sale(2, success="https://[::1")) == "https://[::1"


def test_what_stays_as_it_is_writes_nothing(
    connection: Connection, project: Project
) -> None:
    enter(connection, sale(1, success=SHOP))
    stripe = make_connection("stripe", project=project)
    connection.refresh_from_db()
    facts = [sale(number, success=SHOP) for number in (2, 3)]
    with CaptureQueriesContext(database) as seen:
        ledger.record_all(
            [
                ledger.Letter(connection, facts, "webhook"),
                ledger.Letter(stripe, [payment(9)], "webhook"),
            ]
        )
    assert not [q for q in seen if "reports_to" in q["sql"] and "UPDATE" in q["sql"]]


def test_a_batch_writes_once_for_a_connection(connection: Connection) -> None:
    facts = [sale(number, success=SHOP) for number in range(5)]
    with CaptureQueriesContext(database) as seen:
        ledger.record(connection, facts, source="webhook")
    writes = [q for q in seen if '"reports_to" =' in q["sql"] and "UPDATE" in q["sql"]]
    assert len(writes) == 1


def test_a_value_that_is_no_object_is_no_callback(connection: Connection) -> None:
    fact = payment(1, at=timezone.now())
    assert reporting.elsewhere(connection, fact) == ""
    fact.says["callbacks"] = Said({})
    assert reporting.elsewhere(connection, fact) == ""


def test_a_real_delivery_is_noted_and_home_tells(
    connection: Connection, owner_client: Client
) -> None:
    now = int(timezone.now().timestamp())
    letter: dict[str, Any] = deliveries.letter("paysecure", 1)
    letter["message"] |= {
        "created_on": now, "updated_on": now, "success_callback": SHOP,
    }  # fmt: skip
    deliveries.post(connection, deliveries.packed(letter))
    jobs.drain_inbox()
    assert reports_to(connection) == SHOP
    words = text_of(owner_client.get("/?livemode=true"))
    assert "connection's purchases report elsewhere" in words


def test_other_roles_do_not_hear_of_it(
    connection: Connection, viewer_client: Client
) -> None:
    enter(connection, sale(1, success=SHOP))
    words = text_of(viewer_client.get("/?livemode=true"))
    assert "report elsewhere" not in words
