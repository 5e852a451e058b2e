"""Putting many deliveries into the queue: a batch at a time, each in one commit.

A worker has a resend under a lease. What a batch queues and how far that is stand in
one database transaction, so a worker may die at any instruction: another takes over
when the lease is up and goes on behind the last row that was looked at.

Where a rate was asked for, rows are queued only shortly before their time. Until then
nothing has happened to them, so that whoever stops a resend stops it.
"""

from __future__ import annotations

import logging
import math
import time
from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from merchant import audit, leases, queue
from merchant.access import may
from merchant.audit import Actor
from merchant.models import Member, Merchant
from webhooks.delivery import resending
from webhooks.delivery.requeue import Spread
from webhooks.models import Resend
from webhooks.resends import plans
from webhooks.resends.plans import Plan

log = logging.getLogger(__name__)

#: Up to so many are queued while who asked waits.
AT_ONCE = 500
#: How many rows one database transaction takes. SQLite has one writer, and intake must
#: not wait long for it.
BATCH = {"postgresql": 1_000, "sqlite": 250}
#: Rows are queued so long before they may go out at most.
AHEAD = timedelta(seconds=20)
#: Only the pause between two batches needs it: during one, the row is locked.
LEASE = timedelta(seconds=15)
#: A round ends after this long, so that others have their turn.
SECONDS_A_ROUND = 20.0

State = Resend.State
UNDER_WAY = (State.PENDING, State.RUNNING)


def start(plan: Plan, by: Actor, request: HttpRequest | None = None) -> Resend:
    """Begins it, and ends it here when it is small. Raises resending.NotPossible.

    Who asks for what is under way already, by a second click or as a second person, is
    given that one.
    """
    plan.check()
    with transaction.atomic():
        # One at a time, so that of two clicks one sees the other's.
        Merchant.objects.select_for_update(no_key=True).get(pk=plan.merchant.pk)
        if same := _under_way(plan):
            return same
        _number, many = plan.count(AT_ONCE)
        run = _enter(plan, by)
        _note(run, by, "resend.started", request)
        if many:
            queue.ring(queue.RESENDS_JOB)
    if not many:
        _run_now(run.pk)
    run.refresh_from_db()
    return run


def cancel(run: Resend, by: Actor, request: HttpRequest | None = None) -> bool:
    """Stops it after the batch that is under way; what was queued stays queued. False
    when it was over already."""
    with transaction.atomic():
        locked = Resend.objects.select_for_update(of=("self",))
        found = locked.filter(pk=run.pk, state__in=UNDER_WAY).first()
        if found is None:
            return False
        _finish(found, State.CANCELED)
        _note(found, by, "resend.canceled", request)
        return True


def run_due() -> int:
    """Works on what was asked for; returns how many rows were looked at."""
    looked_at = 0
    end = time.monotonic() + SECONDS_A_ROUND
    while time.monotonic() < end and (claimed := _claim(_due())):
        looked_at += _work(*claimed, end)
    return looked_at


def _enter(plan: Plan, by: Actor) -> Resend:
    member = by if isinstance(by, Member) else None
    return Resend.objects.create(
        **{"upto": plan.newest(), **plan.columns()},
        merchant=plan.merchant,
        project=plan.project,
        member=member,
        by_member=member is not None,
        actor_name=resending.name_of(by),
    )


def _under_way(plan: Plan) -> Resend | None:
    columns = plan.columns()
    if columns["what"] in {Resend.What.FAILED, Resend.What.MISSING}:
        columns.pop("since")  # a second click is a moment later
    chosen = columns.pop("chosen", None)
    rows = Resend.objects.filter(merchant=plan.merchant, state__in=UNDER_WAY)
    found = rows.filter(**columns).order_by("created")
    return next((run for run in found if run.chosen == chosen), None)


def _note(run: Resend, by: Actor, verb: str, request: HttpRequest | None) -> None:
    subject = run.endpoint or run.to
    detail = {
        "resend": str(run.pk),
        "what": run.what,
        "to": str(run.to_id) if run.to_id else None,
        "since": run.since.isoformat() if run.since else None,
        "filter": run.query or None,
        "rate": run.rate,
        "drop_replaced": run.drop_replaced or None,
        "queued": run.queued if run.is_over else None,
    }
    told = {name: value for name, value in detail.items() if value is not None}
    audit.note(by, verb, subject, merchant=run.merchant, detail=told, request=request)


# --------------------------------------------------------------------------- the lease
def _due() -> QuerySet[Resend]:
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return Resend.objects.filter(free, state__in=UNDER_WAY, due__lte=now)


def _claim(due: QuerySet[Resend]) -> tuple[UUID, UUID] | None:
    return leases.claim(due.order_by("due", "created"), LEASE, state=State.RUNNING)


def _work(id: UUID, lease: UUID, end: float) -> int:
    """Batches until it is done, or stopped, or far enough ahead, or the time is up."""
    looked_at = 0
    try:
        while (batch := _batch(id, lease)) is not None:
            looked_at += batch
            if time.monotonic() > end:
                break
    finally:
        leases.give_back(Resend.objects.filter(pk=id, lease=lease))
        queue.ring(queue.DELIVERIES_JOB)
    return looked_at


def _run_now(id: UUID) -> None:
    try:
        if claimed := _claim(_due().filter(pk=id)):
            _work(*claimed, time.monotonic() + SECONDS_A_ROUND)
    except Exception:
        log.exception("Resend %s is left to the worker", id)
        queue.ring(queue.RESENDS_JOB)


# --------------------------------------------------------------------------- the batch
def _batch(id: UUID, lease: UUID) -> int | None:
    """How many rows were looked at; None when there is nothing to do for it now."""
    try:
        return _step(id, lease)
    except OperationalError:
        raise  # nobody's fault: the rows still wait
    except Exception as error:
        log.exception("Resend %s cannot go on", id)
        words = f"It could not go on: {type(error).__name__}. The log says more."
        mine = Resend.objects.filter(pk=id, lease=lease, state=State.RUNNING)
        mine.update(state=State.STOPPED, error=words, finished=timezone.now())
        return None


@transaction.atomic
def _step(id: UUID, lease: UUID) -> int | None:
    """The next rows, in one commit."""
    locked = Resend.objects.select_for_update(of=("self",))
    rows = locked.select_related("endpoint__project", "to__project", "member__user")
    run = rows.filter(pk=id, lease=lease, state=State.RUNNING).first()
    if run is None:
        return None
    now = timezone.now()
    spread = Spread(run.rate, max(run.next_due or now, now))
    if spread.following > now + AHEAD:
        run.due = spread.following - AHEAD / 2
        run.save(update_fields=["due"])
        return None
    try:
        plan = _still_wanted(run)
    except resending.NotPossible as why:
        _finish(run, State.STOPPED, str(why))
        return None
    if run.rows_total is None:
        run.rows_total = plan.rows.filter(pk__lte=run.upto).order_by().count()
        run.started = now
    ids = _next(plan, run)
    if not ids:
        _finish(run, State.DONE)
        return None
    put = plan.put(ids, spread, run.actor_name)
    run.at, run.next_due = ids[-1], spread.following
    run.rows_done += len(ids)
    run.queued += put.queued
    run.dropped += put.dropped
    run.leased_until = timezone.now() + LEASE
    run.save()
    return len(ids)


def _next(plan: Plan, run: Resend) -> list[int]:
    """The ids of the next rows, no more than may go out soon."""
    most = BATCH[connection.vendor]
    if run.rate:
        most = min(most, max(1, math.ceil(run.rate * AHEAD.total_seconds())))
    rows = plan.rows.filter(pk__gt=run.at, pk__lte=run.upto)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:most])


def _still_wanted(run: Resend) -> Plan:
    """Its plan. Raises resending.NotPossible where nobody may or can do it now."""
    plan = plans.kept(run)
    member = run.member
    if member and not (member.user.is_active and may(member.role, plan.right)):
        raise resending.NotPossible(f"{run.actor_name} may not do this any more.")
    plan.check()
    return plan


def _finish(run: Resend, state: str, error: str = "") -> None:
    run.state, run.error, run.finished = state, error[:300], timezone.now()
    run.lease = run.leased_until = None
    run.save()
