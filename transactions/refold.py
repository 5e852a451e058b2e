"""Computing rows again from their timelines; a healthy database does not change."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from merchant.models import Project
from transactions import customers, ledger, standing, totals
from transactions.models import Customer, Payout, Subscription, Transaction

BATCH = 200


def refold(project: Project | None = None) -> dict[str, int]:
    """Folds every row of the project (of all, without one) anew, then customers and
    running totals.

    Returns how many rows were checked and how many changed. Each batch is a database
    transaction of its own, so deliveries go on meanwhile.
    """
    checked = changed = 0
    for ids in _batches(_of(Transaction.objects.all(), project)):
        changed += len(ledger.refold(ids))
        checked += len(ids)
    for model, link in ((Subscription, "subscription"), (Payout, "payout")):
        for ids in _batches(_of(model._default_manager.all(), project)):
            with transaction.atomic():
                changed += standing.refold(model, link, ids)
            checked += len(ids)
    for ids in _batches(_of(Customer.objects.all(), project)):
        with transaction.atomic():
            changed += customers.refresh(ids)
        checked += len(ids)
    for shop in [project] if project else Project.objects.all():
        changed += totals.recount(shop)
    return {"checked": checked, "changed": changed}


def _of(rows: QuerySet, project: Project | None) -> QuerySet:
    return rows.filter(project=project) if project else rows


def _batches(rows: QuerySet) -> Iterator[list[UUID]]:
    """The ids in ascending order, a batch at a time; rows may come meanwhile."""
    last: UUID | None = None
    while True:
        ids = rows.order_by("pk").values_list("pk", flat=True)
        batch = list((ids.filter(pk__gt=last) if last else ids)[:BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1]
