"""Giving back many payments at once: what is foretold is done, and only once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_connection, make_member, make_refund, make_transaction
from tests.transactions.refunding import make_sale
from transactions import bulk_actions, refunds
from transactions.bulk_actions import running
from transactions.models import BulkAction, BulkItem, Refund, Transaction

pytestmark = pytest.mark.django_db
REFUND = "refund"


def of(project: Project, provider: str = "stripe", **over: Any) -> Transaction:
    connection = make_connection(provider, project=project, api_key="key")
    return make_transaction(connection=connection, paid=timezone.now(), **over)


@pytest.fixture
def sales(project: Project) -> list[Transaction]:
    return [make_sale(project, f"pi_{number}", 1000 + number) for number in range(3)]


def draft(member: Member, rows: list[Transaction]) -> BulkAction:
    return bulk_actions.draft(member, REFUND, {row.pk for row in rows})


def start(member: Member, bulk: BulkAction, **words: str) -> BulkAction:
    assert bulk_actions.start(member, bulk, **words)
    bulk_actions.run_due()
    bulk.refresh_from_db()
    return bulk


# ------------------------------------------------------------------------ the dry run
def test_it_says_how_many_and_how_much(
    support: Member, sales: list[Transaction], project: Project
) -> None:
    dollars = of(project, amount=500, currency="usd")
    bulk = draft(support, [*sales, dollars])
    told = {part["currency"]: (part["count"], part["amount"]) for part in bulk.forecast}
    assert told == {"eur": (3, 3003), "usd": (1, 500)}


def test_it_counts_what_is_left_and_not_what_was_paid(
    support: Member, project: Project
) -> None:
    sale = of(project, amount=1000, amount_refunded=100, status="partially_refunded")
    make_refund(sale, status="submitted", amount=250)
    assert draft(support, [sale]).forecast[0]["amount"] == 650


@pytest.mark.parametrize(
    "over",
    [
        {"status": "failed"},
        {"status": "refunded"},
        {"status": "charged_back"},
        {"status": "authorized"},
        {"amount": None},
        {"verified": False},
        {"amount_refunded": 1999, "status": "partially_refunded", "amount": 1999},
    ],
)
def test_what_cannot_be_says_why_as_the_dialog_does(
    support: Member, project: Project, over: dict[str, Any]
) -> None:
    sale = of(project, **over)
    bulk = draft(support, [sale])
    assert bulk.ready == 0
    assert bulk.items.get().reason == refunds.why_not(sale)


def test_without_an_api_key_it_says_so(support: Member, project: Project) -> None:
    sale = make_transaction(connection=make_connection("stripe", project=project))
    bulk = draft(support, [sale])
    assert bulk.items.get().reason == refunds.why_not(sale) != ""


def test_a_closed_connection_is_told(support: Member, project: Project) -> None:
    sale = of(project)
    sale.connection.closed = timezone.now()
    sale.connection.save()
    assert draft(support, [sale]).items.get().reason == refunds.why_not(sale) != ""


@pytest.mark.parametrize(
    ("provider", "over", "words"),
    [
        ("stripe", {"status": "disputed"}, "you could pay twice"),
        ("paysuper", {}, "by hand"),
    ],
)
def test_what_wants_a_look_of_its_own_is_left_out(
    support: Member, project: Project, provider: str, over: dict[str, Any], words: str
) -> None:
    bulk = draft(support, [of(project, provider, **over)])
    assert (bulk.ready, words in bulk.items.get().reason) == (0, True)


# ----------------------------------------------------------------------------- doing
def test_each_is_asked_for_in_full(support: Member, sales: list[Transaction]) -> None:
    words = {"reason": "fraudulent", "note": "Stolen cards", "after": "revoke"}
    bulk = start(support, draft(support, sales), **words)
    assert (bulk.done, bulk.missed) == (3, 0)
    found = Refund.objects.order_by("amount").values_list(
        "amount", "reason", "note", "after", "status"
    )
    assert list(found) == [
        (1000 + number, "fraudulent", "Stolen cards", "revoke", "requested")
        for number in range(3)
    ]


def test_done_again_it_asks_for_nothing_twice(
    support: Member, sales: list[Transaction]
) -> None:
    bulk = start(support, draft(support, sales))
    BulkItem.objects.filter(bulk=bulk).update(state="waiting")
    BulkAction.objects.filter(pk=bulk.pk).update(state="pending", done=0)
    running.run_due()
    bulk.refresh_from_db()
    assert (bulk.done, Refund.objects.count()) == (3, 3)


def test_what_was_refunded_meanwhile_is_reported(
    support: Member, owner: Member, sales: list[Transaction]
) -> None:
    bulk = draft(support, sales)
    refunds.request(owner, sales[0])
    bulk = start(support, bulk)
    assert (bulk.done, bulk.missed) == (2, 1)
    assert "on its way" in bulk.items.get(state="skipped").reason


def test_above_a_limit_each_waits_for_approval(
    support: Member, owner: Member, sales: list[Transaction], project: Project
) -> None:
    refunds.set_limit(owner, project, "support", "eur", each=None, daily=2100)
    start(support, draft(support, sales))
    states = Refund.objects.order_by("created").values_list("status", flat=True)
    assert sorted(states) == ["awaiting_approval", "requested", "requested"]


# --------------------------------------------------------------------------- the pages
def test_the_page_says_it_before(support: Member, sales: list[Transaction]) -> None:
    client = client_of(support)
    told = {"act": REFUND, "id": [str(row.pk) for row in sales]}
    page = client.post("/transactions/bulk/", told, follow=True).content.decode()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "Refund 3 payments" in words
    assert "EUR 30.03" in words


def test_the_page_starts_it_with_its_reason(
    support: Member, sales: list[Transaction]
) -> None:
    bulk = draft(support, sales)
    told = {"reason": "duplicate", "after": "keep", "note": ""}
    client_of(support).post(f"/bulk/{bulk.pk}/start/", told)
    reasons = set(Refund.objects.values_list("reason", flat=True))
    assert (Refund.objects.count(), reasons) == (3, {"duplicate"})


def test_with_a_limit_the_password_is_asked_for(
    support: Member, owner: Member, sales: list[Transaction], project: Project
) -> None:
    refunds.set_limit(owner, project, "support", "eur", each=1, daily=None)
    bulk = draft(support, sales)
    answer = client_of(support).post(f"/bulk/{bulk.pk}/start/")
    assert answer.url.startswith("/again/?next=")
    assert not Refund.objects.exists()


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_who_may_not_refund_one_may_not_refund_many(
    project: Project, sales: list[Transaction], role: str
) -> None:
    client: Client = client_of(make_member(role, merchant=project.merchant))
    told = {"act": REFUND, "id": str(sales[0].pk)}
    assert client.post("/transactions/bulk/", told).status_code == 403
