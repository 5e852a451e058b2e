"""Exports that come again: the list of them, and the form that sets one up."""

from __future__ import annotations

from urllib.parse import parse_qsl
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from merchant import htmx
from merchant.access import MAY
from merchant.models import Member
from merchant.views.guard import may, no_access
from transactions import exporting, saved_views
from transactions.exporting import LISTS, NotPossible, choices, schedules
from transactions.exporting.schedules import Plan, measures_of
from transactions.exports.lists import TABLES
from transactions.filter_values import as_uuid
from transactions.models import ExportSchedule
from transactions.views import export_form
from transactions.views.export_form import Typed

EVERY = {
    "day": _lazy("The day before"),
    "week": _lazy("The week before, from Monday"),
    "month": _lazy("The month before"),
}
MEASURE_WORDS = {
    "created": _lazy("was created"),
    "paid": _lazy("was paid"),
    "happened": _lazy("happened"),
}


@require_safe
@may("export")
def browse(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    rows = exporting.schedules_visible_to(member).select_related(
        "member__user", "endpoint__project"
    )
    found = rows.prefetch_related("members__user").order_by("-id")[:200]
    context = {
        "tab": "schedules",
        "rows": [
            {"schedule": each, "label": LISTS[each.listing].label} for each in found
        ],
        "lists": [(name, LISTS[name].label) for name in schedules.PERIODIC],
        "views": saved_views.visible_to(member)[:50],
        "presets": [
            {"preset": preset, "label": TABLES[preset.table].label}
            for preset in member.export_presets.all()
        ],
    }
    return render(request, "transactions/exports/schedules.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@may("export")
def new(request: HttpRequest) -> HttpResponse:
    """Asks for a schedule, of a list's filter or of a saved view (`view`)."""
    member: Member = request.member  # type: ignore[attr-defined]
    if request.method != "POST":
        given = _of_view(member, request.GET)
        return _answer(request, export_form.begun(request, given), given)
    return _keep(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@may("export")
def edit(request: HttpRequest, id: UUID) -> HttpResponse:
    schedule = _own(request, id)
    if request.method != "POST":
        given = _of_schedule(schedule)
        return _answer(request, export_form.read(request, given), given, schedule)
    return _keep(request, schedule)


@require_POST
@may("export")
def pause(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    schedules.pause(member, _own(request, id), http=request)
    return htmx.redirect(request, PAGE, words=_("Schedule paused"))


@require_POST
@may("export")
def resume(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    schedules.resume(member, _own(request, id), http=request)
    return htmx.redirect(request, PAGE, words=_("Schedule goes on"))


@require_POST
@may("export")
def delete(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    schedules.delete(member, _own(request, id), http=request)
    return htmx.redirect(request, PAGE, words=_("Schedule deleted"))


PAGE = "transactions:export_schedules"


# ------------------------------------------------------------------------------ keeping
def _keep(request: HttpRequest, schedule: ExportSchedule | None) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    typed = export_form.read(request, request.POST)
    if "look" in request.POST:
        return _answer(request, typed, request.POST, schedule)
    try:
        plan = _plan(typed, request.POST)
        if schedule is None:
            schedules.add(member, plan, http=request)
        else:
            schedules.change(member, schedule, plan, http=request)
    except PermissionError as error:
        return no_access(request, MAY[str(error)])
    except NotPossible as error:
        return _answer(request, typed, request.POST, schedule, str(error))
    return htmx.redirect(request, PAGE, words=_("Schedule saved"))


def _plan(typed: Typed, given: QueryDict) -> Plan:
    hour = given.get("hour", "6")
    members = [as_uuid(text) for text in given.getlist("member")]
    measure = given.get("measure", "")
    return Plan(
        name=given.get("name", "").replace("\x00", ""),
        wish=typed.wish(),
        every=given.get("every", ""),
        measure=measure if measure in measures_of(typed.listing, typed.table) else "",
        hour=int(hour) if hour.isascii() and hour.isdigit() and len(hour) < 3 else -1,
        members=tuple(id for id in members if id),
        endpoint=as_uuid(given.get("endpoint", "")),
    )


def _own(request: HttpRequest, id: UUID) -> ExportSchedule:
    member: Member = request.member  # type: ignore[attr-defined]
    return get_object_or_404(exporting.schedules_visible_to(member), pk=id)


def _of_view(member: Member, given: QueryDict) -> QueryDict:
    """The query of the saved view that is named; the days of a view are left out."""
    view = saved_views.named(member, given.get("view"))
    told = given.copy()
    if view is not None:
        told["query"] = view.query
        told.setdefault("name", view.name)
    told["query"] = schedules.lasting(told.get("query", "")) + _mode(given)
    told.setdefault("member", str(member.pk))
    told.setdefault("zone", _zone_of_shop(member, told))
    return told


def _zone_of_shop(member: Member, given: QueryDict) -> str:
    """Periods are those of the project's clocks, where it is one; else ""."""
    listed = LISTS.get(given.get("listing", ""), LISTS["transactions"])
    shops = listed.read(member, QueryDict(given.get("query", "")), True).shops
    return shops[0].time_zone if len(shops) == 1 else ""


def _mode(given: QueryDict) -> str:
    mode = dict(parse_qsl(given.get("query", ""))).get("livemode", "")
    return f"&livemode={mode}" if mode in ("true", "false") else ""


def _of_schedule(schedule: ExportSchedule) -> QueryDict:
    told = QueryDict(mutable=True)
    told.update(
        {
            "listing": schedule.listing,
            "table": schedule.table,
            "query": schedule.query,
            "livemode": "true" if schedule.livemode else "false",
            "format": schedule.format,
            "style": schedule.style,
            "amounts": schedule.amounts,
            "mark": "1" if schedule.mark else "",
            "zone": schedule.time_zone,
            "columns": choices.OWN,
            "name": schedule.name,
            "every": schedule.every,
            "measure": schedule.measure,
            "hour": str(schedule.hour),
            "endpoint": str(schedule.endpoint_id or ""),
        }
    )
    told.setlist("column", list(schedule.columns))
    told.setlist("member", [str(m.pk) for m in schedule.members.all()])
    return told


# ------------------------------------------------------------------------------ showing
def _answer(
    request: HttpRequest,
    typed: Typed,
    given: QueryDict,
    schedule: ExportSchedule | None = None,
    trouble: str = "",
) -> HttpResponse:
    told = export_form.context(typed, trouble)
    member: Member = request.member  # type: ignore[attr-defined]
    names = given.getlist("member")
    endpoint = given.get("endpoint", "")
    measures = measures_of(typed.listing, typed.table)
    told |= {
        "plan": True,
        "schedule": schedule,
        "form_url": request.path,
        "name": given.get("name", ""),
        "every": [
            export_form.choice(value, label, given.get("every", "month"))
            for value, label in EVERY.items()
        ],
        "measures": [
            export_form.choice(
                value, MEASURE_WORDS[value], given.get("measure", measures[0])
            )
            for value in measures
        ],
        "hours": [
            (hour, f"{hour:02d}:00", str(hour) == given.get("hour", "6"))
            for hour in range(24)
        ],
        "people": [
            {"id": each.pk, "user": each.user, "chosen": str(each.pk) in names}
            for each in schedules.recipients_of(member)
        ],
        "endpoints": [
            {"endpoint": each, "chosen": str(each.pk) == endpoint}
            for each in schedules.endpoints_of(member)
        ],
        "lists": [
            choice for choice in told["lists"] if choice["value"] in schedules.PERIODIC
        ],
        "cancel_url": reverse(PAGE),
    }
    return htmx.answer(
        request,
        page="transactions/exports/schedule.html",
        partial="transactions/exports/_form.html",
        context=told,
        status=422 if trouble and "look" not in request.POST else 200,
    )
