"""`serve`: everything up together, up again after a death, down together."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import rsa_pair
from tests.live import House, children_of, until
from tests.live_letters import Shop

#: One process runs them all: they share an installation.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("serve")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


def test_serve_without_migrations_says_so(tmp_path: Path, house: House) -> None:
    house.log.write_bytes(b"")
    before = dict(house.environment)
    house.environment["DATA_DIR"] = str(tmp_path)
    with house.running("serve") as process:
        assert process.wait(timeout=30) == 1
    house.environment = before
    log = house.log.read_text()
    assert "migrate" in log
    assert "Traceback" not in log


def test_sigterm_ends_everything_within_eight_seconds(house: House) -> None:
    with house.serving() as process:
        children = children_of(process.pid)
        grandchildren = [pid for child in children for pid in children_of(child)]
        assert len(children) == 2
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - began < 8
        for pid in [*children, *grandchildren]:
            assert not Path(f"/proc/{pid}").exists()


def test_a_dead_child_is_started_again(house: House) -> None:
    with house.serving() as process:
        for name in ("granian", "work"):
            pid = next(
                p for p, words in children_of(process.pid).items() if name in words
            )
            os.kill(pid, signal.SIGKILL)
            until(
                lambda name=name, pid=pid: any(
                    name in words and p != pid
                    for p, words in children_of(process.pid).items()
                ),
                what=f"a new {name}",
            )
        until(house.is_up)


def test_a_killed_supervisor_leaves_nobody_behind(house: House) -> None:
    with house.serving() as process:
        children = list(children_of(process.pid))
        process.kill()
        until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in children),
            seconds=60,
            what="the end of all children",
        )


# ------------------------------------------------------------- the way in, for real
@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture(scope="module")
def open_house(house: House) -> Iterator[House]:
    """It serves from here to the end, for tests that only ask."""
    with house.serving():
        yield house


def test_it_is_up_and_ready(open_house: House) -> None:
    assert open_house.ask("GET", "/healthz").text == "ok"
    until(lambda: json.loads(open_house.ask("GET", "/readyz").text)["ready"])


def test_a_port_in_use_is_named(open_house: House) -> None:
    before = open_house.log.read_text()
    with open_house.running("serve") as second:
        assert second.wait(timeout=30) == 1
    told = open_house.log.read_text().removeprefix(before)
    assert f"Port {open_house.port}" in told


def test_a_signed_delivery_is_taken_and_read_by_the_worker(
    open_house: House, shop: Shop
) -> None:
    answer = shop.send(1)
    assert answer.status == 200
    assert json.loads(answer.text) == {"received": True, "duplicate": False}
    assert until(shop.amounts) == [101]


def test_pages_find_their_hashed_files(open_house: House) -> None:
    login = open_house.ask("GET", "/login/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', login)
    answers = [open_house.ask("GET", file) for file in files]
    assert files
    for file, answer in zip(files, answers, strict=True):
        assert answer.status == 200, file
        assert "immutable" in answer.headers["Cache-Control"], file


def test_a_signature_header_with_underscores_arrives(
    open_house: House, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "public.pem"
    file.write_text(rsa_pair()[0])
    words = ["--project", "shop", "--provider", "paysecure", "--public-key", str(file)]
    id_ = open_house.made("add_connection", *words)["id"]
    body = json.dumps({"purchaseId": "p1", "status": "PAID", "brand_id": "b1"})
    headers = {"Content-Type": "application/json", "paysecure_sign": "bm90IHJpZ2h0"}
    wrong = open_house.ask("POST", f"/hooks/paysecure/{id_}", body, headers)
    del headers["paysecure_sign"]
    none = open_house.ask("POST", f"/hooks/paysecure/{id_}", body, headers)
    assert (wrong.status, none.status) == (401, 401)
    assert "missing" in none.text
    assert "missing" not in wrong.text


def test_a_chunked_delivery_is_asked_for_its_length(
    open_house: House, shop: Shop
) -> None:
    chunks = iter([b'{"a":', b"1}"])
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    answer = open_house.ask("POST", shop.path, chunks, headers, encode_chunked=True)
    assert answer.status == 411
