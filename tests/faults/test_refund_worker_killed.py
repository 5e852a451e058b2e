"""kill -9 of the worker while refunds go out: each has one effect, and none is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from merchant.providers.base import Keys
from merchant.sandbox import senders
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.server import Fault, Server
from tests.live import House, children_of, own_database, until

pytestmark = pytest.mark.server

SECRET, API_KEY = "whsec_of_the_killed_worker", "sk_test_of_the_killed_worker"
REFUNDS, KILLS = 16, 4


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with own_database() as database:
        yield House(tmp_path, ALLOW_PRIVATE_ENDPOINTS="on", **database)


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[Server]:
    """Stripe in the test's own process, slow enough to be caught in the middle."""
    book = Book(tmp_path / "stripe.sqlite3")
    server = Server(Market(book, []), 0)
    server.faults.append(Fault("/stripe/v1/refunds", "late", 1, method="POST"))
    server.start()
    yield server
    server.stop()
    book.close()


def test_each_refund_has_one_effect(house: House, stripe: Server) -> None:
    *_, made, api_key = house.all_made(
        ["add_merchant", "--name", "Killed", "--slug", "killed"],
        ["add_project", "--merchant", "killed", "--name", "K", "--slug", "k"],
        ["add_connection", "--project", "k", "--provider", "stripe", "--mode", "test",
         "--secret", SECRET, "--api-key", API_KEY,
         "--base-url", f"{stripe.url}/stripe"],
        ["add_api_key", "--project", "k", "--scopes", "read,refund"],
    )  # fmt: skip
    key = api_key["key"]
    keys = Keys(secrets=(SECRET,), api_key=API_KEY, livemode=False)
    stall = Stall(made["id"], "stripe", keys)
    stripe.market.add(stall)
    with house.serving() as serve:
        for _ in range(REFUNDS):
            stripe.market.sell(stall, 7, datetime.now(UTC), ending="paid", begin="told")
        tell(house, stripe.market, stall)
        sales = until(lambda: listed(house, key, "transactions", REFUNDS), 60)
        landed: list[int] = []
        killer = threading.Thread(target=kill_workers, args=(serve.pid, landed))
        killer.start()
        for sale in sales:
            ask(house, key, sale["id"])
        killer.join()
        until(lambda: succeeded(house, key), 180, "the last refund")
        tell(house, stripe.market, stall)
        time.sleep(2)
        after = listed(house, key, "transactions", REFUNDS)
    assert len(landed) == KILLS
    effects = Counter(
        purchase.number
        for purchase in stripe.market.shop(stall).purchases.values()
        for step in purchase.steps
        if step.kind == "refund"
    )
    assert set(effects.values()) == {1}
    assert len(effects) == REFUNDS
    assert after
    assert all(row["amount_refunded"] == row["amount"] for row in after)


def tell(house: House, market: Market, stall: Stall) -> None:
    """What happened at Stripe reaches the intake."""
    for letter in senders.deliveries(
        market.due(datetime.now(UTC)), senders.STRICT, Random(1)
    ):
        headers = senders.sign("stripe", letter.body, stall.keys, datetime.now(UTC))
        url = f"http://127.0.0.1:{house.port}/hooks/stripe/{stall.connection}"
        assert senders.post(url, headers, letter.body)[0] == 200


def ask(house: House, key: str, sale: str) -> None:
    body = json.dumps({"transaction": sale})
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": sale,
    }
    answer = house.ask("POST", "/v1/refunds", body, headers)
    assert answer.status == 200, answer.text  # type: ignore[attr-defined]


def listed(house: House, key: str, what: str, wanted: int) -> list[dict[str, Any]]:
    rows = house.get_json(f"/v1/{what}?limit=100", key)["data"]
    ready = [row for row in rows if row["status"] != "created"]
    return ready if len(ready) >= wanted else []


def succeeded(house: House, key: str) -> bool:
    rows = listed(house, key, "refunds", REFUNDS)
    return bool(rows) and all(row["status"] == "succeeded" for row in rows)


def kill_workers(supervisor: int, landed: list[int]) -> None:
    chance = random.Random()
    for _ in range(KILLS):
        worker = until(lambda: worker_of(supervisor), 40, "a worker")
        time.sleep(chance.uniform(0.8, 2.5))
        os.kill(worker, signal.SIGKILL)
        until(lambda worker=worker: worker not in children_of(supervisor))
        landed.append(worker)


def worker_of(supervisor: int) -> int | None:
    children = children_of(supervisor).items()
    return next((pid for pid, words in children if "manage.py work" in words), None)
