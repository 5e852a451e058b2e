"""Saved views: the page that lists them, and what can be done with each."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from transactions import layouts, saved_views, selectors, spans
from transactions.filters import TransactionFilter
from transactions.models import SavedView

LIST, VIEWS = "transactions:list", "transactions:views"


@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_views")
def views(request: HttpRequest) -> HttpResponse:
    """The page of all views; POST keeps what the list asks as a new one."""
    if request.method != "POST":
        return _page(request)
    member = _member(request)
    typed = _typed(request)
    try:
        view = saved_views.save(
            member,
            name=typed["name"],
            asked=TransactionFilter.of_member(member, QueryDict(typed["query"])),
            shared=typed["shared"],
            default=typed["default"],
            moves="moves" in request.POST,
        )
    except saved_views.NotSaved as error:
        return _not_saved(request, typed, error)
    return htmx.redirect(request, _shown(request, view), words=_("View saved"))


@require_POST
@may("keep_views")
def rename(request: HttpRequest, id: UUID) -> HttpResponse:
    view = _own(request, id)
    name = request.POST.get("name", "")
    try:
        saved_views.rename(view, name)
    except saved_views.NotSaved as error:
        return _page(request, {"id": view.pk, "name": name, "error": str(error)})
    return htmx.redirect(request, VIEWS, words=_("View renamed"))


@require_POST
@may("keep_views")
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    """From now on the view asks what the list does."""
    view = _own(request, id)
    query = QueryDict(request.POST.get("query", ""))
    asked = TransactionFilter.of_member(_member(request), query)
    try:
        saved_views.change(view, asked)
    except saved_views.NotSaved as error:
        return _page(request, {"id": view.pk, "error": str(error)})
    return htmx.redirect(request, _shown(request, view), words=_("Changes saved"))


@require_POST
@may("keep_views")
def share(request: HttpRequest, id: UUID) -> HttpResponse:
    """`shared=yes`: with everybody of the merchant; else with nobody any more."""
    view = _own(request, id)
    shared = request.POST.get("shared") == "yes"
    try:
        saved_views.share(view, shared=shared)
    except saved_views.NotSaved as error:
        return _page(request, {"id": view.pk, "error": str(error)})
    words = _("Shared with the team") if shared else _("Not shared any more")
    return htmx.redirect(request, VIEWS, words=words)


@require_POST
@may("keep_views")
def make_default(request: HttpRequest, id: UUID) -> HttpResponse:
    """`default=yes`: the bare list leads to this view; else to the whole list."""
    view = _seen(request, id)
    wanted = request.POST.get("default") == "yes"
    layouts.make_default(_member(request), view if wanted else None)
    words = _("Your default now") if wanted else _("Not your default any more")
    return htmx.redirect(request, VIEWS, words=words)


@require_POST
@may("keep_views")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    saved_views.delete(_own(request, id))
    return htmx.redirect(request, VIEWS, words=_("View deleted"))


# ------------------------------------------------------------------------- whose view
def _member(request: HttpRequest) -> Member:
    member: Member = request.member  # type: ignore[attr-defined]
    return member


def _seen(request: HttpRequest, id: UUID) -> SavedView:
    view = saved_views.named(_member(request), id)
    if view is None:
        raise Http404
    return view


def _own(request: HttpRequest, id: UUID) -> SavedView:
    """Others' views are there to be looked at, not to be changed."""
    view = _seen(request, id)
    if view.member_id != _member(request).pk:
        raise Http404
    return view


# ------------------------------------------------------------------------- answering
def _typed(request: HttpRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", ""),
        "query": request.POST.get("query", ""),
        "shared": "shared" in request.POST,
        "default": "default" in request.POST,
    }


def _not_saved(
    request: HttpRequest, typed: dict[str, Any], error: saved_views.NotSaved
) -> HttpResponse:
    back = parse_qsl(typed["query"])
    context = typed | {
        "error": str(error),
        "about_name": error.about_name,
        "may_share": role_may(_member(request).role, "share_views"),
        "moving": saved_views.moving(typed["query"]),
        "moves": "moves" in request.POST,
        "back_url": f"{reverse(LIST)}?{urlencode([('view', 'all'), *back])}",
    }
    return htmx.answer(
        request,
        page="transactions/save_view.html",
        partial="transactions/_save_view.html",
        context=context,
        status=422,
    )


def _shown(request: HttpRequest, view: SavedView) -> str:
    """The list with this view, in the mode that was looked at."""
    query = saved_views.query_with(view)
    mode = request.POST.get("livemode", "")
    if mode in {"true", "false"}:
        query += f"&livemode={mode}"
    return f"{reverse(LIST)}?{query}"


def _page(request: HttpRequest, mistake: dict[str, Any] | None = None) -> HttpResponse:
    """All views; `mistake`: of which view (`id`), its `error`, the `name` typed."""
    member = _member(request)
    layout = layouts.of(member)
    found = saved_views.visible_to(member).select_related("member__user")
    whole = TransactionFilter.of_member(member, QueryDict())
    lines = [_line(member, view, whole, layout.view_id, mistake) for view in found]
    context = {
        "lines": lines,
        "has_default": any(line["default"] for line in lines),
        "may_share": role_may(member.role, "share_views"),
        "most": saved_views.MOST,
    }
    status = 422 if mistake else 200
    return render(request, "transactions/views.html", context, status=status)


def _line(
    member: Member,
    view: SavedView,
    whole: TransactionFilter,
    default: UUID | None,
    mistake: dict[str, Any] | None,
) -> dict[str, Any]:
    """A view as the page shows it, its filter in words as this member may read it."""
    moving = spans.words(parse_qsl(view.query))
    fixed = [(n, text) for n, text in parse_qsl(view.query) if n not in spans.ROOTS]
    asked = TransactionFilter(
        QueryDict(urlencode(fixed)),
        rows=selectors.visible_to(member),
        scope=whole.scope,
    )
    words = [f"{label}: {span}" for label, span in moving]
    if fixed or not moving:
        words.append(asked.described())
    own = view.member_id == member.pk
    wrong = mistake if mistake and mistake["id"] == view.pk else {}
    return {
        "view": view,
        "own": own,
        "by": "" if own else str(view.member.user),
        "url": f"{reverse(LIST)}?{saved_views.query_with(view)}",
        "words": "" if asked.errors else "; ".join(words),
        "errors": list(asked.errors.values()),
        "default": view.pk == default,
        "name": wrong.get("name", view.name),
        "error": wrong.get("error", ""),
        "about_name": "name" in wrong,
    }
