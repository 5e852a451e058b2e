"""A refund is sent once, and its provider's word is what the books say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from merchant.models import Member
from merchant.sandbox.server import Fault
from tests import factories
from tests.transactions.refunding import Shop, now_due, open_shop
from transactions import refunds
from transactions.models import Refund, Transaction

pytestmark = pytest.mark.django_db

SOON = timedelta(seconds=20)
PROVIDERS = ("stripe", "paynow", "paysecure", "paysuper")


@pytest.fixture
def open_at(db: None, settings, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    with ExitStack() as stack:
        project = factories.make_project()

        def open_at(provider: str, **over: object) -> Shop:
            if provider == "paysuper":
                over = {"user_token": "token-of-a-person"} | over
            return stack.enter_context(open_shop(provider, tmp_path, project, **over))

        yield open_at


@pytest.fixture
def shop(open_at: Callable[..., Shop]) -> Shop:
    return open_at("stripe")


@pytest.fixture(params=PROVIDERS)
def any_shop(request: pytest.FixtureRequest, open_at: Callable[..., Shop]) -> Shop:
    return open_at(request.param)


def finance(shop: Shop) -> Member:
    return factories.make_member("finance", merchant=shop.project.merchant)


def again(*rows: Refund | Transaction) -> None:
    for row in rows:
        row.refresh_from_db()


def look(refund: Refund) -> None:
    now_due(refund)
    refunds.submit_due()
    refund.refresh_from_db()


# ------------------------------------------------------------- the way it should go
def test_stripe_books_a_refund_at_once(shop: Shop) -> None:
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale, amount=500)
    again(sale)
    assert (refund.status, sale.refund_pending) == ("requested", True)
    assert sale.amount_refunded == 0
    assert refunds.submit_due() == 1
    again(refund, sale)
    assert (refund.status, refund.provider_id[:3]) == ("succeeded", "re_")
    assert (sale.amount_refunded, sale.refund_pending) == (500, False)
    assert sale.status == "partially_refunded"
    assert len(shop.effects()) == 1


def test_a_full_refund_ends_in_the_books_of_every_provider(any_shop: Shop) -> None:
    sale = any_shop.sell()
    refund = refunds.request(finance(any_shop), sale)
    refunds.submit_due()
    any_shop.tell(within=SOON)
    again(refund, sale)
    assert (refund.status, refund.amount) == ("succeeded", sale.amount)
    assert (sale.amount_refunded, sale.status) == (sale.amount, "refunded")
    assert not sale.refund_pending
    assert Refund.objects.get().pk == refund.pk
    assert len(any_shop.effects()) == 1


def test_a_look_up_tells_where_no_webhook_does(any_shop: Shop, monkeypatch) -> None:
    monkeypatch.setattr("merchant.sandbox.paysecure.bodies.REFUND_TAKES", timedelta(0))
    monkeypatch.setattr("merchant.sandbox.tricks.LATER", timedelta(0))
    sale = any_shop.sell()
    refund = refunds.request(finance(any_shop), sale)
    refunds.submit_due()
    again(refund)
    if refund.status != "succeeded":
        look(refund)
    again(sale)
    assert refund.status == "succeeded"
    assert sale.amount_refunded == sale.amount
    assert refund.due is None


def test_webhooks_and_look_ups_together_are_one_refund(any_shop: Shop) -> None:
    sale = any_shop.sell()
    refund = refunds.request(finance(any_shop), sale)
    refunds.submit_due()
    look(refund)
    any_shop.tell(within=SOON)
    look(refund)
    any_shop.tell(within=SOON)
    again(sale)
    assert sale.amount_refunded == sale.amount
    assert Refund.objects.get().status == "succeeded"


@pytest.mark.parametrize("provider", ["stripe", "paysecure"])
def test_several_parts_add_up(
    open_at: Callable[..., Shop], provider: str, monkeypatch
) -> None:
    monkeypatch.setattr("merchant.sandbox.paysecure.bodies.REFUND_TAKES", timedelta(0))
    shop = open_at(provider)
    sale = shop.sell()
    by = finance(shop)
    for amount in (300, 200, None):
        refund = refunds.request(by, sale, amount=amount)
        refunds.submit_due()
        shop.tell(within=SOON)
        again(refund)
        if refund.due:  # two of Paysecure's letters of one second look the same
            look(refund)
        assert refund.status == "succeeded"
    again(sale)
    assert (sale.amount_refunded, sale.status) == (sale.amount, "refunded")
    assert len(shop.effects()) == 3


def test_paynow_gives_one_line_back(open_at: Callable[..., Shop]) -> None:
    shop = open_at("paynow")
    sale = next(
        sale for seed in range(40) if (sale := shop.sell(seed=seed)).items.count() > 1
    )
    line = sale.items.first()
    refund = refunds.request(finance(shop), sale, line=line.key)
    refunds.submit_due()
    shop.tell()
    again(refund, sale)
    assert (refund.status, refund.amount) == ("succeeded", line.amount)
    assert sale.amount_refunded == line.amount


def test_paysuper_without_a_token_is_done_by_hand(
    open_at: Callable[..., Shop],
) -> None:
    shop = open_at("paysuper", user_token="")
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale)
    refunds.submit_due()
    again(refund, sale)
    assert (refund.status, refund.by_hand) == ("submitted", True)
    assert sale.refund_pending
    assert sale.provider_id in refunds.where(sale)
    assert not shop.effects()
    shop.make_refund(sale)  # a member does it in PaySuper
    shop.tell()
    again(refund, sale)
    assert (refund.status, sale.status) == ("succeeded", "refunded")
    assert Refund.objects.count() == 1


def test_a_refund_made_elsewhere_is_its_own(shop: Shop) -> None:
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale, amount=300)
    shop.make_refund(sale, 300)
    shop.tell()
    refunds.submit_due()
    shop.tell()
    again(sale, refund)
    assert sale.amount_refunded == 600
    assert refund.status == "succeeded"
    assert Refund.objects.filter(asked=None).count() == 1


# ------------------------------------------------------------ answers of every kind
def test_a_refusal_is_final_and_says_what_to_do(shop: Shop) -> None:
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale, amount=165)  # a trick: refuse
    refunds.submit_due()
    again(refund, sale)
    assert refund.status == "failed"
    assert "Top up the balance" in refund.failure_reason
    assert (sale.amount_refunded, sale.refund_pending) == (0, False)
    assert refund.due is None
    assert refunds.left_of(sale, sale.refunds.all()) == sale.amount


@pytest.mark.parametrize("kind", ["drop", "error", "late"])
def test_a_lost_answer_is_unknown_and_then_found(
    any_shop: Shop, kind: str, monkeypatch
) -> None:
    monkeypatch.setattr("transactions.refunds.sending.TIMEOUT", 1.0)
    sale = any_shop.sell()
    path = f"/{any_shop.stall.provider}"
    any_shop.server.faults.append(Fault(path, kind, seconds=3, times=1))
    refund = refunds.request(finance(any_shop), sale)
    refunds.submit_due()
    again(refund, sale)
    assert refund.status == "unknown"
    assert sale.refund_pending
    assert refunds.why_not(sale)  # the amount stays spoken for
    for _ in range(3):
        look(refund)
        any_shop.tell(within=SOON)
    again(refund, sale)
    if kind == "error" and any_shop.stall.provider != "stripe":
        # Nothing happened, nobody can tell, and it is never sent again.
        assert refund.status == "unknown"
        assert not any_shop.effects()
    else:
        assert refund.status == "succeeded"
        assert sale.amount_refunded == sale.amount
        assert len(any_shop.effects()) == 1


def test_a_busy_provider_is_asked_again_with_the_same_key(shop: Shop) -> None:
    sale = shop.sell()
    shop.server.faults.append(Fault("/stripe", "busy", seconds=700, times=1))
    refund = refunds.request(finance(shop), sale)
    refunds.submit_due()
    again(refund)
    assert (refund.status, refund.unsent) == ("submitted", True)
    assert (refund.due - refund.sent).total_seconds() > 690  # as it asked for
    look(refund)
    assert refund.status == "succeeded"
    assert len(shop.effects()) == 1


def test_nobody_there_surely_had_no_effect(shop: Shop) -> None:
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale)
    shop.server.stop()
    refunds.submit_due()
    again(refund)
    assert (refund.status, refund.unsent) == ("submitted", True)
    assert "refuses connections" in refund.error
    assert refunds.is_unsent(refund)


def test_a_refund_that_fails_later_leaves_the_books(shop: Shop, monkeypatch) -> None:
    sale = shop.sell()
    refund = refunds.request(finance(shop), sale, amount=166)  # a trick: fail
    refunds.submit_due()
    shop.tell()
    again(refund, sale)
    assert (refund.status, sale.amount_refunded) == ("succeeded", 166)
    shop.tell(within=SOON)
    again(refund, sale)
    assert (refund.status, sale.amount_refunded) == ("failed", 0)
    assert refund.failure_reason == "declined"


def test_what_waits_for_the_customer_can_be_canceled(shop: Shop) -> None:
    sale = shop.sell()
    by = finance(shop)
    refund = refunds.request(by, sale, amount=168)  # a trick: ask the customer
    refunds.submit_due()
    again(refund)
    assert refund.status == "requires_action"
    refunds.cancel(by, refund.pk)
    refunds.submit_due()
    again(refund, sale)
    assert (refund.status, sale.refund_pending) == ("canceled", False)
    shop.tell()
    again(refund)
    assert refund.status == "canceled"
