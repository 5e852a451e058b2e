"""The periods of a schedule: days, weeks and months of a time zone's own calendar.

Each begins where the one before it ended, to the instant. Where clocks change a day has
23 or 25 hours; where they skip midnight, it begins when they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from transactions.models import ExportSchedule
from transactions.periods import midnight

DAY = timedelta(days=1)
Every = ExportSchedule.Every


def _month_after(day: date) -> date:
    return (day.replace(day=1) + 32 * DAY).replace(day=1)


#: Of a day, the first day of the period after the one it is in.
_NEXT: Mapping[str, Callable[[date], date]] = {
    Every.DAY: lambda day: day + DAY,
    Every.WEEK: lambda day: day + (7 - day.weekday()) * DAY,
    Every.MONTH: _month_after,
}
#: Of a day, the first day of the period that it is in.
_FIRST: Mapping[str, Callable[[date], date]] = {
    Every.DAY: lambda day: day,
    Every.WEEK: lambda day: day - day.weekday() * DAY,
    Every.MONTH: lambda day: day.replace(day=1),
}


def begin_of(moment: datetime, every: str, zone: ZoneInfo) -> datetime:
    """Where the period begins that the moment is in, in UTC."""
    day = _FIRST[every](_day_of(moment, zone))
    return midnight(day, zone)


def end_after(moment: datetime, every: str, zone: ZoneInfo) -> datetime:
    """The first edge between two periods that is later than the moment, in UTC."""
    day = _NEXT[every](_day_of(moment, zone))
    while (edge := midnight(day, zone)) <= moment:
        day = _NEXT[every](day)
    return edge


def due_after(end: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """When the file of the period that ended then is made, in UTC."""
    local = datetime.combine(_day_of(end, zone), time(hour), zone)
    return max(end, local.astimezone(UTC))


def _day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day that has the moment, by its own midnights: where clocks are put back
    over midnight, a time of the evening before comes twice."""
    day = moment.astimezone(zone).date()
    if midnight(day, zone) > moment:
        day -= DAY
    elif midnight(day + DAY, zone) <= moment:
        day += DAY
    return day
