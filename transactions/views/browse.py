"""The list of transactions: the page where staff live, and what it asks for later."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Connection, Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import paging, saved_views, summary
from transactions.filters import TransactionFilter
from transactions.views import filter_form, listing, view_tabs
from transactions.views.listing import Listing

LIST = "transactions:list"
#: "3 new", and no more than this many.
MOST_NEW = 99
#: Adding up a long list ends after so many milliseconds.
PATIENCE = 3_000


@require_safe
@may("view_transactions")
def browse(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    if not request.GET and not htmx.is_partial(request):
        start = saved_views.landing(member)
        if start is not None:
            return redirect(f"{reverse(LIST)}?{start}")
    view = request.GET.get(view_tabs.PARAM, "")
    here = Listing(
        reverse(LIST),
        along=view_tabs.along(member, view),
        whole=view_tabs.along(member),
        view=view,
    )
    if found := _named_by_id(request, member):
        return htmx.redirect(request, found)
    nothing = {} if listing.has_any(member) else for_beginners(member)
    return listing.answer(request, here, page="transactions/list.html", context=nothing)


@require_safe
@may("view_transactions")
def news(request: HttpRequest) -> HttpResponse:
    """How many rows came above the one that the page began with; 204 while none did."""
    asked = _asked(request)
    try:
        since = paging.Position.read(request.GET.get("since", ""))
    except paging.WrongCursor:
        return HttpResponse(status=204)
    fresh = [rows.filter(paging.newer_than(since)) for rows in asked.strands]
    counted = paging.count_up_to(fresh, MOST_NEW)
    if not counted.number:
        return HttpResponse(status=204)
    return render(request, "transactions/_news.html", {"counted": counted})


@require_safe
@may("view_transactions")
def totals(request: HttpRequest) -> HttpResponse:
    """The tabs' counts and the totals over as many rows as can be waited for."""
    asked = _asked(request)
    sums = _patiently(asked)
    here = Listing(reverse(LIST))
    context = listing.totals_context(here, asked, sums) | {"more_url": "", "oob": True}
    return render(request, "transactions/_whole_totals.html", context)


def _asked(request: HttpRequest) -> TransactionFilter:
    member: Member = request.member  # type: ignore[attr-defined]
    return listing.asked_by(member, filter_form.tidied(request.GET))


def _patiently(asked: TransactionFilter) -> summary.Summary:
    """All of it, or the first rows where the database takes too long."""
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE:d}")
            return summary.whole(asked)
    except DatabaseError:
        return summary.of(asked)


def _named_by_id(request: HttpRequest, member: Member) -> str:
    """The card of the transaction whose id was searched for; "" where it was not."""
    words = request.GET.get("q", "").strip()
    if not words or {paging.NEWER, paging.OLDER} & set(request.GET):
        return ""
    hit = TransactionFilter.of_member(member, request.GET).id_hit
    return reverse("transactions:card", args=[hit.pk]) if hit else ""


# ---------------------------------------------------------------- while it is empty
def for_beginners(member: Member) -> dict[str, Any]:
    """What the page teaches while there is nothing at all to show."""
    teaches: dict[str, Any] = {"first_use": True}
    if not role_may(member.role, "manage_connections"):
        return teaches
    shop = projects_of(member).first()
    return teaches | {
        "connects": True,
        "first_project": shop.slug if shop else "",
        "connections": connections(member),
        "public_url": settings.PUBLIC_URL,
    }


def connections(member: Member) -> list[Connection]:
    """The open connections of the member's projects, for who starts."""
    found = Connection.objects.filter(
        project__in=projects_of(member), closed=None
    ).select_related("project")
    return list(found.order_by("created")[:8])
