"""Paysecure's public key in the forms in which people paste it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LEAST_BITS = 2048
#: A larger key would only make every forged delivery expensive to refuse.
MOST_BITS = 8192
_MOST_TEXT = 20_000

_WANTED = "paste the public key that Paysecure's dashboard shows (PEM or base64)"


@lru_cache(maxsize=256)
def load_public_key(text: str) -> RSAPublicKey:
    """The key. Raises ValueError with a sentence about what is wrong with the text.

    Understood: PEM (SPKI, or PKCS#1 "RSA PUBLIC KEY"), the base64 of the bare DER
    form, and the base64 of a whole PEM text.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError(f"This is too long for a public key: {_WANTED}.")
    data = _bytes(text.replace("\\n", "\n").strip())
    if b"PRIVATE KEY" in data:
        raise ValueError(f"This is a private key; it stays at Paysecure: {_WANTED}.")
    if b"CERTIFICATE" in data:
        raise ValueError(f"This is a certificate: {_WANTED}.")
    load = (
        serialization.load_pem_public_key
        if data.startswith(b"-----BEGIN")
        else serialization.load_der_public_key
    )
    try:
        key = load(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"This is no public key: {_WANTED}.") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("This is not an RSA key, and Paysecure signs with RSA only.")
    if key.key_size < LEAST_BITS:
        raise ValueError(
            f"This key has {key.key_size} bits: make one of at least {LEAST_BITS}."
        )
    if key.key_size > MOST_BITS:
        raise ValueError(f"This key has {key.key_size} bits, more than {MOST_BITS}.")
    return key


def normalise_public_key(text: str) -> str:
    """The same key as a PEM text. Raises ValueError as `load_public_key` does."""
    pem = load_public_key(text).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode("ascii")


def fingerprint(text: str) -> str:
    """sha256 of the DER form in hex: what to compare with, whatever form was pasted.

    Raises ValueError as `load_public_key` does.
    """
    der = load_public_key(text).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _bytes(text: str) -> bytes:
    """PEM as it is, base64 opened; what is inside may be DER or PEM."""
    if text.startswith("-----BEGIN"):
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode("".join(text.split()), validate=True).strip()
    except (binascii.Error, ValueError):
        raise ValueError(f"This is neither PEM nor base64: {_WANTED}.") from None
