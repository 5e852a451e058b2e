"""New rules reach what was sold before them: folded again by the worker, in batches.

Each batch is one database transaction with the note how far it got, so a worker that
is killed takes nothing along and the next one goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import OperationalError, connection
from django.db import transaction as database
from django.db.models import Exists, OuterRef, Q, QuerySet

from merchant import queue
from transactions import ledger
from transactions.fold import LATE
from transactions.models import FulfilmentRule, LineItem, Transaction
from transactions.paging import Position

log = logging.getLogger(__name__)

#: How many purchases one database transaction folds. SQLite has one writer, and intake
#: must not wait long for it.
BATCH = {"postgresql": 200, "sqlite": 50}
#: Batches of one round: whatever else waits for the worker comes in between.
AT_ONCE = 10


def apply_rules() -> int:
    """Applies the rules that are not yet; returns how many purchases were folded."""
    done = 0
    for _batch in range(AT_ONCE):
        if not _due().exists():
            break
        folded = _apply_batch()
        if folded is None:
            break  # another worker has it
        done += folded
    else:
        queue.ring(queue.RULES_JOB)
    return done


def _due() -> QuerySet[FulfilmentRule]:
    return FulfilmentRule.objects.filter(applied=False).order_by("pk")


@database.atomic
def _apply_batch() -> int | None:
    """The next purchases of the oldest rule; None where another worker is at it."""
    rule = (
        _due()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("project")
        .first()
    )
    if rule is None:
        return None
    places = _next(rule, BATCH[connection.vendor])
    rule.checked += len(places)
    rule.changed += len(_fold([place.id for place in places]))
    rule.applied = not places
    if places:
        rule.reached = places[-1].cursor()
    rule.save(update_fields=["checked", "changed", "applied", "reached"])
    return len(places)


def _fold(ids: Sequence[UUID]) -> set[UUID]:
    try:
        with database.atomic():
            return ledger.refold(ids)
    except OperationalError:
        raise  # nobody's fault: the batch comes again
    except Exception:
        log.exception("A batch of %d purchases has a culprit", len(ids))
    return {changed for id in ids for changed in _fold_one(id)}


def _fold_one(id: UUID) -> set[UUID]:
    """One purchase; one that cannot be folded must not keep the others waiting."""
    try:
        with database.atomic():
            return ledger.refold([id])
    except OperationalError:
        raise
    except Exception:
        log.exception("Transaction %s could not be folded", id)
        return {*()}


# --------------------------------------------------------------- what a rule concerns
def _next(rule: FulfilmentRule, size: int) -> list[Position]:
    """The newest purchases that it concerns and that were not reached yet."""
    reached = Position.read(rule.reached) if rule.reached else None
    found = {
        Position(created, id)
        for rows, key in _strands(rule)
        for created, id in _older(rows, key, reached, size)
    }
    return sorted(found, key=lambda place: place[:2], reverse=True)[:size]


def _older(
    rows: QuerySet, key: str, place: Position | None, size: int
) -> QuerySet[Transaction, tuple]:
    if place is not None:
        beyond = Q(created__lt=place.created) | Q(**{f"{key}__lt": place.id})
        rows = rows.filter(beyond, created__lte=place.created)
    return rows.order_by("-created", f"-{key}").values_list("created", key)[:size]


def _strands(rule: FulfilmentRule) -> Iterator[tuple[QuerySet, str]]:
    """Its purchases in parts that an index each holds newest first, and where the id
    of the purchase stands.

    By date of payment along the dates of creation: what is not paid late was created at
    most LATE before, the rest is rare and has an index of its own.
    """
    sales = Transaction.objects.filter(project=rule.project)
    items = LineItem.objects.filter(product=rule.product)
    since = rule.since
    soon = Q(created__gte=since - LATE) if since else Q()
    if rule.product_id:
        yield items.filter(soon, _is_paid_since(rule, "transaction__")), "transaction"
    else:
        for live in (True, False):
            yield sales.filter(soon, _is_paid_since(rule), livemode=live), "id"
    if since:
        late = sales.filter(
            merchant=rule.project.merchant_id,
            created__lt=since - LATE,
            paid_late=True,
            paid__gte=since,
        )
        if rule.product_id:
            own = items.filter(transaction=OuterRef("pk"), created=OuterRef("created"))
            late = late.filter(Exists(own))
        for live in (True, False):
            yield late.filter(livemode=live), "id"


def _is_paid_since(rule: FulfilmentRule, to: str = "") -> Q:
    """As fulfilment_rules.Rules.at: unpaid ones go by when they were created."""
    if rule.since is None:
        return Q()
    paid = Q(**{f"{to}paid__gte": rule.since})
    return paid | Q(**{f"{to}paid": None, f"{to}created__gte": rule.since})
