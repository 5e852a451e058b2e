"""The card says who was told what and when, to everybody who sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Project
from tests.conftest import client_of
from tests.factories import make_member, make_transaction
from tests.webhooks import outbound
from transactions.models import Transaction, TransactionAlias
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_transaction(project=project)


@pytest.fixture
def shop(project: Project) -> Endpoint:
    return outbound.endpoint(project, url="https://shop.example.com/secret-path")


def told(client: Client, sale: Transaction) -> str:
    page = client.get(f"/transactions/{sale.pk}/").content.decode()
    return page.partition('id="told"')[2].partition("</section>")[0]


def test_a_card_without_news_says_nothing(owner_client: Client, sale) -> None:
    assert told(owner_client, sale) == ""


def test_it_says_what_was_announced_and_to_whom(owner_client, sale, shop) -> None:
    event = outbound.event(sale.project, subject=sale.pk)
    row = outbound.delivered(event, shop)
    row.done = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
    row.save()
    words = told(owner_client, sale)
    assert "It is paid: hand over what was bought." in words
    assert "shop.example.com" in words
    assert "Delivered" in words
    assert "12:00:05" in words
    assert f"/deliveries/{row.pk}/" in words
    assert f"/events/{event.key}/" in words


def test_it_says_what_went_wrong_and_what_comes_next(owner_client, sale, shop) -> None:
    event = outbound.event(sale.project, subject=sale.pk)
    outbound.exhausted(event, shop)
    outbound.delivery(
        event, outbound.endpoint(sale.project, description="ERP"), tries=2,
        error="no answer within 15 s", due=timezone.now() + timedelta(minutes=5),
    )  # fmt: skip
    words = told(owner_client, sale)
    assert "Given up" in words
    assert "The endpoint answered 503" in words
    assert "Trying again" in words
    assert "No answer within 15 s · next" in words
    assert '<li class="bad">' in words


def test_it_says_when_nobody_asked(owner_client: Client, sale) -> None:
    outbound.event(sale.project, subject=sale.pk, name="payment.created")
    assert "no endpoint asked for it" in told(owner_client, sale)


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_read_it_without_a_way_to_the_bodies(role, sale, shop) -> None:
    outbound.delivered(outbound.event(sale.project, subject=sale.pk), shop)
    words = told(client_of(make_member(role, merchant=sale.merchant)), sale)
    assert "shop.example.com" in words
    assert "href" not in words
    assert "secret-path" not in words
    assert "taken" not in words


def test_what_was_told_under_a_joined_id_is_there(owner_client, sale, shop) -> None:
    old = uuid4()
    TransactionAlias.objects.create(id=old, transaction=sale)
    outbound.delivered(outbound.event(sale.project, subject=old), shop)
    assert "shop.example.com" in told(owner_client, sale)


def test_news_of_others_are_not_there(owner_client: Client, sale, shop) -> None:
    outbound.delivered(outbound.event(sale.project), shop)
    # Somebody else's event that names this purchase.
    foreign = outbound.event(subject=sale.pk)
    outbound.delivered(foreign, outbound.endpoint(foreign.project))
    assert told(owner_client, sale) == ""


def test_a_hostile_endpoint_is_only_text(owner_client: Client, sale) -> None:
    shop = outbound.endpoint(sale.project, description="<script>alert(1)</script>")
    outbound.exhausted(outbound.event(sale.project, subject=sale.pk), shop)
    assert "<script>alert" not in told(owner_client, sale)
