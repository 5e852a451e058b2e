"""Figures for people: tiles with their change, the chart, and the tables beside it.

Every figure is a link to the list of exactly the transactions that it adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from merchant import charts
from merchant.money import exponent
from merchant.providers import CHOICES as PROVIDERS
from merchant.templatetags.show import MINUS, money_text
from transactions.filter_values import Scope, moment
from transactions.overview import CurrencyFigures, Sold, Sums
from transactions.periods import Period, compared_with, day_words, midnight
from transactions.statuses import ENDED, MONEY_CAME, Status

LIST = "transactions:list"
#: Products that the page names; the others are one line.
MOST_PRODUCTS = 8
#: Parts of an axis in short: so much, and its letter.
SHORT = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))

CAME = tuple(status for status in Status if status in MONEY_CAME)
#: What may have given money back; one that is simply paid has not.
BACK = tuple(status for status in CAME if status != Status.PAID)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: its words are ready, `change` says more than a sign or a colour."""

    label: str
    value: str
    currency: str
    note: str
    change: str
    url: str


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of lists within one period; days as the list itself would read them."""

    along: Sequence[tuple[str, str]]
    scope: Scope

    def between(
        self, start: datetime, end: datetime, *, statuses: Sequence[str], **asked: str
    ) -> str:
        pairs = [
            *self.along,
            *(("status", status) for status in statuses),
            *asked.items(),
            ("created[gte]", self._spelled(start)),
            ("created[lt]", self._spelled(end)),
        ]
        return f"{reverse(LIST)}?{urlencode(pairs)}"

    def _spelled(self, when: datetime) -> str:
        """A bare day where the list reads it as this moment, else the moment."""
        day = str(when.astimezone(self.scope.zone).date())
        if moment(day, self.scope) == when:
            return day
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------------------- tiles
def tiles(of: CurrencyFigures, period: Period, links: Links) -> list[Tile]:
    now, before, currency = of.now, of.before, of.currency

    def url(statuses: Sequence[str]) -> str:
        return links.between(
            period.start, period.end, statuses=statuses, currency=currency
        )

    def money(label: str, name: str, statuses: Sequence[str], note: str = "") -> Tile:
        amount, earlier = getattr(now, name), getattr(before, name)
        text = money_text(amount, currency).rpartition(" ")[2]
        change = change_words(amount, earlier, period)
        return Tile(label, text, currency.upper(), note, change, url(statuses))

    ended = now.paid + now.failed
    lost = _("%s more was charged back") % money_text(now.charged_back, currency)
    return [
        money(_("Volume"), "gross", CAME),
        money(_("Refunded"), "refunded", BACK),
        money(_("After refunds"), "net", CAME, lost if now.charged_back else ""),
        Tile(
            _("Success rate"),
            _share(now.success),
            "",
            _("%(paid)s of %(all)s that ended")
            % {"paid": f"{now.paid:,}", "all": f"{ended:,}"},
            _points(now.success, before.success, period),
            url([*CAME, *ENDED]),
        ),
        money(_("Average order"), "average", CAME),
        Tile(
            _("Payments"),
            f"{now.paid:,}",
            "",
            "",
            change_words(now.paid, before.paid, period),
            url(CAME),
        ),
    ]


def change_words(now: int | None, before: int | None, period: Period) -> str:
    """ "+12% to the 30 days before"; "" where there is nothing to compare with."""
    if not before:
        return _("none before") if now else ""
    against = compared_with(period)
    share = 100 * ((now or 0) - before) / abs(before)
    if abs(share) < 0.05:
        return _("unchanged %s") % against
    places = 0 if abs(share) >= 1 else 1
    return f"{_signed(f'{abs(share):,.{places}f}%', share)} {against}"


def _points(now: float | None, before: float | None, period: Period) -> str:
    """The change of a share in points, since a percentage of percents misleads."""
    if before is None or now is None:
        return ""
    against = compared_with(period)
    points = round(100 * now, 1) - round(100 * before, 1)
    if abs(points) < 0.05:
        return _("unchanged %s") % against
    return f"{_signed(_('%.1f points') % abs(points), points)} {against}"


def _signed(words: str, value: float) -> str:
    return f"{'+' if value > 0 else MINUS}{words}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}%"


# ---------------------------------------------------------------------------- chart
def chart(of: CurrencyFigures, period: Period, links: Links) -> dict[str, Any]:
    """The chart of volume, its sentence, and the same as a table."""
    values = [max(bar.gross, 0) for bar in of.bars]
    edges = period.edges
    drawn = charts.bars(
        values,
        [_under(edge, period) for edge in edges[:-1]],
        unit=10 ** exponent(of.currency),
    )
    rows = [
        {
            "words": _bar_words(start, period),
            "sums": bar,
            "told": _told(_bar_words(start, period), bar, of.currency),
            "url": links.between(start, end, statuses=CAME, currency=of.currency),
            "bar": bar_drawn,
        }
        for start, end, bar, bar_drawn in zip(
            edges, edges[1:], of.bars, drawn.bars, strict=False
        )
    ]
    return {
        "drawn": drawn,
        "rows": rows,
        "ticks": axis_words(drawn.ticks, of.currency),
        "title": STEP_TITLES[period.step]() % of.currency.upper(),
        "head": STEP_HEADS[period.step](),
        "sentence": _sentence(of, period, rows),
    }


STEP_TITLES = {
    "hour": lambda: _("Volume per hour, %s"),
    "day": lambda: _("Volume per day, %s"),
    "month": lambda: _("Volume per month, %s"),
}
STEP_HEADS = {
    "hour": lambda: _("Hour"),
    "day": lambda: _("Day"),
    "month": lambda: _("Month"),
}


def _sentence(
    of: CurrencyFigures, period: Period, rows: Sequence[dict[str, Any]]
) -> str:
    """What the chart shows, for who does not see it."""
    title = STEP_TITLES[period.step]() % of.currency.upper()
    best = max(rows, key=lambda row: row["sums"].gross, default=None)
    if best is None or best["sums"].gross <= 0:
        return _("%s. No payments in this period.") % title
    return _("%(title)s. %(total)s in all, the most on %(best)s.") % {
        "title": title,
        "total": money_text(of.now.gross, of.currency),
        "best": best["told"],
    }


def _told(words: str, bar: Sums, currency: str) -> str:
    return f"{words}: {money_text(bar.gross, currency)}"


def axis_words(ticks: Sequence[int], currency: str) -> list[str]:
    """Amounts of one axis, all in the same short form: 2,500; 25K; 1.5M."""
    majors = [tick // 10 ** exponent(currency) for tick in ticks]
    for size, letter in SHORT:
        if majors[0] >= 10 * size:
            return [_short(major, size, letter) for major in majors]
    return [f"{major:,}" for major in majors]


def _short(major: int, size: int, letter: str) -> str:
    return f"{major / size:g}{letter}" if major else "0"


def _under(start: datetime, period: Period) -> str:
    """What stands under a bar."""
    local = start.astimezone(period.zone)
    if period.step == "hour":
        return f"{local:%H:%M}"
    if period.step == "month":
        return f"{local:%b}"
    return day_words(local.date(), year=False)


def _bar_words(start: datetime, period: Period) -> str:
    local = start.astimezone(period.zone)
    if period.step == "hour":
        return f"{local:%H:%M} {local.tzname()}"
    if period.step == "month":
        return f"{local:%B %Y}"
    several_years = period.first.year != period.last.year
    return f"{local:%a} {day_words(local.date(), year=several_years)}"


# --------------------------------------------------------------------------- tables
def providers(
    of: CurrencyFigures, period: Period, links: Links
) -> list[dict[str, Any]]:
    """The period by provider, the greatest volume first."""
    names = dict(PROVIDERS)
    return [
        {
            "name": names.get(slug, slug),
            "sums": sums,
            "share": _share_of(sums.gross, of.now.gross),
            "success": _share(sums.success),
            "url": links.between(
                period.start,
                period.end,
                statuses=CAME,
                provider=slug,
                currency=of.currency,
            ),
        }
        for slug, sums in sorted(
            of.providers.items(), key=lambda pair: (-pair[1].gross, pair[0])
        )
        if sums.paid or sums.failed
    ]


def products(
    sold: Sequence[Sold], currency: str, period: Period, links: Links
) -> dict[str, Any]:
    """The best products and, in one line, the rest."""
    shown, rest = sold[:MOST_PRODUCTS], sold[MOST_PRODUCTS:]
    return {
        "rows": [
            {
                "name": line.product,
                "units": line.units,
                "gross": line.gross,
                "url": links.between(
                    period.start,
                    period.end,
                    statuses=CAME,
                    product=line.product,
                    currency=currency,
                ),
            }
            for line in shown
        ],
        "rest": _rest(rest) if rest else None,
    }


def _rest(rest: Sequence[Sold]) -> dict[str, Any]:
    words = ngettext("%s other product", "%s other products", len(rest))
    return {
        "words": words % f"{len(rest):,}",
        "units": sum(line.units for line in rest),
        "gross": sum(line.gross for line in rest),
    }


def _share_of(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole > 0 else "–"


def unknown_words(all_figures: Sequence[CurrencyFigures]) -> str:
    """That purchases without a known currency are in none of the figures."""
    unknown = next((of.now for of in all_figures if not of.currency), Sums())
    ended = unknown.paid + unknown.failed
    words = ngettext(
        "%s payment of an unknown currency is in none of these figures.",
        "%s payments of unknown currencies are in none of these figures.",
        ended,
    )
    return words % f"{ended:,}" if ended else ""


def zone_words(period: Period) -> str:
    """The zone's name for people, and how it stands to UTC at the period's end."""
    key = period.zone.key
    if key == "UTC":
        return key
    offset = midnight(period.last, period.zone).astimezone(period.zone).strftime("%z")
    return f"{key.replace('_', ' ')} (UTC{offset[:3]}:{offset[3:5]})"
