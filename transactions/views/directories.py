"""What the lists of customers and products have in common: addresses, mode, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django_htmx.http import push_url

from merchant import htmx
from transactions import filter_values as values
from transactions.directory import Asked
from transactions.paging import NEWER, OLDER, Counted
from transactions.views import listing

#: A query as (name, text) -> the list's address with it.
Address = Callable[[list[tuple[str, str]]], str]


def address_of(path: str) -> Address:
    """Writes a list's own address."""

    def address(pairs: list[tuple[str, str]]) -> str:
        return f"{path}?{urlencode(pairs)}" if pairs else path

    return address


def usual_mode(request: HttpRequest) -> bool:
    """Live while anything is live, as in the list of transactions."""
    member = request.member  # type: ignore[attr-defined]
    return listing.has_live(member) or not listing.has_any(member)


def with_mode(query: QueryDict, usual: bool) -> tuple[QueryDict, bool]:
    """The query with the mode said, and whether that is live; `usual` where it does
    not say. One that cannot be read is left to the filter."""
    told = query.copy()
    text = told.get("livemode", "")
    try:
        live = bool(values.yes_or_no()(text, None)) if text else usual  # type: ignore[arg-type]
    except ValueError:
        return told, usual
    if not text:
        told["livemode"] = "true" if live else "false"
    return told, live


def answer(
    request: HttpRequest,
    asked: Asked,
    address: Address,
    *,
    page: str,
    partial: str,
    context: dict[str, Any],
) -> HttpResponse:
    """The page, or its results for htmx with their address in the address bar."""
    told = {
        "errors": list(asked.errors.values()),
        "chips": asked.chips(address),
        "clear_url": address(asked.pairs(without=_chips(asked))),
        "list_url": address([]),
        "words_typed": " ".join(asked.typed("q")),
        "mode": "live" if asked.livemode else "test",
        "kept": asked.pairs(without=_chips(asked)),
        "shops": [
            (shop.slug, shop.name, shop in asked.meanings("project"))
            for shop in asked.projects
        ],
        "chosen_shops": len(asked.meanings("project")),
    }
    response = htmx.answer(
        request,
        page=page,
        partial=partial,
        context=told | context,
        status=422 if asked.errors else 200,
    )
    if not htmx.is_partial(request):
        return response
    cursors = [(n, request.GET[n]) for n in (NEWER, OLDER) if request.GET.get(n)]
    return push_url(response, address([*asked.pairs(), *cursors]))


def _chips(asked: Asked) -> set[str]:
    return {name for name, field in asked.fields.items() if field.is_chip}


def turned(asked: Asked, address: Address, name: str, cursor: str | None) -> str:
    """The page at a cursor; "" where there is none."""
    return address([*asked.pairs(), (name, cursor)]) if cursor else ""


def position(shown: int, above: Counted, counted: Counted) -> str:
    """26–50 of 473, or 25 of 1,000+ where counting what stands above costs too much."""
    if not shown:
        return ""
    if above.more:
        return _("%(rows)d of %(all)s") % {"rows": shown, "all": counted}
    first, last = above.number + 1, above.number + shown
    return f"{first:,}–{last:,} {_('of')} {counted}"
