"""Exports: the list of them, one of them while it is made and when it is ready."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from merchant import audit, htmx
from merchant.access import MAY
from merchant.models import Member
from merchant.views.guard import may, no_access, zone_of
from transactions import attachment, exporting, selectors
from transactions.exporting import LISTS, NotPossible, files
from transactions.exporting.making import period_of
from transactions.exports import to_receipt
from transactions.exports.lists import TABLES
from transactions.exports.spec import masks
from transactions.filter_values import as_uuid
from transactions.models import Export
from transactions.views.awaited import wait_for
from transactions.views.bulk_page import paged

SIZE = 25
#: Before this much has passed nobody knows how long the rest will take.
TOO_EARLY = timedelta(seconds=1)


@require_safe
@may("export")
def history(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    _seen(member)
    visible = exporting.visible_to(member).select_related("schedule")
    rows, newer, older = paged(visible, request, newest_first=True, read=as_uuid)
    context = {
        "rows": [told(export) for export in rows],
        "tab": "history",
        "words": "",
        "newer_url": f"?before={newer}" if newer else "",
        "older_url": f"?after={older}" if older else "",
        "lists": [(name, listed.label) for name, listed in LISTS.items()],
    }
    return render(request, "transactions/exports/list.html", context)


@require_safe
@may("export")
def export(request: HttpRequest, id: UUID) -> HttpResponse:
    """One of them; for htmx only where it stands, or with `row` its row of the list."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = _found(member, id)
    if found.member_id == member.pk and not (found.seen or found.is_under_way):
        Export.objects.filter(pk=found.pk).update(seen=True)
    partial = "transactions/exports/_state.html"
    if "row" in request.GET:
        partial = "transactions/exports/_row.html"
    return htmx.answer(
        request,
        page="transactions/exports/page.html",
        partial=partial,
        context=told(found) | {"member": member},
    )


@require_safe
@may("export")
def download(request: HttpRequest, id: UUID) -> HttpResponseBase:
    member: Member = request.member  # type: ignore[attr-defined]
    found = _found(member, id)
    try:
        opened = exporting.open_file(member, found, http=request)
    except Export.DoesNotExist as error:
        raise Http404 from error
    except PermissionError as error:
        return no_access(request, MAY[str(error)])
    except NotPossible as error:
        context = told(found) | {"trouble": str(error)}
        return render(request, "transactions/exports/page.html", context, status=410)
    return attachment.answer(opened)


@require_safe
@may("export")
def receipt(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the file says of itself, as JSON: beside a CSV it is kept with it."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = _found(member, id)
    if found.receipt is None:
        raise Http404
    response = HttpResponse(
        exporting.receipt_bytes(found), content_type="application/json"
    )
    name = f"{files.name_of(found)}.receipt.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@may("export")
def of_one(request: HttpRequest, id: UUID) -> HttpResponse:
    """The receipt of a single transaction, as a PDF to hand to the customer."""
    member: Member = request.member  # type: ignore[attr-defined]
    found = selectors.find(selectors.visible_to(member), id)
    if found is None:
        raise Http404
    content = to_receipt.write(
        found,
        zone=zone_of(member),
        made_at=timezone.now(),
        masked=masks(member.role),
    )
    audit.note(member, "transaction.receipt", found, request=request)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{found.pk}.pdf"'
    response["Cache-Control"] = "no-store"
    return response


# --------------------------------------------------------------------------------- acts
@require_POST
@may("export")
def cancel(request: HttpRequest, id: UUID) -> HttpResponseBase:
    member: Member = request.member  # type: ignore[attr-defined]
    found = _found(member, id)
    stopped = exporting.cancel(member, found, http=request)
    if htmx.is_partial(request):
        return export(request, id)
    words = _("Export canceled") if stopped else ""
    return htmx.redirect(request, _address(found), words=words)


@require_POST
@may("export")
def again(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    found = _found(member, id)
    try:
        fresh = exporting.again(member, found, http=request)
        wait_for(request, fresh)
    except PermissionError as error:
        return no_access(request, MAY[str(error)])
    except NotPossible as error:
        context = told(found) | {"trouble": str(error)}
        return render(request, "transactions/exports/page.html", context, status=422)
    return htmx.redirect(request, _address(fresh))


@require_POST
@may("export")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    exporting.delete(member, _found(member, id), http=request)
    return htmx.redirect(request, "transactions:exports", words=_("Export deleted"))


# ------------------------------------------------------------------------------ showing
def told(export: Export, now: datetime | None = None) -> dict[str, Any]:
    """What a page or a row says of it."""
    now = now or timezone.now()
    return {
        "export": export,
        "label": LISTS[export.listing].label,
        "way": "" if export.table == export.listing else TABLES[export.table].label,
        "file_there": export.has_file(now),
        "expired": export.state == Export.State.READY and not export.has_file(now),
        "left": time_left(export, now),
        "period": period_of(export),
        "heads": [str(c.label) for c in TABLES[export.table].chosen(export.columns)],
        "sums": _sums(export),
        "missing": (export.receipt or {}).get("missing_glyphs"),
        "name": files.name_of(export),
    }


def _sums(export: Export) -> list[dict[str, Any]]:
    """Per currency, in the order of the file's own receipt."""
    found = (export.receipt or {}).get("sums", [])
    return [
        {
            "currency": each["currency"],
            "rows": each["rows"],
            "sums": [
                (sum.label, each[sum.key], sum.is_money)
                for sum in TABLES[export.table].sums
                if sum.key in each
            ],
        }
        for each in found
    ]


def time_left(export: Export, now: datetime) -> str:
    """How much longer it takes, in words; "" while nobody can know."""
    done, total = export.rows_done, export.rows_total
    if not done or not total or export.started is None:
        return ""
    if now - export.started < TOO_EARLY:
        return ""
    if done >= total:
        return _("the rows are written, the file is being closed")
    left = (now - export.started) / done * (total - done)
    seconds = max(1, round(left.total_seconds()))
    if seconds < 60:
        words = ngettext("about %d second left", "about %d seconds left", seconds)
        return words % seconds
    minutes = round(seconds / 60)
    return ngettext("about %d minute left", "about %d minutes left", minutes) % minutes


def _found(member: Member, id: UUID) -> Export:
    rows = exporting.visible_to(member).select_related("schedule", "merchant")
    return get_object_or_404(rows, pk=id)


def _seen(member: Member) -> None:
    news = Export.objects.filter(member=member, seen=False)
    over = news.exclude(state__in=["pending", "running"])
    if over.exists():
        over.update(seen=True)


def _address(export: Export) -> str:
    return reverse("transactions:export", args=[export.pk])
