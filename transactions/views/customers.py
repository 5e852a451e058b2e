"""Customers: the list of those who bought, and the page of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
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
from transactions.views import directories, listing
from transactions.views.listing import Listing

CUSTOMERS = directories.Directory(
    "customers", lambda n: ngettext("%s customer", "%s customers", n), CustomerFilter
)
#: Where a search has to walk for them, rows are far apart.
MOST_WALKED = 100
#: So many purchases are added up on the page of one customer.
MOST_ADDED = 10_000
#: Chargebacks that the page names.
MOST_REASONS = 10


@require_safe
@may("view_customers")
def customers(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]

    def shown(
        asked: CustomerFilter, page: paging.Page, address: directories.Address
    ) -> dict[str, Any]:
        rows: list[Any] = page.rows
        prefetch_related_objects(rows, "project")
        seen = selectors.visible_to(member).filter(livemode=bool(asked.livemode))
        bought = lifetime.of(seen, [row.pk for row in rows])
        country = (_("Country"), _("Country code"), "DE")
        return {
            "rows": [(row, bought[row.pk]) for row in rows],
            "most": MOST_WALKED if asked.walks else directories.MOST_COUNTED,
            "typed": [directories.typed(asked, "country", *country)],
            "flagged": bool(asked.meaning("flagged")),
        }

    return directories.show(request, CUSTOMERS, shown)


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
