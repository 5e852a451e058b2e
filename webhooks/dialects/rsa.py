"""RSA as Paysecure signs with it: PKCS #1 v1.5 over SHA-256, in base64."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

#: Of this strength; every verifier that people copy takes it.
BITS = 2048


def new_pair() -> tuple[str, str]:
    """A private key (PKCS #8) and its public key (SPKI), both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode("ascii"), public.decode("ascii")


# A signature takes a quarter of a millisecond whatever is done, and the same text and
# key always give the same one: another endpoint of the project, and another try.
@lru_cache(maxsize=4096)
def sign(private: str, text: bytes) -> str:
    """The signature of the text. Raises ValueError for what is no private RSA key."""
    made = _loaded(private).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode("ascii")


# Opening a key takes far longer than a signature.
@lru_cache(maxsize=256)
def _loaded(private: str) -> rsa.RSAPrivateKey:
    if not private:
        raise ValueError("This project has no key pair to sign with.")
    key = serialization.load_pem_private_key(private.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("A key pair of Paysecure's kind is an RSA key.")
    return key
