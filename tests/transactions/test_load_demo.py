"""`load_demo`: many realistic rows, each the fold of its timeline."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant.models import Connection, Merchant, Project
from merchant.providers import PROVIDERS
from tests.factories import make_project
from transactions import customers, ledger, totals
from transactions.demo import bulk, copying, telling
from transactions.models import (
    Customer,
    HourTotal,
    LookUp,
    ProductTotal,
    ProviderReference,
    TimelineEntry,
    Transaction,
)
from webhooks.models import InboundEvent

_EMAIL = re.compile(r"[\w.]+@example\.\w+")

pytestmark = pytest.mark.django_db


def load(number: int, seed: int = 4) -> dict[str, object]:
    out = StringIO()
    call_command(
        "load_demo", "--transactions", str(number), "--seed", str(seed), "--json",
        stdout=out,
    )  # fmt: skip
    return json.loads(out.getvalue().splitlines()[-1])


def test_it_makes_so_many_in_a_project_of_its_own() -> None:
    said = load(120)
    assert (
        said["transactions"] == Transaction.objects.filter(parked=False).count() == 120
    )
    assert Merchant.objects.count() == Project.objects.count() == 1


def test_the_projects_that_exist_share_them() -> None:
    projects = [make_project(), make_project()]
    load(80)
    shares = Counter(Transaction.objects.values_list("project", flat=True))
    assert shares == {project.pk: 40 for project in projects}


def test_all_providers_have_their_part_and_one_of_ten_is_a_test() -> None:
    load(120)
    rows = Transaction.objects.filter(parked=False)
    assert set(rows.values_list("provider", flat=True)) == set(PROVIDERS)
    assert rows.filter(livemode=False).count() == 12


def test_each_has_an_email_and_names() -> None:
    load(120)
    rows = Transaction.objects.filter(parked=False)
    assert not rows.filter(customer_email="").exists()
    assert not rows.filter(customer=None).exists()
    assert not rows.filter(amount=None).exists()
    # Where nothing was completed, Stripe knows no items.
    assert not rows.filter(status="paid", items=None).exists()
    references = ProviderReference.objects.values("transaction").distinct().count()
    assert references == Transaction.objects.count()


def test_a_refold_changes_nothing() -> None:
    load(120)
    ids = list(Transaction.objects.values_list("id", flat=True))
    assert ledger.refold(ids) == set()
    assert TimelineEntry.objects.count() > len(ids)


def test_a_story_told_again_is_another_purchase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "_STORIES", 5)
    load(200)
    rows = Transaction.objects.filter(parked=False)
    assert rows.count() == 200
    assert rows.values("provider_id").distinct().count() == 200
    assert rows.values("created").distinct().count() > 150
    assert rows.values("customer_email").distinct().count() > 50
    assert ledger.refold(list(rows.values_list("id", flat=True))) == set()
    for row in rows:
        # Nothing of the first teller is left in the second one's papers.
        known = set(_EMAIL.findall(json.dumps(row.customer_details)))
        assert known <= {row.customer_email}


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a few are copied, in several batches."""
    monkeypatch.setattr(bulk, "MOST_RECORDED", 0)
    monkeypatch.setattr(bulk, "COPIED", 150)


@pytest.mark.usefixtures("copied")
def test_what_is_copied_is_what_the_ledger_would_have_written() -> None:
    load(1_000)
    rows = Transaction.objects.filter(parked=False)
    assert rows.count() == 1_000
    ids = list(Transaction.objects.values_list("id", flat=True))
    assert ledger.refold(ids) == set()
    assert customers.refresh(Customer.objects.values_list("id", flat=True)) == 0
    assert [totals.recount(project) for project in Project.objects.all()] == [0]


@pytest.mark.usefixtures("copied")
def test_what_is_copied_leaves_no_totals_to_merge() -> None:
    load(300)
    assert HourTotal.objects.exists() and ProductTotal.objects.exists()
    assert not HourTotal.objects.filter(merged=False).exists()
    assert totals.merge() == 0


@pytest.mark.usefixtures("copied")
def test_what_is_copied_knows_the_customers_that_were_there() -> None:
    load(300)
    known = set(Customer.objects.values_list("id", flat=True))
    load(300)
    again = Transaction.objects.filter(customer__in=known).values("customer")
    assert again.count() > 300
    assert customers.refresh(Customer.objects.values_list("id", flat=True)) == 0


@pytest.mark.usefixtures("copied")
def test_a_batch_that_fails_leaves_nothing_of_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = copying.bulk.copy
    seen: list[type] = []

    def fail_in_the_second(model: type, rows: list) -> None:
        seen.append(model)
        if model is TimelineEntry and seen.count(model) == 2:
            raise RuntimeError("the disk is full")
        copy(model, rows)

    monkeypatch.setattr(copying.bulk, "copy", fail_in_the_second)
    with pytest.raises(RuntimeError):
        load(450)
    assert Transaction.objects.count() == 150
    of_purchases = TimelineEntry.objects.exclude(transaction=None)
    orphans = of_purchases.exclude(transaction__in=Transaction.objects.all())
    assert not orphans.exists()
    assert [totals.recount(project) for project in Project.objects.all()] == [0]


@pytest.mark.usefixtures("copied")
def test_a_shop_has_all_kinds_of_things_to_do() -> None:
    load(2_000, seed=5)
    rows = Transaction.objects.filter(parked=False)
    states = set(rows.values_list("fulfilment", flat=True))
    assert states == {"not_needed", "waiting", "done"}
    assert rows.filter(fulfilment="done").count() > rows.count() / 2
    assert rows.filter(verified=False).exists()
    assert rows.filter(to_revoke=True).exists()
    assert rows.filter(paid_late=True).exists()
    assert rows.filter(refund_pending=True).exists()
    assert len(set(rows.values_list("currency", flat=True))) >= 3
    # Only this month's disputes are open, and their time is not long over.
    lately = timezone.now() - timedelta(days=30)
    assert not rows.filter(disputes__status="open", created__lt=lately).exists()


def test_nothing_is_asked_and_no_door_is_opened() -> None:
    load(40)
    assert not LookUp.objects.exists()
    assert not InboundEvent.objects.exists()
    assert not Connection.objects.filter(closed=None).exists()


def test_more_is_added_every_time() -> None:
    load(40)
    load(40)
    assert Transaction.objects.filter(parked=False).count() == 80
    assert Connection.objects.count() == len(PROVIDERS)


def test_a_number_that_is_none_is_wrong_use() -> None:
    with pytest.raises(CommandError) as problem:
        load(0)
    assert problem.value.returncode == 2
