"""Paysecure signs id, status and brand with RSA; the rest of a delivery is a claim."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from merchant import strict_json
from merchant.providers.base import BadSignature, Incoming, Keys, Unreadable
from merchant.providers.paysecure.message import Message, opened
from merchant.providers.paysecure.public_keys import load_public_key

HEADER = "paysecure-sign"
#: A server that gets both spellings of the header joins their values by a comma.
_MOST_PARTS = 4


def verify(incoming: Incoming, keys: Keys) -> str:
    """Says which key fits. Raises BadSignature, with status 400 for what is no JSON."""
    try:
        payload = strict_json.parse(incoming.body)
    except strict_json.NotStrict as error:
        raise BadSignature(
            f"The body is no JSON, and what is signed stands in it: {error}.",
            code="unparsable",
            status=400,
        ) from error
    public = _public_keys(keys)
    given = _given(incoming.headers.get(HEADER, ""))
    try:
        message = opened(payload)
    except Unreadable as error:
        raise BadSignature(
            f"What Paysecure signs cannot be found in the body. {error}",
            code="malformed",
        ) from error
    place = _fitting(message, given, public)
    if message.kind == "purchase" and keys.brand_ids:
        _check_brand(message, keys)
    what = "id, status and brand" if message.brand else "id and status"
    which = "the newest key" if place == 0 else "an older key"
    return f"The signature of {what} fits {which}; amounts are not signed"


def sign(body: bytes, keys: Keys, at: datetime) -> dict[str, str]:
    """The headers of a real delivery. Raises ValueError without a private key."""
    message = opened(strict_json.parse(body))
    text = _signed(message, message.spellings[0])
    made = _private_key(keys.private_key).sign(
        text, padding.PKCS1v15(), hashes.SHA256()
    )
    return {"paysecure_sign": base64.b64encode(made).decode("ascii")}


def allowed(brand: str, keys: Keys) -> bool:
    """Whether the brand belongs to the connection; without a list every one does."""
    return not keys.brand_ids or brand in keys.brand_ids


def _public_keys(keys: Keys) -> list[RSAPublicKey]:
    found = []
    for text in keys.public_keys:
        try:
            found.append(load_public_key(text))
        except ValueError:
            continue  # told to whoever enters one; an old row must not shut the door
    if not found:
        raise BadSignature(
            "This connection has no usable public key: generate a key pair at "
            "Paysecure (Public Key) and add its public key here.",
            code="no_secret",
        )
    return found


def _given(header: str) -> list[bytes]:
    """The signatures that came. Raises BadSignature when none of them can be one."""
    if not header.strip():
        raise BadSignature(
            "signature header missing: your proxy may drop headers with underscores "
            "(nginx: underscores_in_headers on), or the sender is not Paysecure.",
            code="missing",
        )
    found = []
    for part in header.split(",")[:_MOST_PARTS]:
        try:
            found.append(base64.b64decode(part.strip(), validate=True))
        except (binascii.Error, ValueError):
            continue
    if not any(found):
        raise BadSignature("The signature is no base64 text.", code="malformed")
    return found


def _fitting(message: Message, given: list[bytes], public: list[RSAPublicKey]) -> int:
    """The place of the key that fits. Raises BadSignature when none does."""
    for place, key in enumerate(public):
        for text in _texts(message):
            if any(_fits(key, signature, text) for signature in given):
                return place
    raise BadSignature(
        "The signature fits none of this connection's public keys: its id, status or "
        "brand was changed, or Paysecure signs with a key pair that is not entered "
        "here (sandbox and live have one each).",
        code="mismatch",
    )


def _texts(message: Message) -> Iterator[bytes]:
    """What may have been signed. Which case Paysecure signs differs by account.

    No harm in trying: the status is normalised before anybody acts on it.
    """
    spellings = [
        cased
        for word in message.spellings
        for cased in (word, word.upper(), word.lower())
    ]
    for spelling in dict.fromkeys(spellings):
        yield _signed(message, spelling)


def _signed(message: Message, status: str) -> bytes:
    parts = [message.id, status]
    if message.kind == "purchase":
        parts.append(message.brand)
    return "|".join(parts).encode()


def _fits(key: RSAPublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _check_brand(message: Message, keys: Keys) -> None:
    if not allowed(message.brand, keys):
        raise BadSignature(
            f"The signature is right, but the brand {message.brand} is not one of "
            "this connection's. Add it, if it is yours.",
            code="account",
        )


@lru_cache(maxsize=16)
def _private_key(pem: str) -> RSAPrivateKey:
    if not pem:
        raise ValueError("Signing as Paysecure needs a private key.")
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("Signing as Paysecure needs an RSA key.")
    return key
