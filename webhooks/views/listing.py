"""What the post room's lists have in common: their page, their words, their form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import push_url

from merchant import htmx
from webhooks import paging
from webhooks.list_filter import SINCE, UNTIL, ListFilter

SIZE = 25
CURSORS = (paging.NEWER, paging.OLDER)


def answer(
    request: HttpRequest,
    asked: ListFilter,
    *,
    view: str,
    folder: str,
    counted: Callable[[int], str],
    more: Callable[[paging.Page], dict[str, Any]],
) -> HttpResponse:
    """A list or, for htmx, its results.

    `counted`: "%s events" for a number. `more`: what only this list's page needs.
    """
    strands: Sequence[QuerySet[Any]] = asked.strands  # type: ignore[attr-defined]
    page = paging.browse(strands, request.GET.dict(), SIZE)
    number, above = paging.count_up_to(strands)
    words = counted(number) % f"{number:,}{'+' if above else ''}"
    path = reverse(view)
    context = {
        "asked": asked,
        "rows": page.rows,
        "number": number,
        "words": words,
        "announce": words,
        "errors": asked.errors_in_words,
        "chips": [
            {"label": c.label, "value": c.value, "url": _with(path, c.without)}
            for c in asked.chips
        ],
        "list_url": path,
        "clear_url": path,
        "newer_url": _with(path, asked.query(before=page.newer)) if page.newer else "",
        "older_url": _with(path, asked.query(after=page.older)) if page.older else "",
        "times": times(asked, path),
    }
    response = htmx.answer(
        request,
        page=f"webhooks/{folder}/list.html",
        partial=f"webhooks/{folder}/_results.html",
        context=context | more(page),
        status=422 if asked.errors_in_words else 200,
    )
    if not htmx.is_partial(request):
        return response
    cursors = {name: request.GET.get(name, "") for name in CURSORS}
    return push_url(response, _with(path, asked.query(**cursors)))


def times(asked: ListFilter, path: str) -> dict[str, Any]:
    """The panel that narrows by time: three links, and two fields."""
    today = timezone.localdate()
    presets = [
        {
            "label": label,
            "url": _with(path, asked.query(but=[UNTIL], **{SINCE: str(day)})),
            "current": [str(day)] == asked.chosen(SINCE) and not asked.chosen(UNTIL),
        }
        for label, day in (
            (_("Today"), today),
            (_("Last 7 days"), today - timedelta(days=6)),
            (_("Last 30 days"), today - timedelta(days=29)),
        )
    ]
    fields = [
        {
            "name": name,
            "label": label,
            "value": asked.typed(name),
            # A moment does not fit into a field for a day.
            "kind": "text" if len(asked.typed(name)) > len("2026-03-31") else "date",
        }
        for name, label in ((SINCE, _("From")), (UNTIL, _("Before")))
    ]
    count = sum(bool(asked.chosen(name)) for name in (SINCE, UNTIL))
    return {"presets": presets, "fields": fields, "count": count or ""}


def ticks(asked: ListFilter, name: str, label: str) -> dict[str, Any]:
    """A panel of boxes."""
    choices = asked.choices(name)
    count = sum(chosen for *_words, chosen in choices)
    return {"name": name, "label": label, "choices": choices, "count": count or ""}


def _with(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
