"""A refund is sent once, and its provider's word is what the books say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant.models import Member
from tests import factories
from tests.transactions.refunding import Shop, now_due, open_shop
from transactions import refunds
from transactions.models import Refund

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None, settings, tmp_path: Path) -> Iterator[Shop]:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    with open_shop("stripe", tmp_path) as shop:
        yield shop


@pytest.fixture
def finance(shop: Shop) -> Member:
    return factories.make_member("finance", merchant=shop.project.merchant)


def test_stripe_books_a_refund_at_once(shop: Shop, finance: Member) -> None:
    sale = shop.sell()
    refund = refunds.request(finance, sale, amount=500)
    sale.refresh_from_db()
    assert (refund.status, sale.refund_pending) == ("requested", True)
    assert sale.amount_refunded == 0
    assert refunds.submit_due() == 1
    refund.refresh_from_db()
    sale.refresh_from_db()
    assert (refund.status, refund.provider_id[:3]) == ("succeeded", "re_")
    assert (sale.amount_refunded, sale.refund_pending) == (500, False)
    assert sale.status == "partially_refunded"
    assert len(shop.effects()) == 1


def test_the_webhook_that_follows_adds_nothing(shop: Shop, finance: Member) -> None:
    sale = shop.sell()
    refund = refunds.request(finance, sale)
    refunds.submit_due()
    assert shop.tell() >= 3
    sale.refresh_from_db()
    assert sale.amount_refunded == sale.amount
    assert sale.status == "refunded"
    assert Refund.objects.get().pk == refund.pk
