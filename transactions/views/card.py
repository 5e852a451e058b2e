"""The card: everything known about one transaction."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant.views.guard import may
from transactions import selectors


@require_safe
@may("view_transactions")
def card(request: HttpRequest, id: UUID) -> HttpResponse:
    transaction = selectors.find(selectors.visible_to(request.member), id)  # type: ignore[attr-defined]
    if transaction is None:
        raise Http404
    context = {"transaction": transaction}
    return render(request, "transactions/card.html", context)
