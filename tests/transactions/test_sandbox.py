"""A day in the sandbox: purchases go on, and what nobody takes is sent again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant import processes
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import Incoming, Keys
from merchant.sandbox import senders
from merchant.sandbox.market import Market
from tests.factories import make_connection
from transactions.demo import stalls
from transactions.demo.day import Day
from transactions.demo.post import Answer, Postman, hand_over_here
from transactions.management.commands import sandbox
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(settings, tmp_path: Path) -> Iterator[Market]:
    settings.DATA_DIR = tmp_path
    rows = [make_connection(provider, livemode=False) for provider in PROVIDERS]
    book = stalls.open_book()
    yield Market(book, stalls.stalls(rows)[0])
    book.close()


def day_at(market: Market, hand_over=hand_over_here, **over: object) -> Day:
    rows = {str(row.pk): row for row in Connection.objects.select_related("project")}
    given = {"habits": senders.Habits(), "chance": Random(5), "begin": "told"} | over
    return Day(market, rows, hand_over, **given)  # type: ignore[arg-type]


def test_it_ends_after_so_many_purchases(market: Market) -> None:
    day = day_at(market)
    day.run(threading.Event(), lambda: 0.0, 12)
    counts = day.counts()
    assert counts["purchases"] == 12
    assert counts["refused"] == 0
    kept = InboundEvent.objects.filter(state="pending").count()
    assert 12 <= kept <= counts["deliveries"] - counts["duplicates"]


def test_every_provider_takes_what_the_sandbox_signs(market: Market) -> None:
    day = day_at(market, habits=senders.STRICT)
    day.run(threading.Event(), lambda: 0.0, 40)
    providers = InboundEvent.objects.values_list("connection__provider", flat=True)
    assert set(providers) == set(PROVIDERS)


def test_a_stop_is_heard(market: Market) -> None:
    stop = threading.Event()
    stop.set()
    day = day_at(market)
    day.run(stop, lambda: 0.0, None)
    assert day.counts()["purchases"] == 0


def test_a_busy_intake_gets_it_again(market: Market) -> None:
    answers = iter([503, 503])

    def busy(row: Connection, keys: Keys, body: bytes) -> Answer:
        status = next(answers, 0)
        if status:
            return Answer(status, b"", "http")
        return hand_over_here(row, keys, body)

    day = day_at(market, busy, habits=senders.STRICT)
    day.run(threading.Event(), lambda: 0.0, 1)
    assert day.counts()["refused"] == 2
    assert InboundEvent.objects.filter(state="pending").exists()


def test_some_come_twice_and_some_come_late(market: Market) -> None:
    day = day_at(market)
    for _ in range(30):
        day.sell()
    tellings = market.due(timezone.now())
    straight = senders.deliveries(tellings, senders.STRICT, Random(1))
    crooked = senders.deliveries(tellings, senders.Habits(20, 20), Random(1))
    assert any(letter.repeated for letter in crooked)
    first = [letter.body for letter in crooked if not letter.repeated]
    assert first != [letter.body for letter in straight]
    assert sorted(first) == sorted(letter.body for letter in straight)


def test_an_intake_that_is_away_is_reached_in_this_process(
    settings, market: Market
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    stall = market.stalls[0]
    row = Connection.objects.get(pk=stall.connection)
    body = b'{"id":"e1","type":"notification","event":"x.y","live":false,"object":{}}'
    answer = Postman().hand_over(row, stall.keys, body)
    assert answer.way == "in process"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_sandbox_signs_proves_itself(market: Market, provider: str) -> None:
    stall = next(s for s in market.stalls if s.provider == provider)
    now = timezone.now()
    body = b'{"message": {"purchaseId": "p1", "status": "PAID", "brand_id": "b1"}}'
    headers = senders.sign(provider, body, stall.keys, now)
    PROVIDERS[provider].verify(Incoming(body, headers, now), stall.keys)


# ----------------------------------------------------------------------- the command
@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """What a signal would set; the test's own signals stay as they are."""
    stop = threading.Event()
    monkeypatch.setattr(processes, "stop_on_signals", lambda: stop)
    monkeypatch.setattr(sandbox, "SECONDS_FOR_LOOK_UPS", 0)
    return stop


def run(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command("sandbox", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_command_sells_to_connections_that_point_at_it(
    settings, tmp_path: Path, stopped: threading.Event, free_port: int
) -> None:
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    row = make_connection(
        "paynow", livemode=False, base_url=f"http://127.0.0.1:{free_port}/paynow"
    )
    elsewhere = make_connection("paynow", livemode=False)
    said = run(
        "--port", str(free_port), "--rate", "6000", "--count", "5", "--seed", "1"
    )
    assert (said["purchases"], said["refused"]) == (5, 0)
    assert row.inbound.count() >= 5
    assert not elsewhere.inbound.exists()


def test_the_command_answers_only_where_nothing_is_to_be_sold(
    settings, tmp_path: Path, stopped: threading.Event, free_port: int
) -> None:
    settings.DATA_DIR = tmp_path
    stopped.set()
    said = run("--port", str(free_port), "--rate", "0")
    assert (said["purchases"], said["url"]) == (0, f"http://127.0.0.1:{free_port}")


def test_a_taken_port_is_named(
    settings, tmp_path: Path, stopped: threading.Event
) -> None:
    settings.DATA_DIR = tmp_path
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"cannot listen on port {port}"):
            run("--port", str(port))


@pytest.mark.parametrize(
    "words",
    [("--port", "0"), ("--port", "70000"), ("--rate", "-1"), ("--count", "0")],
)
def test_wrong_use_is_said(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as problem:
        run(*words)
    assert problem.value.returncode == 2


@pytest.fixture
def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
