"""Home: what needs me now, and what came in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant import money
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may, zone_of
from transactions import needs, overview, periods
from transactions.filters import TransactionFilter
from transactions.overview import CurrencyFigures, Shops, Sums
from transactions.periods import NotAPeriod, Period
from transactions.views import browse, figures, listing, waiting

HOME = "transactions:home"
#: What the page takes from its address; the links on it carry the rest along.
PERIOD = ("period", "from", "to")
KEPT = ("project", "livemode", "zone", "currency")
#: Currencies that have a tab of their own; others come by their address.
MOST_CURRENCIES = 12


@require_safe
@may("view_transactions")
def home(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    now = timezone.now()
    asked = listing.asked_by(member, _only(request.GET, "project", "livemode"))
    errors = list(asked.errors.values())
    zone = zone_of(member)
    try:
        zone = periods.read_zone(typed) if (typed := _typed(request, "zone")) else zone
        period = periods.read(request.GET.dict(), zone, now)  # type: ignore[arg-type]
        currency = _currency(_typed(request, "currency"))
    except NotAPeriod as error:
        errors.append(str(error))
    context: dict[str, Any] = {
        "mode": "live" if asked.livemode else "test",
        "errors": errors,
        "home_url": reverse(HOME),
    }
    with timezone.override(zone):
        if errors:
            return render(request, "transactions/home.html", context, status=422)
        if not listing.has_any(member):
            context |= browse.for_beginners(member)
        else:
            context |= {"lines": _lines(member, asked, zone, now)}
            context |= _figures(request, asked, period, currency)
        return render(request, "transactions/home.html", context)


# ---------------------------------------------------------------------- what waits
def _lines(
    member: Member, asked: TransactionFilter, zone: ZoneInfo, now: datetime
) -> list[waiting.Line]:
    along = _along(asked)
    lines = list(waiting.of_purchases(needs.at_purchases(asked.rows, now), along, now))
    if role_may(member.role, "view_inbound"):
        today = periods.midnight(now.astimezone(zone).date(), zone)
        found = needs.at_the_door(
            asked.scope.project_ids, bool(asked.livemode), now, today
        )
        may_connect = role_may(member.role, "manage_connections")
        lines += waiting.of_post(found, along, may_connect=may_connect)
    return lines


# -------------------------------------------------------------------------- figures
def _figures(
    request: HttpRequest, asked: TransactionFilter, period: Period, currency: str
) -> dict[str, Any]:
    shops = Shops(asked.rows, asked.scope.project_ids, bool(asked.livemode))
    found = overview.figures(shops, period)
    links = figures.Links(_along(asked), asked.scope)
    known = [of for of in found if of.currency and (of.now.paid or of.now.failed)]
    chosen = _chosen(known, currency, period)
    context: dict[str, Any] = {
        "period": period,
        "span": periods.span_words(period.first, period.last),
        "compared": _compared(period),
        "zone_words": figures.zone_words(period),
        "zone_name": period.zone.key,
        "presets": _presets(request, period),
        "kept": _pairs(request, "project", "livemode", "currency"),
        "unknown": figures.unknown_words(found),
        "chosen": chosen,
    }
    if chosen is None:
        return context
    sold = overview.products(shops, period, chosen.currency)
    return context | {
        "quiet_before": not (chosen.before.paid or chosen.before.failed),
        "currencies": _currencies(request, known, chosen),
        "tiles": figures.tiles(chosen, period, links),
        "chart": figures.chart(chosen, period, links),
        "providers": figures.providers(chosen, period, links),
        "products": figures.products(sold, chosen.currency, period, links),
    }


def _chosen(
    known: list[CurrencyFigures], currency: str, period: Period
) -> CurrencyFigures | None:
    """The currency asked for, also where nothing came in; else that with the most."""
    if not currency:
        return known[0] if known else None
    bars = [Sums() for _bar in period.edges[1:]]
    nothing = CurrencyFigures(currency, Sums(), Sums(), bars)
    return next((of for of in known if of.currency == currency), nothing)


def _currency(typed: str) -> str:
    try:
        return money.currency_code(typed) if typed else ""
    except money.NotMoney:
        words = _("currency must be a currency code such as eur.")
        raise NotAPeriod(words) from None


def _compared(period: Period) -> str:
    """The days that the figures are compared with."""
    since, until = (when.astimezone(period.zone) for when in period.before)
    last = (until - timedelta(microseconds=1)).date()
    words = periods.span_words(since.date(), last)
    if not period.runs:
        return words
    return _("%(days)s until %(time)s") % {"days": words, "time": f"{until:%H:%M}"}


# ------------------------------------------------------------------------ addresses
def _along(asked: TransactionFilter) -> list[tuple[str, str]]:
    """What lists are asked so that they show the same shops and mode."""
    projects = [("project", text) for text in asked.typed("project")]
    return [*projects, ("livemode", "true" if asked.livemode else "false")]


def _presets(request: HttpRequest, period: Period) -> list[dict[str, Any]]:
    return [
        {
            "label": preset.label,
            "url": _address([*_pairs(request, *KEPT), ("period", name)]),
            "current": name == period.name,
        }
        for name, preset in periods.PRESETS.items()
    ]


def _currencies(
    request: HttpRequest, known: list[CurrencyFigures], chosen: CurrencyFigures
) -> list[dict[str, Any]]:
    shown = known[:MOST_CURRENCIES]
    if chosen not in shown:
        shown = [*shown, chosen]
    kept = _pairs(request, *PERIOD, "project", "livemode", "zone")
    return [
        {
            "label": of.currency.upper(),
            "count": of.now.paid,
            "url": _address([*kept, ("currency", of.currency)]),
            "current": of is chosen,
        }
        for of in shown
    ]


def _pairs(request: HttpRequest, *names: str) -> list[tuple[str, str]]:
    return [
        (name, text)
        for name in names
        for text in request.GET.getlist(name)
        if text.strip()
    ]


def _address(pairs: list[tuple[str, str]]) -> str:
    return f"{reverse(HOME)}?{urlencode(pairs)}"


def _typed(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()


def _only(query: QueryDict, *names: str) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name in names:
        kept.setlist(name, query.getlist(name))
    return kept
