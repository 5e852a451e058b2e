"""What PaySuper's tests share: keys, payload files, the facts of one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from merchant import strict_json
from merchant.providers import paysuper
from merchant.providers.base import Fact, Incoming, Keys
from tests.merchant.providers.contract import NOW

FOLDER = Path(__file__).parents[2] / "payloads" / "paysuper"
SECRET = "lantern-harbor-17"
KEYS = Keys(secrets=(SECRET,), account="5fd0a1b2c3d4e5f601020300")

ORDER_ID = "3c9d51aa-7e42-4b0f-9c6b-0f1d2e3a4b5c"


def raw(name: str) -> bytes:
    """The exact bytes of a payload file."""
    return (FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> Any:
    return strict_json.parse(raw(name))


def facts(name: str) -> list[Fact]:
    return paysuper.read(load(name), KEYS)


def read_with(name: str, **over: Any) -> list[Fact]:
    """The facts of a payload whose order differs in these keys."""
    payload = load(name)
    payload["object"] |= over
    return paysuper.read(payload, KEYS)


def by_hand(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a delivery, worked out without the code under test."""
    digest = hashlib.sha256(body + secret.encode()).hexdigest()
    return {"Authorization": f"Signature {digest}"}


def incoming(body: bytes, headers: dict[str, str]) -> Incoming:
    named = {name.lower().replace("_", "-"): text for name, text in headers.items()}
    return Incoming(body, named, NOW)


def said(fact: Fact, column: str) -> Any:
    """What the fact says of a column; None when it says nothing."""
    return fact.says[column].value if column in fact.says else None
