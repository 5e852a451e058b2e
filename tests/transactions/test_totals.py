"""Running totals: whatever happens to the rows, they stay what a count would say."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection as database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Project
from tests import factories
from tests.transactions import test_ledger
from tests.transactions.any_order import arrivals
from tests.transactions.test_ledger import STORY, charge, intent, session
from tests.transactions.test_two_workers import story
from transactions import ledger, refold, totals
from transactions.models import HourTotal, LineItem, ProductTotal, Transaction
from transactions.statuses import ENDED, MONEY_CAME

pytestmark = pytest.mark.django_db

#: Key -> sums; a key whose sums are all nothing is as good as none.
Sums = dict[tuple[Any, ...], tuple[int, ...]]
Lines = tuple[Sums, Sums]


# ------------------------------------------------------------------- what must be equal
def lines_of(project: Project) -> Lines:
    """What the running totals say."""
    return (
        _summed(HourTotal, project, totals.HOUR_KEY, totals.HOUR_SUMS),
        _summed(ProductTotal, project, totals.PRODUCT_KEY, totals.PRODUCT_SUMS),
    )


def _summed(
    model: Any, project: Project, key: Sequence[str], names: Sequence[str]
) -> Sums:
    found: dict[tuple[Any, ...], Counter] = {}
    for line in model.objects.filter(project=project).values(*key, *names):
        place = tuple(line[name] for name in key)
        sums = found.setdefault(place, Counter())
        sums.update({name: line[name] for name in names})
    return _told({place: [sums[n] for n in names] for place, sums in found.items()})


def counted(project: Project) -> Lines:
    """The same, counted from the rows by other words than the product's own."""
    hours: dict[tuple[Any, ...], list[int]] = {}
    products: dict[tuple[Any, ...], list[int]] = {}
    for row in Transaction.objects.filter(project=project, parked=False):
        moment = row.created.astimezone(UTC)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        place = (row.project_id, row.livemode, hour, row.provider, row.currency)
        came = row.status in MONEY_CAME
        _add(hours, place, [1, came, row.status in ENDED])
        if not came:
            continue
        known = row.fee is not None
        _add(
            hours,
            place,
            [0, 0, 0, row.amount or 0, row.amount_refunded, row.amount_charged_back]
            + [row.fee or 0, known],
        )
        for item in LineItem.objects.filter(transaction=row):
            of = (row.project_id, row.livemode, moment.date(), item.product_id)
            _add(products, (*of, row.currency), [1, item.quantity, item.amount or 0])
    return _told(hours), _told(products)


def _add(sums: dict[tuple[Any, ...], list[int]], place: Any, more: list[Any]) -> None:
    known = sums.setdefault(place, [0] * 8)
    for at, value in enumerate(more):
        known[at] += int(value)


def _told(sums: dict[tuple[Any, ...], list[int]]) -> Sums:
    """Without what is nothing, and without zeros at the end."""
    found = {}
    for place, values in sums.items():
        kept = list(values)
        while kept and not kept[-1]:
            kept.pop()
        if kept:
            found[place] = tuple(kept)
    return found


# ----------------------------------------------------------------------- any sequence
@pytest.fixture
def connection(db: None) -> Connection:
    return factories.make_connection(provider="stripe")


#: What may happen between two batches.
MEANWHILE: dict[str, Callable[[Project], object]] = {
    "nothing": lambda project: None,
    "merge": lambda project: totals.merge(),
    "merge all": lambda project: totals.merge_all(),
    "refold": lambda project: refold.refold(project),
    "recount": lambda project: totals.recount(project),
}

anything = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@anything
@given(
    batches=arrivals(len(STORY)),
    meanwhile=st.lists(st.sampled_from(sorted(MEANWHILE)), min_size=3, max_size=6),
)
def test_after_any_story_they_equal_a_count_of_the_rows(
    db: None, batches: list[list[int]], meanwhile: list[str]
) -> None:
    """Facts of a purchase under several ids: rows are made, changed, joined."""
    connection = factories.make_connection(provider="stripe")
    project = connection.project
    for number, batch in enumerate(batches):
        ledger.record(connection, [STORY[at] for at in batch], source="webhook")
        MEANWHILE[meanwhile[number % len(meanwhile)]](project)
        assert lines_of(project) == counted(project)


def test_a_purchase_that_moves_to_another_hour_leaves_the_first(
    connection: Connection,
) -> None:
    ledger.record(connection, [charge("paid", 2, 2)], source="webhook")
    before = lines_of(connection.project)
    earlier = session("paid", 3)  # it says that the purchase began before noon
    ledger.record(connection, [earlier], source="webhook")
    after = lines_of(connection.project)
    assert before[0].keys() != after[0].keys()
    assert after == counted(connection.project)


def test_two_rows_that_turn_out_to_be_one_count_once(connection: Connection) -> None:
    alone = test_ledger.dispute("open", 0, 200)  # names the charge only
    ledger.record(connection, [intent("paid", 6, 2), alone], source="webhook")
    assert sum(sums[0] for sums in lines_of(connection.project)[0].values()) == 2
    ledger.record(connection, [charge("paid", 2, 2)], source="webhook")
    hours = lines_of(connection.project)[0]
    assert [sums[0] for sums in hours.values()] == [1]


def test_the_same_facts_again_add_no_line(connection: Connection) -> None:
    ledger.record(connection, STORY, source="webhook")
    before = HourTotal.objects.count(), ProductTotal.objects.count()
    ledger.record(connection, STORY, source="webhook")
    assert (HourTotal.objects.count(), ProductTotal.objects.count()) == before


# ------------------------------------------------------------------------------- merge
def told_bit_by_bit(connection: Connection) -> Lines:
    for fact in STORY:
        ledger.record(connection, [fact], source="webhook")
    return lines_of(connection.project)


@pytest.mark.parametrize("merge", [totals.merge, totals.merge_all])
def test_merging_changes_no_sum(connection: Connection, merge: Callable) -> None:
    before = told_bit_by_bit(connection)
    merge()
    assert lines_of(connection.project) == before
    assert not HourTotal.objects.filter(merged=False).exists()


def test_merging_leaves_one_line_for_each_key(connection: Connection) -> None:
    hours, products = told_bit_by_bit(connection)
    many = HourTotal.objects.count() + ProductTotal.objects.count()
    saved = totals.merge()
    left = HourTotal.objects.count() + ProductTotal.objects.count()
    assert left == len(hours) + len(products)
    assert many - left == saved > 0


def test_merging_joins_what_was_merged_before(connection: Connection) -> None:
    told_bit_by_bit(connection)
    totals.merge()
    ledger.record(connection, [charge("paid", 2, 2, fee=7)], source="webhook")
    totals.merge()
    assert lines_of(connection.project) == counted(connection.project)
    assert HourTotal.objects.count() == len(lines_of(connection.project)[0])


def test_merging_mixes_no_two_shops_modes_or_currencies(db: None) -> None:
    shops = [factories.make_connection(provider="stripe") for _ in range(2)]
    for shop in shops:
        for number, live in enumerate((True, False)):
            row = factories.make_transaction(
                connection=shop, livemode=live, currency=("eur", "usd")[number]
            )
            factories.make_item(row)
        totals.recount(shop.project)
    totals.merge()
    for shop in shops:
        assert lines_of(shop.project) == counted(shop.project)


def test_with_nothing_fresh_there_is_nothing_to_merge(db: None) -> None:
    assert totals.merge() == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_merges_and_writers_at_once_lose_nothing() -> None:
    """Four merge while two enter purchases, on connections of their own."""
    connection = factories.make_connection(provider="stripe")
    connection = Connection.objects.select_related("project").get(pk=connection.pk)
    faults: list[BaseException] = []
    writing = threading.Event()
    writing.set()

    def write(first: int) -> None:
        for number in range(first, first + 25):
            ledger.record(connection, renamed(number), source="webhook")

    def merge() -> None:
        while writing.is_set():
            totals.merge()

    def guarded(work: Callable[..., None], *args: int) -> None:
        try:
            work(*args)
        except BaseException as fault:
            faults.append(fault)
        finally:
            database.close()

    writers = [threading.Thread(target=guarded, args=(write, n)) for n in (0, 100)]
    mergers = [threading.Thread(target=guarded, args=(merge,)) for _ in range(4)]
    for thread in (*writers, *mergers):
        thread.start()
    for thread in writers:
        thread.join(120)
    writing.clear()
    for thread in mergers:
        thread.join(60)
    assert not faults
    assert lines_of(connection.project) == counted(connection.project)
    assert sum(sums[0] for sums in lines_of(connection.project)[0].values()) == 50


def renamed(number: int) -> list[Any]:
    """Half of the story under ids of its own, so that all fall into a few hours."""
    facts = story(number)
    random.Random(number).shuffle(facts)
    return [fact for fact in facts if fact.topic != "dispute"]


# ----------------------------------------------------------------------------- recount
def test_a_healthy_count_changes_nothing(connection: Connection) -> None:
    told_bit_by_bit(connection)
    lines = HourTotal.objects.count()
    assert totals.recount(connection.project) == 0
    assert HourTotal.objects.count() == lines


def test_a_recount_mends_a_broken_line(connection: Connection) -> None:
    right = told_bit_by_bit(connection)
    totals.merge()
    HourTotal.objects.update(gross=5, paid=9)
    assert totals.recount(connection.project) == 1
    assert lines_of(connection.project) == right


def test_a_recount_finds_lines_that_are_missing_or_nobodys(
    connection: Connection,
) -> None:
    right = told_bit_by_bit(connection)
    line = HourTotal.objects.first()
    elsewhere = line.hour - timedelta(days=3)
    HourTotal.objects.create(
        project=connection.project, livemode=True, hour=elsewhere, provider="stripe",
        currency="eur", count=1, paid=1, gross=100,
    )  # fmt: skip
    ProductTotal.objects.all().delete()
    assert totals.recount(connection.project) == 1 + len(right[1])
    assert lines_of(connection.project) == right


def test_a_recount_leaves_other_projects_alone(connection: Connection) -> None:
    other = factories.make_connection(provider="stripe")
    told_bit_by_bit(other)
    HourTotal.objects.update(gross=5)
    totals.recount(connection.project)
    assert set(HourTotal.objects.values_list("gross", flat=True)) == {5}


def test_a_parked_invoice_counts_for_nothing(connection: Connection) -> None:
    factories.make_transaction(connection=connection, parked=True)
    assert totals.recount(connection.project) == 0
