"""The page of one bulk action, as a draft, under way and done, and the list of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from transactions import acts, bulk_actions
from transactions.bulk_actions import ACTS
from transactions.filter_values import as_uuid
from transactions.models import BulkAction, BulkItem
from transactions.statuses import AfterRefund, RefundReason

SIZE = 25
State, ItemState = BulkAction.State, BulkItem.State
#: Before this much has passed nobody knows how long the rest will take.
TOO_EARLY = timedelta(seconds=2)


class Words(forms.Form):
    """What goes to the timeline of every transaction that is acted on."""

    reference = forms.CharField(
        label=_lazy("Reference"), required=False, max_length=acts.REFERENCE
    )
    reason = forms.ChoiceField(
        label=_lazy("Reason"), required=False, choices=RefundReason
    )
    note = forms.CharField(label=_lazy("Note"), required=False, max_length=acts.NOTE)
    after = forms.ChoiceField(
        label=_lazy("What was handed over"), required=False, choices=AfterRefund
    )


@require_safe
@may("view_transactions")
def page(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    bulk = seen(member, id)
    return htmx.answer(
        request,
        page="transactions/bulk/page.html",
        partial="transactions/bulk/_state.html",
        context=context(request, member, bulk),
    )


@require_safe
@may("view_transactions")
def history(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    seen = bulk_actions.seen_by(member).exclude(state=State.DRAFT)
    rows, newer, older = paged(seen, request, newest_first=True, read=as_uuid)
    context = {
        "rows": [{"bulk": bulk, "act": ACTS[bulk.act]} for bulk in rows],
        "words": "",
        "list_url": reverse("transactions:list"),
        "newer_url": f"?before={newer}" if newer else "",
        "older_url": f"?after={older}" if older else "",
    }
    return render(request, "transactions/bulk/history.html", context)


def seen(member: Member, id: UUID) -> BulkAction:
    seen = bulk_actions.seen_by(member).select_related("reverses")
    return get_object_or_404(seen, pk=id)


def context(request: HttpRequest, member: Member, bulk: BulkAction) -> dict[str, Any]:
    act = ACTS[bulk.act]
    context: dict[str, Any] = {
        "bulk": bulk,
        "act": act,
        "handled": bulk.done + bulk.missed,
        "left_out": max(bulk.wanted - bulk.found, 0),
        "unlike": bulk.found - bulk.ready,
        "may_act": role_may(member.role, act.right),
        "list_url": list_address(bulk),
        "mode": "live" if bulk.livemode else "test",
    }
    if bulk.state == State.DRAFT:
        parts = _parts(bulk)
        context |= {
            "form": Words(),
            "takes": act.takes,
            "asks": act.asks(bulk.ready),
            "limited": act.wants_fresh_login(member),
            "export_url": _export_address(bulk) if act.is_file else "",
            "first": parts[0],
            "others": parts[1:],
        }
    elif bulk.finished is None:
        return context | {"left": time_left(bulk, timezone.now())}
    else:
        context |= _result(bulk)
    return context | _items(request, member, bulk)


def _parts(bulk: BulkAction) -> list[dict[str, Any]]:
    """The forecast by reason, what can be acted on first; sums per currency."""
    parts: dict[str, dict[str, Any]] = {"": {"reason": "", "count": 0, "sums": []}}
    for part in bulk.forecast:
        empty = {"reason": part["reason"], "count": 0, "sums": []}
        known = parts.setdefault(part["reason"], empty)
        known["count"] += part["count"]
        if part["currency"]:
            known["sums"].append(part)
    first, *others = parts.values()
    return [first, *sorted(others, key=lambda part: -part["count"])]


def _result(bulk: BulkAction) -> dict[str, Any]:
    skipped = sum(number for _reason, number in bulk.outcome)
    not_reached = bulk.ready - bulk.done - bulk.missed
    is_canceled = bulk.state == State.CANCELED
    return {
        "tells": ACTS[bulk.act].tells(bulk.done),
        "skipped": skipped,
        "not_reached": not_reached if is_canceled else 0,
        "joined": 0 if is_canceled else not_reached,
        "undone_by": ACTS[bulk.act].undone_by,
    }


def time_left(bulk: BulkAction, now: datetime) -> str:
    """How much longer it takes, in words; "" while nobody can know."""
    handled = bulk.done + bulk.missed
    if not handled or bulk.started is None or now - bulk.started < TOO_EARLY:
        return ""
    left = (now - bulk.started) / handled * (bulk.ready - handled)
    if left < timedelta(minutes=1):
        return _("less than a minute left")
    minutes = round(left.total_seconds() / 60)
    words = ngettext("about %d minute left", "about %d minutes left", minutes)
    return words % minutes


# ------------------------------------------------------------------------------- items
def _items(request: HttpRequest, member: Member, bulk: BulkAction) -> dict[str, Any]:
    """A page of its transactions, of those in one state."""
    tabs = _tabs(bulk)
    asked = request.GET.get("show", "")
    shown = next((tab for tab in tabs if tab["state"] == asked), tabs[0])
    seen = bulk_actions.items_seen_by(member, bulk).filter(state=shown["state"])
    rows, before, after = paged(
        seen.select_related("transaction"), request, read=_number
    )
    own = f"?show={shown['state']}"
    return {
        "tabs": [tab | {"current": tab is shown} for tab in tabs],
        "rows": rows,
        "words": _("%(rows)d of %(all)s")
        % {"rows": len(rows), "all": f"{shown['number']:,}"},
        "newer_url": f"{own}&before={before}" if before else "",
        "older_url": f"{own}&after={after}" if after else "",
    }


def _tabs(bulk: BulkAction) -> list[dict[str, Any]]:
    unlike = bulk.found - bulk.ready
    if bulk.state == State.DRAFT:
        found = [
            (
                ItemState.WAITING,
                _("In the file") if ACTS[bulk.act].is_file else _("To be changed"),
                bulk.ready,
            ),
            (ItemState.SKIPPED, _("Left as they are"), unlike),
        ]
    else:
        result = _result(bulk)
        found = [
            (ItemState.SKIPPED, _("Not changed"), result["skipped"]),
            (ItemState.DONE, _("Done"), bulk.done),
            (ItemState.WAITING, _("Not reached"), result["not_reached"]),
        ]
    tabs = [
        {"state": state, "label": label, "number": number}
        for state, label, number in found
        if number
    ]
    return tabs or [{"state": ItemState.DONE, "label": _("Done"), "number": 0}]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def paged(
    rows: QuerySet[Any], request: HttpRequest, *, read: Any, newest_first: bool = False
) -> tuple[list[Any], Any, Any]:
    """(a page by its key, what names the page above, and the one below)."""
    before, after = (read(request.GET.get(name, "")) for name in ("before", "after"))
    down, up = ("-pk", "pk") if newest_first else ("pk", "-pk")
    beyond = ("pk__gt", "pk__lt") if newest_first else ("pk__lt", "pk__gt")
    if before is not None:
        found = list(rows.filter(**{beyond[0]: before}).order_by(up)[: SIZE + 1])
        page, above, below = found[:SIZE][::-1], len(found) > SIZE, True
    else:
        part = rows.filter(**{beyond[1]: after}) if after is not None else rows
        found = list(part.order_by(down)[: SIZE + 1])
        page, above, below = found[:SIZE], after is not None, len(found) > SIZE
    if not page:
        return [], None, None
    return page, page[0].pk if above else None, page[-1].pk if below else None


# --------------------------------------------------------------------------- addresses
def address(bulk: BulkAction) -> str:
    return reverse("transactions:bulk", args=[bulk.pk])


def _export_address(bulk: BulkAction) -> str:
    """The dialog that exports exactly the rows of a draft."""
    told = {"listing": "transactions", "bulk": str(bulk.pk)}
    mode = {"livemode": "true" if bulk.livemode else "false"}
    return f"{reverse('transactions:export_new')}?{urlencode(told | mode)}"


def list_address(bulk: BulkAction) -> str:
    """The list that it was chosen from; for ticked ones, all of their mode."""
    mode = f"livemode={'true' if bulk.livemode else 'false'}"
    query = f"{bulk.query}&{mode}" if bulk.query else mode
    return f"{reverse('transactions:list')}?{query}"
