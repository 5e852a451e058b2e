"""The card stays quick: queries do not grow with what is on it, bodies stay away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from merchant.models import Connection, Project
from tests.factories import (
    make_connection,
    make_dispute,
    make_inbound_event,
    make_item,
    make_refund,
    make_transaction,
)
from tests.webhooks import outbound
from transactions import notes
from transactions.models import (
    Customer,
    DeliveryItem,
    LookUp,
    ProviderReference,
    TimelineEntry,
    Transaction,
)

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)

#: Session, person, member, and what the frame around the page shows.
OF_THE_FRAME = 5
#: The row with its relatives, its five kinds of children, timeline and letters, notes,
#: questions, the customer's purchases, names, namesakes and twins, the flag's reasons,
#: what staff did about handing over, and what was announced and to whom.
OF_THE_CARD = 18


def full_card(project: Project, member: Any, size: int) -> Transaction:
    """A flagged customer's purchase with `size` of everything that can be several."""
    customer = Customer.objects.create(
        project=project, key="ada@example.com", email="ada@example.com", flagged=True
    )
    connection = make_connection(project=project)
    given = {"connection": connection, "customer": customer, "created": WHEN}
    sale = make_transaction(**given, customer_email=customer.email)
    about = {"transaction": sale, "currency": "eur", "created": WHEN}
    for number in range(size):
        make_item(make_transaction(**given), "Iron Sword")
        make_item(sale, f"Sword {number}")
        id = {"provider_id": f"x_{number}"}
        make_refund(sale, amount=1, created=WHEN, **id)
        make_dispute(status="lost", amount=1, **about, **id)
        DeliveryItem.objects.create(
            status="added", transaction=sale, created=WHEN, **id
        )
        ProviderReference.objects.create(
            project=project, kind="stripe.charge", reference=f"ch_{number}",
            transaction=sale,
        )  # fmt: skip
        LookUp.objects.create(
            connection=connection, kind="order", want=str(number), transaction=sale
        )
        notes.add(member, sale.pk, f"Note {number}")
        told = outbound.event(project, subject=sale.pk)
        outbound.delivered(told, outbound.endpoint(project))
        outbound.exhausted(told, outbound.endpoint(project))
    tell(sale, connection, size)
    return sale


def tell(
    sale: Transaction, connection: Connection, size: int, letters: int = 0
) -> None:
    """`size` lines in the timeline, each with a letter, or only the first `letters`."""
    for number in range(size):
        heard = number < (letters or size)
        body = b'{"marker":"bytes here","filling":"' + b"v" * 2000 + b'"}'
        TimelineEntry.objects.create(
            connection=connection, identity=f"e{number}", transaction=sale,
            inbound=make_inbound_event(connection=connection, body=body)
            if heard
            else None,
            source="webhook", topic="payment", object_kind="charge",
            object_id=f"ch_{number}", status="paid",
            at=WHEN + timedelta(seconds=number), summary=f"Line {number:03}.",
        )  # fmt: skip


@pytest.mark.parametrize("size", [1, 4])
def test_the_number_of_queries_does_not_depend_on_the_rows(
    project: Project, owner, owner_client: Client, size: int,
    django_assert_num_queries,
) -> None:  # fmt: skip
    sale = full_card(project, owner, size)
    owner_client.get("/inbound/")  # what is kept between pages is there
    with django_assert_num_queries(OF_THE_FRAME + OF_THE_CARD):
        owner_client.get(f"/transactions/{sale.pk}/")


@pytest.fixture
def long(project: Project) -> Transaction:
    """Three hundred lines, two hundred of them by letters."""
    sale = make_transaction(project=project)
    tell(sale, sale.connection, 300, 200)
    return sale


def page_of(client: Client, sale: Transaction, query: str = "") -> str:
    return client.get(f"/transactions/{sale.pk}/{query}").content.decode()


def test_a_long_story_begins_with_its_latest_lines(
    long: Transaction, owner_client: Client
) -> None:
    page = page_of(owner_client, long)
    assert page.count("Line ") == 60
    assert "Line 299." in page
    assert "Show all 300 lines" in page


def test_a_long_story_is_whole_when_asked_for(
    long: Transaction, owner_client: Client
) -> None:
    page = page_of(owner_client, long, "?show=all")
    assert page.count("Line ") == 300
    assert page.count("/body/") == 200


def test_no_body_comes_along(long: Transaction, owner_client: Client) -> None:
    for query in ("", "?show=all"):
        assert "bytes here" not in page_of(owner_client, long, query)


def test_a_long_card_stays_light(long: Transaction, owner_client: Client) -> None:
    assert len(page_of(owner_client, long)) < 250_000
