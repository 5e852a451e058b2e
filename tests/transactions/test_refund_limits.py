"""Who may give back how much alone, and who has to say yes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from merchant.access import ROLES
from merchant.models import AuditEntry, Member
from tests import factories
from tests.transactions.refunding import make_sale, now_due
from tests.transactions.till import Till, till  # noqa: F401 - a fixture
from transactions import ledger, refunds
from transactions.models import Refund, RefundLimit, TimelineEntry, Transaction
from transactions.refunds import steps
from transactions.statuses import RefundStep

pytestmark = pytest.mark.django_db

MAY_ASK = {"owner", "admin", "finance", "support"}
MAY_APPROVE = {"owner", "admin", "finance"}


@pytest.fixture
def sale(db: None) -> Transaction:
    return make_sale(factories.make_project())


@pytest.fixture
def owner(sale: Transaction) -> Member:
    return factories.make_member("owner", merchant=sale.merchant)


@pytest.fixture
def support(sale: Transaction) -> Member:
    return factories.make_member("support", merchant=sale.merchant)


@pytest.fixture
def limited(owner: Member, sale: Transaction) -> None:
    """Support gives back 5.00 EUR at a time, and 8.00 a day."""
    refunds.set_limit(owner, sale.project, "support", "eur", each=500, daily=800)


@pytest.fixture
def waiting(limited: None, support: Member, sale: Transaction) -> Refund:
    return refunds.request(support, sale, amount=600)


# ----------------------------------------------------------------------------- asking
@pytest.mark.parametrize("role", ROLES)
def test_who_may_ask(sale: Transaction, role: str) -> None:
    person = factories.make_member(role, merchant=sale.merchant)
    if role in MAY_ASK:
        assert refunds.request(person, sale, amount=1).status == "requested"
    else:
        with pytest.raises(refunds.NotNow, match="may not"):
            refunds.request(person, sale, amount=1)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_approve(waiting: Refund, sale: Transaction, role: str) -> None:
    person = factories.make_member(role, merchant=sale.merchant)
    if role in MAY_APPROVE:
        assert refunds.approve(person, waiting.pk).status == "approved"
    else:
        with pytest.raises(refunds.NotNow, match="may not"):
            refunds.approve(person, waiting.pk)


def test_without_limits_nothing_waits(support: Member, sale: Transaction) -> None:
    assert refunds.request(support, sale).status == "requested"


def test_up_to_the_limit_nobody_is_asked(
    limited: None, support: Member, sale: Transaction
) -> None:
    assert refunds.request(support, sale, amount=500).status == "requested"


def test_above_it_a_second_member_is(waiting: Refund, sale: Transaction) -> None:
    assert waiting.status == "awaiting_approval"
    assert waiting.due is None
    wait = waiting.expires - waiting.asked
    assert abs(wait - timedelta(days=3)) < timedelta(seconds=1)
    sale.refresh_from_db()
    assert sale.refund_pending
    assert refunds.submit_due() == 0


def test_the_limit_is_the_roles_own(
    limited: None, owner: Member, sale: Transaction
) -> None:
    assert refunds.request(owner, sale).status == "requested"


def test_a_day_has_a_limit_too(
    limited: None, support: Member, sale: Transaction
) -> None:
    refunds.request(support, sale, amount=500)
    assert refunds.above(support, sale.project, 300, "eur") == ""
    assert "in one day" in refunds.above(support, sale.project, 301, "eur")
    assert refunds.request(support, sale, amount=301).status == "awaiting_approval"


def test_yesterday_and_what_came_to_nothing_do_not_count(
    limited: None, support: Member, sale: Transaction
) -> None:
    first = refunds.request(support, sale, amount=500)
    second = refunds.request(support, sale, amount=300)
    refunds.cancel(support, second.pk)
    assert refunds.today(support, sale.project, "eur") == 500
    Refund.objects.filter(pk=first.pk).update(
        created=timezone.now() - timedelta(days=1)
    )
    assert refunds.today(support, sale.project, "eur") == 0


def test_another_member_has_a_day_of_their_own(
    limited: None, support: Member, sale: Transaction
) -> None:
    refunds.request(support, sale, amount=500)
    other = factories.make_member("support", merchant=sale.merchant)
    assert refunds.above(other, sale.project, 500, "eur") == ""


def test_a_currency_without_a_limit_waits(
    limited: None, support: Member, sale: Transaction
) -> None:
    assert "no limit for refunds in USD" in refunds.above(
        support, sale.project, 1, "usd"
    )


def test_a_limit_is_taken_away_again(
    limited: None, owner: Member, support: Member, sale: Transaction
) -> None:
    refunds.set_limit(owner, sale.project, "support", "eur", each=None, daily=None)
    assert not RefundLimit.objects.exists()
    assert refunds.above(support, sale.project, 10**9, "eur") == ""


# -------------------------------------------------------------------------- approving
def test_an_approved_one_is_sent(
    waiting: Refund,
    owner: Member,
    sale: Transaction,
    till: Till,  # noqa: F811
) -> None:
    approved = refunds.approve(owner, waiting.pk, note="fine")
    assert (approved.decided_by, approved.due is not None) == (owner.user, True)
    refunds.submit_due()
    waiting.refresh_from_db()
    assert waiting.status == "succeeded"


@pytest.mark.parametrize("verb", [refunds.approve, refunds.decline])
def test_who_asked_does_not_decide(
    limited: None, sale: Transaction, owner: Member, verb
) -> None:
    refunds.set_limit(owner, sale.project, "owner", "eur", each=1, daily=None)
    mine = refunds.request(owner, sale)
    more = {"reason": "no"} if verb is refunds.decline else {}
    with pytest.raises(refunds.NotNow):
        verb(owner, mine.pk, **more)
    mine.refresh_from_db()
    assert mine.status == "awaiting_approval"


def test_the_database_itself_knows_that(waiting: Refund, support: Member) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.filter(pk=waiting.pk).update(decided_by=support.user)


def test_an_entry_of_who_asked_cannot_approve_either(
    waiting: Refund, support: Member, sale: Transaction
) -> None:
    def decide(row: Transaction, timeline: list[TimelineEntry]) -> list[TimelineEntry]:
        step = RefundStep.APPROVED
        return [steps.entry(row, timeline, waiting.pk, step, by=support.user)]

    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.act([sale.pk], decide)


def test_a_declined_one_says_why_and_frees_the_amount(
    waiting: Refund, owner: Member, sale: Transaction
) -> None:
    with pytest.raises(refunds.NotNow, match="Say why"):
        refunds.decline(owner, waiting.pk, reason=" ")
    declined = refunds.decline(owner, waiting.pk, reason="It was delivered.")
    assert (declined.status, declined.decided_by) == ("declined", owner.user)
    sale.refresh_from_db()
    assert not sale.refund_pending
    assert refunds.left_of(sale, sale.refunds.all()) == sale.amount
    with pytest.raises(refunds.NotNow, match="does not wait"):
        refunds.approve(owner, waiting.pk)


def test_a_request_expires(waiting: Refund, owner: Member) -> None:
    assert refunds.expire_due() == 0
    entry = TimelineEntry.objects.get(status="awaiting_approval")
    past = timezone.now() - timedelta(minutes=1)
    entry.says["expires"][1] = past.isoformat()
    entry.save()
    ledger.refold([waiting.transaction_id])
    with pytest.raises(refunds.NotNow, match="expired"):
        refunds.approve(owner, waiting.pk)
    assert refunds.expire_due() == 1
    waiting.refresh_from_db()
    assert waiting.status == "expired"
    assert refunds.expire_due() == 0


def test_what_no_longer_fits_is_not_approved(
    waiting: Refund, owner: Member, sale: Transaction
) -> None:
    Transaction.objects.filter(pk=sale.pk).update(amount_refunded=1500)
    with pytest.raises(refunds.NotNow, match="Only 4.99 EUR is left"):
        refunds.approve(owner, waiting.pk)


# -------------------------------------------------------------------------- canceling
def test_who_asked_may_take_it_back(waiting: Refund, support: Member) -> None:
    assert refunds.cancel(support, waiting.pk).status == "canceled"


def test_others_of_that_role_may_not(waiting: Refund, sale: Transaction) -> None:
    other = factories.make_member("support", merchant=sale.merchant)
    with pytest.raises(refunds.NotNow, match="may not"):
        refunds.cancel(other, waiting.pk)


def test_who_may_approve_may_cancel_what_a_key_asked(
    owner: Member, sale: Transaction
) -> None:
    key, _ = factories.make_api_key(sale.project, ("refund",))
    refund = refunds.request(key, sale)
    assert refunds.cancel(owner, refund.pk).status == "canceled"


def test_what_was_sent_cannot_be_taken_back(
    support: Member,
    sale: Transaction,
    till: Till,  # noqa: F811
) -> None:
    till.status = "pending"
    refund = refunds.request(support, sale)
    refunds.submit_due()
    with pytest.raises(refunds.NotNow, match="Stripe has it already"):
        refunds.cancel(support, refund.pk)
    now_due(refund)
    till.status = "succeeded"
    refunds.submit_due()
    with pytest.raises(refunds.NotNow, match="has ended: succeeded"):
        refunds.cancel(support, refund.pk)


# ------------------------------------------------------------------------- written down
def test_every_step_is_in_the_audit_log(
    waiting: Refund,
    owner: Member,
    support: Member,
    till: Till,  # noqa: F811
) -> None:
    refunds.approve(owner, waiting.pk)
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", "actor")
    assert list(verbs) == [
        ("refund.requested", support.user.pk),
        ("refund.approved", owner.user.pk),
    ]
    assert AuditEntry.objects.first().detail["amount"] == 600


def test_every_step_is_in_the_timeline(
    waiting: Refund,
    owner: Member,
    sale: Transaction,
    till: Till,  # noqa: F811
) -> None:
    refunds.approve(owner, waiting.pk)
    refunds.submit_due()
    told = sale.timeline.filter(topic="refund").order_by("pk")
    assert list(told.values_list("status", "source")) == [
        ("awaiting_approval", "staff"),
        ("approved", "staff"),
        ("sent", "system"),
        ("succeeded", "answer"),
    ]


def test_the_same_form_twice_is_one_refund(support: Member, sale: Transaction) -> None:
    first = refunds.request(support, sale, amount=100, key="form-1")
    assert refunds.request(support, sale, amount=100, key="form-1").pk == first.pk
    other = factories.make_member("support", merchant=sale.merchant)
    assert refunds.request(other, sale, amount=100, key="form-1").pk != first.pk


def test_two_tenants_never_meet(sale: Transaction, support: Member) -> None:
    other = make_sale(factories.make_project(), "pi_other")
    refund = refunds.request(support, sale, key="k")
    stranger = factories.make_member("owner", merchant=other.merchant)
    theirs = refunds.request(stranger, other, key="k")
    assert list(refunds.visible_to(support)) == [refund]
    assert list(refunds.visible_to(stranger)) == [theirs]
    held = factories.make_project(merchant=sale.merchant)
    elsewhere = factories.make_member("owner", merchant=sale.merchant, projects=[held])
    assert not refunds.visible_to(elsewhere).exists()


def test_a_refund_that_was_made_elsewhere_is_canceled_there(
    sale: Transaction, owner: Member
) -> None:
    refund = factories.make_refund(sale, status="requires_action", provider_id="re_1")
    before = sale.timeline.count()
    with pytest.raises(refunds.NotNow, match="asked for elsewhere"):
        refunds.cancel(owner, refund.pk)
    assert sale.timeline.count() == before
