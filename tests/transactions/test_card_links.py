"""Links from the card: only to pages that are known, only where they are right."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant.models import Project
from tests.factories import (
    make_connection,
    make_dispute,
    make_inbound_event,
    make_refund,
    make_transaction,
)
from transactions import provider_pages
from transactions.models import (
    ProviderReference,
    TimelineEntry,
    Transaction,
)

pytestmark = pytest.mark.django_db


def page_of(client: Client, transaction: Transaction) -> str:
    response = client.get(f"/transactions/{transaction.pk}/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("url", "offered"),
    [
        ("https://pay.stripe.com/r/1", True),
        ("http://pay.stripe.com/r/1", False),
        ("javascript:alert(1)", False),
        ("//evil.example", False),
        ("https://good.example@evil.example/", False),
    ],
)
def test_only_a_plain_https_receipt_is_a_link(
    project: Project, owner_client: Client, url: str, offered: bool
) -> None:
    sale = make_transaction(project=project, details={"receipt_url": url})
    assert (f'href="{url}"' in page_of(owner_client, sale)) is offered


def test_a_link_leads_to_the_payment_at_stripe(
    owner_client: Client, project: Project
) -> None:
    live = make_transaction(project=project, provider_id="pi_1")
    test = make_transaction(project=project, provider_id="pi_2", livemode=False)
    assert "https://dashboard.stripe.com/payments/pi_1" in page_of(owner_client, live)
    assert "https://dashboard.stripe.com/test/payments/pi_2" in page_of(
        owner_client, test
    )


def test_no_link_leads_from_an_imitated_provider_to_the_real_one(
    owner_client: Client, project: Project
) -> None:
    imitated = make_connection(project=project, base_url="http://127.0.0.1:9/stripe")
    sale = make_transaction(connection=imitated, provider_id="pi_1")
    assert "dashboard.stripe.com" not in page_of(owner_client, sale)


@pytest.mark.parametrize(
    ("id", "there"),
    [
        ("pi_1", "payments/pi_1"),
        ("ch_1", "payments/ch_1"),
        ("py_1", "payments/py_1"),
        ("cus_1", "customers/cus_1"),
        ("sub_1", "subscriptions/sub_1"),
        ("in_1", "invoices/in_1"),
        ("re_1", "refunds/re_1"),
        ("dp_1", "disputes/dp_1"),
        ("du_1", "disputes/du_1"),
        ("evt_1", "events/evt_1"),
        ("pi_1/../x", "payments/pi_1%2F..%2Fx"),
    ],
)
def test_stripes_objects_have_pages(project: Project, id: str, there: str) -> None:
    sale = make_transaction(project=project)
    assert provider_pages.page(sale, id) == f"https://dashboard.stripe.com/{there}"


@pytest.mark.parametrize("id", ["cs_1", "unknown_1", "", "12345"])
def test_what_has_no_known_page_is_no_link(project: Project, id: str) -> None:
    assert provider_pages.page(make_transaction(project=project), id) == ""


def test_what_belongs_to_a_connected_account_is_no_link(project: Project) -> None:
    sale = make_transaction(project=project, details={"account": "acct_1"})
    assert provider_pages.page(sale, "pi_1") == ""


@pytest.mark.parametrize("provider", ["paysuper", "paysecure", "paynow"])
def test_the_others_name_no_page_of_a_payment(project: Project, provider: str) -> None:
    sale = make_transaction(connection=make_connection(provider, project=project))
    assert provider_pages.page(sale, "pi_1") == ""


def test_paynow_shows_its_customers(project: Project, owner_client: Client) -> None:
    sale = make_transaction(
        connection=make_connection("paynow", project=project),
        customer_details={"provider_id": "532160951877636097"},
    )
    page = page_of(owner_client, sale)
    assert "https://dashboard.paynow.gg/customers/532160951877636097" in page


def test_stripe_shows_its_customers_and_nobody_elses(project: Project) -> None:
    theirs = make_transaction(
        project=project, customer_details={"provider_id": "cus_1"}
    )
    strange = make_transaction(project=project, customer_details={"provider_id": "7"})
    assert provider_pages.customer_page(theirs).endswith("/customers/cus_1")
    assert provider_pages.customer_page(strange) == ""


def test_the_parts_of_a_payment_lead_to_their_pages(
    project: Project, owner_client: Client
) -> None:
    sale = make_transaction(project=project, livemode=False)
    when = sale.created
    about = {"transaction": sale, "amount": 1, "currency": "eur", "created": when}
    make_refund(sale, provider_id="re_1", status="pending")
    make_dispute(provider_id="dp_1", status="open", **about)
    ProviderReference.objects.create(
        project=project, kind="stripe.charge", reference="ch_1", transaction=sale
    )
    event = make_inbound_event(connection=sale.connection, event_key="evt_9")
    TimelineEntry.objects.create(
        connection=sale.connection, identity="1", transaction=sale, inbound=event,
        source="webhook", topic="payment", object_kind="charge", object_id="ch_1",
        status="paid", at=when,
    )  # fmt: skip
    page = page_of(owner_client, sale)
    start = 'href="https://dashboard.stripe.com/test/'
    for there in ("refunds/re_1", "disputes/dp_1", "payments/ch_1", "events/evt_9"):
        assert f'{start}{there}"' in page
