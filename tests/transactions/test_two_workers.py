"""Two workers, one purchase, its facts split: nothing is lost or doubled."""

from __future__ import annotations

import dataclasses
import multiprocessing
import random

import pytest
from django.db import OperationalError, connections

from merchant.models import Connection
from merchant.providers.base import Fact
from tests import factories
from tests.transactions import test_ledger
from tests.transactions.any_order import snapshot
from transactions import ledger
from transactions.models import Transaction

ROUNDS = 200


def story(number: int) -> list[Fact]:
    """The full story under ids of its own."""

    def renamed(name: str) -> str:
        return f"{name}_{number}"

    return [
        dataclasses.replace(
            fact,
            object_id=renamed(fact.object_id),
            references=tuple((kind, renamed(name)) for kind, name in fact.references),
        )
        for fact in test_ledger.STORY
    ]


def shares(number: int) -> tuple[list[Fact], list[Fact]]:
    facts = story(number)
    random.Random(number).shuffle(facts)
    half = len(facts) // 2
    # Both get the middle one, so that they also meet in a duplicate.
    return facts[: half + 1], facts[half:]


def work(which: int, connection: Connection, barrier: object, refused: object) -> None:
    connections.close_all()
    for number in range(ROUNDS):
        barrier.wait(60)  # type: ignore[attr-defined]
        for _ in range(10):
            try:
                ledger.record(connection, shares(number)[which], source="webhook")
                break
            except OperationalError:  # a deadlock is tried again, as the sweep does
                with refused.get_lock():  # type: ignore[attr-defined]
                    refused.value += 1  # type: ignore[attr-defined]
    connections.close_all()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_end_where_one_does() -> None:
    shared = factories.make_connection(provider="stripe")
    alone = factories.make_connection(provider="stripe")
    for number in range(ROUNDS):
        ledger.record(alone, story(number), source="webhook")
    shared = Connection.objects.select_related("project").get(pk=shared.pk)
    context = multiprocessing.get_context("fork")
    barrier, refused = context.Barrier(2), context.Value("i", 0)
    connections.close_all()
    workers = [
        context.Process(target=work, args=(which, shared, barrier, refused))
        for which in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert Transaction.objects.filter(project=shared.project).count() == ROUNDS
    assert snapshot(shared.project) == snapshot(alone.project)
    assert refused.value <= ROUNDS // 20
