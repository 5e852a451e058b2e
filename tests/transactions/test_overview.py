"""What came in: figures, bars and products equal a count of the rows, in any zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Project
from tests.factories import (
    make_connection,
    make_item,
    make_project,
    make_transaction,
)
from transactions import overview, periods, totals
from transactions.models import LineItem, Product, Transaction
from transactions.overview import CurrencyFigures, Shops, Sums
from transactions.periods import Period
from transactions.statuses import ENDED, MONEY_CAME, Status

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
#: Where days begin on the hour, and where they begin within one.
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"]
#: Around both changes of European clocks, and one of American ones.
DAYS = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 10)]
AFTER = datetime(2026, 12, 24, 12, tzinfo=UTC)


# ------------------------------------------------------------------------- the oracle
@st.composite
def sales(draw: st.DrawFn) -> list[dict]:
    """Purchases of a few days around a day; many near where some zone's day begins."""
    day = draw(st.sampled_from(DAYS))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    edges = st.sampled_from([0, 210, 225, 330, 345, 1110, 1125, 1140, 1380, 1439])
    minutes = st.one_of(st.integers(-3 * 1440, 3 * 1440), edges.map(lambda m: m - 720))
    one = st.fixed_dictionaries(
        {
            "created": minutes.map(lambda m: noon + timedelta(minutes=m)),
            "status": st.sampled_from(Status.values),
            "currency": st.sampled_from(["eur", "eur", "jpy", ""]),
            "provider": st.sampled_from(["stripe", "paynow"]),
            "amount": st.one_of(st.none(), st.integers(0, 10_000)),
            "amount_refunded": st.integers(0, 500),
            "livemode": st.sampled_from([True, True, False]),
            "parked": st.sampled_from([False] * 9 + [True]),
        }
    )
    return draw(st.lists(one, min_size=1, max_size=25))


def enter(project: Project, rows: Sequence[dict]) -> None:
    """The rows with an item each, and the running totals as a recount makes them."""
    connection = make_connection(project=project)
    product = Product.objects.create(
        project=project, provider="stripe", key="a", name="Sword"
    )
    for number, row in enumerate(rows):
        sale = Transaction.objects.create(
            merchant=project.merchant, project=project, connection=connection,
            provider_id=str(number), **row,
        )  # fmt: skip
        LineItem.objects.create(
            transaction=sale, key="0", position=0, project=project, product=product,
            created=sale.created, name="Sword", quantity=number + 1,
            amount=row["amount"],
        )  # fmt: skip
    totals.recount(project)


def oracle(rows: Sequence[dict]) -> Sums:
    came = [row for row in rows if row["status"] in MONEY_CAME]
    return Sums(
        count=len(rows),
        paid=len(came),
        failed=sum(row["status"] in ENDED for row in rows),
        gross=sum(row["amount"] or 0 for row in came),
        refunded=sum(row["amount_refunded"] for row in came),
    )


def shops_of(project: Project) -> Shops:
    rows = Transaction.objects.filter(project=project, livemode=True, parked=False)
    return Shops(rows, [project.pk], True)


def shown(rows: Sequence[dict], currency: str) -> list[dict]:
    return [
        row
        for row in rows
        if row["livemode"] and not row["parked"] and row["currency"] == currency
    ]


def within(rows: Sequence[dict], period: Period) -> list[dict]:
    """By the calendar of the zone, and not by the period's own edges."""
    return [
        row
        for row in rows
        if period.first <= row["created"].astimezone(period.zone).date() <= period.last
    ]


def spans(draw_days: int = 4) -> st.SearchStrategy:
    return st.tuples(
        st.sampled_from(ZONES), st.integers(-2, 2), st.integers(1, draw_days)
    )


def period_of(rows: Sequence[dict], span: tuple[str, int, int]) -> Period:
    zone, offset, days = span
    first = rows[0]["created"].date() + offset * DAY
    query = {"from": str(first), "to": str(first + (days - 1) * DAY)}
    return periods.read(query, ZoneInfo(zone), AFTER)


anything = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@anything
@given(rows=sales(), span=spans())
def test_figures_equal_a_count_of_the_rows(
    rows: list[dict], span: tuple[str, int, int]
) -> None:
    project = make_project()
    enter(project, rows)
    period = period_of(rows, span)
    found = {of.currency: of for of in overview.figures(shops_of(project), period)}
    for currency in ("eur", "jpy", ""):
        of = found.get(currency) or CurrencyFigures(currency, Sums(), Sums(), [])
        wanted = within(shown(rows, currency), period)
        assert of.now == oracle(wanted)
        for slug, sums in of.providers.items():
            assert sums == oracle([row for row in wanted if row["provider"] == slug])


@anything
@given(rows=sales(), span=spans())
def test_bars_equal_a_count_of_the_rows(
    rows: list[dict], span: tuple[str, int, int]
) -> None:
    project = make_project()
    enter(project, rows)
    period = period_of(rows, span)
    edges = period.edges
    for of in overview.figures(shops_of(project), period):
        mine = shown(rows, of.currency)
        for start, end, bar in zip(edges, edges[1:], of.bars, strict=False):
            assert bar == oracle([r for r in mine if start <= r["created"] < end])


@anything
@given(rows=sales(), span=spans())
def test_the_period_before_equals_a_count_of_the_rows(
    rows: list[dict], span: tuple[str, int, int]
) -> None:
    project = make_project()
    enter(project, rows)
    period = period_of(rows, span)
    # In the middle of it, so that only a part of the one before counts.
    now = period.start + (period.end - period.start) / 2 + timedelta(minutes=7)
    query = {"from": str(period.first), "to": str(period.last)}
    running = periods.read(query, period.zone, now)
    for each in (period, running):
        since, until = each.before
        for of in overview.figures(shops_of(project), each):
            mine = shown(rows, of.currency)
            assert of.before == oracle(
                [r for r in mine if since <= r["created"] < until]
            )


@anything
@given(rows=sales(), span=spans(6))
def test_products_equal_a_count_of_the_rows(
    rows: list[dict], span: tuple[str, int, int]
) -> None:
    project = make_project()
    enter(project, rows)
    period = period_of(rows, span)
    numbered = [row | {"units": number + 1} for number, row in enumerate(rows)]
    for currency in ("eur", "jpy"):
        sold = overview.products(shops_of(project), period, currency)
        wanted = [
            row
            for row in within(shown(numbered, currency), period)
            if row["status"] in MONEY_CAME
        ]
        units = sum(row["units"] for row in wanted)
        gross = sum(row["amount"] or 0 for row in wanted)
        assert [(s.units, s.gross) for s in sold] == (
            [(units, gross)] if wanted else []
        )


def test_products_of_one_name_are_one_line(project: Project) -> None:
    for provider, key in (("stripe", "a"), ("paynow", "b")):
        connection = make_connection(provider, project=project)
        sale = make_transaction(connection=connection, created=AFTER)
        make_item(sale, "Iron Sword", product_key=key, quantity=2)
    totals.recount(project)
    period = periods.read({"period": "today"}, ZoneInfo("Asia/Tokyo"), AFTER)
    sold = overview.products(shops_of(project), period, "eur")
    assert sold == [("Iron Sword", 4, 3998)]


def test_the_currency_with_the_most_payments_comes_first(project: Project) -> None:
    make_transaction(project=project, created=AFTER, currency="jpy", amount=900_000)
    for _ in range(2):
        make_transaction(project=project, created=AFTER, currency="eur", amount=100)
    totals.recount(project)
    period = periods.read({"period": "today"}, ZoneInfo("UTC"), AFTER)
    found = overview.figures(shops_of(project), period)
    assert [of.currency for of in found] == ["eur", "jpy"]


def test_an_average_is_rounded_to_the_nearest_minor_unit() -> None:
    assert Sums(paid=3, gross=200).average == 67
    assert Sums(paid=2, gross=3).average == 2
    assert Sums().average is None


def test_nobody_ended_is_no_rate() -> None:
    assert Sums(count=4).success is None
