"""Spans of days as a URL names them, in somebody's time zone, and the span before.

Days are those of the zone's own calendar: where clocks change they have 23 or 25 hours.
A period that is still running is compared with as much of the one before it as has
passed of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

USUAL = "30d"
CUSTOM = "custom"
#: Longer ones would be read from more totals than a page should wait for.
MOST_DAYS = 3 * 366
#: Up to so many days a chart has a bar for each; beyond, one for each month.
MOST_BARS = 100

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class NotAPeriod(ValueError):
    """The query names no period; `str()` is a sentence for who typed it."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both inclusive, as `zone` counts them.

    `start` and `end` are where they begin and end, `before` the same of what they are
    compared with. `edges` are the beginnings of the chart's bars and the end of the
    last one; `step` says what a bar is: "hour", "day" or "month".
    """

    name: str
    first: date
    last: date
    zone: ZoneInfo
    before: tuple[datetime, datetime]
    runs: bool

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.last + DAY, self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def step(self) -> str:
        if self.days == 1:
            return "hour"
        return "day" if self.days <= MOST_BARS else "month"

    @property
    def edges(self) -> list[datetime]:
        if self.step == "hour":
            return _hours(self.start, self.end)
        days = [self.first + n * DAY for n in range(self.days)]
        if self.step == "month":
            days = [day for day in days if day == self.first or day.day == 1]
        return [*(midnight(day, self.zone) for day in days), self.end]


@dataclass(frozen=True, slots=True)
class Preset:
    """A period by name: its days as of a day, and those that it is compared with."""

    label: Any
    days: Callable[[date], tuple[date, date]]
    before: Callable[[date], tuple[date, date]]


def _last_days(count: int) -> tuple[Callable, Callable]:
    """The last so many days with today, and as many before them."""
    back = timedelta(days=count - 1)
    return (
        lambda today: (today - back, today),
        lambda today: (today - back - count * DAY, today - count * DAY),
    )


def _months(first: int, last: int) -> Callable[[date], tuple[date, date]]:
    """From the month that is `first` months from now to the end of the `last` one."""
    return lambda today: (_month(today, first), _month(today, last + 1) - DAY)


PRESETS: dict[str, Preset] = {
    "today": Preset(gettext_lazy("Today"), *_last_days(1)),
    "7d": Preset(gettext_lazy("7 days"), *_last_days(7)),
    "30d": Preset(gettext_lazy("30 days"), *_last_days(30)),
    "90d": Preset(gettext_lazy("90 days"), *_last_days(90)),
    "this-month": Preset(gettext_lazy("This month"), _months(0, 0), _months(-1, -1)),
    "last-month": Preset(gettext_lazy("Last month"), _months(-1, -1), _months(-2, -2)),
    "year": Preset(gettext_lazy("12 months"), _months(-11, 0), _months(-23, -12)),
}


def read(query: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Period:
    """The period that `period`, or `from` and `to`, ask for. Raises NotAPeriod."""
    today = now.astimezone(zone).date()
    typed = [query.get(name, "").strip() for name in ("from", "to")]
    if any(typed):
        return _custom(_day(typed[0], "from"), _day(typed[1], "to"), zone, now)
    name = query.get("period", "").strip() or USUAL
    preset = PRESETS.get(name)
    if preset is None:
        listed = ", ".join(PRESETS)
        raise NotAPeriod(_("period must be one of: %s.") % listed)
    return _period(name, preset.days(today), preset.before(today), zone, now)


def read_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises NotAPeriod."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        words = _("zone must be a time zone such as Europe/Berlin.")
        raise NotAPeriod(words) from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Where the day begins, in UTC; where clocks skip midnight, when they do."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


# --------------------------------------------------------------------------- reading
def _custom(first: date, last: date, zone: ZoneInfo, now: datetime) -> Period:
    if first > last:
        raise NotAPeriod(_("from must not be later than to."))
    days = (last - first).days + 1
    if days > MOST_DAYS:
        words = _("from and to must not lie more than %d days apart.")
        raise NotAPeriod(words % MOST_DAYS)
    before = (first - days * DAY, first - DAY)
    return _period(CUSTOM, (first, last), before, zone, now)


def _period(
    name: str,
    days: tuple[date, date],
    before: tuple[date, date],
    zone: ZoneInfo,
    now: datetime,
) -> Period:
    first, last = days
    since, until = midnight(before[0], zone), midnight(before[1] + DAY, zone)
    runs = midnight(first, zone) <= now < midnight(last + DAY, zone)
    if runs:
        until = min(until, _as_long_ago(now.astimezone(zone), days, before))
    return Period(name, first, last, zone, (since, until), runs)


def _as_long_ago(
    now: datetime, days: tuple[date, date], before: tuple[date, date]
) -> datetime:
    """What is to the days before as `now` is to these: same place, same time of day."""
    if _starts_months(days, before):
        months = _months_between(before[0], days[0])
        month = _month(now.date(), -months)
        day = month + (now.date().day - 1) * DAY
        if day.month != month.month:
            return midnight(_month(month, 1), now.tzinfo)  # type: ignore[arg-type]
    else:
        day = now.date() - (days[0] - before[0])
    clock = now.time().replace(fold=0)
    return datetime.combine(day, clock, now.tzinfo).astimezone(UTC)


def _starts_months(*spans: tuple[date, date]) -> bool:
    """Whether all of them are whole months, so that they may differ in length."""
    return all(a.day == 1 and (b + DAY).day == 1 for a, b in spans)


def _months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def _day(text: str, name: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1971 <= day.year <= 2900:
        raise NotAPeriod(_("%s must be a date such as 2026-03-31.") % name)
    return day


def _month(day: date, months: int) -> date:
    """The first day of the month that is so many months from this day's."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _hours(start: datetime, end: datetime) -> list[datetime]:
    """Whole hours from `start` on, and the end."""
    count = -((start - end) // HOUR)
    return [*(start + n * HOUR for n in range(count)), end]


# ----------------------------------------------------------------------------- words
def compared_with(period: Period) -> str:
    """What a change is a change to: "to the 30 days before"."""
    if period.name == "today":
        return _("to yesterday by this time")
    if period.name == "this-month":
        return _("to the same days of %s") % _month_words(period)
    if period.name == "last-month":
        return _("to %s") % _month_words(period)
    if period.name == "year":
        return _("to the 12 months before")
    words = ngettext("to the day before", "to the %d days before", period.days)
    return words % period.days if "%" in words else words


def _month_words(period: Period) -> str:
    return f"{period.before[0].astimezone(period.zone):%B}"


def day_words(day: date, *, year: bool = True) -> str:
    """A day for people: 3 Dec 2026."""
    return f"{day.day} {day:%b}" + (f" {day.year}" if year else "")


def span_words(first: date, last: date) -> str:
    """Days for people: 26 Oct – 24 Nov 2026."""
    if first == last:
        return day_words(first)
    return f"{day_words(first, year=first.year != last.year)} – {day_words(last)}"
