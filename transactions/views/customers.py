"""Customers: the list of those who bought, and the page of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import flags, identities, lifetime, paging, selectors
from transactions.customer_list import CustomerFilter
from transactions.models import Customer
from transactions.views import directories, export_button, listing
from transactions.views.listing import Listing

SIZE = 25
#: The list counts no further; where a search has to walk for them, rows are far apart.
MOST_COUNTED, MOST_WALKED = 1_000, 100
#: So many purchases are added up on the page of one customer.
MOST_ADDED = 10_000
#: Chargebacks that the page names.
MOST_REASONS = 10


@require_safe
@may("view_customers")
def customers(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    mode = directories.usual_mode(request)
    asked = CustomerFilter(member, request.GET, livemode=mode)
    address = directories.address_of(reverse("transactions:customers"))
    try:
        page = paging.browse(asked.strands, request.GET.dict(), SIZE)  # type: ignore[arg-type]
    except paging.WrongCursor:
        return redirect(address(asked.pairs()))
    return directories.answer(
        request,
        asked,
        address,
        page="transactions/customers/list.html",
        partial="transactions/customers/_results.html",
        context=_list_context(member, asked, address, page),
    )


@require_safe
@may("view_customers")
def customer(request: HttpRequest, id: UUID) -> HttpResponse:
    """One customer, and their transactions under the filters of the main list."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = get_object_or_404(
        Customer.objects.select_related("project"),
        pk=id,
        project__in=projects_of(member),
    )
    # Whose every purchase is a test is not shown an empty page.
    usual = found.latest_live is not None or found.latest_test is None
    query, live = directories.with_mode(request.GET, usual)
    here = Listing(request.path, {"customer": str(found.pk)})
    partial = htmx.is_partial(request)
    return listing.answer(
        request,
        here,
        page="transactions/customers/page.html",
        context={} if partial else _context(member, found, live),
        query=query,
    )


def _list_context(
    member: Member,
    asked: CustomerFilter,
    address: directories.Address,
    page: paging.Page,
) -> dict[str, Any]:
    rows: list[Any] = page.rows
    prefetch_related_objects(rows, "project")
    seen = selectors.visible_to(member).filter(livemode=asked.livemode)
    bought = lifetime.of(seen, [row.pk for row in rows])
    most = MOST_WALKED if asked.walks else MOST_COUNTED
    counted = page.count_up_to(most)
    words = ngettext("%s customer", "%s customers", counted.number)
    return {
        "rows": [(row, bought[row.pk]) for row in rows],
        "words": directories.position(len(rows), page.count_above(most), counted),
        "announce": words % str(counted),
        "newer_url": directories.turned(asked, address, paging.NEWER, page.newer),
        "older_url": directories.turned(asked, address, paging.OLDER, page.older),
        "country": ", ".join(asked.typed("country")),
        "flagged": bool(asked.meaning("flagged")),
        "export_url": export_button.address(
            member, "customers", asked.pairs(), asked.livemode
        ),
    }


def _context(member: Member, found: Customer, live: bool) -> dict[str, Any]:
    theirs = selectors.visible_to(member).filter(customer=found, livemode=live)
    query = "true" if live else "false"
    return {
        "customer": found,
        "bought": lifetime.of(theirs, [found.pk], MOST_ADDED)[found.pk],
        "most_added": MOST_ADDED,
        "known": identities.of(theirs),
        "most_asked": identities.MOST_ASKED,
        "reasons": flags.reasons(found)[:MOST_REASONS] if found.flagged else [],
        "clears_flags": role_may(member.role, "clear_flags"),
        "back_url": f"{reverse('transactions:customers')}?livemode={query}",
    }
