"""The filter as a form: its panels, its chips, and the query that they write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import Project
from merchant.providers import CHOICES as PROVIDERS
from transactions.filters import Chip, TransactionFilter
from transactions.models import Product
from transactions.statuses import Status

#: More products than this are found by typing, not by ticking.
MOST_PRODUCTS = 200
#: What the form asks by typing, under "More filters".
TYPED = (
    ("method", "Method", "card, paypal"),
    ("brand", "Card brand", "visa"),
    ("currency", "Currency", "EUR"),
    ("country", "Country code", "DE"),
)
LIST = "transactions:list"
FROM, TO = "created[gte]", "created[lt]"
IN_FORM = {
    "q", "status", "product", "project", "provider", FROM, TO, *(n for n, *_x in TYPED)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Any
    chosen: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One filter that is chosen by ticking."""

    name: str
    label: Any
    choices: list[Choice]

    @property
    def chosen(self) -> int:
        return sum(choice.chosen for choice in self.choices)

    @property
    def is_long(self) -> bool:
        return len(self.choices) > 15


# --------------------------------------------------------------------------- query
def tidied(query: QueryDict) -> QueryDict:
    """The query as links write it: nothing empty, and the form's days as times.

    A person's "to 21 Nov" means the whole day; `created[lt]` is where it ends.
    """
    tidy = QueryDict(mutable=True)
    for name, texts in query.lists():
        kept = [text for text in texts if text.strip()]
        if name in {"from", "to"}:
            days = [day for text in kept if (day := _day(text))]
            name = FROM if name == "from" else TO
            kept = [_next(day) if name == TO else str(day) for day in days]
        for text in kept:
            tidy.appendlist(name, text)
    return tidy


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _next(day: date) -> str:
    return str(day + timedelta(days=1)) if day < date.max else str(day)


# -------------------------------------------------------------------------- panels
def panels(asked: TransactionFilter, projects: Iterable[Project]) -> dict[str, Any]:
    """Everything that `_filters.html` draws; `projects`: those that may be chosen."""
    shops = [(project.slug, project.name) for project in projects]
    return {
        "ticked": [
            panel
            for panel in (
                _panel(asked, "status", _("Status"), Status.choices),
                _panel(asked, "product", _("Product"), _products(asked)),
                _panel(asked, "provider", _("Provider"), PROVIDERS),
                _panel(asked, "project", _("Project"), shops if len(shops) > 1 else []),
            )
            if panel.choices
        ],
        "typed": [
            {
                "name": name,
                "label": label,
                "hint": hint,
                "value": ", ".join(asked.typed(name)),
            }
            for name, label, hint in TYPED
        ],
        "typed_count": sum(bool(asked.typed(name)) for name, *_x in TYPED),
        "days": {"from": _shown_day(asked, FROM), "to": _shown_day(asked, TO)},
        "days_count": sum(bool(asked.typed(name)) for name in (FROM, TO)),
        "presets": list(_presets(asked)),
        "kept": [
            (given.name, given.typed)
            for given in asked.given
            if given.name not in IN_FORM
        ],
    }


def _panel(
    asked: TransactionFilter, name: str, label: str, choices: Iterable[tuple[str, Any]]
) -> Panel:
    typed = asked.typed(name)
    known = [Choice(value, words, value in typed) for value, words in choices]
    values = {choice.value for choice in known}
    others = [Choice(text, text, True) for text in typed if text not in values]
    return Panel(name, label, others + known)


def _products(asked: TransactionFilter) -> list[tuple[str, str]]:
    sold = Product.objects.filter(project_id__in=asked.scope.project_ids)
    names = sold.order_by("name").values_list("name", flat=True).distinct()
    return [(name, name) for name in names[:MOST_PRODUCTS]]


# ---------------------------------------------------------------------------- days
def _shown_day(asked: TransactionFilter, name: str) -> str:
    """What stands in a date input: the first or the last day that is looked at."""
    when = asked.meaning(name)
    if when is None:
        return ""
    if name == TO:
        when -= timedelta(microseconds=1)
    return str(when.astimezone(asked.scope.zone).date())


def _presets(asked: TransactionFilter) -> Iterator[dict[str, Any]]:
    """Links for the usual spans, as the query with these days."""
    chosen = (asked.typed(FROM), asked.typed(TO))
    for label, first, last in _spans(timezone.localdate(timezone=asked.scope.zone)):
        days = {FROM: str(first)} | ({TO: _next(last)} if last else {})
        others = [(g.name, g.typed) for g in asked.given if g.name not in (FROM, TO)]
        yield {
            "label": label,
            "url": f"{reverse(LIST)}?{urlencode([*others, *days.items()])}",
            "current": chosen == ([str(first)], [_next(last)] if last else []),
        }


def _spans(today: date) -> list[tuple[str, date, date | None]]:
    """(words, first day, last day or None for "until now")."""
    month = today.replace(day=1)
    last = month - timedelta(days=1)
    return [
        (_("Today"), today, None),
        (_("7 days"), today - timedelta(days=6), None),
        (_("30 days"), today - timedelta(days=29), None),
        (_("This month"), month, None),
        (_("Last month"), last.replace(day=1), last),
    ]


# --------------------------------------------------------------------------- chips
def chips(asked: TransactionFilter) -> list[dict[str, str]]:
    """What is filtered by, each with the list without it. Test or live is no chip."""
    return [_chip(asked, chip) for chip in asked.chips() if chip.name != "livemode"]


def _chip(asked: TransactionFilter, chip: Chip) -> dict[str, str]:
    label, value = chip.label, chip.value
    if chip.name in {FROM, TO}:
        label = _("Created from") if chip.name == FROM else _("Created to")
        value = _day_words(asked, chip.name)
    return {
        "label": label,
        "value": value,
        "url": f"{reverse(LIST)}?{chip.without}".rstrip("?"),
    }


def _day_words(asked: TransactionFilter, name: str) -> str:
    typed = asked.typed(name)[0]
    if len(typed) > len("2026-03-31"):
        return typed  # somebody's link with an hour in it: as it was written
    day = date.fromisoformat(_shown_day(asked, name))
    return f"{day.day} {day:%b %Y}"
