"""Acting on many transactions at once: choosing them, confirming, stopping, undoing."""

from __future__ import annotations

from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from merchant import fresh_login, htmx
from merchant.access import MAY
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import View, may, no_access
from transactions import bulk_actions
from transactions.bulk_actions import ACTS, NotPossible, Shown
from transactions.filter_values import as_uuid
from transactions.filters import TransactionFilter
from transactions.models import BulkAction
from transactions.paging import Counted
from transactions.views import bulk_page


# ----------------------------------------------------------------------------- choosing
def bulk_bar_context(
    member: Member, asked: TransactionFilter, counted: Counted, now: datetime
) -> dict[str, Any]:
    """What `_bulk_bar.html` and the boxes of rows need; {} where nothing can be done.

    `now`: from before the rows of the page were read.
    """
    possible = bulk_actions.acts_of(member)
    if not possible or asked.errors or not counted.number:
        return {}
    shown = Shown.of(asked, counted, now)
    return {
        "may_select": True,
        "bulk": {
            "acts": [{"name": n, "label": a.label, "icon": a.icon}
                     for n, a in possible.items()],
            "shown": shown.signed(member),
            "list": f"{shown.query} {shown.livemode}",
            "matching": str(counted),
            "number": counted.number,
            "most": bulk_actions.MOST_TICKED,
        }
    }  # fmt: skip


@require_POST
@may("view_transactions")
def choose(request: HttpRequest) -> HttpResponse:
    """From a list: what was ticked, or all that matched it, becomes a draft."""
    member: Member = request.member  # type: ignore[attr-defined]
    act = ACTS.get(request.POST.get("act", ""))
    if act and not role_may(member.role, act.right):
        return no_access(request, MAY[act.right])
    try:
        bulk = _drafted(member, request)
    except NotPossible as error:
        return _refused(request, str(error))
    return htmx.redirect(request, bulk_page.address(bulk))


def _drafted(member: Member, request: HttpRequest) -> BulkAction:
    act = request.POST.get("act", "")
    if request.POST.get("all"):
        shown = Shown.read(request.POST.get("shown", ""), member)
        return bulk_actions.draft_all(member, act, shown)
    texts = [id for text in request.POST.getlist("id") for id in text.split(",")]
    ids = {id for text in texts if (id := as_uuid(text.strip()))}
    return bulk_actions.draft(member, act, ids)


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    back = request.headers.get("Referer", "")
    ours = f"{request.scheme}://{request.get_host()}{reverse('transactions:list')}"
    context = {
        "trouble": words,
        "back_url": back if back.startswith(ours) else reverse("transactions:list"),
    }
    template = "transactions/bulk/refused.html"
    return render(request, template, context, status=422)


# -------------------------------------------------------------------------- confirming
def may_act(view: View) -> View:
    """Lets through who may do what the action of this id does."""

    @may("view_transactions")
    @wraps(view)
    def guarded(request: HttpRequest, id: UUID) -> HttpResponseBase:
        member: Member = request.member  # type: ignore[attr-defined]
        possible = bulk_actions.acts_of(member)
        if possible and bulk_page.seen(member, id).act in possible:
            return view(request, id)
        rights = [act.right for act in ACTS.values()]
        return no_access(request, frozenset().union(*(MAY[r] for r in rights)))

    return guarded


@require_POST
@may_act
def start(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    bulk = bulk_page.seen(member, id)
    is_mine = bulk.state == BulkAction.State.DRAFT and bulk.member_id == member.pk
    if is_mine and not ACTS[bulk.act].is_file:
        act, form = ACTS[bulk.act], bulk_page.Words(request.POST)
        if not form.is_valid():
            context = bulk_page.context(request, member, bulk) | {"form": form}
            return render(request, "transactions/bulk/page.html", context, status=422)
        if act.wants_fresh_login(member) and not fresh_login.is_fresh(request):
            return fresh_login.ask(request, bulk_page.address(bulk))
        words = {name: form.cleaned_data[name] for name in act.takes}
        bulk_actions.start(member, bulk, request=request, **words)
    return htmx.redirect(request, bulk_page.address(bulk))


@require_POST
@may_act
def cancel(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    bulk = bulk_page.seen(member, id)
    bulk_actions.cancel(bulk)
    if bulk.state == BulkAction.State.DRAFT:
        return htmx.redirect(request, bulk_page.list_address(bulk))
    return htmx.redirect(request, bulk_page.address(bulk))


@require_POST
@may_act
def undo(request: HttpRequest, id: UUID) -> HttpResponse:
    """Everything that a finished one did becomes a draft of its opposite."""
    member: Member = request.member  # type: ignore[attr-defined]
    earlier = bulk_page.seen(member, id)
    try:
        bulk = bulk_actions.draft_reversal(member, earlier)
    except NotPossible as error:
        return _refused(request, str(error))
    return htmx.redirect(request, bulk_page.address(bulk))
