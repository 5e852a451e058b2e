"""How well deliveries go, as charts with their tables: success, and time to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from merchant import charts, htmx
from merchant.views.guard import may
from webhooks.list_filter import SINCE, UNTIL
from webhooks.record import figures
from webhooks.record.delivery_filters import DeliveryFilter
from webhooks.record.figures import Course, Figures
from webhooks.templatetags.outgoing import milliseconds
from webhooks.views.deliveries import LIST, member_of

#: name -> (label, number of steps, one step)
PERIODS: dict[str, tuple[Any, int, timedelta]] = {
    "day": (gettext_lazy("24 hours"), 24, timedelta(hours=1)),
    "week": (gettext_lazy("7 days"), 28, timedelta(hours=6)),
    "month": (gettext_lazy("30 days"), 30, timedelta(days=1)),
}
FIRST = "day"
#: What the charts do not ask: they have a period of their own and show every outcome.
LEFT_OUT = (SINCE, UNTIL, "state", "period")


@require_safe
@may("view_deliveries")
def delivery_charts(request: HttpRequest) -> HttpResponse:
    query = request.GET.copy()
    for name in LEFT_OUT:
        query.pop(name, None)
    asked = DeliveryFilter(query, member_of(request))
    period = request.GET.get("period", "")
    period = period if period in PERIODS else FIRST
    edges = _edges(period, timezone.now())
    found = figures.course(asked.strands, edges)
    here = reverse("webhooks:delivery_charts")
    context = {
        "errors": asked.errors_in_words,
        "clear_url": reverse(LIST),
        "list_url": _with(reverse(LIST), asked.query()),
        "periods": [
            {
                "label": label,
                "url": _with(here, asked.query(period=name)),
                "current": name == period,
            }
            for name, (label, *_rest) in PERIODS.items()
        ],
        "period_words": PERIODS[period][0],
        "charts": [_success(found, edges), _latency(found, edges)],
        "whole": found.whole,
        "endpoints": _by_endpoint(asked, found),
        "since": found.since,
        "most": f"{figures.MOST:,}",
    }
    return htmx.answer(
        request,
        page="webhooks/deliveries/charts.html",
        partial="webhooks/deliveries/_charts.html",
        context=context,
        status=422 if asked.errors_in_words else 200,
    )


def _edges(period: str, now: datetime) -> list[datetime]:
    """Whole hours or days of the active zone; the last one holds the present."""
    _label, count, step = PERIODS[period]
    local = timezone.localtime(now)
    end = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if step == timedelta(days=1):
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return [midnight + step * (n - count + 1) for n in range(count + 1)]
    return [end - step * (count - n) for n in range(count + 1)]


# ------------------------------------------------------------------------ the charts
def _success(found: Course, edges: Sequence[datetime]) -> dict[str, Any]:
    """All attempts, and before them those that succeeded: what is left failed."""
    drawn = charts.layers(
        [[f.attempts for f in found.steps], [f.succeeded for f in found.steps]],
        _under(edges),
    )
    return _chart(
        "success",
        _("Attempts"),
        found,
        edges,
        drawn,
        ticks=[f"{tick:,}" for tick in drawn[0].ticks],
        keys=[("failed", _("Failed")), ("ok", _("Succeeded"))],
        columns=[_("Succeeded"), _("Failed"), _("Success rate")],
        cells=lambda f: [f"{f.succeeded:,}", f"{f.failed:,}", rate(f)],
        sentence=_("%(all)s attempts, %(rate)s of them succeeded.")
        % {"all": f"{found.whole.attempts:,}", "rate": rate(found.whole)},
    )


def _latency(found: Course, edges: Sequence[datetime]) -> dict[str, Any]:
    """How long 95 of 100 successes took at most, and before it the half of them."""
    drawn = charts.layers(
        [[f.p95 or 0 for f in found.steps], [f.median or 0 for f in found.steps]],
        _under(edges),
    )
    return _chart(
        "latency",
        _("Time to answer, of those that succeeded"),
        found,
        edges,
        drawn,
        ticks=[milliseconds(tick) if tick else "0" for tick in drawn[0].ticks],
        keys=[("slow", _("95 of 100, at most")), ("half", _("Half of them, at most"))],
        columns=[_("Half, at most"), _("95 of 100, at most")],
        cells=lambda f: [milliseconds(f.median), milliseconds(f.p95)],
        sentence=_("Half of them were answered within %(half)s, 95 of 100 in %(most)s.")
        % {
            "half": milliseconds(found.whole.median),
            "most": milliseconds(found.whole.p95),
        },
    )


def _chart(
    name: str,
    title: str,
    found: Course,
    edges: Sequence[datetime],
    drawn: list[charts.Chart],
    *,
    ticks: list[str],
    keys: list[tuple[str, str]],
    columns: list[str],
    cells: Any,
    sentence: str,
) -> dict[str, Any]:
    names = [words for _tone, words in keys]
    rows = [
        {
            "words": _told(start, end),
            "cells": cells(step),
            "bars": list(zip((tone for tone, _words in keys), bars, strict=True)),
        }
        for start, end, step, *bars in zip(
            edges,
            edges[1:],
            found.steps,
            *(chart.bars for chart in drawn),
            strict=False,
        )
    ]
    for row in rows:
        told = zip(columns, row["cells"], strict=True)
        row["told"] = f"{row['words']}: " + ", ".join(f"{c} {v}" for c, v in told)
    return {
        "name": name,
        "title": title,
        "drawn": drawn[0],
        "ticks": ticks,
        "keys": list(zip((tone for tone, _words in keys), names, strict=True)),
        "columns": columns,
        "rows": rows,
        "sentence": f"{title}. {sentence}" if found.whole.attempts else title,
    }


def _by_endpoint(asked: DeliveryFilter, found: Course) -> list[dict[str, Any]]:
    """The endpoints that were called, the worst first."""
    known = {endpoint.pk: endpoint for endpoint in asked.endpoints}
    rows = [
        {
            "endpoint": known[id],
            "figures": of,
            "success": rate(of),
            "url": _with(reverse(LIST), asked.query(endpoint=str(id))),
        }
        for id, of in found.endpoints.items()
        if id in known
    ]
    return sorted(rows, key=lambda row: row["figures"].success)


def rate(of: Figures) -> str:
    """A share for people, never rounded up to all of them."""
    if of.success is None:
        return "–"
    percent = 100 * of.success
    return "100%" if percent == 100 else f"{min(percent, 99.9):.1f}%"


# ---------------------------------------------------------------------------- words
def _under(edges: Sequence[datetime]) -> list[str]:
    return [_short(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def _short(start: datetime, end: datetime) -> str:
    local = timezone.localtime(start)
    if end - start < timedelta(hours=2):
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}"


def _told(start: datetime, end: datetime) -> str:
    local, until = timezone.localtime(start), timezone.localtime(end)
    day = f"{local:%a} {local.day} {local:%b}"
    if end - start > timedelta(hours=12):
        return day
    return f"{day}, {local:%H:%M}–{until:%H:%M}"


def _with(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
