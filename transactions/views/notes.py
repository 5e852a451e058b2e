"""Notes on the card: written, edited and removed where they stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from merchant import htmx
from merchant.models import Member
from merchant.views.guard import may
from transactions import notes, selectors
from transactions.models import Note, Transaction
from transactions.views import card


@require_POST
@may("write_notes")
def add(request: HttpRequest, id: UUID) -> HttpResponse:
    transaction = card.find(_member(request), id)
    text = request.POST.get("text", "")
    try:
        notes.add(_member(request), transaction.pk, text)
    except notes.NotPossible as error:
        return _show(request, transaction, draft=text, trouble=error)
    return _done(request, transaction, _("Note added"))


@require_http_methods(["GET", "HEAD", "POST"])
@may("write_notes")
def edit(request: HttpRequest, id: UUID) -> HttpResponse:
    note, transaction = _found(request, id)
    if request.method != "POST":
        if note.author_id != _member(request).user_id:
            return _show(request, transaction, trouble=notes.not_yours(note))
        return _show(request, transaction, editing=note)
    text = request.POST.get("text", "")
    try:
        notes.edit(_member(request), note, text)
    except notes.NotYours as error:
        return _show(request, transaction, trouble=error)
    except notes.NotPossible as error:
        return _show(request, transaction, editing=note, draft=text, trouble=error)
    return _done(request, transaction, _("Note changed"))


@require_POST
@may("write_notes")
def remove(request: HttpRequest, id: UUID) -> HttpResponse:
    note, transaction = _found(request, id)
    try:
        notes.remove(_member(request), note)
    except notes.NotYours as error:
        return _show(request, transaction, trouble=error)
    return _done(request, transaction, _("Note removed"))


# --------------------------------------------------------------------------- answers
def _show(
    request: HttpRequest,
    transaction: Transaction,
    *,
    trouble: Exception | None = None,
    **more: Any,
) -> HttpResponse:
    """The notes, a form open or with what is wrong; without htmx the whole card."""
    told = card.notes_of(
        _member(request), transaction, trouble=str(trouble or ""), **more
    )
    status = 422 if trouble else 200
    if htmx.is_partial(request):
        told["moved"] = True
        return render(request, "transactions/_notes.html", told, status=status)
    return card.page(request, transaction, status=status, **told)


def _done(request: HttpRequest, transaction: Transaction, words: str) -> HttpResponse:
    if not htmx.is_partial(request):
        place = reverse("transactions:card", args=[transaction.pk])
        return htmx.redirect(request, f"{place}#notes", words=words)
    told = card.notes_of(_member(request), transaction) | {"moved": True}
    answer = render(request, "transactions/_notes.html", told)
    return htmx.toast(request, answer, words)


def _found(request: HttpRequest, id: UUID) -> tuple[Note, Transaction]:
    seen = selectors.visible_to(_member(request))
    note = Note.objects.filter(pk=id, transaction__in=seen).first()
    if note is None:
        raise Http404
    return note, card.find(_member(request), note.transaction_id)


def _member(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined]
