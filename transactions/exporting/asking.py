"""Asking for an export: small ones are there at once, others wait for a worker."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit
from merchant.models import ApiKey, Member
from transactions.exporting import files, running
from transactions.exporting.lists import Wanted
from transactions.exporting.refusal import NotPossible
from transactions.exporting.wish import AT_ONCE, Wish, checked, count
from transactions.models import Export, ExportSchedule

#: So many of one merchant wait or run at a time; more would only wait for each other.
MOST_UNDER_WAY = 20


def start(
    by: Member | ApiKey, wish: Wish, *, http: HttpRequest | None = None
) -> Export:
    """Begins an export; a small one is ready when this returns.

    Raises NotPossible, and PermissionError where the member's role may not.
    """
    wish, wanted = checked(by, wish)
    merchant_id = _merchant_id(by)
    under_way = Export.objects.filter(
        merchant_id=merchant_id, state__in=[Export.State.PENDING, Export.State.RUNNING]
    )
    if under_way.count() >= MOST_UNDER_WAY:
        words = _("%d exports are under way already. Wait for one, or cancel it.")
        raise NotPossible(words % MOST_UNDER_WAY, code="too_many")
    counted = count(wanted)
    is_small = counted is not None and counted.number <= AT_ONCE
    with transaction.atomic():
        export = enter(by, wish, wanted, held=is_small)
        detail = told(export) | {"rows": str(counted) if counted else "unknown"}
        actor = by if isinstance(by, Member) else f"API key {by}"
        audit.note(
            actor, "export.started", export, merchant=export.merchant, detail=detail,
            request=http,
        )  # fmt: skip
    if is_small and not running.at_once(export):
        export.refresh_from_db()
    return export


def enter(
    by: Member | ApiKey,
    wish: Wish,
    wanted: Wanted,
    *,
    schedule: ExportSchedule | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    held: bool = False,
) -> Export:
    """Writes the export down, to be made by whoever looks first; `held`: by us, who
    are about to."""
    export = Export.objects.create(
        merchant_id=_merchant_id(by),
        member=by if isinstance(by, Member) else None,
        key=by if isinstance(by, ApiKey) else None,
        asker=str(by.user if isinstance(by, Member) else by)[:160],
        schedule=schedule,
        bulk_id=wish.bulk,
        listing=wish.listing,
        table=wish.table,
        query=wish.query,
        livemode=wish.livemode,
        described=schedule.described if schedule else wanted.described,
        format=wish.format,
        style=wish.style,
        columns=list(wish.columns),
        time_zone=wish.zone,
        mark=wish.mark,
        whole=wanted.whole,
        since=since or wanted.since,
        until=until or wanted.until,
        period_by=wish.period_by,
        told_from=wish.told.before if wish.told else None,
        told_to=wish.told.now if wish.told else None,
        seen=not isinstance(by, Member) or schedule is not None,
        leased_until=timezone.now() + running.LEASE if held else None,
    )
    if not wanted.whole:
        export.projects.set(wanted.shops)
    return export


def again(member: Member, export: Export, *, http: HttpRequest | None = None) -> Export:
    """The same export anew: today's rows, through this member's eyes.

    Raises NotPossible, and PermissionError where the member's role may not.
    """
    return start(member, Wish.of(export), http=http)


def cancel(member: Member, export: Export, *, http: HttpRequest | None = None) -> bool:
    """Stops it; who is making it notices within a second. False: it is over."""
    with transaction.atomic():
        if not running.stop(export):
            return False
        audit.note(member, "export.canceled", export, detail=told(export), request=http)
    return True


def delete(member: Member, export: Export, *, http: HttpRequest | None = None) -> None:
    """The file and its row go; the audit log keeps that there was one."""
    with transaction.atomic():
        running.stop(export)
        audit.note(member, "export.deleted", export, detail=told(export), request=http)
        name = export.file
        Export.objects.filter(pk=export.pk).delete()
    files.remove(name)


def told(export: Export) -> dict[str, object]:
    """An export for the audit log."""
    return {
        "list": export.listing,
        "format": export.format,
        "filter": export.described,
        "columns": export.columns,
    }


def _merchant_id(by: Member | ApiKey) -> UUID:
    return by.merchant_id if isinstance(by, Member) else by.project.merchant_id
