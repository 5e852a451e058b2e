"""The periods of a schedule: never a gap, never an overlap, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactions.exporting import recurring
from transactions.models import ExportSchedule
from transactions.periods import midnight

EVERY = st.sampled_from(ExportSchedule.Every.values)
#: Zones that change clocks at midnight, by half an hour, over the date line, or never.
ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
        "Asia/Beirut", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia",
        "Asia/Kolkata", "Africa/Cairo", "America/Asuncion", "Pacific/Chatham",
    ]
).map(ZoneInfo)  # fmt: skip
MOMENTS = st.datetimes(
    datetime(1999, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)
)


@given(MOMENTS, EVERY, ZONES)
def test_each_period_begins_where_the_one_before_ended(
    moment: datetime, every: str, zone: ZoneInfo
) -> None:
    edges = [recurring.begin_of(moment, every, zone)]
    assert edges[0] <= moment
    for _period in range(40):
        end = recurring.end_after(edges[-1], every, zone)
        # Any moment of a period leads to its end, and to the beginning it has.
        inside = edges[-1] + (end - edges[-1]) / 2
        assert recurring.end_after(inside, every, zone) == end
        assert recurring.begin_of(inside, every, zone) == edges[-1]
        edges.append(end)
    assert edges == sorted(set(edges))
    for edge in edges:
        day = edge.astimezone(zone).date()
        assert edge == midnight(day, zone)
        assert every != "week" or day.weekday() == 0
        assert every != "month" or day.day == 1


@given(MOMENTS, ZONES, st.lists(st.tuples(EVERY, ZONES), min_size=1, max_size=20))
def test_what_is_changed_in_between_loses_nothing(
    moment: datetime, zone: ZoneInfo, changes: list[tuple[str, ZoneInfo]]
) -> None:
    """From daily to monthly, from zone to zone: the next period starts at the end."""
    since = recurring.begin_of(moment, "day", zone)
    for every, now_in in changes:
        until = recurring.end_after(since, every, now_in)
        assert since < until <= since + timedelta(days=32, hours=26)
        since = until


@given(MOMENTS, EVERY, ZONES, st.integers(0, 23))
def test_nothing_is_made_before_its_period_is_over(
    moment: datetime, every: str, zone: ZoneInfo, hour: int
) -> None:
    end = recurring.end_after(moment, every, zone)
    due = recurring.due_after(end, hour, zone)
    assert end <= due < end + timedelta(hours=26)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [("2026-03-29T12:00+00:00", 23), ("2026-10-25T12:00+00:00", 25)],
)
def test_a_day_in_berlin_has_the_hours_that_it_has(moment: str, hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime.fromisoformat(moment)
    begin = recurring.begin_of(noon, "day", zone)
    assert recurring.end_after(noon, "day", zone) - begin == timedelta(hours=hours)
