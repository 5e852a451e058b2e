"""What Paysecure's tests share: key pairs of this run, payloads, the facts of one."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from merchant import strict_json
from merchant.providers import paysecure
from merchant.providers.base import Fact, Incoming, Keys
from merchant.providers.paysecure.message import opened
from merchant.providers.paysecure.reading import facts as facts_of
from tests.merchant.providers.contract import NOW

FOLDER = Path(__file__).parents[2] / "payloads" / "paysecure"
ID = "6c40d1f29ab3e5001c7d8e01"
PAYOUT_ID = "6c40d1f29ab3e5001c7d8e77"
BRAND = "b7a1e0c4-5d2f-4e86-9a3b-c10d2e4f6a88"
START = 1790150400  # created_on of every payload


def pair(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A throw-away key pair of this run; the same name is the same pair."""
    return _pair(name, bits)


@cache
def _pair(name: str, bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem(name: str, bits: int = 2048) -> str:
    return (
        pair(name, bits)
        .public_key()
        .public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        .decode()
    )


def private_pem(name: str) -> str:
    return (
        pair(name)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


@cache
def keys(*names: str) -> Keys:
    """A connection that accepts these pairs, newest first, and signs with the first."""
    return Keys(
        public_keys=tuple(public_pem(name) for name in names),
        private_key=private_pem(names[0]),
    )


def raw(name: str) -> bytes:
    """The exact bytes of a payload file."""
    return (FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> Any:
    return strict_json.parse(raw(name))


def facts(name: str) -> list[Fact]:
    return paysecure.read(load(name), keys("own"))


def only(name: str) -> Fact:
    (fact,) = facts(name)
    return fact


def confirmed(name: str, **over: Any) -> Fact:
    """The payment as the API says it, which is to be believed."""
    message = opened(load(name)["message"] | over)
    return facts_of(message, keys("own"), fetched=True)[0]


def read_with(name: str, **over: Any) -> list[Fact]:
    """The facts of a payload whose purchase differs in these keys."""
    payload = load(name)
    payload["message"] |= over
    return paysecure.read(payload, keys("own"))


def signature(text: str, name: str = "own") -> str:
    """Signed as the documents say, without the code under test."""
    made = pair(name).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def delivery(body: Any, value: str, header: str = "paysecure-sign") -> Incoming:
    sent = body if isinstance(body, bytes) else json.dumps(body, default=float).encode()
    return Incoming(sent, {header: value}, NOW)


def said(fact: Fact, column: str) -> Any:
    """What the fact says of a column; None when it says nothing."""
    return fact.says[column].value if column in fact.says else None
