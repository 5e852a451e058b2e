"""Spans of days in somebody's zone, and what they are compared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactions import periods
from transactions.periods import NotAPeriod, Period

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "America/Havana", "Pacific/Kiritimati", "Africa/Cairo",
]  # fmt: skip


def read(zone: ZoneInfo | str = "UTC", now: datetime = NOW, **query: str) -> Period:
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    query = {name.rstrip("_"): text for name, text in query.items()}
    return periods.read(query, zone, now)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


# ------------------------------------------------------------------------- which days
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", date(2026, 11, 24), date(2026, 11, 24)),
        ("7d", date(2026, 11, 18), date(2026, 11, 24)),
        ("30d", date(2026, 10, 26), date(2026, 11, 24)),
        ("90d", date(2026, 8, 27), date(2026, 11, 24)),
        ("this-month", date(2026, 11, 1), date(2026, 11, 30)),
        ("last-month", date(2026, 10, 1), date(2026, 10, 31)),
        ("year", date(2025, 12, 1), date(2026, 11, 30)),
    ],
)
def test_a_name_is_a_span_of_days(name: str, first: date, last: date) -> None:
    found = read(period=name)
    assert (found.first, found.last) == (first, last)


def test_without_a_name_it_is_thirty_days() -> None:
    assert read().name == "30d"


def test_today_is_today_in_the_zone() -> None:
    late = utc(2026, 11, 24, 23, 30)
    assert read(KOLKATA, late, period="today").first == date(2026, 11, 25)


def test_days_of_ones_own_include_the_last() -> None:
    found = read(BERLIN, from_="2026-03-01", to="2026-03-31")
    assert (found.start, found.end) == (
        utc(2026, 2, 28, 23),
        utc(2026, 3, 31, 22),
    )


@pytest.mark.parametrize(
    "query",
    [
        {"period": "fortnight"},
        {"from_": "2026-03-01"},
        {"to": "2026-03-01"},
        {"from_": "1 March", "to": "2026-03-31"},
        {"from_": "0001-01-01", "to": "2026-03-31"},
        {"from_": "2026-03-31", "to": "2026-03-01"},
        {"from_": "2020-01-01", "to": "2026-03-01"},
    ],
)
def test_what_is_no_period_is_said(query: dict[str, str]) -> None:
    with pytest.raises(NotAPeriod) as caught:
        read(**query)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "name", ["Nowhere/Else", "../etc/passwd", "Europe", "a\x00b", "x" * 400, ""]
)
def test_what_is_no_zone_is_said(name: str) -> None:
    with pytest.raises(NotAPeriod):
        periods.read_zone(name)


# ------------------------------------------------------------------------------ clocks
def test_the_day_when_clocks_go_forward_has_23_hours() -> None:
    found = read(BERLIN, from_="2026-03-29", to="2026-03-29")
    assert len(found.edges) - 1 == 23


def test_the_day_when_clocks_go_back_has_25_hours() -> None:
    found = read(BERLIN, from_="2026-10-25", to="2026-10-25")
    assert len(found.edges) - 1 == 25


def test_a_day_without_midnight_begins_when_clocks_jump() -> None:
    assert periods.midnight(date(2026, 3, 8), ZoneInfo("America/Havana")) == utc(
        2026, 3, 8, 5
    )


@given(
    st.sampled_from(ZONES),
    st.dates(date(2020, 1, 1), date(2026, 11, 24)),
    st.integers(0, 700),
)
def test_bars_fill_the_period_without_gaps(zone: str, first: date, more: int) -> None:
    last = first + timedelta(days=more)
    found = read(zone, from_=str(first), to=str(last))
    edges = found.edges
    assert edges == sorted(set(edges))
    assert (edges[0], edges[-1]) == (found.start, found.end)
    assert len(edges) - 1 <= periods.MOST_BARS
    assert found.before[0] <= found.before[1] <= found.start


def test_a_year_has_a_bar_for_each_month() -> None:
    assert len(read(BERLIN, period="year").edges) == 13


# -------------------------------------------------------------------- what came before
def test_a_finished_period_is_compared_with_a_whole_one() -> None:
    found = read(from_="2026-10-01", to="2026-10-10")
    assert found.before == (utc(2026, 9, 21), utc(2026, 10, 1))


def test_last_month_is_compared_with_the_month_before() -> None:
    assert read(period="last-month").before == (utc(2026, 9, 1), utc(2026, 10, 1))


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("today", utc(2026, 11, 23), utc(2026, 11, 23, 10, 30)),
        ("7d", utc(2026, 11, 11), utc(2026, 11, 17, 10, 30)),
        ("30d", utc(2026, 9, 26), utc(2026, 10, 25, 10, 30)),
        ("this-month", utc(2026, 10, 1), utc(2026, 10, 24, 10, 30)),
        ("year", utc(2024, 12, 1), utc(2025, 11, 24, 10, 30)),
    ],
)
def test_a_running_period_is_compared_with_as_much_as_has_passed(
    name: str, since: datetime, until: datetime
) -> None:
    assert read(period=name).before == (since, until)


def test_by_this_time_is_by_the_clock_on_the_wall() -> None:
    monday = utc(2026, 10, 26, 8)  # 9:00 in Berlin, clocks went back the day before
    found = read(BERLIN, monday, period="today")
    assert found.before == (utc(2026, 10, 24, 22), utc(2026, 10, 25, 8))


def test_a_day_that_the_month_before_has_not_ends_with_it() -> None:
    found = read(now=utc(2026, 3, 30, 12), period="this-month")
    assert found.before == (utc(2026, 2, 1), utc(2026, 3, 1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("today", "to yesterday by this time"),
        ("30d", "to the 30 days before"),
        ("this-month", "to the same days of October"),
        ("last-month", "to September"),
        ("year", "to the 12 months before"),
    ],
)
def test_what_it_is_compared_with_has_words(name: str, words: str) -> None:
    assert periods.compared_with(read(BERLIN, period=name)) == words


def test_a_single_day_is_compared_with_the_day_before() -> None:
    found = read(from_="2026-10-01", to="2026-10-01")
    assert periods.compared_with(found) == "to the day before"
