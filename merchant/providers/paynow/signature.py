"""Two schemes of signatures: the live product's, and the guide's without a time."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime, timedelta

from merchant.providers.base import BadSignature, Incoming, Keys

TIMESTAMP = "paynow-timestamp"  # Unix milliseconds
LIVE = "paynow-signature"  # base64 of HMAC-SHA256 over "<timestamp>.<body>"
GUIDE = "x-paynow-signature"  # hex of HMAC-SHA256 over the body

TOLERANCE = timedelta(seconds=300)
#: A header may list several signatures during a rotation; nobody needs more.
MOST_SIGNATURES = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile("[0-9]{1,16}")
_HEX = re.compile("[0-9A-Fa-f]{64}")
_BASE64 = re.compile("[A-Za-z0-9+/]{43}=")


def verify(incoming: Incoming, keys: Keys) -> str:
    """How the signature fits, in words. Raises BadSignature."""
    secrets = [secret for secret in keys.secrets if secret]
    if not secrets:
        raise BadSignature(
            "No secret is set: copy the webhook's secret from PayNow's dashboard.",
            code="no_secret",
        )
    if LIVE in incoming.headers:  # a wrong one is wrong, whatever GUIDE says
        return _verify_live(incoming, secrets)
    if GUIDE in incoming.headers:
        number = _fitting(incoming.headers[GUIDE], incoming.body, secrets)
        return f"x-paynow-signature fits {_which(number)}; it covers no time"
    raise BadSignature(
        "Neither PayNow-Signature nor x-paynow-signature came: a proxy drops the "
        "header, or the sender is not PayNow.",
        code="missing",
    )


def _verify_live(incoming: Incoming, secrets: list[str]) -> str:
    at = incoming.headers.get(TIMESTAMP, "")
    if not at:
        raise BadSignature(
            "PayNow-Signature came without PayNow-Timestamp: a proxy drops it.",
            code="missing",
        )
    if not _MILLISECONDS.fullmatch(at):
        raise BadSignature(
            "PayNow-Timestamp is not a number of milliseconds.", code="malformed"
        )
    signed = at.encode("ascii") + b"." + incoming.body
    number = _fitting(incoming.headers[LIVE], signed, secrets)
    # Whole microseconds: a wild number cannot overflow a datetime.
    now = (incoming.received - _EPOCH) // timedelta(microseconds=1)
    off = now - int(at) * 1000
    if abs(off) > TOLERANCE // timedelta(microseconds=1):
        way = "old" if off > 0 else "in the future"
        raise BadSignature(
            f"The signature fits, but its time is {abs(off) // 1_000_000} s {way}: "
            "it came late, or a clock is wrong.",
            code="stale",
            stale=True,
        )
    return f"PayNow-Signature fits {_which(number)}"


def _which(number: int) -> str:
    return "the newest secret" if number == 0 else "an older secret"


def _fitting(header: str, signed: bytes, secrets: list[str]) -> int:
    """The number of the secret that made one of the header's signatures."""
    given = _signatures(header)
    if not given:
        raise BadSignature(
            "The signature is neither base64 nor hex of 32 bytes.", code="malformed"
        )
    for number, secret in enumerate(secrets):
        made = _mac(secret, signed)
        # All are compared, each in constant time.
        if sum(hmac.compare_digest(made, one) for one in given):
            return number
    raise BadSignature(
        "The signature fits no secret of this connection: the secret is another one, "
        "or the body was changed on its way.",
        code="mismatch",
    )


def _signatures(header: str) -> list[bytes]:
    """The digests in a header: a list in either encoding, named or not."""
    found = []
    for part in header.split(",")[:MOST_SIGNATURES]:
        text = part.strip().removeprefix("sha256=")
        if _HEX.fullmatch(text):
            found.append(bytes.fromhex(text))
        elif _BASE64.fullmatch(text):
            with_padding = text.encode("ascii")
            try:
                found.append(base64.b64decode(with_padding, validate=True))
            except binascii.Error:
                continue
    return found


def _mac(secret: str, signed: bytes) -> bytes:
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), signed, "sha256")


def sign(body: bytes, keys: Keys, at: datetime) -> dict[str, str]:
    """All three headers, so that a receiver of either scheme is content."""
    secret = keys.secrets[0]
    stamp = str((at - _EPOCH) // timedelta(milliseconds=1))
    live = _mac(secret, stamp.encode("ascii") + b"." + body)
    return {
        "PayNow-Timestamp": stamp,
        "PayNow-Signature": base64.b64encode(live).decode("ascii"),
        "x-paynow-signature": _mac(secret, body).hex(),
    }
