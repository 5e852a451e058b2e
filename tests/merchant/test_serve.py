"""`serve`: everything up together, up again after a death, down together."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from merchant.providers import stripe
from merchant.providers.base import Keys
from tests.factories import rsa_pair
from tests.live import House, children_of, until

pytestmark = pytest.mark.server


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


def test_it_is_up_and_ready(house: House) -> None:
    with house.serving():
        assert house.ask("GET", "/healthz").text == "ok"
        until(lambda: json.loads(house.ask("GET", "/readyz").text)["ready"])


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
            what="the end of all children",
        )


def test_a_port_in_use_is_named(house: House) -> None:
    with house.serving():
        house.log.write_bytes(b"")
        with house.running("serve") as second:
            assert second.wait(timeout=30) == 1
        assert f"Port {house.port}" in house.log.read_text()


# ------------------------------------------------------------- the way in, for real
@pytest.fixture(scope="module")
def accounts(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Intake paths of a Stripe and a Paysecure connection."""
    house.made("add_merchant", "--name", "Dragon", "--slug", "dragon")
    house.made(
        "add_project", "--merchant", "dragon", "--name", "Shop", "--slug", "shop"
    )
    file = tmp_path_factory.mktemp("keys") / "public.pem"
    file.write_text(rsa_pair()[0])
    add = ["add_connection", "--project", "shop", "--provider"]
    made = {
        "stripe": house.made(*add, "stripe", "--secret", "whsec_test_1"),
        "paysecure": house.made(*add, "paysecure", "--public-key", str(file)),
    }
    root = f"http://127.0.0.1:{house.port}"
    return {name: row["intake_url"].removeprefix(root) for name, row in made.items()}


def test_a_signature_header_with_underscores_arrives(
    house: House, accounts: dict[str, str]
) -> None:
    body = json.dumps({"purchaseId": "p1", "status": "PAID", "brand_id": "b1"})
    headers = {"Content-Type": "application/json", "paysecure_sign": "bm90IHJpZ2h0"}
    with house.serving():
        wrong = house.ask("POST", accounts["paysecure"], body, headers)
        del headers["paysecure_sign"]
        none = house.ask("POST", accounts["paysecure"], body, headers)
    assert (wrong.status, none.status) == (401, 401)
    assert wrong.text != none.text or "missing" not in wrong.text


def test_a_chunked_delivery_is_asked_for_its_length(
    house: House, accounts: dict[str, str]
) -> None:
    with house.serving():
        answer = house.ask(
            "POST",
            accounts["stripe"],
            iter([b'{"a":', b"1}"]),
            {"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
            encode_chunked=True,
        )
    assert answer.status == 411


def test_a_signed_delivery_is_taken_and_read_by_the_worker(
    house: House, accounts: dict[str, str]
) -> None:
    key = house.made("add_api_key", "--project", "shop")["key"]
    now = int(time.time())
    charge = {
        "id": "ch_serve_1", "object": "charge", "amount": 1999, "currency": "eur",
        "status": "succeeded", "paid": True, "captured": True, "created": now,
        "amount_captured": 1999, "amount_refunded": 0, "refunded": False,
        "livemode": True, "metadata": {}, "payment_intent": None,
        "billing_details": {"email": "ada@example.com", "name": "Ada"},
    }  # fmt: skip
    event = {
        "id": "evt_serve_1", "object": "event", "type": "charge.succeeded",
        "api_version": "2024-06-20", "created": now, "livemode": True,
        "data": {"object": charge},
    }  # fmt: skip
    body = json.dumps(event).encode()
    signed = stripe.sign(body, Keys(secrets=("whsec_test_1",)), datetime.now(UTC))
    with house.serving():
        headers = {"Content-Type": "application/json", **signed}
        answer = house.ask("POST", accounts["stripe"], body, headers)
        assert (answer.status, json.loads(answer.text)) == (
            200,
            {"received": True, "duplicate": False},
        )
        rows = until(lambda: house.get_json("/v1/transactions", key)["data"])
    assert [(row["amount"], row["status"]) for row in rows] == [(1999, "paid")]
