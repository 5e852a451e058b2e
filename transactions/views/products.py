"""Products: the list of what is sold, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant import htmx
from merchant.models import Member
from merchant.providers import CHOICES as PROVIDERS
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import periods, product_list, sales, summary
from transactions.filters import TransactionFilter
from transactions.fulfilment_rules import OF_PROJECT, Rule
from transactions.models import Product, ProductTotal
from transactions.paging import NEWER, OLDER, Counted
from transactions.periods import NotAPeriod, Period
from transactions.product_list import ProductFilter
from transactions.views import directories, listing, rules
from transactions.views.listing import Listing

#: The list counts no further.
MOST_COUNTED = 1_000
#: Others of the same name that the page counts along, and that it names.
MOST_NAMESAKES, MOST_NAMED = 200, 12
#: Lines of the table that says who sold how much.
MOST_SHARES = 50
#: So many purchases are added up for what they gave back and cost.
MOST_ADDED = 2_000
#: The totals of products are kept by days in UTC.
ZONE = ZoneInfo("UTC")
#: What the page calls the parts of its period: the list has its own days.
PERIOD, FIRST, LAST = "sold", "sold_from", "sold_to"
#: Those of the periods by name that are offered here.
PRESETS = ("30d", "90d", "this-month", "last-month", "year")


@require_safe
@may("view_transactions")
def products(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    mode = directories.usual_mode(request)
    asked = ProductFilter(member, request.GET, livemode=mode)
    address = directories.address_of(reverse("transactions:products"))
    return directories.answer(
        request,
        asked,
        address,
        page="transactions/products/list.html",
        partial="transactions/products/_results.html",
        context=_list_context(request, asked, address),
    )


@require_safe
@may("view_transactions")
def product(request: HttpRequest, id: UUID) -> HttpResponse:
    """One product with its namesakes, and the purchases it was in."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = find(member, id)
    namesakes = _namesakes(member, found)
    query, live = directories.with_mode(request.GET, _usual_mode(namesakes))
    along = [(name, request.GET.get(name, "")) for name in (PERIOD, FIRST, LAST)]
    here = Listing(
        request.path,
        {"product": str(found.pk)},
        tuple((name, text) for name, text in along if text.strip()),
    )
    partial = htmx.is_partial(request)
    return listing.answer(
        request,
        here,
        page="transactions/products/page.html",
        context={} if partial else _context(request, found, namesakes, live, here),
        query=query,
    )


def find(member: Member, id: UUID) -> Product:
    """The member's product of this id. Raises Http404."""
    mine = Product.objects.select_related("project")
    return get_object_or_404(mine, pk=id, project__in=projects_of(member))


# ------------------------------------------------------------------------------ list
def _list_context(
    request: HttpRequest, asked: ProductFilter, address: directories.Address
) -> dict[str, Any]:
    page = product_list.browse(asked, request.GET.dict())  # type: ignore[arg-type]
    counted = asked.count_up_to(MOST_COUNTED)
    figures = product_list.figures(page.rows, livemode=bool(asked.livemode))
    words = ngettext("%s product", "%s products", counted.number)
    return {
        "rows": [(row, figures[row.pk], _rule_of(row, asked)) for row in page.rows],
        "words": directories.position(len(page.rows), _above(page, counted), counted),
        "announce": words % str(counted),
        "newer_url": directories.turned(asked, address, NEWER, page.before),
        "older_url": directories.turned(asked, address, OLDER, page.after),
        "ticked": [
            directories.ticked(asked, "provider", PROVIDERS),
            directories.ticked(asked, "rule", [(r.value, r.label) for r in OF_PROJECT]),
        ],
        "project_rules": [
            (shop, Rule(asked.rules[shop.pk]).label) for shop in asked.projects
        ],
    }


def _above(page: product_list.Page, counted: Counted) -> Counted:
    """What stands above the page is only known to be nothing: no place is counted."""
    return Counted(0, more=bool(page.before))


def _rule_of(row: Any, asked: ProductFilter) -> tuple[str, bool]:
    """Its rule in a word, and whether that is its own."""
    own = row.own not in (None, Rule.PROJECT)
    return str(Rule(row.own if own else asked.rules[row.project_id]).label), own


# ------------------------------------------------------------------------------ page
def _namesakes(member: Member, found: Product) -> list[Product]:
    """This one first, then all of the same name, as the list's filter takes them."""
    same = Product.objects.filter(name=found.name, project__in=projects_of(member))
    others = same.exclude(pk=found.pk).select_related("project")
    return [found, *others.order_by("project__name", "provider", "pk")[:MOST_NAMESAKES]]


def _usual_mode(namesakes: Sequence[Product]) -> bool:
    """What was sold in tests alone is not shown as sold never."""
    sold = ProductTotal.objects.filter(product__in=namesakes)
    return sold.filter(livemode=True).exists() or not sold.exists()


def _context(
    request: HttpRequest,
    found: Product,
    namesakes: Sequence[Product],
    live: bool,
    here: Listing,
) -> dict[str, Any]:
    period, trouble = _period(request)
    whole = _whole(request, found, period, live)
    ids = [product.pk for product in namesakes]
    sold = sales.of(ids, period.first, period.last, livemode=live)
    mode = "true" if live else "false"
    return {
        "product": found,
        "others": namesakes[1 : MOST_NAMED + 1],
        "other_count": len(namesakes) - 1,
        "sales": sold,
        "shares": _shares(sold, namesakes),
        "whole": whole,
        "whole_count": sum(total.paid for total in whole.paid),
        "period": period,
        "period_trouble": trouble,
        "span": periods.span_words(period.first, period.last),
        "presets": _presets(request, period),
        "period_url": _list_of(here, period, mode),
        "back_url": f"{reverse('transactions:products')}?livemode={mode}",
        **rules.context(request, found.project, found),
    }


def _shares(
    sold: Sequence[sales.Sold], namesakes: Sequence[Product]
) -> list[tuple[Product, sales.Sold, int, int]]:
    """Pieces and price of each product that was sold, where there are several."""
    if len(namesakes) == 1:
        return []
    return [
        (product, line, *line.by_product[product.pk])
        for product in namesakes
        for line in sold
        if product.pk in line.by_product
    ][:MOST_SHARES]


def _period(request: HttpRequest) -> tuple[Period, str]:
    """The days that sales are shown of, and what is wrong with those asked for."""
    asked = {
        "period": request.GET.get(PERIOD, ""),
        "from": request.GET.get(FIRST, ""),
        "to": request.GET.get(LAST, ""),
    }
    now = timezone.now()
    try:
        return periods.read(asked, ZONE, now), ""
    except NotAPeriod as error:
        return periods.read({}, ZONE, now), str(error)


def _presets(request: HttpRequest, period: Period) -> list[dict[str, Any]]:
    kept = request.GET.copy()
    for name in (PERIOD, FIRST, LAST, NEWER, OLDER):
        kept.pop(name, None)
    pairs = [(name, text) for name, texts in kept.lists() for text in texts if text]
    return [
        {
            "label": preset.label,
            "url": f"{request.path}?{urlencode([*pairs, (PERIOD, name)])}#sold",
            "current": name == period.name,
        }
        for name in PRESETS
        for preset in [periods.PRESETS[name]]
    ]


def _between(period: Period) -> list[tuple[str, str]]:
    """The period as the list's filter writes it, to the second."""
    edges = (period.first, period.last + timedelta(days=1))
    since, until = (f"{day.isoformat()}T00:00:00Z" for day in edges)
    return [("created[gte]", since), ("created[lt]", until)]


def _list_of(here: Listing, period: Period, mode: str) -> str:
    return f"{here.address([('livemode', mode), *_between(period)])}#results"


def _whole(
    request: HttpRequest, found: Product, period: Period, live: bool
) -> summary.Summary:
    """What the purchases that it was in add up to, with their other lines."""
    member: Member = request.member  # type: ignore[attr-defined]
    query = QueryDict(urlencode(_between(period)))
    asked = TransactionFilter.of_member(
        member, query, livemode=live, fixed={"product": str(found.pk)}
    )
    return summary.of(asked, MOST_ADDED)
