"""The flag of a customer who charged back: what it is about, and clearing it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from merchant import htmx
from merchant.models import Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from merchant.views.settle import back
from transactions import flags
from transactions.models import Customer

#: Chargebacks that the page lists.
MOST = 50


@require_http_methods(["GET", "HEAD", "POST"])
@may("clear_flags")
def flag(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    customer = get_object_or_404(Customer, pk=id, project__in=projects_of(member))
    note, trouble = request.POST.get("note", ""), ""
    if request.method == "POST":
        try:
            flags.clear(member, customer, note, request=request)
            return htmx.redirect(request, back(request).url, words=_("Flag cleared"))
        except flags.NotPossible as error:
            trouble = str(error)
    return htmx.answer(
        request,
        page="transactions/flag.html",
        partial="transactions/_flag_form.html",
        context={
            "who": customer,
            "reasons": flags.reasons(customer)[:MOST],
            "draft": note,
            "trouble": trouble,
            "next": request.POST.get("next") or request.GET.get("next", ""),
        },
        status=422 if trouble else 200,
    )
