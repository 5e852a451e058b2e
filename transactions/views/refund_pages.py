"""Refunds in a list, one by one, and deciding about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from merchant import fresh_login, htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.providers import CHOICES as PROVIDERS
from merchant.views.guard import may
from transactions import paging, refund_story, refunds
from transactions.models import Refund
from transactions.refund_list import RefundFilter
from transactions.views import directories

REFUNDS = directories.Directory(
    "refunds", lambda n: ngettext("%s refund", "%s refunds", n), RefundFilter
)
LIST, ONE = "transactions:refunds", "transactions:refund"

Verb = Callable[[Member, UUID, str, HttpRequest], Refund]


# -------------------------------------------------------------------------- the list
@require_safe
@may("view_transactions")
def browse(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]

    def shown(
        asked: RefundFilter, page: paging.Page, address: directories.Address
    ) -> dict[str, Any]:
        rows: list[Any] = page.rows
        prefetch_related_objects(rows, "transaction", "project")
        return {
            "rows": [refund_story.of(member, row.transaction, row) for row in rows],
            "ticked": [directories.ticked(asked, "provider", PROVIDERS)],
            "sets_limits": role_may(member.role, "set_refund_limits"),
            **directories.by_state(asked, address),
        }

    return directories.show(request, REFUNDS, shown)


# -------------------------------------------------------------------------- one of them
@require_safe
@may("view_transactions")
def refund(request: HttpRequest, id: UUID) -> HttpResponse:
    return _show(request, id)


@require_POST
@may("approve_refund")
def approve(request: HttpRequest, id: UUID) -> HttpResponse:
    """Money above a limit moves, so who says yes has proved who they are."""
    _seen(request, id)
    if not fresh_login.is_fresh(request):
        return fresh_login.ask(request, reverse(ONE, args=[id]))
    return _decide(request, id, _lazy("Refund approved"), _approve, "approve")


@require_POST
@may("approve_refund")
def decline(request: HttpRequest, id: UUID) -> HttpResponse:
    return _decide(request, id, _lazy("Refund declined"), _decline, "decline")


@require_POST
@may("refund")
def cancel(request: HttpRequest, id: UUID) -> HttpResponse:
    return _decide(request, id, _lazy("Refund canceled"), _cancel, "cancel")


@require_POST
@may("approve_refund")
def give_up(request: HttpRequest, id: UUID) -> HttpResponse:
    return _decide(request, id, _lazy("Refund closed"), _give_up, "give_up")


def _approve(by: Member, id: UUID, words: str, request: HttpRequest) -> Refund:
    return refunds.approve(by, id, note=words, http=request)


def _decline(by: Member, id: UUID, words: str, request: HttpRequest) -> Refund:
    return refunds.decline(by, id, reason=words, http=request)


def _cancel(by: Member, id: UUID, words: str, request: HttpRequest) -> Refund:
    found = _seen(request, id)
    if found.asked is None:
        provider = found.transaction.get_provider_display()
        words = _("It was made in %s, so it is canceled there.")
        raise refunds.NotNow(words % provider)
    return refunds.cancel(by, id, note=words, http=request)


def _give_up(by: Member, id: UUID, words: str, request: HttpRequest) -> Refund:
    return refunds.give_up(by, id, note=words, http=request)


def _decide(
    request: HttpRequest, id: UUID, words: Any, verb: Verb, act: str
) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    _seen(request, id)
    typed = request.POST.get("words", "").replace("\x00", "").strip()[:300]
    try:
        verb(member, id, typed, request)
    except refunds.NotNow as error:
        told = {"act_trouble": str(error), "failed_act": act, "draft": typed}
        return _show(request, id, status=422, **told)
    return htmx.redirect(request, _back(request, id), words=words)


def _show(
    request: HttpRequest, id: UUID, *, status: int = 200, **more: Any
) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    found = _seen(request, id)
    entries = found.transaction.timeline.filter(topic="refund")
    told = refund_story.of(
        member, found.transaction, found, entries.select_related("actor")
    )
    context = {
        "told": told,
        "transaction": found.transaction,
        "back_url": _list_of(found),
        "here": _back(request, id),
        "mode": "live" if found.livemode else "test",
        **more,
    }
    return htmx.answer(
        request,
        page="transactions/refunds/page.html",
        partial="transactions/refunds/_one.html",
        context=context,
        status=status,
    )


def _seen(request: HttpRequest, id: UUID) -> Refund:
    member: Member = request.member  # type: ignore[attr-defined]
    rows = refunds.visible_to(member).select_related(
        "transaction__project", "transaction__connection"
    )
    return get_object_or_404(rows, pk=id)


def _back(request: HttpRequest, id: UUID) -> str:
    """Where the form stood, if that is a page of ours; else the refund's own."""
    to = request.POST.get("next", "")
    hosts = {request.get_host()}
    safe = url_has_allowed_host_and_scheme(to, hosts, require_https=request.is_secure())
    return to if to and safe else reverse(ONE, args=[id])


def _list_of(refund: Refund) -> str:
    query = QueryDict(mutable=True)
    query["livemode"] = "true" if refund.livemode else "false"
    return f"{reverse(LIST)}?{query.urlencode()}"
