"""The card: who may see it, what it says, and what hostile text does not do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_dispute,
    make_inbound_event,
    make_member,
    make_project,
    make_refund,
    make_transaction,
)
from transactions.models import (
    LookUp,
    ProviderReference,
    TimelineEntry,
    Transaction,
    TransactionAlias,
)

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_transaction(project=project, order_reference="DS-1")


def path(transaction: Transaction) -> str:
    return f"/transactions/{transaction.pk}/"


def page_of(client: Client, transaction: Transaction) -> str:
    response = client.get(path(transaction))
    assert response.status_code == 200
    return response.content.decode()


def enter(transaction: Transaction, **over: object) -> TimelineEntry:
    given = {
        "connection": transaction.connection,
        "identity": uuid4().hex,
        "transaction": transaction,
        "source": "webhook",
        "topic": "payment",
        "object_kind": "charge",
        "object_id": "ch_1",
        "status": "paid",
        "at": WHEN,
        "summary": "Charge paid",
    }
    return TimelineEntry.objects.create(**given | over)


# --------------------------------------------------------------------------- who may
@pytest.mark.parametrize(
    "role", ["owner", "admin", "finance", "support", "developer", "viewer"]
)
def test_every_role_may_look(sale: Transaction, role: str) -> None:
    member = make_member(role, merchant=sale.merchant)
    assert "DS-1" in page_of(client_of(member), sale)


def test_a_stranger_finds_nothing(sale: Transaction, stranger_client: Client) -> None:
    response = stranger_client.get(path(sale))
    assert response.status_code == 404
    assert b"DS-1" not in response.content


def test_a_member_of_another_project_finds_nothing(sale: Transaction) -> None:
    other = make_project(merchant=sale.merchant)
    member = make_member("support", merchant=sale.merchant, projects=[other])
    assert client_of(member).get(path(sale)).status_code == 404


def test_a_visitor_is_sent_to_the_login(sale: Transaction) -> None:
    assert Client().get(path(sale))["Location"] == f"/login/?next={path(sale)}"


def test_a_parked_row_has_no_card(project: Project, owner_client: Client) -> None:
    parked = make_transaction(project=project, parked=True)
    assert owner_client.get(path(parked)).status_code == 404


def test_an_old_id_leads_to_the_row_it_was_joined_to(
    sale: Transaction, owner_client: Client
) -> None:
    alias = TransactionAlias.objects.create(id=uuid4(), transaction=sale)
    response = owner_client.get(f"/transactions/{alias.pk}/")
    assert response["Location"] == path(sale)


# ------------------------------------------------------------------- raw inbound events
@pytest.fixture
def told(sale: Transaction) -> Transaction:
    inbound = make_inbound_event(
        connection=sale.connection,
        event_type="charge.paid",
        body=b'{"raw":"bytes here"}',
    )
    enter(sale, inbound=inbound)
    return sale


def test_a_developer_reads_the_raw_event(told: Transaction, developer: Member) -> None:
    page = page_of(client_of(developer), told)
    (address,) = re.findall(r'hx-get="(/inbound/[^"]*/body/)"', page)
    assert b"bytes here" in client_of(developer).get(address).content


def test_a_body_is_not_sent_before_somebody_opens_it(
    told: Transaction, developer: Member
) -> None:
    assert "bytes here" not in page_of(client_of(developer), told)


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_others_read_the_timeline_only(told: Transaction, role: str) -> None:
    page = page_of(client_of(make_member(role, merchant=told.merchant)), told)
    assert "Charge paid" in page
    assert "bytes here" not in page
    assert "/inbound/" not in page


# ------------------------------------------------------------------------ what it says
def test_the_timeline_has_the_latest_first(
    sale: Transaction, owner_client: Client
) -> None:
    enter(sale, summary="It began", at=WHEN)
    enter(sale, summary="It ended", at=WHEN.replace(hour=13))
    page = page_of(owner_client, sale)
    assert page.index("It ended") < page.index("It began")


def test_a_timeline_entry_says_how_we_know(
    sale: Transaction, owner_client: Client
) -> None:
    enter(sale, source="look_up")
    assert "Stripe when asked" in page_of(owner_client, sale)


def test_lines_that_look_alike_say_what_each_added(
    sale: Transaction, owner_client: Client
) -> None:
    money = {"money": [0, [1999, "eur"]], "customer_name": [0, "Ada"]}
    items = {"items": [0, [{"key": "0", "name": "Sword"}]]}
    for minute, source, says in (
        (0, "webhook", money), (1, "look_up", money | items), (2, "poll", money),
    ):  # fmt: skip
        enter(sale, source=source, says=says, at=WHEN.replace(minute=minute))
    page = page_of(owner_client, sale)
    page = page.replace("<bdi>", "").replace("</bdi>", "")
    assert "Stripe by webhook · adds amount and customer" in page
    assert "Stripe when asked · adds items" in page
    assert "Stripe by a poll · says nothing new" in page


def test_every_provider_id_can_be_copied(
    sale: Transaction, owner_client: Client
) -> None:
    ProviderReference.objects.create(
        project=sale.project, kind="stripe.charge", reference="ch_77", transaction=sale
    )
    page = page_of(owner_client, sale)
    assert 'data-copy="ch_77"' in page
    assert f'data-copy="{sale.pk}"' in page


def test_unknown_fee_and_net_are_dashes(
    sale: Transaction, owner_client: Client
) -> None:
    page = page_of(owner_client, sale)
    fee = page[page.index("<dt>Fee</dt>") : page.index("<dt>Created</dt>")]
    assert fee.count("not known") == 2


def test_a_settlement_in_another_currency_is_shown(
    project: Project, owner_client: Client
) -> None:
    settled = {
        "currency": "usd",
        "amount": 2160,
        "fee": 90,
        "net": 2070,
        "exchange_rate": "1.08",
    }
    page = page_of(owner_client, make_transaction(project=project, settlement=settled))
    assert "21.60" in page
    assert "20.70" in page
    assert "1.08" in page


def test_refunds_and_disputes_are_shown(
    sale: Transaction, owner_client: Client
) -> None:
    make_refund(sale, status="failed", failure_reason="card closed")
    make_dispute(
        transaction=sale, provider_id="dp_1", status="open", amount=1999,
        currency="eur", reason="fraudulent", due_by=WHEN, created=WHEN,
    )  # fmt: skip
    page = page_of(owner_client, sale)
    assert "card closed" in page
    assert "Fraudulent" in page
    assert "Could be answered until" in page


def test_an_unconfirmed_amount_says_what_to_do(
    project: Project, owner_client: Client
) -> None:
    sale = make_transaction(project=project, verified=False)
    assert "The amount is not confirmed" in page_of(owner_client, sale)


def test_a_test_payment_is_called_test(project: Project, owner_client: Client) -> None:
    sale = make_transaction(project=project, livemode=False)
    assert "Test mode" in page_of(owner_client, sale)


def test_a_stub_without_amount_is_shown(project: Project, owner_client: Client) -> None:
    stub = make_transaction(
        project=project, amount=None, currency="", customer_name="", customer_email="",
        method="", method_brand="", method_last4="", status="refunded", paid=None,
    )  # fmt: skip
    assert stub.provider_id in page_of(owner_client, stub)


# ------------------------------------------------------------------- what is missing
@pytest.fixture
def unasked(sale: Transaction) -> Transaction:
    LookUp.objects.create(
        connection=sale.connection, kind="line_items", want="cs_1",
        transaction=sale, state="needs_key",
    )  # fmt: skip
    return sale


def test_a_missing_key_is_named_with_the_place_to_enter_it(
    unasked: Transaction, developer: Member
) -> None:
    page = page_of(client_of(developer), unasked)
    assert "the items that were bought" in page
    assert f"/connections/{unasked.connection_id}/key/" in page


def test_who_may_not_enter_it_reads_who_may(
    unasked: Transaction, viewer: Member
) -> None:
    page = page_of(client_of(viewer), unasked)
    assert "An owner, admin or developer" in page
    assert "/connections/" not in page


# ------------------------------------------------------------------------ hostile text
EVIL = '"><img src=x onerror=alert(1)>\u202e'


def test_hostile_text_is_shown_as_text(project: Project, owner_client: Client) -> None:
    sale = make_transaction(
        project=project,
        customer_name=EVIL,
        customer_email=EVIL,
        customer_phone=EVIL,
        status_reason=EVIL,
        description=EVIL,
        order_reference=EVIL,
        method=EVIL,
        warning=EVIL,
        metadata={EVIL: EVIL},
        customer_details={
            "address": {"line1": EVIL, "city": EVIL},
            "shipping": EVIL,
            "identities": {EVIL: {"id": EVIL, "name": EVIL}},
            "ip": EVIL,
        },
        method_details={EVIL: {EVIL: [EVIL]}, "wallet": EVIL},
        details={"receipt_url": "javascript:alert(1)", "callbacks": {"success": EVIL}},
    )
    enter(sale, summary=EVIL, object_kind=EVIL[:40])
    page = page_of(owner_client, sale)
    assert "<img src=x" not in page
    assert "javascript:" not in page


def test_nothing_is_kept_in_a_cache(sale: Transaction, owner_client: Client) -> None:
    assert owner_client.get(path(sale))["Cache-Control"] == "no-store"
