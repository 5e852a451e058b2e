"""Spans of days by name: "7 days" today is another week than "7 days" tomorrow.

A link holds days, so that it shows tomorrow what it shows today. A saved view may hold
the name instead (`created=7-days`) and be read as of the day it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

DAY = timedelta(days=1)
Pairs = list[tuple[str, str]]


class Span(NamedTuple):
    """`days`: as of a day, the first and the last; None: it goes on until now."""

    label: Any
    days: Callable[[date], tuple[date, date | None]]


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - DAY
    return last.replace(day=1), last


SPANS = {
    "today": Span(_("Today"), lambda today: (today, None)),
    "yesterday": Span(_("Yesterday"), lambda today: (today - DAY, today - DAY)),
    "7-days": Span(_("7 days"), lambda today: (today - 6 * DAY, None)),
    "30-days": Span(_("30 days"), lambda today: (today - 29 * DAY, None)),
    "this-month": Span(_("This month"), lambda today: (today.replace(day=1), None)),
    "last-month": Span(_("Last month"), _last_month),
    "this-year": Span(
        _("This year"), lambda today: (today.replace(month=1, day=1), None)
    ),
}

#: What may be narrowed by days, and how people call it.
ROOTS = {"created": _("Created"), "paid": _("Paid")}


def edges(root: str, span: Span, today: date) -> Pairs:
    """The span as a link says it."""
    first, last = span.days(today)
    found = [(f"{root}[gte]", str(first))]
    return found if last is None else [*found, (f"{root}[lt]", str(last + DAY))]


def named(pairs: Pairs, today: date, roots: Iterable[str] = tuple(ROOTS)) -> Pairs:
    """The query with the names of spans where its days are those of one."""
    for root in roots:
        own = [pair for pair in pairs if pair[0].partition("[")[0] == root]
        for name, span in SPANS.items():
            if own and own == edges(root, span, today):
                others = [pair for pair in pairs if pair not in own]
                pairs = [*others, (root, name)]
    return pairs


def as_of(pairs: Pairs, today: date) -> Pairs:
    """The query with the days of that day for the names of spans."""
    found: Pairs = []
    for root, name in pairs:
        known = root in ROOTS and name in SPANS
        found += edges(root, SPANS[name], today) if known else [(root, name)]
    return found


def words(pairs: Pairs) -> list[tuple[str, str]]:
    """(what, which span) of the names in a query."""
    return [
        (str(ROOTS[root]), str(SPANS[name].label))
        for root, name in pairs
        if root in ROOTS and name in SPANS
    ]
