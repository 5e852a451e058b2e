"""PaySuper signs with sha256(raw body + secret): no time, no key id, not an HMAC.

The secret at the end makes length extension useless; what is left is the hash's
collision resistance and the length of the secret.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from merchant.providers.base import BadSignature, Incoming, Keys

#: PaySuper's tester signs one delivery with this, and passes if it is refused.
_TESTERS_WRONG_KEY = "testing_secret_key_wrong"

_HOW = "It must read: Authorization: Signature <64 hex digits>."


def verify(incoming: Incoming, keys: Keys) -> str:
    """Says which secret fits. Raises BadSignature.

    During a rotation every live secret counts: an order keeps the secret that its
    project had when the order was made.
    """
    secrets = [secret for secret in keys.secrets if secret]
    if not secrets:
        raise BadSignature(
            "This connection has no secret key, so nothing can prove itself.",
            code="no_secret",
        )
    given = _given(incoming.headers.get("authorization", ""))
    fits = [
        hmac.compare_digest(given, _digest(incoming.body, secret)) for secret in secrets
    ]
    if any(fits):
        return (
            "The signature fits the newest secret key"
            if fits[0]
            else "The signature fits an older secret key"
        )
    if hmac.compare_digest(given, _digest(incoming.body, _TESTERS_WRONG_KEY)):
        raise BadSignature(
            "PaySuper's tester sent a wrong signature on purpose; refusing it is "
            "what passes its test.",
            code="mismatch",
        )
    raise BadSignature(
        "The signature fits none of this connection's secret keys. Compare the "
        "secret key of the project at PaySuper; orders that were made before it "
        "changed are still signed with the old one. Or the body was changed on "
        "its way.",
        code="mismatch",
    )


def sign(body: bytes, keys: Keys, at: datetime) -> dict[str, str]:
    """The headers of a real delivery, signed with the newest secret."""
    digest = _digest(body, keys.secrets[0]).decode("ascii")
    return {"Authorization": f"Signature {digest}"}


def _given(header: str) -> bytes:
    """The signature that came. Raises BadSignature when it cannot be one."""
    if not header.strip():
        raise BadSignature(
            f"The Authorization header is missing or empty. {_HOW}", code="missing"
        )
    scheme, _, digest = header.partition(" ")
    if scheme != "Signature":
        raise BadSignature(
            f"The Authorization header has another scheme. {_HOW}", code="malformed"
        )
    digest = digest.strip()
    if not digest.isascii() or len(digest) != 64:
        raise BadSignature(f"The signature is none. {_HOW}", code="malformed")
    return digest.encode("ascii")


def _digest(body: bytes, secret: str) -> bytes:
    """Lower-case hex, as bytes so that they compare in constant time."""
    salt = secret.encode("utf-8", "surrogatepass")
    return hashlib.sha256(body + salt).hexdigest().encode("ascii")
