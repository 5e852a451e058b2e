"""Exports that come again: every day, week or month, never a gap and never twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit
from merchant.access import may
from merchant.models import Member, Project
from merchant.selectors import projects_of
from transactions import journal
from transactions.exporting import asking, changes, recurring, stopping
from transactions.exporting.changes import Told
from transactions.exporting.lists import Wanted
from transactions.exporting.refusal import NotPossible
from transactions.exporting.wish import Wish, checked
from transactions.models import Export, ExportSchedule
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

MOST = 50
MOST_MEMBERS = 20
LONGEST_NAME = 60
#: Lists whose rows have their time.
PERIODIC = ("transactions", "refunds", "disputes", "payouts")
#: Which time of a row counts, by list; the first is the usual one.
MEASURES = {"transactions": ("paid", "created")}
#: Of a table whose rows have a time of their own.
MEASURES_OF_TABLE = {changes.TABLE: (changes.HAPPENED,)}
#: Names of a query that would fight the period, and one that is no part of a filter.
_NO_PART = ("created", "paid", "livemode", "sort")
#: So many periods of one schedule are begun in one round: who was away for a month
#: gets all of its files, and others their turn in between.
MOST_A_ROUND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A schedule as a form asks for it: what to export, how often, and for whom.

    `measure`: which time of a row counts; none is the list's usual one.
    """

    name: str
    wish: Wish
    every: str
    measure: str = ""
    hour: int = 6
    members: tuple[UUID, ...] = ()
    endpoint: UUID | None = None


def add(
    member: Member, plan: Plan, *, http: HttpRequest | None = None
) -> ExportSchedule:
    """A new schedule; its first period is the one that runs now. Raises NotPossible."""
    with transaction.atomic():
        Member.objects.select_for_update().get(pk=member.pk)
        if member.export_schedules.count() >= MOST:
            raise NotPossible(_("You have %d schedules, and that is the most.") % MOST)
        schedule = ExportSchedule(merchant_id=member.merchant_id, member=member)
        plan = _fill(schedule, member, plan)
        now = timezone.now()
        zone = ZoneInfo(schedule.time_zone)
        schedule.since = recurring.begin_of(now, schedule.every, zone)
        schedule.due = _next_due(schedule)
        schedule.save()
        schedule.members.set(_people(plan))
        _note(member, "export_schedule.added", schedule, http)
    return schedule


def change(
    member: Member,
    schedule: ExportSchedule,
    plan: Plan,
    *,
    http: HttpRequest | None = None,
) -> None:
    """From the next period on it is like that; where that begins stays. It is made
    through this member's eyes from now on. Raises NotPossible."""
    with transaction.atomic():
        schedule = ExportSchedule.objects.select_for_update().get(pk=schedule.pk)
        plan = _fill(schedule, member, plan)
        schedule.member = member
        schedule.error, schedule.mail_due = "", None
        if schedule.due is not None:
            schedule.due = _next_due(schedule)
        schedule.save()
        schedule.members.set(_people(plan))
        _note(member, "export_schedule.changed", schedule, http)


def pause(
    member: Member, schedule: ExportSchedule, *, http: HttpRequest | None = None
) -> None:
    """Nothing is made until it goes on; then every period in between is."""
    with transaction.atomic():
        ExportSchedule.objects.filter(pk=schedule.pk).update(due=None)
        _note(member, "export_schedule.paused", schedule, http)


def resume(
    member: Member, schedule: ExportSchedule, *, http: HttpRequest | None = None
) -> None:
    with transaction.atomic():
        schedule = ExportSchedule.objects.select_for_update().get(pk=schedule.pk)
        schedule.due = _next_due(schedule)
        schedule.error, schedule.mail_due = "", None
        schedule.save(update_fields=["due", "error", "mail_due"])
        _note(member, "export_schedule.resumed", schedule, http)


def delete(
    member: Member, schedule: ExportSchedule, *, http: HttpRequest | None = None
) -> None:
    """The files that it made stay until they expire."""
    with transaction.atomic():
        _note(member, "export_schedule.deleted", schedule, http)
        schedule.delete()


# ---------------------------------------------------------------------------- the round
def begin_due() -> int:
    """Begins the export of each period that is over; returns how many."""
    begun = 0
    due = ExportSchedule.objects.filter(due__lte=timezone.now())
    for pk in due.order_by("due").values_list("pk", flat=True)[:100]:
        for _turn in range(MOST_A_ROUND):
            if not _begin(pk):
                break
            begun += 1
    return begun


@transaction.atomic
def _begin(pk: UUID) -> bool:
    """The export of the next period and where the one after it begins, in one commit:
    whoever dies in between leaves neither a gap nor two files."""
    rows = ExportSchedule.objects.select_for_update(skip_locked=True, of=("self",))
    schedule = rows.filter(pk=pk, due__lte=timezone.now()).first()
    if schedule is None:
        return False
    since, zone = schedule.since, ZoneInfo(schedule.time_zone)
    until = recurring.end_after(since, schedule.every, zone)
    told = _mark(schedule)
    try:
        export = _enter(schedule, since, until, told)
    except NotPossible as error:
        stopping.stop(schedule, str(error))
        return False
    except PermissionError:
        words = _("Who set it up may not export this any more. Change it to go on.")
        stopping.stop(schedule, words)
        return False
    schedule.since = until
    schedule.due = _next_due(schedule)
    schedule.told = told.now if told else schedule.told
    schedule.save(update_fields=["since", "due", "told"])
    audit.note(
        "schedule", "export.started", export, merchant=export.merchant,
        detail=asking.told(export) | {"schedule": schedule.name},
    )  # fmt: skip
    return True


def _mark(schedule: ExportSchedule) -> Told | None:
    """How far the file tells the journal, where it tells it."""
    if not _goes_by_journal(schedule):
        return None
    return Told(schedule.told, journal.mark())


def _goes_by_journal(schedule: ExportSchedule) -> bool:
    """Whether what comes late is in its next file."""
    return schedule.table == changes.TABLE or schedule.measure == "paid"


def _enter(
    schedule: ExportSchedule, since: datetime, until: datetime, told: Told | None
) -> Export:
    members = Member.objects.select_related("user", "merchant")
    owner = members.filter(export_schedules=schedule, user__is_active=True)
    member = owner.first()
    if member is None:
        raise NotPossible(_("Who set it up has left. Change it to go on."))
    if schedule.endpoint_id is None and not schedule.members.exists():
        words = _("Whom it told is gone. Choose members or an endpoint to go on.")
        raise NotPossible(words)
    wish, wanted = checked(member, wish_of(schedule, since, until, told))
    return asking.enter(
        member, wish, wanted, schedule=schedule, since=since, until=until
    )


def wish_of(
    schedule: ExportSchedule, since: datetime, until: datetime, told: Told | None
) -> Wish:
    """What one of its periods is exported with."""
    of_changes = schedule.table == changes.TABLE
    name = "created" if of_changes else schedule.measure
    edges = [(f"{name}[gte]", since.isoformat()), (f"{name}[lt]", until.isoformat())]
    columns = tuple(schedule.columns)
    if of_changes:
        columns = tuple(dict.fromkeys((*columns, *changes.MARKS)))
    return Wish(
        listing=schedule.listing,
        table=schedule.table,
        query=urlencode([*parse_qsl(schedule.query), *edges]),
        livemode=schedule.livemode,
        format=schedule.format,
        style=schedule.style,
        amounts=schedule.amounts,
        columns=columns,
        zone=schedule.time_zone,
        mark=schedule.mark,
        told=told,
    )


def _next_due(schedule: ExportSchedule) -> datetime:
    zone = ZoneInfo(schedule.time_zone)
    until = recurring.end_after(schedule.since, schedule.every, zone)
    return recurring.due_after(until, schedule.hour, zone)


# ------------------------------------------------------------------------------ filling
def _fill(schedule: ExportSchedule, member: Member, plan: Plan) -> Plan:
    """Everything but when it runs. Raises NotPossible."""
    name = " ".join(plan.name.split())
    if not name or len(name) > LONGEST_NAME:
        words = _("Give it a name of at most %d characters.")
        raise NotPossible(words % LONGEST_NAME, field="name")
    if plan.every not in ExportSchedule.Every.values:
        raise NotPossible(_("Choose how often."), field="every")
    measures = measures_of(plan.wish.listing, plan.wish.table)
    if plan.measure and plan.measure not in measures:
        raise NotPossible(_("This list has no such time."), field="measure")
    if not 0 <= plan.hour <= 23:
        raise NotPossible(_("Choose an hour from 0 to 23."), field="hour")
    wish, wanted = checked(member, replace(plan.wish, query=lasting(plan.wish.query)))
    if wish.listing not in PERIODIC:
        words = _("This list has no period: export it by hand.")
        raise NotPossible(words, field="listing")
    if wanted.livemode is None:
        raise NotPossible(_("Choose test or live."), field="livemode")
    endpoint = _endpoint(member, plan, wanted)
    people = _recipients(member, plan.members)
    if not people and endpoint is None:
        words = _("Choose who is told: at least one member, or an endpoint.")
        raise NotPossible(words, field="members")
    schedule.name = name
    schedule.listing, schedule.table, schedule.query = (
        wish.listing,
        wish.table,
        wish.query,
    )
    schedule.livemode, schedule.described = wanted.livemode, wanted.described
    schedule.format, schedule.style = wish.format, wish.style
    schedule.amounts = wish.amounts
    schedule.columns, schedule.mark = list(wish.columns), wish.mark
    schedule.every, schedule.hour = plan.every, plan.hour
    schedule.measure = plan.measure or measures[0]
    schedule.time_zone = wish.zone
    if _goes_by_journal(schedule) and schedule.told is None:
        schedule.told = journal.mark()
    schedule.endpoint = endpoint
    return replace(plan, members=tuple(people))


def measures_of(listing: str, table: str) -> tuple[str, ...]:
    """Which times of the rows a schedule can go by."""
    usual = MEASURES.get(listing, ("created",))
    return MEASURES_OF_TABLE.get(table, usual)


def lasting(query: str) -> str:
    """A list's query without what a schedule says itself: dates and mode."""
    return urlencode(
        [
            (name, text)
            for name, text in parse_qsl(query)
            if name.partition("[")[0] not in _NO_PART
        ]
    )


def recipients_of(member: Member) -> list[Member]:
    """Who can be chosen: active members of the merchant whose role exports."""
    members = Member.objects.filter(
        merchant_id=member.merchant_id, user__is_active=True
    ).select_related("user")
    return [m for m in members.order_by("user__email") if may(m.role, "export")]


def endpoints_of(member: Member) -> list[Endpoint]:
    """Those that can be told: of the member's projects, in our own dialect."""
    rows = Endpoint.objects.filter(
        project__in=projects_of(member),
        kind=Endpoint.Kind.ENDPOINT,
        dialect=Dialect.STANDARD,
    )
    return list(rows.select_related("project").order_by("project__name", "url"))


def _recipients(member: Member, wanted: Iterable[UUID]) -> list[UUID]:
    possible = {m.pk for m in recipients_of(member)}
    chosen = list(dict.fromkeys(wanted))
    if len(chosen) > MOST_MEMBERS or not possible.issuperset(chosen):
        words = _("Choose at most %d members whose role exports.")
        raise NotPossible(words % MOST_MEMBERS, field="members")
    return chosen


def _people(plan: Plan) -> list[Member]:
    return list(Member.objects.filter(pk__in=plan.members))


def _endpoint(member: Member, plan: Plan, wanted: Wanted) -> Endpoint | None:
    """The endpoint of the one project that the file is about: its key fetches it."""
    if plan.endpoint is None:
        return None
    found = {e.pk: e for e in endpoints_of(member)}.get(plan.endpoint)
    if found is None:
        raise NotPossible(_("Choose one of your endpoints."), field="endpoint")
    shops: list[Project] = list(wanted.shops)
    if [shop.pk for shop in shops] != [found.project_id]:
        words = _("The endpoint belongs to %s: filter the list by this project first.")
        raise NotPossible(words % found.project.name, field="endpoint")
    return found


def _note(
    member: Member, verb: str, schedule: ExportSchedule, http: HttpRequest | None
) -> None:
    detail = {
        "name": schedule.name,
        "every": schedule.every,
        "list": schedule.listing,
        "filter": schedule.described,
    }
    audit.note(member, verb, schedule, detail=detail, request=http)
