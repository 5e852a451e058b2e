"""The dialog that asks what to export, and how: a page of its own without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from merchant import htmx
from merchant.access import MAY
from merchant.models import Member
from merchant.selectors import projects_of
from merchant.views.guard import may, no_access, zone_of
from transactions import layouts, periods
from transactions.exporting import (
    AT_ONCE,
    LISTS,
    NotPossible,
    Wish,
    changes,
    choices,
    start,
)
from transactions.exporting.schedules import PERIODIC
from transactions.exporting.wish import checked, count, zone_named
from transactions.exports.lists import TABLES
from transactions.filter_values import as_uuid, yes_or_no
from transactions.models import ExportAmounts, ExportFormat, ExportStyle
from transactions.views import exports, layout, listing
from transactions.views.awaited import wait_for


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent, or as it begins."""

    member: Member
    listing: str
    table: str
    query: str
    livemode: bool | None
    bulk: UUID | None
    format: str
    style: str
    amounts: str
    mark: bool
    zone: str
    chosen: str
    own: tuple[str, ...]
    since: str
    until: str
    preset: str
    period_by: str

    @property
    def has_page(self) -> bool:
        return bool(LISTS[self.listing].view)

    @property
    def asks_dates(self) -> bool:
        """Whether its rows have a date that the list has not asked for yet."""
        has_dates = self.listing in ("refunds", "disputes", "payouts")
        asked = any(name.startswith("created[") for name, _ in parse_qsl(self.query))
        return has_dates and not asked and self.bulk is None

    def wish(self) -> Wish:
        """Raises NotPossible."""
        return Wish(
            listing=self.listing,
            table=self.table,
            query=self._dated(),
            livemode=self.livemode,
            bulk=self.bulk,
            format=self.format,
            style=self.style,
            amounts=self.amounts,
            columns=choices.columns_of(self.member, self.table, self.chosen, self.own),
            zone=self.zone,
            mark=self.mark,
            period_by=self.period_by if self.table == changes.TABLE else "",
        )

    @property
    def has_period(self) -> bool:
        """Whether dates are asked for that can be about the change or its purchase."""
        names = {name.partition("[")[0] for name, _text in parse_qsl(self.query)}
        dated = bool(names & {"created", "paid"}) and self.bulk is None
        return self.table == changes.TABLE and dated

    def _dated(self) -> str:
        """The query, with days that are those of the file's own zone."""
        pairs = parse_qsl(self.query)
        if not self.asks_dates:
            return urlencode(pairs)
        zone = zone_named(self.zone)
        for name, text, later in (
            ("created[gte]", self.since, 0),
            ("created[lt]", self.until, 1),
        ):
            if not text:
                continue
            try:
                day = date.fromisoformat(text) + later * periods.DAY
            except (ValueError, OverflowError):
                words = _("Give days such as 2026-03-31.")
                raise NotPossible(words, field="since") from None
            pairs = [pair for pair in pairs if pair[0] != name]
            pairs.append((name, periods.midnight(day, zone).isoformat()))
        return urlencode(pairs)


@require_http_methods(["GET", "HEAD", "POST"])
@may("export")
def new(request: HttpRequest) -> HttpResponse:
    """Asks; POST begins the export, or with `look` shows the form anew."""
    if request.method != "POST":
        return _answer(request, begun(request, request.GET))
    typed = read(request, request.POST)
    if "look" in request.POST:
        return _answer(request, typed)
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        if request.POST.get("listing") not in LISTS:
            raise NotPossible(_("Choose what to export."))
        wish = typed.wish()
        export = start(member, wish, http=request)
        if typed.preset and typed.chosen == choices.OWN:
            choices.keep(member, typed.table, typed.preset, wish.columns)
        wait_for(request, export)
    except PermissionError as error:
        return no_access(request, MAY[str(error)])
    except NotPossible as error:
        return _answer(request, typed, str(error))
    address = reverse("transactions:export", args=[export.pk])
    if htmx.is_partial(request):
        return htmx.answer(
            request,
            page="transactions/exports/page.html",
            partial="transactions/exports/_begun.html",
            context=exports.told(export),
        )
    return htmx.redirect(request, address)


@require_POST
@may("export")
def drop_preset(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    choices.drop(member, id)
    return htmx.redirect(
        request, "transactions:export_schedules", words=_("Saved columns deleted")
    )


# ------------------------------------------------------------------------------ reading
def begun(request: HttpRequest, given: QueryDict) -> Typed:
    """The form as it opens over a list."""
    post = given.copy()
    post.setdefault("mark", "1")
    return read(request, post)


def read(request: HttpRequest, given: QueryDict) -> Typed:
    """What was sent; what is not known is as it begins."""
    member: Member = request.member  # type: ignore[attr-defined]
    name = given.get("listing", "")
    name = name if name in LISTS else "transactions"
    tables = LISTS[name].tables
    table = given.get("table", "")
    query = given.get("query", "")[:4000]
    return Typed(
        member=member,
        listing=name,
        table=table if table in tables else tables[0],
        query=urlencode([p for p in parse_qsl(query) if p[0] != "livemode"]),
        livemode=_livemode(member, name, given.get("livemode") or _asked(query)),
        bulk=as_uuid(given.get("bulk", "")),
        format=_one_of(ExportFormat.values, given.get("format", "")),
        style=_one_of(ExportStyle.values, given.get("style", "")),
        amounts=_one_of(["", *ExportAmounts.values], given.get("amounts", "")),
        mark=bool(given.get("mark")),
        zone=given.get("zone", "")[:64] or str(zone_of(member)),
        chosen=given.get("columns", choices.SCREEN)[:60],
        own=_own(member, table if table in tables else tables[0], given),
        since=given.get("since", "")[:10],
        until=given.get("until", "")[:10],
        preset=given.get("preset", "").replace("\x00", "").strip(),
        period_by=_one_of(list(changes.PERIODS), given.get("period_by", "")),
    )


def _own(member: Member, table: str, given: QueryDict) -> tuple[str, ...]:
    """The ticked columns in their order; who begins to choose begins with those that
    were chosen so far (`before`)."""
    before = given.get("before", "")
    if before and before != choices.OWN and not given.get("column"):
        try:
            return choices.columns_of(member, table, before[:60])
        except NotPossible:
            return ()
    try:
        return tuple(layout.ordered(given))
    except layouts.NotKept:
        return tuple(given.getlist("column"))


def _one_of(known: Sequence[str], text: str) -> str:
    return text if text in known else known[0]


def _asked(query: str) -> str:
    return dict(parse_qsl(query)).get("livemode", "")


def _livemode(member: Member, name: str, text: str) -> bool | None:
    try:
        return bool(yes_or_no()(text, None))  # type: ignore[arg-type]
    except ValueError:
        if LISTS[name].both_modes:
            return None
        return listing.has_live(member) or not listing.has_any(member)


# ------------------------------------------------------------------------------ showing
def _answer(request: HttpRequest, typed: Typed, trouble: str = "") -> HttpResponse:
    told = context(typed, trouble)
    partial = "transactions/exports/_dialog.html"
    if request.headers.get("HX-Target") == "export-form":
        partial = "transactions/exports/_form.html"
    return htmx.answer(
        request,
        page="transactions/exports/new.html",
        partial=partial,
        context=told,
        status=422 if trouble and "look" not in request.POST else 200,
    )


def context(typed: Typed, trouble: str = "") -> dict[str, Any]:
    """What the form shows: each choice, how many rows, how large the file."""
    keys: tuple[str, ...] = ()
    rows, described = None, ""
    try:
        wish, wanted = checked(typed.member, typed.wish())
        keys, described, rows = wish.columns, wanted.described, count(wanted)
    except (NotPossible, PermissionError) as error:
        trouble = trouble or str(error)
    return {
        "typed": typed,
        "trouble": trouble,
        "label": LISTS[typed.listing].label,
        "tables": [
            choice(name, TABLES[name].label, typed.table)
            for name in LISTS[typed.listing].tables
        ],
        "periods_by": [
            choice(value, label, typed.period_by)
            for value, label in changes.PERIODS.items()
        ],
        "formats": [
            choice(value, label, typed.format)
            | {
                "hint": choices.GOOD_FOR[value],
                "size": choices.size_words(typed.table, keys, value, rows.number)
                if keys and rows
                else "",
            }
            for value, label in ExportFormat.choices
        ],
        "styles": [choice(v, label, typed.style) for v, label in ExportStyle.choices],
        "amounts": [
            choice(value, label, typed.amounts)
            for value, label in choices.AMOUNTS.items()
        ],
        "sets": [
            choice(value, label, typed.chosen)
            for value, label in choices.sets_of(typed.member, typed.table)
        ],
        "zones": [choice(name, name, typed.zone) for name in _zones(typed)],
        "places": _places(typed, keys),
        "most": len(TABLES[typed.table].columns),
        "described": described,
        "rows": rows,
        "at_once": rows is not None and rows.number <= AT_ONCE,
        "mode": {True: "live", False: "test", None: ""}[typed.livemode],
        "periodic": typed.listing in PERIODIC and typed.bulk is None,
        "lists": [choice(n, each.label, typed.listing) for n, each in LISTS.items()],
        "list_url": _list_url(typed),
        "schedule_url": _schedule_url(typed),
    }


def choice(value: str, label: Any, chosen: str) -> dict[str, Any]:
    return {"value": value, "label": label, "chosen": value == chosen}


def _zones(typed: Typed) -> list[str]:
    """The member's, those of their projects, UTC; and the one that was sent."""
    own = str(zone_of(typed.member))
    shops = [project.time_zone for project in projects_of(typed.member)]
    return list(dict.fromkeys([typed.zone, own, *shops, "UTC"]))


def _places(typed: Typed, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Every column of the table: those of the chosen set first, in its order."""
    known: Mapping[str, Any] = TABLES[typed.table].columns
    first = [key for key in (typed.own or keys) if key in known]
    others = [key for key in known if key not in first and "." not in key]
    return [
        {
            "key": key,
            "label": known[key].label,
            "shown": key in first,
            "place": place,
        }
        for place, key in enumerate([*first, *others], start=1)
    ]


def _list_url(typed: Typed) -> str:
    view = LISTS[typed.listing].view
    if not view:
        return reverse("transactions:exports")
    return f"{reverse(view)}?{urlencode([*parse_qsl(typed.query), *_mode(typed)])}"


def _schedule_url(typed: Typed) -> str:
    """Where the same is set up to be made again and again."""
    query = urlencode([*parse_qsl(typed.query), *_mode(typed)])
    told = {"listing": typed.listing, "table": typed.table, "query": query}
    return f"{reverse('transactions:export_schedule_new')}?{urlencode(told)}"


def _mode(typed: Typed) -> list[tuple[str, str]]:
    if typed.livemode is None:
        return []
    return [("livemode", "true" if typed.livemode else "false")]
