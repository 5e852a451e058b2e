"""Two workers over the same bulk actions, and two actions over the same rows."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from merchant.models import Project
from tests.factories import make_member, make_project
from tests.transactions.sales import sell
from transactions import bulk_actions
from transactions.bulk_actions import running
from transactions.models import BulkAction, BulkItem, TimelineEntry

ROWS = 240


def work(barrier: Any, handled: Any) -> None:
    connections.close_all()
    barrier.wait(20)
    done = bulk_actions.run_due()
    with handled.get_lock():
        handled.value += done
    connections.close_all()


def confirm(project: Project, ids: list) -> BulkAction:
    member = make_member("support", merchant=project.merchant)
    bulk = bulk_actions.draft(member, "fulfil", set(ids))
    assert bulk_actions.start(member, bulk)
    return bulk


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_every_row_is_handed_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", {"postgresql": 7})
    project = make_project()
    ids = [row.pk for row in sell(project, ROWS)]
    # Forwards and backwards over rows that are in both, so that they meet.
    first, second = confirm(project, ids[:200]), confirm(project, ids[:39:-1])
    context = multiprocessing.get_context("fork")
    barrier, handled = context.Barrier(2), context.Value("i", 0)
    connections.close_all()
    workers = [context.Process(target=work, args=(barrier, handled)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    acts = Counter(
        TimelineEntry.objects.filter(status="done").values_list(
            "transaction", flat=True
        )
    )
    assert acts == Counter(ids)
    assert handled.value == 400
    done = BulkItem.objects.filter(state="done").count()
    skipped = BulkItem.objects.filter(
        state="skipped", reason="It is handed over already."
    ).count()
    assert (done, skipped) == (ROWS, 160)
    for bulk in (first, second):
        bulk.refresh_from_db()
        assert (bulk.state, bulk.done + bulk.missed) == ("done", 200)
