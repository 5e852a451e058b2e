"""What the lists beside the transactions have in common: addresses, mode, answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import push_url

from merchant import htmx
from merchant.models import Member
from transactions import filter_values as values
from transactions import paging
from transactions.by_state import ALL, ByState
from transactions.directory import Asked
from transactions.paging import NEWER, OLDER, Counted
from transactions.views import export_button, filter_form, listing
from transactions.views.filter_form import Address

SIZE = 25
#: A list counts no further.
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Directory:
    """A list: `name` is what its URL, its folder of templates and its exports are
    called, `words` a number of its rows ("%s refunds") and `read` its filter."""

    name: str
    words: Callable[[int], str]
    read: Callable[..., Asked]


class Typed(NamedTuple):
    """A filter that is typed in: what its panel and its field are called, an example,
    and what was typed."""

    name: str
    label: Any
    field: Any
    hint: str
    value: str


#: What a list shows beside what all have: of its filter, its page, and its address.
Shown = Callable[[Any, paging.Page, Address], dict[str, Any]]


def show(request: HttpRequest, listed: Directory, shown: Shown) -> HttpResponse:
    """A page of the list that the address asks for, its results alone for htmx, or
    where a tidier address leads."""
    member: Member = request.member  # type: ignore[attr-defined]
    query = filter_form.tidied(request.GET)
    asked = listed.read(member, query, livemode=usual_mode(request))
    address = address_of(reverse(f"transactions:{listed.name}"))
    if query != request.GET and not asked.errors and not htmx.is_partial(request):
        return redirect(address(asked.pairs()))
    try:
        page = paging.browse(asked.strands, request.GET.dict(), SIZE, asked.order)  # type: ignore[attr-defined]
    except paging.WrongCursor:
        return redirect(address(asked.pairs()))
    with timezone.override(asked.scope.zone):  # times are shown as days are meant
        context = shown(asked, page, address)
        most = context.get("most", MOST_COUNTED)
        counted = page.count_up_to(most)
        above = page.count_above(most)
        return answer(
            request,
            asked,
            address,
            page=f"transactions/{listed.name}/list.html",
            partial=f"transactions/{listed.name}/_results.html",
            context={
                "words": position(len(page.rows), above, counted),
                "announce": listed.words(counted.number) % str(counted),
                "newer_url": turned(asked, address, NEWER, page.newer),
                "older_url": turned(asked, address, OLDER, page.older),
                "export_url": export_button.address(
                    member, listed.name, asked.pairs(), asked.livemode
                ),
                **context,
            },
        )


def by_state(asked: ByState, address: Address) -> dict[str, Any]:
    """The tabs of a list of money, and the panels of its days and amounts."""
    return {
        "state": asked.state,
        "tabs": _tabs(asked, address),
        "days": filter_form.days(asked, "created", "from", "to", address),
        "amount": filter_form.amount(asked),
        "typed": [
            typed(asked, "currency", _("Currency"), _("Currency code"), "EUR"),
        ],
    }


def _tabs(asked: ByState, address: Address) -> list[dict[str, Any]]:
    kept = asked.pairs(without=("state",))
    tabs = []
    for name, tab in asked.tabs.items():
        count = ""
        if tab.counted and not asked.errors:
            found = paging.count_up_to(asked.strands_of(name), MOST_COUNTED)
            count = str(found) if found.number else ""
        tabs.append(
            {
                "label": tab.label,
                "url": address([*kept, ("state", name)] if name != ALL else kept),
                "count": count,
                "current": name == asked.state,
            }
        )
    return tabs


def ticked(
    asked: Asked, name: str, choices: Iterable[tuple[str, Any]]
) -> tuple[str, Any, list[tuple[str, Any, bool]], int]:
    """A filter that is chosen by ticking: its name and label, (value, words, whether
    it is chosen) of each choice, and how many are."""
    typed = asked.typed(name)
    found = [(value, words, value in typed) for value, words in choices]
    return name, asked.fields[name].label, found, len(typed)


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


def typed(asked: Asked, name: str, label: str, field: str, hint: str) -> Typed:
    """A filter of codes."""
    return Typed(name, label, field, hint, ", ".join(asked.typed(name)))


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
        "kept": asked.pairs(without=_in_form(asked, context)),
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


def _in_form(asked: Asked, context: dict[str, Any]) -> set[str]:
    """Names that the form itself says; what else was asked goes along unseen."""
    names = {"q", "flagged"} | {panel[0] for panel in context.get("ticked", ())}
    names |= {entry.name for entry in context.get("typed", ())}
    if len(asked.projects) > 1:
        names.add("project")
    if "days" in context:
        names |= {"created[gte]", "created[lt]"}
    if context.get("amount", {}).get("told"):
        names |= set(filter_form.AMOUNTS.values())
    return names


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
