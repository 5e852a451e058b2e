"""The queue: what waits to be handed over, and handing it over right in its row."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import fulfilment, paging, selectors, waiting
from transactions.filter_values import as_uuid
from transactions.models import TimelineEntry, Transaction
from transactions.statuses import Act, FulfilmentStatus
from transactions.templatetags.ledger import buyer
from transactions.views import listing

QUEUE = "transactions:queue"
CURSORS = (paging.OLDER, paging.NEWER)
#: Names of the address, beside those of transactions.waiting.
JUST = "just"

#: What each row needs beside its own columns.
BESIDE = ("items", "project", "customer", "claimed_by")


@require_safe
@may("view_transactions")
def queue(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        context = shown(member, request.GET)
    except (waiting.Wrong, paging.WrongCursor) as error:
        return _refuse(request, str(error))
    response = htmx.answer(
        request,
        page="transactions/queue.html",
        partial="transactions/_queue.html",
        context=context,
    )
    if htmx.is_partial(request):
        return push_url(response, context["here"])
    return response


def shown(member: Member, query: QueryDict) -> dict[str, Any]:
    """A page of the queue. Raises waiting.Wrong or paging.WrongCursor."""
    asked = _asked(member, query)
    page = asked.page(query.dict())  # type: ignore[arg-type]
    prefetch_related_objects(page.rows, *BESIDE)
    cursors = {name: query.get(name) for name in CURSORS}
    return {
        "rows": page.rows,
        "asked": asked,
        **_count(asked),
        "mode": "live" if asked.livemode else "test",
        "here": address(asked.query(**cursors)),
        "back": asked.query(**cursors),
        "earlier_url": _turned(asked, paging.NEWER, page.newer),
        "later_url": _turned(asked, paging.OLDER, page.older),
        "clear_url": address(asked.query(project=None, product=None)),
        "clear_here": address(asked.query()),
        "chips": _chips(asked),
        "project_choices_here": _projects(asked),
        "product_choices": _products(asked),
        "may_fulfil": role_may(member.role, "fulfil"),
        "just": _just_done(member, query.get(JUST, "")),
        "user_id": member.user_id,
        "claim_minutes": int(fulfilment.CLAIM.total_seconds() // 60),
    }


def _asked(member: Member, query: QueryDict) -> waiting.Asked:
    usual = listing.has_live(member) or not listing.has_any(member)
    return waiting.read(member, query, livemode=usual)


def _count(asked: waiting.Asked) -> dict[str, Any]:
    counted = asked.counted()
    return {"counted": counted, "announce": announced(counted)}


def answer(
    request: HttpRequest,
    transaction: Transaction,
    *,
    act: str,
    words: str,
    error: str,
    typed: QueryDict,
) -> HttpResponse:
    """After an act in a row: the row again, or nothing where it waits no longer."""
    member: Member = request.member  # type: ignore[attr-defined]
    back = _tidied(typed.get("back", ""))
    if not htmx.is_htmx(request):
        return _without_script(request, transaction, act, words, error, back)
    if act == "undo" and not error:
        return _whole(request, back, words)
    waits = transaction.fulfilment == FulfilmentStatus.WAITING
    if not waits and not error:
        return _gone(request, transaction, back, words)
    context = {
        "transaction": transaction,
        "may_fulfil": True,
        "user_id": member.user_id,
        "back": back,
        "act_error": error,
        "failed_act": act,
        "typed": typed if error else {},
        "swapped": not error,
    }
    status = 422 if error else 200
    response = render(request, "transactions/_queue_row.html", context, status=status)
    return response if error else htmx.toast(request, response, words)


# ---------------------------------------------------------------------------- answers
def _without_script(
    request: HttpRequest,
    transaction: Transaction,
    act: str,
    words: str,
    error: str,
    back: str,
) -> HttpResponse:
    query = QueryDict(back, mutable=True)
    if error:
        trouble = {"transaction": transaction, "who": buyer(transaction)}
        context = _shown_again(request, query) | {"trouble": trouble | {"words": error}}
        return render(request, "transactions/queue.html", context, status=409)
    messages.success(request, words)
    if act == "done":
        query[JUST] = str(transaction.pk)
    return redirect(address(query.urlencode()))


def _gone(
    request: HttpRequest, transaction: Transaction, back: str, words: str
) -> HttpResponse:
    """Nothing in the row's place; a toast with the way back, and how many wait now."""
    member: Member = request.member  # type: ignore[attr-defined]
    context = {
        "transaction": transaction,
        "done": _last_done(transaction, member),
        "words": words,
        "back": back,
        **_count(_asked(member, QueryDict(back))),
    }
    return render(request, "transactions/_queue_done.html", context)


def _whole(request: HttpRequest, back: str, words: str) -> HttpResponse:
    """The queue as it stands now, where it was."""
    context = _shown_again(request, QueryDict(back)) | {"swapped": True}
    response = render(request, "transactions/_queue.html", context)
    return htmx.toast(request, response, words)


def _shown_again(request: HttpRequest, query: QueryDict) -> dict[str, Any]:
    """A page of the queue, or the first where the query is none of ours."""
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        return shown(member, query)
    except (waiting.Wrong, paging.WrongCursor):
        return shown(member, QueryDict())


def _refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    return htmx.answer(
        request,
        page="transactions/queue.html",
        partial="transactions/_queue.html",
        context={"errors": [sentence], "clear_url": reverse(QUEUE), "mode": ""},
        status=422,
    )


def _last_done(transaction: Transaction, member: Member) -> TimelineEntry | None:
    """The member's own act of handing over, if it is the latest of all."""
    entries = list(transaction.timeline.filter(topic="fulfilment"))
    last = max(
        fulfilment.latest(transaction, entries).values(),
        key=lambda entry: entry.order,
        default=None,
    )
    own = last and last.status == Act.DONE and last.actor_id == member.user_id
    return last if own else None


def _just_done(member: Member, id: str) -> dict[str, Any] | None:
    """What the member handed over a moment ago, to be undone without script."""
    known = as_uuid(id)
    found = selectors.find(selectors.visible_to(member), known) if known else None
    if found is None:
        return None
    done = _last_done(found, member)
    return {"transaction": found, "who": buyer(found), "act": done} if done else None


# -------------------------------------------------------------------- words, addresses
def announced(counted: paging.Counted) -> str:
    """For who hears the page, and beside its title: "12 waiting"."""
    words = ngettext("%s waiting", "%s waiting", counted.number)
    return words % str(counted)


def address(query: str) -> str:
    return reverse(QUEUE) + (f"?{query}" if query else "")


def _turned(asked: waiting.Asked, name: str, cursor: str | None) -> str:
    return address(asked.query(**{name: cursor})) if cursor else ""


def _tidied(query: str) -> str:
    """Of an address that a form told, what is the queue's own."""
    given = QueryDict(query)
    kept = [
        (name, text)
        for name in (*waiting.NAMES, *CURSORS)
        for text in given.getlist(name)
    ]
    return urlencode(kept)


def _projects(asked: waiting.Asked) -> list[waiting.Choice]:
    chosen = [project.slug for project in asked.projects]
    return [
        _choice(asked, "project", project.slug, project.name, chosen)
        for project in projects_of(asked.member)
    ]


def _products(asked: waiting.Asked) -> list[waiting.Choice]:
    return [
        _choice(asked, "product", name, name, asked.products)
        for name in waiting.products_of(asked)
    ]


def _choice(
    asked: waiting.Asked, name: str, value: str, label: str, chosen: Any
) -> waiting.Choice:
    others = [text for text in chosen if text != value]
    current = value in chosen
    query = asked.query(**{name: others if current else [*others, value]})
    return waiting.Choice(label, address(query), current)


def _chips(asked: waiting.Asked) -> list[dict[str, str]]:
    every = [
        (_("Project"), "project", project.name, project.slug)
        for project in asked.projects
    ] + [(_("Product"), "product", name, name) for name in asked.products]
    chosen = {
        "project": [project.slug for project in asked.projects],
        "product": list(asked.products),
    }
    return [
        {
            "label": label,
            "value": shown_as,
            "url": address(
                asked.query(**{name: [t for t in chosen[name] if t != value]})
            ),
        }
        for label, name, shown_as, value in every
    ]
