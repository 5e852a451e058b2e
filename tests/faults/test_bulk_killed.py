"""kill -9 in the middle of a bulk action: another worker goes on, each row once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.live import House, own_database, until

pytestmark = [pytest.mark.server, pytest.mark.postgres]

ROWS = 2_400
KILLS = 2

CONFIRM = """
from django.utils import timezone
from django.http import QueryDict
from merchant.models import Member, Project
from tests.transactions.sales import sell
from transactions import bulk_actions
from transactions.bulk_actions import Shown
from transactions.filters import TransactionFilter
from transactions.paging import Counted
for _ in range(%d // 200):
    sell(Project.objects.get(), 200)
member = Member.objects.get()
asked = TransactionFilter.of_member(member, QueryDict("fulfilment=waiting"), True)
shown = Shown.of(asked, Counted(asked.rows.count(), False), timezone.now())
bulk_actions.start(member, bulk_actions.draft_all(member, "fulfil", shown))
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with own_database() as database:
        house = House(tmp_path, **database)
        house.all_made(
            ["add_merchant", "--name", "Dragon", "--slug", "dragon"],
            ["add_project", "--merchant=dragon", "--name=Shop", "--slug=shop"],
            ["add_member", "--merchant=dragon", "--email=ana@example.com",
             "--role=support", "--password", "correct horse battery 9"],
        )  # fmt: skip
        house.manage("shell", "-v", "0", "-c", CONFIRM % ROWS)
        yield house


def asked(house: House, question: str) -> Any:
    with psycopg.connect(house.environment["DATABASE_URL"]) as database:
        return database.execute(question).fetchone()


def test_a_killed_worker_leaves_nothing_undone_and_nothing_twice(house: House) -> None:
    _, ready, _ = standing(house)
    assert ready == ROWS
    killed_at = []
    for kill in range(KILLS):
        with house.running("work") as worker:
            enough = ready * (kill + 1) // (KILLS + 2)
            until(lambda least=enough: standing(house)[2] > least, 90, "a batch")
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        killed_at.append(standing(house)[2])
        assert standing(house)[0] == "running"
    with house.running("work"):
        until(lambda: standing(house)[0] == "done", 120, "the end")
    assert killed_at[-1] < ready
    assert standing(house)[1:] == (ready, ready)
    assert each_row_once(house) == (ready, ready, ready)
    assert left_waiting(house) == 0


def standing(house: House) -> tuple[str, int, int]:
    return asked(house, "SELECT state, ready, done FROM transactions_bulkaction")


def each_row_once(house: House) -> tuple[int, int, int]:
    """(items done, acts in the timelines, transactions that have one)."""
    (items,) = asked(
        house, "SELECT count(*) FROM transactions_bulkitem WHERE state = 'done'"
    )
    acts = asked(
        house,
        "SELECT count(*), count(DISTINCT transaction_id)"
        " FROM transactions_timelineentry WHERE source = 'staff' AND status = 'done'",
    )
    return items, *acts


def left_waiting(house: House) -> int:
    (number,) = asked(
        house,
        "SELECT count(*) FROM transactions_transaction"
        " WHERE livemode AND fulfilment = 'waiting'",
    )
    return number
