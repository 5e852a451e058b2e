"""Doing a confirmed bulk action: a batch at a time, each in one commit.

A worker has an action under a lease that it renews with every batch. What a batch does
and that its items are done stand in one database transaction, so a worker may die at
any instruction: another one takes over when the lease is up, and goes on with the items
that still wait.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit, queue
from merchant.access import may
from merchant.models import Member
from transactions import binding, selectors
from transactions.bulk_actions.acts import ACTS
from transactions.filters import TransactionFilter
from transactions.models import BulkAction, BulkItem, TimelineEntry

log = logging.getLogger(__name__)

#: How many items one database transaction takes. SQLite has one writer, and intake
#: must not wait long for it.
BATCH = {"postgresql": 100, "sqlite": 50}
#: Up to so many are done in the request that confirms them.
AT_ONCE = 100
#: Only the pause between two batches needs it: during one, its row is locked.
LEASE = timedelta(seconds=15)
#: A round ends after this long and rings again, so that others have their turn and no
#: queue takes it for stuck.
SECONDS_A_ROUND = 20.0

State, ItemState = BulkAction.State, BulkItem.State


def start(
    member: Member,
    bulk: BulkAction,
    *,
    note: str = "",
    reference: str = "",
    reason: str = "",
    after: str = "",
    request: HttpRequest | None = None,
) -> bool:
    """The member confirms a draft; False when it is none (any more).

    A small one is done when this returns, a larger one waits for a worker.
    """
    with transaction.atomic():
        drafts = BulkAction.objects.filter(
            pk=bulk.pk, member=member, state=State.DRAFT, ready__gt=0
        )
        if not drafts.update(
            state=State.PENDING,
            started=timezone.now(),
            note=note,
            reference=reference,
            reason=reason,
            after=after,
        ):
            return False
        detail = {"act": bulk.act, "count": bulk.ready, "filter": bulk.described}
        audit.note(member, "bulk.started", bulk, detail=detail, request=request)
        if bulk.ready > AT_ONCE:
            queue.ring(queue.BULK_JOB)
    if bulk.ready <= AT_ONCE:
        _run_now(bulk.pk)
    return True


def cancel(bulk: BulkAction) -> bool:
    """Stops it after the batch that is under way; what was done stays done.

    A draft is gone. False when there was nothing to stop.
    """
    with transaction.atomic():
        found = BulkAction.objects.select_for_update().filter(pk=bulk.pk).first()
        if found is None or found.state in (State.DONE, State.CANCELED):
            return False
        if found.state == State.DRAFT:
            found.delete()
        else:
            _finish(found, State.CANCELED)
        return True


def run_due() -> int:
    """Works on what was confirmed; returns how many items were handled."""
    handled = 0
    end = time.monotonic() + SECONDS_A_ROUND
    while time.monotonic() < end and (claimed := _claim(_due())):
        handled += _work(*claimed, end)
    if _due().exists():
        queue.ring(queue.BULK_JOB)
    return handled


# --------------------------------------------------------------------------- the lease
def _due() -> QuerySet[BulkAction]:
    lapsed = Q(state=State.RUNNING, leased_until__lt=timezone.now())
    return BulkAction.objects.filter(Q(state=State.PENDING) | lapsed)


@transaction.atomic
def _claim(due: QuerySet[BulkAction]) -> tuple[UUID, UUID] | None:
    """(an action, our lease of it); those come first that waited longest."""
    waited = due.order_by(F("leased_until").asc(nulls_first=True), "created")
    found = waited.select_for_update(skip_locked=True).first()
    if found is None:
        return None
    lease = uuid4()
    BulkAction.objects.filter(pk=found.pk).update(
        state=State.RUNNING, lease=lease, leased_until=timezone.now() + LEASE
    )
    return found.pk, lease


def _work(id: UUID, lease: UUID, end: float) -> int:
    """Batches until it is done, or stopped, or the time is up; the items handled."""
    handled = 0
    try:
        while (batch := _batch(id, lease)) is not None:
            handled += batch
            if time.monotonic() > end:
                break
    finally:
        # What is left over is due at once, for whoever looks next.
        with suppress(DatabaseError):
            mine = BulkAction.objects.filter(pk=id, lease=lease, state=State.RUNNING)
            mine.update(leased_until=timezone.now())
    return handled


def _run_now(id: UUID) -> None:
    try:
        if claimed := _claim(_due().filter(pk=id)):
            _work(*claimed, time.monotonic() + SECONDS_A_ROUND)
    except Exception:
        log.exception("Bulk action %s is left to the worker", id)
        queue.ring(queue.BULK_JOB)


# --------------------------------------------------------------------------- the batch
def _batch(id: UUID, lease: UUID) -> int | None:
    """How many items were handled; None when it is not ours or there is none left."""
    try:
        return _step(id, lease, BATCH[connection.vendor])
    except (OperationalError, binding.Unsettled):
        raise  # nobody's fault: the items still wait
    except Exception:
        log.exception("A batch of bulk action %s has a culprit", id)
        return _one_by_one(id, lease)


def _one_by_one(id: UUID, lease: UUID) -> int | None:
    """The items of a batch each on its own, so that a bad one sinks alone."""
    handled = 0
    for _turn in range(BATCH[connection.vendor]):
        try:
            done = _step(id, lease, 1)
        except (OperationalError, binding.Unsettled):
            raise
        except Exception as error:
            log.exception("An item of bulk action %s cannot be done", id)
            done = _step(id, lease, 1, because=_failed(error))
        if done is None:
            return handled or None
        handled += done
    return handled


def _failed(error: Exception) -> str:
    told = _("It could not be done: %s. The log of Merchant says more.")
    return told % type(error).__name__


@transaction.atomic
def _step(id: UUID, lease: UUID, most: int, because: str = "") -> int | None:
    """The next items, in one commit. `because`: why they are not even tried."""
    locked = BulkAction.objects.select_for_update()
    bulk = locked.filter(pk=id, lease=lease, state=State.RUNNING).first()
    if bulk is None:
        return None
    waiting = bulk.items.filter(state=ItemState.WAITING)
    items = list(waiting.order_by("id")[:most])
    if not items:
        _finish(bulk, State.DONE)
        return None
    member = _member(bulk)
    if member is None:
        lost = _("%s may not do this any more.") % bulk.actor_name
        bulk.missed += waiting.update(state=ItemState.SKIPPED, reason=lost[:200])
        _finish(bulk, State.DONE)
        return None
    ACTS[bulk.act].prepare(member)
    items = _locked(items)
    reasons = {item.transaction_id: because for item in items if because}
    reasons |= _act(bulk, member, [i.transaction_id for i in items if not because])
    done, missed = _note(items, reasons)
    bulk.done += done
    bulk.missed += missed
    bulk.leased_until = timezone.now() + LEASE
    bulk.save(update_fields=["done", "missed", "leased_until"])
    return done + missed


def _member(bulk: BulkAction) -> Member | None:
    """Who confirmed it, while they may still do it."""
    members = Member.objects.select_related("user").prefetch_related("projects")
    own = Q(bulk_actions=bulk.pk, user__is_active=True)
    member = members.filter(own).first()
    if member is None or not may(member.role, ACTS[bulk.act].right):
        return None
    return member


def _locked(items: Sequence[BulkItem]) -> list[BulkItem]:
    """Those of the items whose transactions we now hold.

    One that was joined to another meanwhile took its item along; it waits for the next
    batch. Transactions before items: that is the order in which a join locks them too.
    """
    rows = binding.lock([item.transaction_id for item in items])
    there = BulkItem.objects.filter(
        pk__in=[item.pk for item in items],
        state=ItemState.WAITING,
        transaction__in=list(rows),
    )
    return list(there.order_by("id"))


def _act(bulk: BulkAction, member: Member, ids: list[UUID]) -> dict[UUID, str]:
    """Does it where it still may and can be done; says why not, of the others."""
    seen = selectors.visible_to(member)
    visible = set(seen.filter(pk__in=ids).values_list("pk", flat=True))
    matching = visible
    if bulk.shown_at is not None:
        # A fresh one for each batch: what a search finds is found once per filter.
        asked = TransactionFilter.of_member(
            member, QueryDict(bulk.query), livemode=bulk.livemode
        )
        same = asked.rows.filter(pk__in=ids)
        matching = set(same.values_list("pk", flat=True)) & visible
    reasons = {
        id: _("It does not match the filter any more.")
        if id in visible
        else _("It is not among your projects any more.")
        for id in ids
        if id not in matching
    }
    left = [id for id in ids if id in matching]
    return reasons | ACTS[bulk.act].run(bulk, member.user, left)


def _note(items: Sequence[BulkItem], reasons: dict[UUID, str]) -> tuple[int, int]:
    """Notes what came of the items; how many were done, and how many were not."""
    skipped: dict[str, list[int]] = {}
    for item in items:
        if item.transaction_id in reasons:
            skipped.setdefault(reasons[item.transaction_id], []).append(item.pk)
    done = [item.pk for item in items if item.transaction_id not in reasons]
    # The rows are locked, so the last entry by staff is the one just made.
    entries = TimelineEntry.objects.filter(
        transaction=OuterRef("transaction_id"), source=TimelineEntry.Source.STAFF
    )
    last = Subquery(entries.order_by("-id").values("identity")[:1])
    BulkItem.objects.filter(pk__in=done).update(state=ItemState.DONE, entry=last)
    for reason, ids in skipped.items():
        BulkItem.objects.filter(pk__in=ids).update(
            state=ItemState.SKIPPED, reason=reason[:200]
        )
    return len(done), len(items) - len(done)


def _finish(bulk: BulkAction, state: str) -> None:
    parts = bulk.items.filter(state=ItemState.SKIPPED).values("reason")
    counted = parts.annotate(number=Count("pk")).order_by("-number", "reason")
    bulk.outcome = [[part["reason"], part["number"]] for part in counted]
    bulk.state, bulk.finished = state, timezone.now()
    bulk.lease = bulk.leased_until = None
    bulk.save(
        update_fields=[
            "state", "finished", "outcome", "done", "missed", "lease", "leased_until",
        ]
    )  # fmt: skip
