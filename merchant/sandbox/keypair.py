"""The sandbox's own RSA pair, for a provider whose webhooks it has to sign with one."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from merchant.sandbox import private_file

PUBLIC_NAME = "sandbox-paysecure.public.pem"
_PRIVATE_NAME = "sandbox-paysecure.private.pem"


def new() -> tuple[str, str]:
    """A fresh pair: the public and the private key as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return public.decode(), private.decode()


def own(folder: Path) -> tuple[str, str]:
    """The pair of this installation, made at first need; only the owner can read it."""
    public, private = folder / PUBLIC_NAME, folder / _PRIVATE_NAME
    if not private.exists():
        for path, text in zip((public, private), new(), strict=True):
            private_file.write(path, text)
    return public.read_text(), private.read_text()
