"""Paysecure's public key, in every form in which people paste it."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from merchant.providers import paysecure
from tests.merchant.providers.paysecure_cases import pair, private_pem, public_pem

PEM = public_pem("own")
PUBLIC = pair("own").public_key()
DER = PUBLIC.public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
OLD_PEM = PUBLIC.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
).decode()

FORMS = {
    "pem": PEM,
    "pem with spaces around": f"\n  {PEM}\n\n",
    "pem with Windows lines": PEM.replace("\n", "\r\n"),
    "pem in one line of an .env file": PEM.replace("\n", "\\n"),
    "pkcs1 pem": OLD_PEM,
    "base64 of the der": base64.b64encode(DER).decode(),
    "base64 in lines": base64.encodebytes(DER).decode(),
    "base64 of the whole pem": base64.b64encode(PEM.encode()).decode(),
    "base64 of the pkcs1 pem": base64.b64encode(OLD_PEM.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_key(form: str) -> None:
    assert paysecure.normalise_public_key(form) == PEM
    assert paysecure.fingerprint(form) == hashlib.sha256(DER).hexdigest()
    assert paysecure.load_public_key(form).key_size == 2048


def _curve() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no public key"),
        ("hello", "neither PEM nor base64"),
        ("ключ", "neither PEM nor base64"),
        ("\ud800", "neither PEM nor base64"),
        ("AAAA", "no public key"),
        (PEM[:200], "no public key"),
        (PEM.replace("A", "B"), "."),
        (private_pem("own"), "private key"),
        (base64.b64encode(private_pem("own").encode()).decode(), "private key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate"),
        (public_pem("small", 1024), "1024 bits"),
        (_curve(), "not an RSA key"),
        ("A" * 30_000, "too long"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_no_such_key_is_told_in_a_sentence(text: str, words: str) -> None:
    for ask in (paysecure.load_public_key, paysecure.normalise_public_key):
        with pytest.raises(ValueError, match=words) as caught:
            ask(text)
        assert str(caught.value).endswith(".")
