"""The list of transactions: one query string, its rows, and the form that writes it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Connection, Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import paging, selectors
from transactions.filters import TransactionFilter
from transactions.views import filter_form

SIZE = 25
LIST = "transactions:list"


@require_safe
@may("view_transactions")
def browse(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    query = filter_form.tidied(request.GET)
    assumed = has_live(member) or not has_any(member)
    asked = TransactionFilter.of_member(member, query, livemode=assumed)
    if query != request.GET and not asked.errors and not htmx.is_partial(request):
        return redirect(address(asked))
    try:
        page = paging.browse(asked.strands, query.dict(), SIZE)  # type: ignore[arg-type]
    except paging.WrongCursor:
        return redirect(address(asked))
    prefetch_related_objects(page.rows, "items", "project")
    response = htmx.answer(
        request,
        page="transactions/list.html",
        partial="transactions/_results.html",
        context=context(request, member, asked, page),
        status=422 if asked.errors else 200,
    )
    if not htmx.is_partial(request):
        return response
    cursors = {name: query.get(name) for name in (paging.NEWER, paging.OLDER)}
    return push_url(response, address(asked, **cursors))


def context(
    request: HttpRequest,
    member: Member,
    asked: TransactionFilter,
    page: paging.Page,
) -> dict[str, Any]:
    counted = page.count_up_to()
    mode = "live" if asked.livemode else "test"
    return {
        "rows": page.rows,
        "errors": list(asked.errors.values()),
        "announce": announced(counted),
        "words": position(page, counted),
        "newer_url": turned(asked, paging.NEWER, page.newer),
        "older_url": turned(asked, paging.OLDER, page.older),
        "chips": filter_form.chips(asked),
        "clear_url": cleared(asked),
        "form": filter_form.panels(asked, projects_of(member)),
        "q": " ".join(asked.typed("q")),
        "search_form": "filters",
        "mode": mode,
    } | (for_beginners(member) if not page.rows and not has_any(member) else {})


def for_beginners(member: Member) -> dict[str, Any]:
    """What the page teaches while there is nothing at all to show."""
    if not role_may(member.role, "manage_connections"):
        return {"first_use": True, "search_form": ""}
    shop = projects_of(member).first()
    return {
        "first_use": True,
        "search_form": "",
        "connects": True,
        "first_project": shop.slug if shop else "",
        "connections": connections(member),
        "public_url": settings.PUBLIC_URL,
    }


# --------------------------------------------------------------------------- words
def announced(counted: paging.Counted) -> str:
    """For who hears the page: "196 transactions"."""
    words = ngettext("%s transaction", "%s transactions", counted.number)
    return words % str(counted)


def position(page: paging.Page, counted: paging.Counted) -> str:
    """26–50 of 2,473, or 25 of 10,000+ where counting the rows above costs too much."""
    if not page.rows:
        return ""
    above = paging.Counted(0, more=False)
    if page.has_newer:
        place = paging.Position(page.rows[0].created, page.rows[0].pk)
        newer = paging.newer_than(place)
        above = paging.count_up_to([rows.filter(newer) for rows in page.strands])
    if above.more:
        return _("%(rows)d of %(all)s") % {"rows": len(page.rows), "all": counted}
    first, last = above.number + 1, above.number + len(page.rows)
    return f"{first:,}–{last:,} {_('of')} {counted}"


# ----------------------------------------------------------------------- addresses
def address(asked: TransactionFilter, **cursors: str | None) -> str:
    """The list's own URL in its cleanest spelling, at a cursor if one is given."""
    query = QueryDict(asked.clean_query(), mutable=True)
    for name, cursor in cursors.items():
        if cursor:
            query[name] = cursor
    return reverse(LIST) + (f"?{query.urlencode()}" if query else "")


def turned(asked: TransactionFilter, name: str, cursor: str | None) -> str:
    """The page at a cursor; "" where there is none."""
    return address(asked, **{name: cursor}) if cursor else ""


def cleared(asked: TransactionFilter) -> str:
    """The list without any filter; test or live stays."""
    typed = asked.typed("livemode")
    return reverse(LIST) + (f"?livemode={typed[0]}" if typed else "")


# ----------------------------------------------------------------- what there is
def has_live(member: Member) -> bool:
    return selectors.visible_to(member).filter(livemode=True).exists()


def has_any(member: Member) -> bool:
    return selectors.visible_to(member).exists()


def connections(member: Member) -> list[Connection]:
    """The open connections of the member's projects, for who starts."""
    found = Connection.objects.filter(
        project__in=projects_of(member), closed=None
    ).select_related("project")
    return list(found.order_by("created")[:8])
