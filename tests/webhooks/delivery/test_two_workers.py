"""Two workers over the same deliveries: each goes out once, within the limits."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from tests.factories import make_project
from tests.webhooks.delivery.parts import make_endpoint, publish, receiver
from webhooks import jobs
from webhooks.delivery import claims
from webhooks.models import Attempt, Delivery

ENDPOINTS, EVENTS = 6, 40


def work(barrier: Any, tried: Any) -> None:
    connections.close_all()
    barrier.wait(20)
    done = jobs.deliver()
    with tried.get_lock():
        tried.value += done
    connections.close_all()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_twice() -> None:
    project = make_project()
    with receiver() as shop:
        for number in range(ENDPOINTS):
            make_endpoint(project, f"{shop.url}/{number}")
        publish(project, EVENTS)
        context = multiprocessing.get_context("fork")
        barrier, tried = context.Barrier(2), context.Value("i", 0)
        connections.close_all()
        workers = [
            context.Process(target=work, args=(barrier, tried)) for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        jobs.deliver()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Attempt.objects.count() == ENDPOINTS * EVENTS
    copies = Counter(heard.id for heard in shop.heard)
    assert set(copies.values()) == {ENDPOINTS}
    assert len(copies) == EVENTS
    assert shop.most_at_once <= ENDPOINTS * claims.AT_ONCE
