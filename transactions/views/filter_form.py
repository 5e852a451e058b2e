"""The filter as a form: its panels, its chips, and the query that they write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchant.money import Money, NotMoney, currency_code
from merchant.providers import CHOICES as PROVIDERS
from merchant.templatetags.show import digits
from transactions import spans
from transactions.directory import Asked
from transactions.filters import Chip, TransactionFilter
from transactions.models import Product
from transactions.statuses import FulfilmentStatus, Status

#: More products than this are found by typing, not by ticking.
MOST_PRODUCTS = 200
#: What the form asks by typing, under "More filters".
TYPED = (
    ("currency", _lazy("Currency"), "EUR"),
    ("method", _lazy("Method"), "card, paypal"),
    ("brand", _lazy("Card brand"), "visa"),
    ("country", _lazy("Country code"), "DE"),
    ("customer", _lazy("Customer"), "mira@example.com"),
)
#: What the form asks by one tick: a name, its value, and the words.
FLAGS = (
    ("refund_pending", "true", _lazy("Refund on its way")),
    ("dispute", "open", _lazy("Open dispute")),
    ("verified", "false", _lazy("Amount unverified")),
    ("noted", "true", _lazy("With notes")),
)
#: Pairs of dates: what the query calls them, and the form.
CREATED, PAID = "created", "paid"
#: In the form an amount is typed as people write it, beside its currency.
LEAST, GREATEST, IN = "amount_from", "amount_to", "amount_in"
AMOUNTS = {LEAST: "amount[gte]", GREATEST: "amount[lte]"}

#: A query as (name, text) -> the list's address with it.
Address = Callable[[list[tuple[str, str]]], str]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Any
    chosen: bool
    name: str = ""


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
    """The query as links write it: nothing empty, the form's days as times and its
    amounts in minor units.

    A person's "to 21 Nov" means the whole day; `created[lt]` is where it ends.
    """
    tidy = QueryDict(mutable=True)
    for name, texts in query.lists():
        kept = [text for text in texts if text.strip()]
        if name in DAYS:
            name, read = DAYS[name]
            kept = [read(day) for text in kept if (day := _day(text))]
        if name not in {*AMOUNTS, IN}:
            for text in kept:
                tidy.appendlist(name, text)
    _tidy_amounts(query, tidy)
    return tidy


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _next(day: date) -> str:
    return str(day + timedelta(days=1)) if day < date.max else str(day)


#: The form's name of a day -> what a link calls it, and how it writes it.
DAYS: dict[str, tuple[str, Callable[[date], str]]] = {
    "from": ("created[gte]", str),
    "to": ("created[lt]", _next),
    "paid_from": ("paid[gte]", str),
    "paid_to": ("paid[lt]", _next),
}


def _tidy_amounts(query: QueryDict, tidy: QueryDict) -> None:
    """19.99 in EUR becomes 1999, and the list one of that currency.

    What cannot be read is left as it was typed: the filter says what is wrong with it.
    """
    typed = {name: query.get(name, "").strip() for name in AMOUNTS}
    if not any(typed.values()):
        return
    named = query.get(IN, "").strip() or tidy.get("currency", "")
    try:
        currency = currency_code(named)
    except NotMoney:
        currency = ""
        tidy.setlist("currency", [named or "?"])
    else:
        tidy.setlist("currency", [currency])
    for name, text in typed.items():
        if text:
            tidy[AMOUNTS[name]] = _minor(text, currency)


def _minor(text: str, currency: str) -> str:
    plain = text.replace(" ", "").replace("\u00a0", "")
    if "," in plain and "." not in plain and len(plain.rpartition(",")[2]) != 3:
        plain = plain.replace(",", ".")
    try:
        return str(Money.from_major(plain.replace(",", ""), currency).minor)
    except NotMoney:
        return text


# -------------------------------------------------------------------------- panels
def panels(asked: TransactionFilter, address: Address) -> dict[str, Any]:
    """Everything that `_filters.html` draws."""
    shops = [(project.slug, project.name) for project in asked.projects]
    fixed = dict(asked.fixed)
    more = [
        Choice(value, label, value in asked.typed(name), name)
        for name, value, label in FLAGS
    ]
    form: dict[str, Any] = {
        "ticked": [
            panel
            for panel in (
                _panel(asked, "status", _("Status"), Status.choices),
                _panel(asked, "product", _("Product"), _products(asked)),
                _panel(asked, "provider", _("Provider"), PROVIDERS),
                _panel(asked, "project", _("Project"), shops if len(shops) > 1 else []),
                _panel(asked, "fulfilment", _("Fulfilment"), FulfilmentStatus.choices),
            )
            if panel.choices and panel.name not in fixed
        ],
        "typed": [
            {
                "name": name,
                "label": label,
                "hint": hint,
                "value": ", ".join(asked.typed(name)),
            }
            for name, label, hint in TYPED
            if name not in fixed
        ],
        "flags": more,
        "days": days(asked, CREATED, "from", "to", address),
        "paid_days": days(asked, PAID, "paid_from", "paid_to", address),
        "amount": amount(asked),
    }
    typed = sum(bool(asked.typed(name)) for name, *_x in TYPED)
    form["more_count"] = (
        typed + sum(flag.chosen for flag in more) + form["paid_days"]["count"]
    )
    form["kept"] = _kept(asked, form)
    return form


def _kept(asked: TransactionFilter, form: dict[str, Any]) -> list[tuple[str, str]]:
    """What was asked and no field of the form says: it goes along unseen."""
    fields = {panel.name for panel in form["ticked"]} | {n for n, *_x in TYPED} | {"q"}
    fields |= {name for name, _read in DAYS.values()}
    if form["amount"]["told"]:
        fields |= set(AMOUNTS.values())
    flags = {(flag.name, flag.value) for flag in form["flags"]}
    return [
        (name, text)
        for name, text in asked.pairs()
        if name not in fields and (name, text) not in flags
    ]


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


def amount(asked: TransactionFilter | Asked) -> dict[str, Any]:
    """What stands in the fields of the amount; `told`: they say all that was asked."""
    least, greatest = asked.meaning("amount[gte]"), asked.meaning("amount[lte]")
    told = bool(asked.currency)
    return {
        "from": _major(least, asked.currency) if told else "",
        "to": _major(greatest, asked.currency) if told else "",
        "currency": asked.currency.upper(),
        "count": sum(
            bool(asked.typed(f"amount[{edge}]")) for edge in ("gte", "lte", "eq")
        ),
        "told": told,
    }


def _major(minor: int | None, currency: str) -> str:
    return "" if minor is None else digits(minor, currency).replace(",", "")


# ---------------------------------------------------------------------------- days
def days(
    asked: TransactionFilter | Asked,
    column: str,
    first: str,
    last: str,
    address: Address,
) -> dict[str, Any]:
    """Two dates, as `_days.html` draws them."""
    since, until = f"{column}[gte]", f"{column}[lt]"
    return {
        "from": {"name": first, "value": _shown_day(asked, since)},
        "to": {"name": last, "value": _shown_day(asked, until)},
        "count": sum(bool(asked.typed(name)) for name in (since, until)),
        "presets": list(_presets(asked, since, until, address)),
    }


def _shown_day(asked: TransactionFilter | Asked, name: str) -> str:
    """What stands in a date input: the first or the last day that is looked at."""
    when = asked.meaning(name)
    if when is None:
        return ""
    if name.endswith("[lt]"):
        when -= timedelta(microseconds=1)
    return str(when.astimezone(asked.scope.zone).date())


def _presets(
    asked: TransactionFilter | Asked, since: str, until: str, address: Address
) -> Iterator[dict[str, Any]]:
    """Links for the usual spans, as the query with these days."""
    chosen = (asked.typed(since), asked.typed(until))
    others = asked.pairs(without=(since, until))
    for label, first, last in _spans(timezone.localdate(timezone=asked.scope.zone)):
        edges = {since: str(first)} | ({until: _next(last)} if last else {})
        yield {
            "label": label,
            "url": address([*others, *edges.items()]),
            "current": chosen == ([str(first)], [_next(last)] if last else []),
        }


def _spans(today: date) -> list[tuple[str, date, date | None]]:
    """(words, first day, last day or None for "until now")."""
    return [(str(span.label), *span.days(today)) for span in spans.SPANS.values()]


# --------------------------------------------------------------------------- chips
#: Names whose values are said as days, and how.
EDGES = {
    "created[gte]": _lazy("Created from"),
    "created[lt]": _lazy("Created to"),
    "paid[gte]": _lazy("Paid from"),
    "paid[lt]": _lazy("Paid to"),
}


def chips(asked: TransactionFilter, address: Address) -> list[dict[str, Any]]:
    """What is asked as removable words; test and live have a switch of their own."""
    return [
        _chip(asked, chip, address) for chip in asked.chips() if chip.name != "livemode"
    ]


def _chip(asked: TransactionFilter, chip: Chip, address: Address) -> dict[str, Any]:
    label: Any = chip.label
    value = chip.value
    if chip.name in EDGES:
        label, value = EDGES[chip.name], _day_words(asked, chip.name)
    return {"label": label, "value": value, "url": address(chip.without)}


def _day_words(asked: TransactionFilter, name: str) -> str:
    typed = asked.typed(name)[0]
    if len(typed) > len("2026-03-31"):
        return typed  # somebody's link with an hour in it: as it was written
    day = date.fromisoformat(_shown_day(asked, name))
    return f"{day.day} {day:%b %Y}"
