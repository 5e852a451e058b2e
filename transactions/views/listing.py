"""A list of transactions on a page: the same filters, wherever it stands.

The main list is one; the page of a customer or a product shows another, with a part of
the filter fixed: `listing.answer(request, Listing(path, {"customer": str(id)}),
page="transactions/customer.html", context={...})`. Such a page includes
transactions/_filters.html and transactions/_results.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django_htmx.http import push_url

from merchant import htmx
from merchant.models import Member
from transactions import columns, layouts, paging, selectors, summary
from transactions.filters import TransactionFilter
from transactions.statuses import Status
from transactions.summary import Summary
from transactions.views import bulk, export_button, filter_form, view_tabs
from transactions.views import layout as layout_form

SIZE = 25

#: The tabs over the list: words, and the statuses they show.
TABS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_lazy("All"), ()),
    (_lazy("Paid"), (Status.PAID,)),
    (
        _lazy("Open"),
        (
            Status.CREATED, Status.PENDING, Status.AUTHORIZED, Status.OVERDUE,
            Status.PARTIALLY_PAID,
        ),
    ),
    (_lazy("Refunded"), (Status.PARTIALLY_REFUNDED, Status.REFUNDED)),
    (_lazy("Disputed"), (Status.DISPUTED, Status.CHARGED_BACK)),
    (_lazy("Failed"), (Status.FAILED, Status.CANCELED, Status.EXPIRED)),
)  # fmt: skip

#: The orders that a column's head leads to: the first click, and the next.
SORTS = {
    "created": (paging.NEWEST, paging.OLDEST),
    "amount": (paging.LARGEST, paging.SMALLEST),
    "status": (paging.BY_STATUS, paging.BY_STATUS),
}
DIRECTIONS = {
    "-created": "descending",
    "created": "ascending",
    "-amount": "descending",
    "amount": "ascending",
    "status": "ascending",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a list stands (`path`), what it always asks (`fixed`: name -> text), and
    what its links carry along that is no filter (`along`; `whole`: the one that clears
    the filter). `view`: which saved view its URL names, None for a list without them.
    """

    path: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    along: tuple[tuple[str, str], ...] = ()
    whole: tuple[tuple[str, str], ...] = ()
    view: str | None = None

    def address(self, pairs: list[tuple[str, str]]) -> str:
        """This list with that query."""
        query = urlencode([*self.along, *pairs])
        return f"{self.path}?{query}" if query else self.path

    def turned(self, asked: TransactionFilter, name: str, cursor: str | None) -> str:
        """The page at a cursor; "" where there is none."""
        return self.address([*asked.pairs(), (name, cursor)]) if cursor else ""


def answer(
    request: HttpRequest,
    listing: Listing,
    *,
    page: str,
    context: Mapping[str, Any],
    query: QueryDict | None = None,
) -> HttpResponse:
    """The page with its list, its results alone for htmx, or where a tidier URL leads.

    `query`: what is asked, where it is not all of the request's own.
    """
    member: Member = request.member  # type: ignore[attr-defined]
    given = request.GET if query is None else query
    tidy = filter_form.tidied(given)
    asked = asked_by(member, tidy, listing)
    if tidy != given and not asked.errors and not htmx.is_partial(request):
        return redirect(listing.address(asked.pairs()))
    began = timezone.now()
    try:
        rows = paging.browse(asked.strands, tidy.dict(), SIZE, asked.order)  # type: ignore[arg-type]
    except paging.WrongCursor:
        return redirect(listing.address(asked.pairs()))
    with timezone.override(asked.scope.zone):  # times are shown as days are meant
        shown = list_context(member, listing, asked, rows)
        shown |= bulk.bulk_bar_context(member, asked, shown["counted"], began)
        response = htmx.answer(
            request,
            page=page,
            partial="transactions/_results.html",
            context={**context, **shown},
            status=422 if asked.errors else 200,
        )
    if not htmx.is_partial(request):
        return response
    cursors = [(n, tidy.get(n, "")) for n in (paging.NEWER, paging.OLDER) if n in tidy]
    return push_url(response, listing.address([*asked.pairs(), *cursors]))


def asked_by(
    member: Member, query: QueryDict, listing: Listing | None = None
) -> TransactionFilter:
    """What a query asks of the member's transactions; live while anything is live."""
    assumed = has_live(member) or not has_any(member)
    fixed = listing.fixed if listing else None
    return TransactionFilter.of_member(member, query, livemode=assumed, fixed=fixed)


def list_context(
    member: Member, listing: Listing, asked: TransactionFilter, page: paging.Page
) -> dict[str, Any]:
    layout = layouts.of(member)
    arrangement = columns.of_layout(layout)
    columns.fetch_along(page.rows, arrangement)
    sums = summary.of(asked)
    counted = paging.Counted(sums.count, more=not sums.complete)
    return {
        "asked": asked,
        "rows": page.rows,
        "arrangement": arrangement,
        "layout_form": layout_form.of_layout(layout),
        "views": None
        if listing.view is None
        else view_tabs.context(member, asked, listing.view),
        "errors": list(asked.errors.values()),
        "announce": announced(counted),
        "counted": counted,
        "words": position(page, counted, summary.at_once(asked)),
        "newer_url": listing.turned(asked, paging.NEWER, page.newer),
        "older_url": listing.turned(asked, paging.OLDER, page.older),
        "sorts": sorts(listing, asked),
        "chips": filter_form.chips(asked, listing.address),
        "list_url": listing.path,
        "along": listing.along,
        "clear_url": cleared(listing, asked),
        "form": filter_form.panels(asked, listing.address),
        "q": " ".join(asked.typed("q")),
        "search_form": "filters",
        "mode": "live" if asked.livemode else "test",
        "news_url": news_url(listing, asked, page),
        "export_url": export_button.address(
            member,
            "transactions",
            [*listing.fixed.items(), *asked.pairs()],
            asked.livemode,
        ),
    } | totals_context(listing, asked, sums)


def totals_context(
    listing: Listing, asked: TransactionFilter, sums: Summary
) -> dict[str, Any]:
    """What the tabs and the line of totals say."""
    query = urlencode([*listing.fixed.items(), *asked.pairs(without=("sort",))])
    return {
        "sums": sums,
        "added_up": f"{sums.count:,}",
        "sold": sums.sold,
        "more_url": ""
        if sums.complete
        else f"{reverse('transactions:totals')}?{query}",
        "tabs": tabs(listing, asked, sums),
    }


# --------------------------------------------------------------------------- words
def announced(counted: paging.Counted) -> str:
    """For who hears the page: "196 transactions"."""
    words = ngettext("%s transaction", "%s transactions", counted.number)
    return words % str(counted)


def position(
    page: paging.Page, counted: paging.Counted, most: int = summary.AT_ONCE
) -> str:
    """26–50 of 2,473, or 25 of 1,000+ where counting the rows above costs too much:
    where they are more than `most`."""
    if not page.rows:
        return ""
    above = page.count_above(most)
    if above.more:
        return _("%(rows)d of %(all)s") % {"rows": len(page.rows), "all": counted}
    first, last = above.number + 1, above.number + len(page.rows)
    return f"{first:,}–{last:,} {_('of')} {counted}"


# ------------------------------------------------------------------- ways from here
def tabs(
    listing: Listing, asked: TransactionFilter, sums: Summary
) -> list[dict[str, Any]]:
    """The tabs by status, with how many each would show where that is known."""
    if asked.errors:
        return []
    wanted = asked.typed("status")
    if wanted:
        sums = summary.of(asked.less("status"))
    others = asked.pairs(without=("status",))
    return [
        {
            "label": label,
            "url": listing.address([*others, *(("status", s) for s in statuses)]),
            "count": _count(sums, statuses),
            "current": set(wanted) == set(statuses),
        }
        for label, statuses in TABS
    ]


def _count(sums: Summary, statuses: tuple[str, ...]) -> str:
    """How many rows a tab shows; of a list that was not added up to its end, "12+"."""
    number = sum(sums.statuses.get(status, 0) for status in statuses or sums.statuses)
    if not number and not sums.complete:
        return ""
    return str(paging.Counted(number, more=not sums.complete))


def sorts(listing: Listing, asked: TransactionFilter) -> dict[str, dict[str, str]]:
    """The columns that the list can be ordered by: where their heads lead."""
    others = asked.pairs(without=("sort",))
    found = {}
    for name, (first, second) in SORTS.items():
        if first.name not in asked.orders:
            continue
        now = asked.order in (first, second)
        wanted = second if asked.order is first else first
        pairs = [("sort", wanted.name)] if wanted is not paging.NEWEST else []
        found[name] = {
            "url": listing.address([*others, *pairs]),
            "aria": DIRECTIONS[asked.order.name] if now else "none",
        }
    return found


def cleared(listing: Listing, asked: TransactionFilter) -> str:
    """The list without any filter; test or live stays."""
    typed = asked.typed("livemode")
    whole = replace(listing, along=listing.whole)
    return whole.address([("livemode", typed[0])] if typed else [])


def news_url(listing: Listing, asked: TransactionFilter, page: paging.Page) -> str:
    """Where to ask how many rows came since; "" where that would say nothing."""
    if asked.errors or page.has_newer or asked.order is not paging.NEWEST:
        return ""
    top = paging.NEWEST.place(page.rows[0]) if page.rows else paging.BOTTOM
    query = [*listing.fixed.items(), *asked.pairs(), ("since", top.cursor())]
    return f"{reverse('transactions:news')}?{urlencode(query)}"


# ------------------------------------------------------------------ what there is
def has_live(member: Member) -> bool:
    return selectors.visible_to(member).filter(livemode=True).exists()


def has_any(member: Member) -> bool:
    return selectors.visible_to(member).exists()
