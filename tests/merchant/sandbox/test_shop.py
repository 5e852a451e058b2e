"""The invented shop: the same plan every time, every ending, nothing impossible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from merchant.providers import PROVIDERS
from merchant.sandbox import catalogue, shop
from merchant.sandbox.endings import ENDINGS
from merchant.sandbox.story import STEP_KINDS, Purchase
from merchant.sandbox.tellers import TELLERS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MANY = 400

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def plans(provider: str, **over: object) -> list[Purchase]:
    return [
        shop.plan(7, number, NOW, provider, **over)  # type: ignore[arg-type]
        for number in range(MANY)
    ]


@each_provider
def test_the_same_seed_plans_the_same_purchases(provider: str) -> None:
    assert plans(provider) == plans(provider)


def test_another_seed_plans_others() -> None:
    assert shop.plan(1, 1, NOW, "stripe") != shop.plan(2, 1, NOW, "stripe")


@each_provider
def test_chance_reaches_every_ending_that_the_provider_has_words_for(
    provider: str,
) -> None:
    reached = {shop.ending_of(3, number, provider) for number in range(4_000)}
    assert reached == set(shop.endings_at(provider)[0])


def test_every_ending_is_known_to_some_provider() -> None:
    known = {name for provider in PROVIDERS for name in shop.endings_at(provider)[0]}
    assert known == set(ENDINGS)


@each_provider
def test_only_steps_that_the_provider_can_tell_are_planned(provider: str) -> None:
    kinds = {step.kind for plan in plans(provider) for step in plan.steps}
    assert kinds <= set(TELLERS[provider].STEPS)
    assert set(TELLERS[provider].STEPS) <= set(STEP_KINDS)


@each_provider
def test_steps_follow_one_another(provider: str) -> None:
    for plan in plans(provider):
        times = [step.at for step in plan.steps]
        assert times and times == sorted(times)


@each_provider
def test_nobody_gets_back_more_than_they_paid(provider: str) -> None:
    for plan in plans(provider):
        parts = [step.amount for step in plan.steps if step.kind == "refund"]
        assert all(part > 0 for part in parts)
        assert sum(parts) <= plan.total


def test_two_refunds_give_back_everything() -> None:
    plan = shop.plan(1, 1, NOW, "stripe", ending="refunded_in_two")
    assert sum(s.amount for s in plan.steps if s.kind == "refund") == plan.total


def test_parts_of_dinars_end_in_nought() -> None:
    amounts = [
        step.amount
        for plan in plans("stripe", ending="partly_refunded")
        if plan.currency == "kwd"
        for step in plan.steps
    ]
    assert amounts and all(amount % 10 == 0 for amount in amounts)


@each_provider
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_began_in_the_past_has_come_to_its_end(provider: str, ending: str) -> None:
    if ending not in shop.endings_at(provider)[0] or ENDINGS[ending].age[1] > 31:
        return
    for number in range(30):
        at = shop.begin(5, number, provider, ending, NOW)
        assert at > NOW - timedelta(days=31)
        plan = shop.plan(5, number, at, provider, ending=ending)
        waits = {"trial_completed"}  # a trial may still be running
        assert all(step.at <= NOW or step.kind in waits for step in plan.steps)


def test_a_shop_in_a_hurry_refunds_within_minutes() -> None:
    plan = shop.plan(1, 1, NOW, "stripe", ending="refunded", pace=1 / 300)
    assert plan.steps[-1].at - NOW < timedelta(hours=1)


def test_nobody_real_is_written_to() -> None:
    hosts = {plan.buyer.email.rpartition("@")[2] for plan in plans("stripe")}
    assert hosts == {"example.com", "example.net", "example.org"}
    assert all(plan.buyer.email.isascii() for plan in plans("stripe"))


def test_names_come_in_several_scripts_and_places() -> None:
    buyers = [plan.buyer for plan in plans("stripe")]
    text = "".join(buyer.name for buyer in buyers)
    assert any("а" <= letter <= "я" for letter in text)
    assert any("α" <= letter <= "ω" for letter in text)
    assert any("一" <= letter <= "鿿" for letter in text)
    assert len({buyer.country for buyer in buyers}) >= 10


def test_money_of_all_exponents_is_taken() -> None:
    assert {plan.currency for plan in plans("stripe")} == {"eur", "usd", "jpy", "kwd"}


def test_only_euros_are_debited_by_sepa() -> None:
    debits = [p for p in plans("stripe", ending="pending") if p.method == "sepa_debit"]
    assert len(debits) == MANY
    assert {plan.currency for plan in debits} == {"eur"}


def test_a_free_order_costs_nothing() -> None:
    plan = shop.plan(1, 1, NOW, "paynow", ending="free")
    assert plan.total == 0
    assert [line.article for line in plan.lines] == [catalogue.FREE]
