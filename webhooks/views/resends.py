"""Many deliveries sent again: how far it is, what came of it, and a list of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from webhooks import paging, resends
from webhooks.models import Resend
from webhooks.resends import seen
from webhooks.views.deliveries import LIST, member_of

SIZE = 25


@require_safe
@may("view_deliveries")
def browse(request: HttpRequest) -> HttpResponse:
    path = reverse("webhooks:resend_runs")
    page = paging.browse([resends.seen_by(member_of(request))], request.GET, SIZE)
    context = {
        "rows": page.rows,
        "newer_url": f"{path}?before={page.newer}" if page.newer else "",
        "older_url": f"{path}?after={page.older}" if page.older else "",
    }
    return render(request, "webhooks/resends/list.html", context)


@require_safe
@may("view_deliveries")
def page(request: HttpRequest, id: UUID) -> HttpResponse:
    member = member_of(request)
    return htmx.answer(
        request,
        page="webhooks/resends/page.html",
        partial="webhooks/resends/_state.html",
        context=_context(member, _found(member, id)),
    )


@require_POST
@may("resend")
def cancel(request: HttpRequest, id: UUID) -> HttpResponse:
    member = member_of(request)
    run = _found(member, id)
    stopped = resends.cancel(run, member, request)
    words = _("Stopped") if stopped else _("It was over already")
    return htmx.redirect(
        request, reverse("webhooks:resend_run", args=[run.pk]), words=words
    )


def _found(member: Member, id: UUID) -> Resend:
    return get_object_or_404(resends.seen_by(member), pk=id)


def _context(member: Member, run: Resend) -> dict[str, Any]:
    path = reverse(LIST)
    if run.endpoint_id:
        list_url = f"{path}?endpoint={run.endpoint_id}"
    else:
        list_url = f"{path}?{run.query}" if run.query else path
    return {
        "run": run,
        "left": None if run.is_over else seen.time_left(run, timezone.now()),
        "may_act": role_may(member.role, "resend"),
        "list_url": list_url,
    }
